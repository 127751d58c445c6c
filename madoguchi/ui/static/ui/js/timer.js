/*
 * <madoguchi-timer since="2026-11-24T10:00:00+09:00" now="…" late-after="30">0分</madoguchi-timer>
 * Minutes since a moment. `now` is the server's clock when the page was drawn: a desk's may be wrong.
 */

const TICK = 5_000; // ms

class MadoguchiTimer extends HTMLElement {
  connectedCallback() {
    const now = this.getAttribute("now");
    this.skew = now ? Date.parse(now) - Date.now() : 0;
    this.draw();
    this.ticking = setInterval(() => this.draw(), TICK);
  }

  disconnectedCallback() {
    clearInterval(this.ticking);
  }

  draw() {
    const passed = Date.now() + this.skew - Date.parse(this.getAttribute("since"));
    const minutes = Math.max(0, Math.floor(passed / 60_000));
    const hours = Math.floor(minutes / 60);
    const text = hours ? `${hours}時間${minutes % 60}分` : `${minutes}分`;
    if (this.textContent !== text) this.textContent = text;
    const limit = Number(this.getAttribute("late-after"));
    this.classList.toggle("is-late", limit > 0 && minutes >= limit);
  }
}

customElements.define("madoguchi-timer", MadoguchiTimer);
