/*
 * <form data-draft="case.R8-00012.contact">: what is typed reaches the server within two seconds.
 * Until the server has it, a copy stays in this tab. A lost session or a cut network loses nothing:
 * the text stays, the page says so and goes on trying.
 */

const QUIET = 800; // ms after the last key
const LONGEST = 1_600; // ms after the first unsaved key
const AGAIN = 3_000; // ms until the next try after a failure
const KEEPALIVE_MOST = 60_000; // bytes a browser sends after the page has gone
const SIGNED_IN = "/staff/signed-in/";
const reader = document.querySelector("meta[name=reader]")?.content ?? "";

class SessionLost extends Error {}
class Refused extends Error {}

function token() {
  return document.querySelector("meta[name=csrf-token]").content;
}

/* After signing in again in another tab the page's own token is worthless: take a new one. */
async function renewToken() {
  const answer = await fetch(SIGNED_IN, { redirect: "manual" });
  if (!answer.ok) throw new SessionLost();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (page.querySelector("meta[name=reader]")?.content !== reader) throw new SessionLost();
  const fresh = page.querySelector("meta[name=csrf-token]").content;
  document.querySelector("meta[name=csrf-token]").content = fresh;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": fresh }));
  for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = fresh;
}

function entries(form) {
  return [...new FormData(form)].filter(
    ([name, value]) => name !== "csrfmiddlewaretoken" && typeof value === "string",
  );
}

function fill(form, saved) {
  const values = new Map();
  for (const [name, value] of saved) values.set(name, [...(values.get(name) ?? []), value]);
  for (const control of form.elements) {
    if (!control.name || control.name === "csrfmiddlewaretoken" || control.type === "file") continue;
    const found = values.get(control.name) ?? [];
    if (control.type === "checkbox" || control.type === "radio") control.checked = found.includes(control.value);
    else if (control.type === "select-multiple") {
      for (const option of control.options) option.selected = found.includes(option.value);
    } else if (found.length && control.type !== "submit" && control.type !== "button") control.value = found[0];
  }
}

class Draft {
  constructor(form) {
    this.form = form;
    this.copy = `draft:${reader}:${form.dataset.draft}`;
    this.address = `/staff/drafts/${encodeURIComponent(form.dataset.draft)}/`;
    this.written = 0; // changes typed
    this.kept = 0; // changes the server has
    this.state = form.querySelector(".draft-state") ?? this.makeState();
    this.restore();
    form.addEventListener("input", () => this.changed());
    form.addEventListener("change", () => this.changed());
    addEventListener("online", () => this.isUnsaved() && this.save());
    addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => document.hidden && this.leave());
  }

  makeState() {
    const state = document.createElement("p");
    state.className = "draft-state";
    state.setAttribute("role", "status");
    const button = this.form.querySelector("button:not([type=button])");
    (button?.closest(".buttons") ?? button)?.before(state);
    if (!state.isConnected) this.form.append(state);
    return state;
  }

  say(text, isWaiting = false) {
    this.state.textContent = text;
    this.state.classList.toggle("draft-state--waiting", isWaiting);
  }

  restore() {
    const saved = sessionStorage.getItem(this.copy);
    if (saved === null) return;
    fill(this.form, JSON.parse(saved));
    this.say("前に入力した内容を戻しました。");
    this.changed();
  }

  isUnsaved() {
    return this.kept < this.written;
  }

  changed() {
    this.written += 1;
    this.first ??= Date.now();
    sessionStorage.setItem(this.copy, JSON.stringify(entries(this.form)));
    const rest = Math.max(0, this.first + LONGEST - Date.now());
    this.plan(Math.min(QUIET, rest));
  }

  plan(pause) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.save(), pause);
  }

  async post() {
    const send = () =>
      fetch(this.address, {
        method: "POST",
        headers: { "X-CSRFToken": token() },
        body: new URLSearchParams(entries(this.form)),
        redirect: "manual",
      });
    let answer = await send();
    if (answer.status === 403) {
      await renewToken();
      answer = await send();
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) throw new SessionLost();
    if (answer.status >= 400 && answer.status < 500) throw new Refused();
    if (!answer.ok) throw new Error(String(answer.status));
  }

  /* Save once; true when the server has everything typed before the call. */
  async save() {
    if (this.saving) return this.saving;
    this.saving = this.saveNow().finally(() => {
      this.saving = null;
    });
    return this.saving;
  }

  async saveNow() {
    clearTimeout(this.waiting);
    const upTo = this.written;
    this.first = null;
    try {
      await this.post();
    } catch (trouble) {
      this.say(this.words(trouble), true);
      if (trouble instanceof SessionLost) this.askToSignIn();
      this.isRefused = trouble instanceof Refused;
      if (!this.isRefused) this.plan(AGAIN);
      return false;
    }
    this.isRefused = false;
    this.kept = upTo;
    this.dialog?.close();
    if (this.isUnsaved()) this.plan(QUIET);
    else sessionStorage.removeItem(this.copy);
    const now = new Date();
    this.say(`下書きを保存しました ${now.getHours()}:${String(now.getMinutes()).padStart(2, "0")}`);
    return true;
  }

  words(trouble) {
    if (trouble instanceof SessionLost) return "ログインが切れました。入力した内容はこの画面に残っています。";
    if (trouble instanceof Refused) return "自動保存できませんでした。入力した内容はこの画面に残っています。";
    return "サーバーにつながりません。入力した内容はこの画面に残っています。つながり次第、保存します。";
  }

  askToSignIn() {
    if (this.dialog?.open) return;
    this.dialog = document.createElement("dialog");
    const title = Object.assign(document.createElement("h2"), { textContent: "ログインが切れました" });
    const text = Object.assign(document.createElement("p"), {
      textContent:
        "入力した内容は、この画面に残っています。別のタブでログインすると、自動で保存されます。",
    });
    const link = Object.assign(document.createElement("a"), {
      textContent: "別のタブでログインする",
      className: "button",
      href: SIGNED_IN,
      target: "_blank",
      rel: "noopener",
    });
    title.id = "signed-out-title";
    this.dialog.setAttribute("aria-labelledby", title.id);
    this.dialog.append(title, text, link);
    this.dialog.addEventListener("close", (event) => event.target.remove());
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  /* The page goes away: give the server the last keys, if they fit. The copy stays until it says so. */
  leave() {
    if (!this.isUnsaved() || this.isSent) return;
    const body = new URLSearchParams(entries(this.form));
    if (body.toString().length > KEEPALIVE_MOST) return;
    fetch(this.address, {
      method: "POST",
      headers: { "X-CSRFToken": token() },
      body,
      keepalive: true,
      redirect: "manual",
    }).catch(() => {});
  }

  /* Before the form itself is sent the server has its text: a failed sending loses nothing. */
  async finish(submitter) {
    // What the server will not keep as a draft (too long) may still be sent as the form.
    while (this.isUnsaved() && !this.isRefused) {
      if (!(await this.save()) && !this.isRefused) return;
    }
    this.isSent = true;
    clearTimeout(this.waiting);
    sessionStorage.removeItem(this.copy);
    // While the form is still announcing its sending, a second sending would be ignored.
    setTimeout(() => this.form.requestSubmit(submitter));
  }
}

const drafts = new Map();

function adopt() {
  for (const form of document.querySelectorAll("form[data-draft]")) {
    if (!drafts.has(form)) drafts.set(form, new Draft(form));
  }
}

document.addEventListener(
  "submit",
  (event) => {
    const draft = drafts.get(event.target);
    if (!draft || draft.isSent) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    draft.finish(event.submitter);
  },
  { capture: true },
);

// Back by the browser's button: the form may be written in again.
addEventListener("pageshow", () => drafts.forEach((draft) => (draft.isSent = false)));
document.addEventListener("htmx:afterRequest", () => drafts.forEach((draft) => (draft.isSent = false)));
document.addEventListener("htmx:afterSettle", adopt);
adopt();
