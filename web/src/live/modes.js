/**
 * Follow, pause and trigger in the bar, and the chip that leads back to now.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./follow.js").Follower} Follower
 * @typedef {import("./follow.js").Condition} Condition
 * @typedef {import("./follow.js").Mode} Mode
 */
import { closeDialog, dialog } from "../ui/dialogs.js";
import { byId, el, say } from "../ui/dom.js";
import { bitLabel, unitOf } from "../signals.js";
import { parseQuantity } from "../words.js";

/** Bits of a digital port that are offered. */
const BITS = 8;

export class Modes {
  #buttons = /** @type {Record<Mode, HTMLButtonElement>} */ ({});
  #chip = el("button", { type: "button", id: "back-to-live", class: "chip", hidden: true, onclick: () => this.follower.set(this.follower.mode === "trigger" ? "trigger" : "follow") });
  #late = el("span", { id: "display-late" });

  /** @param {Follower} follower @param {State} state */
  constructor(follower, state) {
    this.follower = follower;
    this.state = state;
    for (const [mode, words, run] of /** @type {[Mode, string, () => void][]} */ ([["follow", "Follow", () => follower.set("follow")], ["pause", "Pause", () => follower.set("pause")], ["trigger", "Trigger…", () => this.#choose()]])) {
      this.#buttons[mode] = el("button", { type: "button", id: "mode-" + mode, "aria-pressed": "false", onclick: run }, words);
    }
    byId("tools").prepend(el("span", { class: "modes", role: "group", "aria-label": "Live" }, ...Object.values(this.#buttons)));
    byId("stage").append(this.#chip);
    byId("status").prepend(this.#late);
  }

  show() {
    const { follower } = this, over = ["ended", "dead"].includes(document.documentElement.dataset.live ?? "");
    for (const [mode, button] of Object.entries(this.#buttons)) {
      button.setAttribute("aria-pressed", String(mode === follower.mode));
      button.disabled = over;
    }
    this.#chip.hidden = follower.following || over;
    say(this.#chip, follower.mode === "trigger" ? "Triggered · arm again" : "Back to live");
  }

  /** @param {string} words */
  say(words) {
    say(this.#late, words);
  }

  /** Asks what is to be waited for. */
  #choose() {
    const { state, follower } = this;
    /** @type {{ name: string, condition: (level: number) => Condition, unit: string }[]} */
    const offers = [];
    const traces = state.traces;
    if (traces) {
      const column = state.entry(traces.id).info.columns[state.channel.get(traces.key) ?? traces.columns[0]];
      offers.push({ name: `${column.label} rises above`, unit: unitOf(column), condition: (level) => ({ id: traces.id, column: column.index, above: (level - column.line[0]) / (column.line[1] || 1) }) });
    }
    for (const info of state.companions) {
      for (const c of info.groups.filter((g) => g.kind === "lanes").flatMap((g) => g.columns)) {
        for (let bit = 0; bit < BITS; bit++) offers.push({ name: `${bitLabel(info.columns[c], bit)} rises`, unit: "", condition: () => ({ id: info.id, column: c, bit }) });
      }
    }
    if (offers.length === 0) return;
    const select = el("select", { "aria-label": "Condition" }, ...offers.map(({ name }, i) => el("option", { value: i }, name)));
    const level = el("input", { type: "text", class: "field", size: "8", value: offers[0].unit ? `100 ${offers[0].unit}` : "", "aria-label": "Level" });
    const refresh = () => (level.hidden = offers[Number(select.value)].unit === "");
    select.addEventListener("change", refresh);
    refresh();
    const arm = (/** @type {Event} */ event) => {
      const offer = offers[Number(select.value)], value = offer.unit ? parseQuantity(level.value, offer.unit) : 0;
      level.toggleAttribute("aria-invalid", Number.isNaN(value));
      if (Number.isNaN(value)) return;
      follower.condition = offer.condition(value);
      follower.set("trigger");
      closeDialog(event);
    };
    dialog("Hold the picture when", "trigger", el("p", { class: "actions" }, select, level), el("p", { class: "actions" }, el("button", { type: "button", onclick: closeDialog }, "Cancel"), el("button", { type: "button", class: "primary", id: "arm", onclick: arm }, "Arm")));
  }
}
