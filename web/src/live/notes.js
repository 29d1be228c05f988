/**
 * Notes, and the end of the recording: what a person at the page may do.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./protocol.js").Ask} Ask
 */
import { closeDialog, dialog } from "../ui/dialogs.js";
import { byId, el, fill, say } from "../ui/dom.js";
import { announce } from "../ui/notices.js";
import { moment } from "../words.js";

/** Where the browser keeps who writes. */
const AUTHOR = "oniscope.author";

export class Notes {
  node = el("section", { id: "notes-panel" });
  #alarms = el("ul", { class: "health", id: "alarms" });
  #list = el("ul", { class: "notes" });
  #text = el("input", { type: "text", class: "field", maxlength: "1000", placeholder: "what happened", "aria-label": "Note" });
  #author = el("input", { type: "text", class: "field", maxlength: "100", placeholder: "who", "aria-label": "Author", value: localStorage.getItem(AUTHOR) ?? "" });
  #send = el("button", { type: "submit", class: "primary" }, "Add");
  #form = el("form", { hidden: true }, this.#text, this.#author, this.#send);
  #add = el("button", { type: "button", id: "add-note", onclick: () => this.open() }, "Add note…");
  #stop = el("button", { type: "button", id: "stop-recording", onclick: () => this.#confirm() }, "Stop recording…");
  #said = el("p", { class: "hint", role: "status" });
  #at = 0;

  /** @param {State} state @param {import("./bell.js").Bell} bell @param {(ask: Ask) => Promise<boolean>} tell  gives whether somebody hears it @param {() => string} run */
  constructor(state, bell, tell, run) {
    this.state = state;
    this.tell = tell;
    this.run = run;
    const sound = el("input", { type: "checkbox", id: "sound", checked: bell.on, onchange: () => bell.set(sound.checked) });
    fill(this.node, this.#alarms, el("h2", null, "Notes"), this.#list, el("p", { class: "actions" }, this.#add, this.#stop), this.#form, this.#said, el("label", { class: "sound" }, sound, "Sound when something goes wrong"));
    this.#form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.#text.value.trim() === "") return;
      localStorage.setItem(AUTHOR, this.#author.value);
      this.#send.disabled = true;
      if (!(await this.tell({ type: "note", text: this.#text.value, author: this.#author.value, clock: this.#at }))) this.say("The recorder does not answer; the note was not written.");
    });
    byId("right").prepend(this.node);
    state.on(["marks"], () => this.#fill());
  }

  /** @param {boolean} allowed @param {boolean} running */
  show(allowed, running) {
    this.#add.hidden = this.#stop.hidden = !allowed || !running;
    if (!allowed && running) this.say("Open the address with the token that the recorder printed to take notes or stop.");
    if (running) return;
    this.#form.hidden = true;
    this.#send.disabled = false;
  }

  /** @param {string[]} sentences */
  alarm(sentences) {
    if (this.#alarms.childElementCount === sentences.length && sentences.length === 0) return;
    fill(this.#alarms, ...sentences.map((text) => el("li", { class: "bad" }, text)));
  }

  /** A note of this moment: when it was begun, not when it was finished. */
  open() {
    if (this.#add.hidden) return;
    this.#at = Math.round(this.state.cursor ?? 0);
    this.#form.hidden = false;
    this.#send.disabled = false;
    this.#text.focus();
  }

  /** One of ours is in the file: only now its words may go. */
  taken() {
    this.#text.value = "";
    this.#form.hidden = true;
    this.say("");
    announce("Note written.");
  }

  /** All that are in the file, whoever took them. */
  #fill() {
    const { list } = this.state.marks, hz = Math.max(1, this.state.hz);
    fill(this.#list, ...list.map(({ at, text, author }) => el("li", { title: author }, el("button", { type: "button", class: "jump", onclick: () => this.#go(at) }, moment(at / hz, 0)), el("span", null, text))));
  }

  /** @param {number} clock */
  #go(clock) {
    const span = this.state.view.to - this.state.view.from;
    this.state.setView({ from: clock - span / 2, to: clock + span / 2 });
  }

  /** @param {string} words */
  say(words) {
    this.#send.disabled = false;
    say(this.#said, words);
  }

  /** Stop asks once more. */
  #confirm() {
    const stop = async (/** @type {Event} */ event) => {
      closeDialog(event);
      if (!(await this.tell({ type: "stop", run: this.run() }))) this.say("The recorder does not answer; it was not stopped.");
    };
    dialog("Stop recording?", "stop", el("p", null, "The files are completed, and the headstages lose their power. The next recording is started at the rig."),
      el("p", { class: "actions" }, el("button", { type: "button", onclick: closeDialog }, "Go on recording"), el("button", { type: "button", class: "primary danger", id: "stop-now", onclick: stop }, "Stop")));
  }
}
