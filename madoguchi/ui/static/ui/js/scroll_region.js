/* A table wider than the screen scrolls by keyboard too: it becomes a region one can tab to. */

function mark() {
  for (const area of document.querySelectorAll(".table, .table-scroll")) {
    const isWide = area.scrollWidth > area.clientWidth && getComputedStyle(area).overflowX === "auto";
    if (isWide && !area.hasAttribute("tabindex")) {
      area.tabIndex = 0;
      area.dataset.scrolls = "";
    } else if (!isWide && "scrolls" in area.dataset) {
      area.removeAttribute("tabindex");
      delete area.dataset.scrolls;
    }
  }
}

mark();
addEventListener("resize", mark);
document.addEventListener("htmx:afterSettle", mark);
document.addEventListener("madoguchi:drawn", mark);
