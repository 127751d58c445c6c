/* Enter that confirms a Japanese conversion never submits, and long forms are sent by their button. */

const TYPED = "input:not([type=submit], [type=button], [type=checkbox], [type=radio], [type=file])";

function isLong(form) {
  return form.hasAttribute("data-draft") || form.querySelector("textarea") !== null;
}

document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || !event.target.matches?.(TYPED)) return;
    // 229: Safari reports the confirming Enter after the composition has ended.
    const isComposing = event.isComposing || event.keyCode === 229;
    if (isComposing || (event.target.form && isLong(event.target.form))) {
      event.preventDefault();
      if (isComposing) event.stopImmediatePropagation();
    }
  },
  { capture: true },
);
