/* 画面を消す: one press, or Shift three times, and the page is gone from the screen and the history. */

const WITHIN = 2_000; // ms for the three presses
const form = document.querySelector("form[data-leave]");
let presses = [];

function leave() {
  document.body.hidden = true;
  document.title = form.dataset.title;
  // The cookie goes while the next page is already loading.
  fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true, redirect: "manual" });
  location.replace(form.dataset.leave);
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  leave();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Shift") {
    presses = [];
    return;
  }
  if (event.repeat || !form) return;
  presses = [...presses.filter((at) => event.timeStamp - at < WITHIN), event.timeStamp];
  if (presses.length >= 3) leave();
});
