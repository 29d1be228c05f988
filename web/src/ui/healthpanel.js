/**
 * Health, at the right: how the stream is, in sentences, and what verifying it found, each finding a step away.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Verification} Verification
 * @typedef {import("../protocol.js").Finding} Finding
 * @typedef {import("../protocol.js").VerifyReport} VerifyReport
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {{ recover: (id: string) => void, verify: (id: string) => void, jump: (id: string, finding: Finding) => void, copy: (text: string) => void }} Actions
 */
import { findingCounts, findingText, isGap, reportText, sentences, ticksOf } from "../health.js";
import { bytes, count } from "../words.js";
import { verifyingWords } from "../verifying.js";
import { el, fill, hint, say, showShare } from "./dom.js";
import { asError, explain } from "./notices.js";

/** Findings of one severity that are listed; the JSON has all. */
const MOST = 100;

export class HealthPanel {
  node = el("section", { id: "health-panel" });
  /** What can be pressed stays while words around it change: a press on a button that is replaced meanwhile is lost, and so is the focus. */
  #told = el("div");
  #recover = el("button", { type: "button", class: "primary", id: "recover", onclick: () => this.#with((info) => this.actions.recover(info.id)) }, "Recover…");
  #verify = el("button", { type: "button", id: "verify", onclick: () => this.#with((info) => this.actions.verify(info.id)) }, "Verify");
  #copy = el("button", { type: "button", onclick: () => this.#with((info, report) => this.actions.copy(report ? JSON.stringify(report, null, 2) + "\n" : reportText(info))) });
  #bar = el("progress", { "aria-label": "Verifying" });
  #words = el("span");
  #cancel = el("button", { type: "button", id: "verify-cancel", onclick: () => this.#stop() }, "Cancel");
  #work = el("div", { class: "work" }, this.#bar, this.#words, this.#cancel);
  /** Sections that were opened or closed by hand, by severity. @type {Map<string, boolean>} */
  #open = new Map();

  /** @param {State} state @param {Actions} actions */
  constructor(state, actions) {
    this.state = state;
    this.actions = actions;
    state.on(["active", "streams", "health"], () => this.#show());
    state.on(["grown"], () => this.#showGrown());
  }

  /** @param {(info: StreamInfo, report: VerifyReport | null) => void} use  the stream that is shown, and what verifying it found */
  #with(use) {
    const { info } = this.state, verification = info && this.state.entry(info.id).verification;
    if (info) use(info, verification?.state === "done" ? verification.report : null);
  }

  #stop() {
    const info = this.state.info, verification = info && this.state.entry(info.id).verification;
    if (verification?.state === "running") verification.cancel();
  }

  #show() {
    const info = this.state.info;
    if (!info) {
      fill(this.node);
      return;
    }
    const verification = this.state.entry(info.id).verification;
    if (verification?.state === "running") {
      const share = verification.total > 0 ? verification.done / verification.total : null;
      showShare(this.#bar, share);
      this.#words.textContent = verifyingWords(verification, performance.now());
      if (this.node.contains(this.#work)) return; // the rest stays: a button that is pressed must stay
    }
    const broken = info.state === "unfinished" || info.state === "damaged" || info.findings.some((f) => f.severity !== "info" && !isGap(f));
    const done = verification?.state === "done" ? verification.report : null;
    if (!this.node.contains(this.#told)) fill(this.node, el("h2", null, "Health"), this.#told, el("p", { class: "actions" }, this.#recover, this.#verify, this.#copy));
    fill(this.#told,
      el("ul", { class: "health" }, ...sentences(info, done !== null).map(({ grade, text }) => el("li", { class: grade }, text))),
      verification && this.#outcome(info, verification));
    this.#recover.hidden = !broken && !done?.findings.some((f) => f.severity !== "info" && !isGap(f));
    this.#verify.hidden = verification?.state === "running";
    hint(this.#verify, `Reads all ${bytes(info.size_bytes)} and checks every value`);
    this.#copy.id = done ? "copy-findings" : "copy-report";
    say(this.#copy, done ? "Copy JSON" : "Copy report");
  }

  /** The sentences of a file that rows came to; what can be pressed stays. */
  #showGrown() {
    const { info } = this.state, verification = info && this.state.entry(info.id).verification;
    const told = info && sentences(info, verification?.state === "done"), list = this.#told.querySelector(":scope > ul.health");
    if (!told || !list || list.children.length !== told.length) {
      this.#show();
      return;
    }
    told.forEach(({ grade, text }, i) => {
      list.children[i].className = grade;
      say(list.children[i], text);
    });
  }

  /** @param {StreamInfo} info @param {Verification} verification */
  #outcome(info, verification) {
    if (verification.state === "running") return this.#work;
    if (verification.state === "failed") {
      const error = asError(verification.error);
      if (error.name === "AbortError") return el("p", { class: "hint" }, "Verification was cancelled.");
      const { what, next } = explain(error);
      return el("p", { class: "bad" }, `The file could not be verified. ${what} ${next}`);
    }
    const counts = findingCounts(verification.report.findings);
    const verdict = verification.report.ok ? el("li", { class: "ok" }, `Verified: every byte was read, nothing is damaged${counts.length > 0 ? "" : " and nothing looks odd"}.`)
      : el("li", { class: counts[0].grade }, `Verified: ${counts.map((c) => c.words).join(", ")}.`);
    return el("div", { id: "findings" }, el("ul", { class: "health" }, verdict), ...counts.map((c) => this.#group(info, c)));
  }

  /** @param {StreamInfo} info @param {ReturnType<typeof findingCounts>[number]} counts */
  #group(info, { severity, grade, list, words }) {
    const lines = list.slice(0, MOST).map((f) => {
      const text = findingText(f, info.clock.hz);
      return el("li", { class: grade }, ticksOf(f, info) === null ? text : el("button", { type: "button", class: "jump", title: "Show where this is", onclick: () => this.actions.jump(info.id, f) }, text));
    });
    const open = this.#open.get(severity) ?? severity !== "info";
    const details = el("details", { "data-severity": severity, open }, el("summary", null, words), el("ul", { class: "health" }, ...lines),
      list.length > MOST && el("p", { class: "hint" }, `and ${count(list.length - MOST, "more", "more")} in the JSON`));
    details.addEventListener("toggle", () => this.#open.set(severity, details.open));
    return details;
  }
}
