/* A second press of the button does not send a form twice. */

const RELEASE = 15_000; // ms; a download leaves the page as it is

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.method !== "post" || form.matches("[hx-post], [data-hx-post]")) return;
    if (form.dataset.sending) {
      event.preventDefault();
      return;
    }
    form.dataset.sending = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(() => release(form), RELEASE);
  },
  { capture: true },
);

function release(form) {
  delete form.dataset.sending;
  form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
}

// Coming back by the browser's button shows the page as it was left.
addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(release));
