/**
 * Below the traces: a panel of bit lanes for every stream with digital ports, one for every slow quantity, and one with a tick a row for streams that have times only.
 * Which there are says panels.js, what is in them panel.js and slowpanel.js; here they are made, folded, supplied, and drawn when something of them changed.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../view/loader.js").Loader} Loader
 * @typedef {import("../view/loader.js").Layer} Layer
 * @typedef {import("../panels.js").Wanted & { id: string, more: number, node: HTMLElement, canvas: HTMLCanvasElement, size: { width: number, height: number }, sheet: Sheet, loader: Loader, drawnFrom: DrawnFrom, bits: Map<number, number>, levels: Map<number, number[]> | null, turned?: { of: Layer, as: Layer } }} Panel
 *   more: columns that are not drawn; size: CSS pixels, known beforehand, because asking in a frame costs a layout; bits: by column, those that were ever seen to change;
 *   levels: by column, the values that were ever seen of one whose values are names; null: they are a quantity
 */
import { panelsOf } from "../panels.js";
import { byId, DrawnFrom, el, sign } from "./dom.js";
import { drawFolded, drawLanes, drawTicks } from "./panel.js";
import { plotLoader, wantedWhole } from "./plot.js";
import { drawSlow } from "./slowpanel.js";
import { Sheet } from "./sheet.js";
import { token } from "./tokens.js";

/** Columns drawn over one another in a panel. */
const MOST_LINES = 256;

export class LowerPlots {
  node = byId("lower");
  #stage = byId("stage");
  /** @type {Panel[]} */
  panels = [];

  /** Keys of panels that are folded. @type {Set<string>} */
  #folded = new Set();
  #observer;

  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.#observer = new ResizeObserver((entries) => {
      for (const { target, contentRect: { width, height } } of entries) {
        const panel = this.panels.find((p) => p.canvas === target);
        if (panel) panel.size = { width, height };
      }
      state.changed("rows");
    });
  }

  /** Makes the panels that the open streams call for, keeping those that stay. */
  arrange() {
    const wanted = this.state.companions.flatMap((info) => panelsOf(info).map((p) => ({ ...p, id: info.id })));
    const old = new Map(this.panels.map((p) => [p.key, p]));
    this.panels = wanted.map((p) => old.get(p.key) ?? this.#make(p));
    for (const panel of old.values()) if (!this.panels.includes(panel)) this.#drop(panel);
    const nodes = this.panels.map((p) => p.node);
    if (nodes.length !== this.node.children.length || nodes.some((c, i) => c !== this.node.children[i])) this.node.replaceChildren(...nodes);
    this.#stage.dataset.lower = nodes.length === 0 ? "none" : this.state.traces ? "below" : "alone";
  }

  /** @param {import("../panels.js").Wanted & { id: string }} p @returns {Panel} */
  #make(p) {
    const canvas = el("canvas", { role: "img", "aria-label": p.name }), sheet = new Sheet();
    canvas.addEventListener("click", () => this.state.select(this.state.rows.find((r) => r.id === p.id && r.kind === p.kind)?.key ?? this.state.activeKey));
    const fold = el("button", { type: "button", class: "fold-panel", "aria-expanded": String(!this.#folded.has(p.key)), "aria-label": `Fold ${p.name}`, onclick: () => {
      if (!this.#folded.delete(p.key)) this.#folded.add(p.key);
      fold.setAttribute("aria-expanded", String(!this.#folded.has(p.key)));
      node.toggleAttribute("data-folded", this.#folded.has(p.key));
      this.state.changed("rows");
    } }, sign("fold"));
    const node = el("div", { class: "panel " + p.kind, "data-panel": p.key, "data-folded": this.#folded.has(p.key) }, sheet.node, canvas, fold);
    const columns = p.kind === "slow" ? p.columns.slice(0, MOST_LINES) : p.columns;
    this.#observer.observe(canvas);
    return { ...p, columns, more: p.columns.length - columns.length, node, canvas, size: { width: 0, height: 0 }, sheet, loader: plotLoader(this.state, () => this.#came()), drawnFrom: new DrawnFrom(), bits: new Map(), levels: new Map() };
  }

  /** Something is to be drawn: with the next picture of the traces where those come by themselves, so that nothing has a frame of its own. */
  #came() {
    if (!this.state.live?.rolls) this.state.changed("data");
  }

  /** @param {Panel} panel */
  #drop(panel) {
    panel.loader.reset();
    this.#observer.unobserve(panel.canvas);
  }

  reset() {
    for (const panel of this.panels) this.#drop(panel);
    this.panels = [];
    this.node.replaceChildren();
  }

  want() {
    for (const panel of this.panels) {
      const info = this.state.entry(panel.id).info, columns = panel.twin === undefined ? panel.columns : [...panel.columns, panel.twin];
      if (info.rows > 0) panel.loader.want(wantedWhole(this.state, info, columns));
    }
  }

  /** How many panels have data. */
  get loaded() {
    return this.panels.filter((panel) => panel.loader.layers.length > 0).length;
  }

  /** Moments at which a digital port changed, of the streams that are here whole. @returns {Generator<number>} */
  *events() {
    for (const panel of this.panels) {
      const envelope = panel.kind === "lanes" ? panel.loader.layers[0]?.envelope : undefined;
      if (envelope?.kind !== "samples" || !envelope.x) continue;
      for (const x of envelope.x) yield envelope.from + x;
    }
  }

  get settled() {
    return this.panels.every((p) => p.loader.has(this.state.view) && (this.#folded.has(p.key) || p.sheet.off(this.state.view) === 0));
  }

  /** While the hand moves, or the view goes with what comes, panels are moved, and of those that are due to be drawn anew one is in each frame, the one that is furthest off. */
  draw() {
    const { view, turns, live } = this.state, moving = turns.moving || (live?.following ?? false);
    let due = null, most = 1;
    for (const panel of this.panels) {
      const info = this.state.entry(panel.id).info, folded = this.#folded.has(panel.key), off = folded ? 0 : panel.sheet.off(view);
      if (panel.drawnFrom.differs(panel.size, info, panel.loader.layers, folded, globalThis.devicePixelRatio, token("bg")) || off === Infinity || (off > 0 && !moving)) this.#drawPanel(panel);
      else if (off > 0) {
        panel.sheet.place(view);
        if (off >= most) [due, most] = [panel, off];
      }
    }
    if (due) this.#drawPanel(due);
  }

  /** @param {Panel} panel */
  #drawPanel(panel) {
    const { view } = this.state, info = this.state.entry(panel.id).info, folded = this.#folded.has(panel.key);
    panel.sheet.node.hidden = folded;
    if (folded) drawFolded(panel);
    else if (panel.kind === "lanes") drawLanes(panel, info, view);
    else if (panel.kind === "ticks") drawTicks(panel, info, view);
    else drawSlow(panel, info, view);
  }
}
