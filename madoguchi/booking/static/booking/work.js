/*
 * <madoguchi-work challenge="…" bits="17" [at-once]>: computes in a worker of its own and writes
 * "challenge~number" into its hidden field. Until then its form cannot be sent; with at-once the
 * form goes by itself. The server checks (foundation/work.py); nothing here is trusted.
 */
class MadoguchiWork extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.field = this.querySelector("input");
    this.hold = (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    this.form.addEventListener("submit", this.hold, true);
    this.worker = new Worker(new URL("./work_worker.js", import.meta.url));
    this.worker.onmessage = ({ data }) => this.done(data);
    this.worker.postMessage({
      challenge: this.getAttribute("challenge"),
      bits: Number(this.getAttribute("bits")),
    });
  }

  disconnectedCallback() {
    this.worker?.terminate();
  }

  done(number) {
    this.field.value = `${this.getAttribute("challenge")}~${number}`;
    this.querySelector("p").textContent = "確認できました。";
    this.form.removeEventListener("submit", this.hold, true);
    this.worker.terminate();
    if (this.hasAttribute("at-once")) this.form.requestSubmit();
  }
}

customElements.define("madoguchi-work", MadoguchiWork);
