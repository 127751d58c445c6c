/*
 * Single keys: any link, button or input marked data-key="n". "?" shows them; they can be turned off.
 * Ctrl+Enter, from anywhere within a form, presses its button marked data-submit.
 */

const OFF = "keys-off";
const sheet = document.getElementById("keys");
const list = sheet?.querySelector("[data-keys-list]");
const onOff = sheet?.querySelector("[data-keys-switch]");

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
}

function fillSheet() {
  list.querySelectorAll("[data-keys-found]").forEach((row) => row.remove());
  for (const marked of document.querySelectorAll("[data-key]")) {
    const row = document.createElement("div");
    const key = document.createElement("dt");
    const what = document.createElement("dd");
    row.dataset.keysFound = "";
    key.append(Object.assign(document.createElement("kbd"), { textContent: marked.dataset.key }));
    what.textContent = marked.getAttribute("aria-label") || marked.textContent.trim() || marked.title;
    row.append(key, what);
    list.append(row);
  }
}

function use(marked) {
  if (marked.matches("input, textarea, select")) marked.focus();
  else marked.click();
}

if (sheet) {
  onOff.checked = localStorage.getItem(OFF) === null;
  onOff.addEventListener("change", () => {
    if (onOff.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
  // However it is opened, it shows the keys of this page as it stands now.
  new MutationObserver(() => sheet.open && fillSheet()).observe(sheet, { attributeFilter: ["open"] });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "Enter" && !event.isComposing) {
    const button = event.target.form?.querySelector("[data-submit]");
    if (button) {
      event.preventDefault();
      button.click();
      return;
    }
  }
  const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.isComposing;
  if (!isPlain || event.defaultPrevented || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") || localStorage.getItem(OFF) !== null) return;
  if (event.key === "?" && sheet) {
    event.preventDefault();
    sheet.showModal();
    return;
  }
  const marked = [...document.querySelectorAll("[data-key]")].find(
    (candidate) => candidate.dataset.key === event.key && candidate.checkVisibility(),
  );
  if (marked) {
    event.preventDefault();
    use(marked);
  }
});
