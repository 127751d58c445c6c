/*
 * <call-chime><madoguchi-live …>…</madoguchi-live></call-chime>
 * Sounds once for every new call, one after another: two counters that call at once are both
 * heard. A browser lets a page sound only after somebody has touched it, hence the button.
 */

const PAUSE = 2_500; // ms between two calls

class CallChime extends HTMLElement {
  connectedCallback() {
    this.known = new Set(this.calls());
    this.waiting = [];
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "button button--secondary display__sound";
    this.button.textContent = "音を鳴らす";
    this.button.addEventListener("click", () => this.allow());
    this.append(this.button);
    this.addEventListener("madoguchi:drawn", () => this.look());
  }

  calls() {
    return [...this.querySelectorAll("[data-call]")].map((row) => row.dataset.call);
  }

  allow() {
    this.audio = new AudioContext();
    this.button.remove();
    this.ring();
  }

  look() {
    const now = this.calls();
    // Oldest first: the rows stand newest first.
    this.waiting.push(...now.filter((call) => !this.known.has(call)).reverse());
    this.known = new Set(now);
    if (!this.isCalling) this.next();
  }

  next() {
    const call = this.waiting.shift();
    this.isCalling = call !== undefined;
    if (!this.isCalling) return;
    const row = this.querySelector(`[data-call="${call}"]`);
    row?.classList.add("is-called");
    this.ring();
    setTimeout(() => {
      row?.classList.remove("is-called");
      this.next();
    }, PAUSE);
  }

  ring() {
    if (!this.audio) return;
    const start = this.audio.currentTime;
    for (const [index, pitch] of [660, 523].entries()) {
      const tone = this.audio.createOscillator();
      const volume = this.audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.3, start + index * 0.45);
      volume.gain.exponentialRampToValueAtTime(0.001, start + index * 0.45 + 0.9);
      tone.connect(volume).connect(this.audio.destination);
      tone.start(start + index * 0.45);
      tone.stop(start + index * 0.45 + 0.9);
    }
  }
}

customElements.define("call-chime", CallChime);
