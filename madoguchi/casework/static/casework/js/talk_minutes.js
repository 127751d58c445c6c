/*
 * <madoguchi-talk-minutes for="id_minutes" since="2026-11-24T10:00:00+09:00" now="…" hidden>
 *   <button type="button">今までの時間を入れる</button></madoguchi-talk-minutes>
 * Writes how long the talk has lasted into the field. `now` is the server's clock.
 */

class MadoguchiTalkMinutes extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.skew = Date.parse(this.getAttribute("now")) - Date.now();
    this.addEventListener("click", () => this.fill());
  }

  fill() {
    const field = document.getElementById(this.getAttribute("for"));
    const passed = Date.now() + this.skew - Date.parse(this.getAttribute("since"));
    field.value = String(Math.min(600, Math.max(1, Math.round(passed / 60_000))));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.define("madoguchi-talk-minutes", MadoguchiTalkMinutes);
