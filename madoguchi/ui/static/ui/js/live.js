/*
 * <madoguchi-live topics="public.display.1" stream="/live/" src="/display/1/calls/">…</madoguchi-live>
 * Follows the topics and draws its content again from `src` after each change. Events carry no
 * content, so every reader sees only what that reader may. Says "stale" and "fresh" to the document.
 * `data-again="90"` on anything within: draw again after so many seconds, though nothing happened.
 * `spread`: so many milliseconds apart do many screens ask for the same. The bare event is told at
 * once ("madoguchi:change"), for whoever can show something from its numbers.
 */

const PAUSE = 150; // ms: a burst of events is one fetch
const AGAIN = 3_000; // ms until a failed fetch or a refused stream is tried again

class MadoguchiLive extends HTMLElement {
  connectedCallback() {
    this.open();
    this.planAgain();
  }

  disconnectedCallback() {
    this.source?.close();
    clearTimeout(this.waiting);
    clearTimeout(this.reopening);
    clearTimeout(this.drawingAgain);
  }

  open() {
    const topics = new URLSearchParams();
    for (const topic of (this.getAttribute("topics") || "").split(/\s+/).filter(Boolean)) {
      topics.append("topic", topic);
    }
    this.source = new EventSource(`${this.getAttribute("stream") || "/staff/live/"}?${topics}`);
    this.source.addEventListener("change", (event) => {
      this.dispatchEvent(
        new CustomEvent("madoguchi:change", { bubbles: true, detail: JSON.parse(event.data) }),
      );
      this.plan(PAUSE + Math.random() * Number(this.getAttribute("spread") || 0));
    });
    this.source.addEventListener("open", () => {
      if (this.wasCut) this.plan(0);
      this.wasCut = false;
      this.tell("fresh");
    });
    this.source.addEventListener("error", () => {
      this.wasCut = true;
      this.tell("stale");
      // The browser connects again by itself, unless the server refused the stream.
      if (this.source.readyState === EventSource.CLOSED) {
        this.reopening = setTimeout(() => this.open(), AGAIN);
      }
    });
  }

  plan(pause) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.draw(), pause);
  }

  planAgain() {
    clearTimeout(this.drawingAgain);
    const seconds = Number(this.querySelector("[data-again]")?.dataset.again);
    if (seconds) this.drawingAgain = setTimeout(() => this.draw(), seconds * 1_000);
  }

  async draw() {
    try {
      const answer = await fetch(this.getAttribute("src"), {
        headers: { "HX-Request": "true" },
        redirect: "error",
      });
      if (!answer.ok) throw new Error(String(answer.status));
      this.innerHTML = await answer.text();
      this.planAgain();
      this.dispatchEvent(new CustomEvent("madoguchi:drawn", { bubbles: true }));
    } catch {
      this.tell("stale");
      this.plan(AGAIN);
    }
  }

  tell(state) {
    document.dispatchEvent(new CustomEvent(`madoguchi:${state}`));
  }
}

customElements.define("madoguchi-live", MadoguchiLive);
