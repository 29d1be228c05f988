/**
 * The plots of traces under one another, one a signal, on one time: heights are dragged at the borders between them.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./traces.js").TracesPlot} Pane
 */
import { Painter } from "../painter.js";
import { byId, el, sign } from "./dom.js";
import { TracesPlot } from "./traces.js";

/** Height of a channel of a signal with few of them, when its pane is opened, and what it may take of the middle. CSS pixels, share. */
const FEW_CHANNELS = { row: 22, share: 0.35 };

/** Height of a border between two panes, CSS pixels. */
const BORDER = 1;

/** Least height of a pane, CSS pixels. */
const LEAST = 40;

export class Panes {
  node = byId("panes");
  /** @type {Map<string, { plot: Pane, node: HTMLElement, title: HTMLElement }>} */
  #panes = new Map();
  /** Shares of the height, by row key. @type {Map<string, number>} */
  #shares = new Map();
  /** Upper edge in the window, CSS pixels; known beforehand, because asking in a frame costs a layout. */
  top = 0;
  /** Hidden while a table is shown. */
  #hidden = false;

  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.painter = new Painter(undefined, (error) => state.report(error), state.turns);
    const measure = () => (this.top = this.node.getBoundingClientRect().top);
    new ResizeObserver(measure).observe(this.node);
    addEventListener("resize", measure);
  }

  /** The pane of the chosen traces. @returns {Pane | null} */
  get active() {
    return this.#panes.get(this.state.tracesKey)?.plot ?? null;
  }

  /** Top to bottom. @returns {Pane[]} */
  get all() {
    return this.state.panes.flatMap((key) => this.#panes.get(key)?.plot ?? []);
  }

  shown() {
    return this.active?.shown() ?? null;
  }

  get hidden() {
    return this.#hidden;
  }

  set hidden(hidden) {
    this.#hidden = hidden;
    if (this.node.hidden !== hidden) this.node.hidden = hidden;
  }

  get settled() {
    return this.#hidden || this.all.every((pane) => pane.settled);
  }

  /** Whether anything of each is on the screen. */
  get painted() {
    return this.#hidden || this.all.every((pane) => pane.painted);
  }

  /** What each has asked for, and got, so far. @returns {Map<Pane, Pane["begun"]>} */
  get begun() {
    return new Map(this.all.map((pane) => [pane, pane.begun]));
  }

  /** Whether all show what was asked for after that. @param {Map<Pane, Pane["begun"]>} since */
  shownSince(since) {
    return this.#hidden || this.all.every((pane) => pane.shownSince(since.get(pane) ?? { requests: 0, pictures: 0 }));
  }

  /** Why one of them is not on the screen, or null. @returns {unknown} */
  get error() {
    return this.all.find((pane) => pane.error !== null)?.error ?? null;
  }

  /** Makes the panes that are wanted, keeping those that stay. */
  arrange() {
    const keys = this.state.panes;
    for (const [key, { plot, node }] of this.#panes) {
      if (keys.includes(key)) continue;
      plot.drop();
      node.remove();
      this.#panes.delete(key);
      this.#shares.delete(key); // it comes back as one of others
    }
    for (const key of keys) if (!this.#panes.has(key)) this.#panes.set(key, this.#make(key));
    const { children } = this.node; // each second one is a border
    if (children.length !== Math.max(0, 2 * keys.length - 1) || keys.some((key, i) => children[2 * i] !== this.#panes.get(key)?.node)) {
      this.node.replaceChildren(...keys.flatMap((key, i) => [...(i > 0 ? [this.#border(i)] : []), /** @type {{ node: HTMLElement }} */ (this.#panes.get(key)).node]));
    }
    for (const [key, { node, title }] of this.#panes) {
      node.toggleAttribute("data-active", keys.length > 1 && key === this.state.tracesKey);
      title.hidden = keys.length < 2;
      node.style.flexGrow = String(this.#share(key) * 100); // of less than one in all a part would stay empty
    }
  }

  /** @param {string} key */
  #share(key) {
    const kept = this.#shares.get(key);
    if (kept !== undefined) return kept;
    const row = this.state.rows.find((r) => r.key === key), height = Math.max(1, this.node.clientHeight);
    const few = ((row?.columns.length ?? 1) * FEW_CHANNELS.row) / height;
    const share = this.state.panes.length > 1 && this.state.panes[0] !== key ? Math.min(FEW_CHANNELS.share, Math.max(few, (LEAST * 2) / height)) : 1;
    this.#shares.set(key, share);
    return share;
  }

  /** @param {string} key */
  #make(key) {
    const row = this.state.rows.find((r) => r.key === key), name = row?.name ?? key;
    const plot = new TracesPlot(this.state, this.painter, key), free = [...this.#panes.values()].every((pane) => pane.plot.node.id !== "traces");
    if (free) plot.node.id = "traces";
    const title = el("div", { class: "pane-title" }, el("span", null, name),
      el("button", { type: "button", class: "close", "aria-label": `Take ${name} off the screen`, title: "Take off the screen", onclick: () => this.state.closePane(key) }, sign("close")));
    title.addEventListener("pointerdown", (event) => event.stopPropagation());
    const node = el("div", { class: "pane", "data-pane": key }, plot.node, title);
    return { plot, node, title };
  }

  /** What is dragged between two panes; arrow keys do the same. @param {number} i  index of the lower one */
  #border(i) {
    const border = el("div", { class: "border", role: "separator", tabindex: "0", "aria-orientation": "horizontal", "aria-label": "Border between two signals" });
    const tell = () => {
      const [upper, lower] = [this.#share(this.state.panes[i - 1]), this.#share(this.state.panes[i])];
      border.setAttribute("aria-valuenow", String(Math.round((100 * upper) / (upper + lower)))); // percent of both that the upper one has
    };
    tell();
    let from = /** @type {{ y: number, upper: number, lower: number } | null} */ (null);
    const nodes = () => [this.state.panes[i - 1], this.state.panes[i]].map((key) => /** @type {{ node: HTMLElement }} */ (this.#panes.get(key)).node);
    const move = (/** @type {number} */ upper, /** @type {number} */ lower, /** @type {number} */ dy) => {
      const by = Math.max(LEAST - upper, Math.min(lower - LEAST, dy));
      const total = this.#share(this.state.panes[i - 1]) + this.#share(this.state.panes[i]);
      this.#shares.set(this.state.panes[i - 1], (total * (upper + by)) / (upper + lower));
      this.#shares.set(this.state.panes[i], (total * (lower - by)) / (upper + lower));
      this.arrange();
      tell();
    };
    border.addEventListener("pointerdown", (event) => {
      const [upper, lower] = nodes();
      from = { y: event.clientY, upper: upper.clientHeight, lower: lower.clientHeight };
      border.setPointerCapture(event.pointerId);
      event.stopPropagation();
    });
    border.addEventListener("pointermove", (event) => {
      if (!from) return;
      move(from.upper, from.lower, event.clientY - from.y);
      event.stopPropagation();
    });
    border.addEventListener("pointerup", () => (from = null));
    border.addEventListener("keydown", (event) => {
      const dy = { ArrowUp: -12, ArrowDown: 12 }[event.key];
      if (dy === undefined) return;
      const [upper, lower] = nodes();
      move(upper.clientHeight, lower.clientHeight, dy);
      event.preventDefault();
      event.stopPropagation();
    });
    return border;
  }

  /** The pane at a place of the window. @param {number} clientY @returns {{ pane: Pane, y: number } | null}  y: in its canvas */
  at(clientY) {
    let { top } = this;
    for (const pane of this.all) {
      if (clientY >= top && clientY < top + pane.height) return { pane, y: clientY - top };
      top += pane.height + BORDER;
    }
    return null;
  }

  /** Upper edge of a pane below that of the first. @param {Pane} pane */
  topOf(pane) {
    const before = this.all.slice(0, this.all.indexOf(pane));
    return before.reduce((top, { height }) => top + height + BORDER, 0);
  }

  want() {
    for (const pane of this.all) pane.want();
  }

  /** Asks for what is not looked at yet, once all that is has been drawn. */
  wantMore() {
    for (const pane of this.all) pane.wantMore();
  }

  draw() {
    for (const pane of this.all) pane.draw();
  }

  reset() {
    for (const { plot, node } of this.#panes.values()) {
      plot.drop();
      node.remove();
    }
    this.#panes.clear();
    this.arrange();
  }
}
