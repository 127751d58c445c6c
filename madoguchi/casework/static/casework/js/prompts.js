/*
 * <madoguchi-prompts for="id_summary" hidden><button type="button" data-text="いつ：">いつ</button>…
 * Puts a heading of the 5W1H into the text, on a line of its own, and leaves the cursor behind it.
 */

class MadoguchiPrompts extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-text]");
      if (button) this.put(button.dataset.text);
    });
  }

  put(text) {
    const field = document.getElementById(this.getAttribute("for"));
    const before = field.value.slice(0, field.selectionStart);
    const lead = before === "" || before.endsWith("\n") ? "" : "\n";
    field.focus();
    field.setRangeText(lead + text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.define("madoguchi-prompts", MadoguchiPrompts);
