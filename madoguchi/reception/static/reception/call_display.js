/*
 * <call-display sound="…/call.wav"><madoguchi-live …>…</madoguchi-live></call-display>
 * Announces every call over the whole screen, with a sound and, where the browser has a Japanese
 * voice, in words; one after another, so that two counters which call at once are both heard. The
 * live event is announced as it comes; what a break has swallowed is found in the next drawing.
 * A browser lets a page sound only after somebody has touched it, hence the button.
 */

const SHOWN = 5_000; // ms for which one call fills the screen; less while others wait
const SHORT = 2_500;

class CallDisplay extends HTMLElement {
  connectedCallback() {
    this.known = new Set(this.rows().map((call) => call.key));
    this.waiting = [];
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "button button--secondary display__sound";
    this.button.textContent = "音と声を出す";
    this.button.addEventListener("click", () => this.allow());
    this.append(this.button);
    this.addEventListener("madoguchi:change", ({ detail }) => {
      if (detail.calls) this.take([{ key: `${detail.visit}-${detail.calls}`, ...detail }]);
    });
    this.addEventListener("madoguchi:drawn", () => this.take(this.rows()));
  }

  rows() {
    // Oldest first: the rows stand newest first.
    return [...this.querySelectorAll("[data-call]")]
      .map(({ dataset }) => ({ key: dataset.call, ticket: dataset.ticket, counter: dataset.counter }))
      .reverse();
  }

  allow() {
    this.sound = new Audio(this.getAttribute("sound"));
    this.sound.play();
    this.button.remove();
  }

  take(calls) {
    const news = calls.filter((call) => !this.known.has(call.key));
    for (const call of news) this.known.add(call.key);
    this.waiting.push(...news);
    if (!this.isCalling) this.next();
  }

  next() {
    const call = this.waiting.shift();
    this.isCalling = call !== undefined;
    this.banner?.remove();
    if (!this.isCalling) return;
    this.show(call);
    this.say(call);
    setTimeout(() => this.next(), this.waiting.length ? SHORT : SHOWN);
  }

  show({ ticket, counter }) {
    this.banner = document.createElement("div");
    this.banner.className = "display__call";
    this.banner.setAttribute("role", "alert");
    for (const [part, words] of [
      ["number", `${ticket}番`],
      ["counter", `${counter}へ`],
    ]) {
      const line = document.createElement("p");
      line.className = `display__call-${part}`;
      line.textContent = words;
      this.banner.append(line);
    }
    this.append(this.banner);
  }

  say({ ticket, counter }) {
    if (!this.sound) return;
    this.sound.currentTime = 0;
    this.sound.play();
    const voice = window.speechSynthesis?.getVoices().find(({ lang }) => lang.startsWith("ja"));
    if (!voice) return;
    const words = new SpeechSynthesisUtterance(`${ticket}番の方、${counter}へお越しください。`);
    words.voice = voice;
    words.lang = "ja-JP";
    words.rate = 0.9;
    this.sound.onended = () => window.speechSynthesis.speak(words);
  }
}

customElements.define("call-display", CallDisplay);
