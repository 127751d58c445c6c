/* Says so when a live page no longer hears from the server, and takes it back when it does. */

const GRACE = 4_000; // ms: a short break is nobody's business
let waiting = null;
let since = null;
let bar = null;

function show() {
  const clock = `${since.getHours()}:${String(since.getMinutes()).padStart(2, "0")}`;
  bar ??= Object.assign(document.createElement("p"), { className: "live-state" });
  bar.setAttribute("role", "status");
  document.body.prepend(bar);
  bar.textContent = `${clock} から画面が更新されていません。つなぎ直しています。急ぐときは、画面を読み込み直してください。`;
}

function stale() {
  if (since !== null) return;
  since = new Date();
  waiting = setTimeout(show, GRACE);
}

function fresh() {
  const wasCut = since !== null;
  clearTimeout(waiting);
  since = null;
  bar?.remove();
  // The extension's own reconnection starts a new stream: what happened meanwhile is asked for.
  if (wasCut && window.htmx) {
    for (const place of document.querySelectorAll("[sse-connect] [hx-trigger*='sse:'], [sse-connect][hx-trigger*='sse:']")) {
      window.htmx.trigger(place, "sse:change");
    }
  }
}

document.addEventListener("madoguchi:stale", stale);
document.addEventListener("madoguchi:fresh", fresh);
document.addEventListener("htmx:sseError", stale);
document.addEventListener("htmx:sseOpen", fresh);
// Leaving the page closes its streams; that is no failure.
addEventListener("pagehide", () => {
  clearTimeout(waiting);
  document.removeEventListener("htmx:sseError", stale);
  document.removeEventListener("madoguchi:stale", stale);
});
