/* <form data-confirm="この予約を取り消しますか？" data-confirm-label="取り消す">: ask before sending. */

function ask(form, submitter) {
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  const buttons = document.createElement("div");
  const yes = document.createElement("button");
  const no = document.createElement("button");
  text.id = "confirm-text";
  text.textContent = form.dataset.confirm;
  dialog.setAttribute("aria-labelledby", text.id);
  buttons.className = "buttons";
  yes.className = "button button--danger";
  yes.type = "button";
  yes.textContent = form.dataset.confirmLabel || submitter?.textContent || "はい";
  no.className = "button button--secondary";
  no.type = "button";
  no.textContent = "やめる";
  no.autofocus = true;
  yes.addEventListener("click", () => {
    form.dataset.confirmed = "yes";
    dialog.close();
    form.requestSubmit(submitter);
  });
  no.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    submitter?.focus();
  });
  buttons.append(yes, no);
  dialog.append(text, buttons);
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.dataset.confirm) return;
    if (form.dataset.confirmed === "yes") {
      // Kept until the end of this turn: other behaviours may send the form a second time.
      setTimeout(() => delete form.dataset.confirmed, 15_000);
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(form, event.submitter);
  },
  { capture: true },
);
