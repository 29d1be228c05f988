/**
 * The middle of the page: ruler, traces, panels, and what floats above them (cursor line, selection, plates of losses, scale bars).
 * One redraw an animation frame; when all that is on the screen is exact, the root element's data-drawn grows.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 */
import { MEASURES } from "../measures.js";
import { drawRuler } from "../plots/ruler.js";
import { tableColumns } from "../signals.js";
import { xFromTicks } from "../view/scale.js";
import { count } from "../words.js";
import { byId, DrawnFrom, el, fill, fitCanvas, say, showShare, styled } from "./dom.js";
import { LowerPlots } from "./lower.js";
import { canvasFont, token } from "./tokens.js";
import { Panes } from "./panes.js";
import { Plates } from "./plates.js";
import { openingWords } from "../sources.js";
import { tickWord } from "../times.js";

export class Stage {
  node = byId("stage");
  /** @type {HTMLCanvasElement} */
  ruler = byId("ruler");
  #shade = byId("shade");
  #cursor = byId("cursor");
  #opening = byId("opening");
  #plate = byId("plate");
  /** There when one was asked for. @type {import("./tableview.js").TableView | null} */
  table = null;
  #tableAsked = false;
  /** Why it could not be loaded. @type {unknown} */
  #tableError = null;
  #drawn = 0;
  #box = { left: 0, width: 0, height: 0 };
  #counted = true;
  #rulerOf = new DrawnFrom();
  /** Waiting for a view to be on the screen exactly. @type {{ since: Panes["begun"], resolve: () => void, reject: (error: unknown) => void }[]} */
  #waiting = [];

  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.traces = new Panes(state);
    this.lower = new LowerPlots(state);
    state.on(["streams", "active"], () => this.lower.arrange());
    state.on(["streams", "active", "rows"], () => this.traces.arrange());
    state.on(["opening", "streams"], () => this.#showOpening());
    state.on(["view", "rows", "gain", "streams", "active", "theme", "data"], () => this.draw());
    state.on(["cursor", "view", "active"], () => this.#placeCursor());
    state.on(["selection", "view", "active"], () => this.#placeSelection());
    new Plates(state, this);
    new ResizeObserver(() => this.#measure()).observe(this.ruler);
    addEventListener("resize", () => this.#measure());
  }

  /** Width of the plots without the gutter, CSS pixels. */
  get width() {
    return Math.max(1, this.#box.width - MEASURES.gutter);
  }

  /** Left edge of the plots without the gutter in the window, CSS pixels. */
  get left() {
    return this.#box.left + MEASURES.gutter;
  }

  /** Where the plots are; known beforehand, because asking in a frame costs a layout. */
  #measure() {
    const { left, width, height } = this.ruler.getBoundingClientRect();
    this.#box = { left, width, height };
    this.state.changed("rows", "view");
  }

  reset() {
    this.traces.reset();
    this.lower.reset();
    this.table?.reset();
    this.lower.arrange();
    this.state.changed("rows");
  }

  draw() {
    const state = this.state;
    this.#drawRuler();
    if (!state.active) return;
    this.#showTable();
    if (!this.traces.hidden) this.traces.want();
    this.lower.want();
    this.lower.draw();
    this.traces.draw();
    this.#count();
  }

  #drawRuler() {
    const { view, info, hz } = this.state, unit = info ? tickWord(info) + "s" : "";
    if (!this.#rulerOf.differs(view, info, hz, unit, this.#box, globalThis.devicePixelRatio, token("text"), token("line-2"))) return;
    const { ctx, width, height } = fitCanvas(this.ruler, this.#box);
    if (!info) {
      ctx.clearRect(0, 0, width, height);
      return;
    }
    drawRuler(ctx, { view, info, hz, unit, width, height, gutter: MEASURES.gutter, colours: { text: token("text"), dim: token("dim"), line: token("line-2"), font: canvasFont(11) } });
  }

  /** Counts a redraw that shows final data, once it is on the screen. */
  #count() {
    const laidOut = this.#box.width > MEASURES.gutter && this.state.reopening.size === 0, follows = this.state.live?.following ?? false;
    if (!laidOut || !(follows ? this.traces.painted : this.settled)) {
      this.#counted = false;
      return;
    }
    const error = this.error;
    if (error !== null) {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      return;
    }
    // While rows come nothing is final: those who wait get the first picture that was asked for since.
    const waiting = this.#waiting.filter(({ since }) => !follows || this.traces.shownSince(since));
    const first = waiting.length > 0 || this.#drawn === 0 || (!follows && !this.#counted);
    this.#counted = !follows;
    if (!first) return;
    this.#waiting = this.#waiting.filter((w) => !waiting.includes(w));
    requestAnimationFrame(() => {
      document.documentElement.dataset.drawn = String(++this.#drawn);
      setTimeout(() => !this.traces.hidden && this.traces.wantMore()); // after those who were waiting for it
      this.state.changed("progress");
      for (const { resolve } of waiting) resolve();
    });
  }

  /** Resolves when what is looked at now is on the screen, exact; rejects when it cannot be loaded. @returns {Promise<void>} */
  drawn() {
    this.#counted = false;
    this.state.changed("view");
    return new Promise((resolve, reject) => this.#waiting.push({ since: this.traces.begun, resolve, reject }));
  }

  /** True when nothing that is looked at is still to be read; while rows come, when anything is on the screen. */
  get calm() {
    return this.state.live?.following ? this.traces.painted : this.settled;
  }

  /** True when all that is on the screen is exact, or failed. */
  get settled() {
    return this.traces.settled && this.lower.settled && this.tableSettled;
  }

  /** True when a table that is looked at is there, or failed. */
  get tableSettled() {
    return this.table ? this.table.settled : !this.state.tabled || this.#tableError !== null;
  }

  /** Why a table that is looked at is not on the screen, or null. @returns {unknown} */
  get tableError() {
    return this.table?.error ?? (this.state.tabled ? this.#tableError : null);
  }

  /** Why something on the screen could not be loaded, or null. @returns {unknown} */
  get error() {
    return this.tableError ?? this.traces.error ?? this.lower.panels.find((p) => p.loader.error !== null)?.loader.error ?? null;
  }

  /** A table, where one is asked for; a stream without rows is a list of its columns. */
  #showTable() {
    const { active, info, traces, tabled: show } = this.state;
    const empty = info !== null && info.rows === 0 && !(traces && traces.id !== info.id);
    this.node.toggleAttribute("data-table", show);
    this.#plate.hidden = !empty;
    this.traces.hidden = show || empty || !traces;
    if (empty && this.#plate.dataset.stream !== info.id) {
      this.#plate.dataset.stream = info.id;
      fill(this.#plate, emptyPlate(info));
    }
    if (show && !this.#tableAsked) void this.#loadTable();
    this.table?.show(show ? info : null, show && active && info ? tableColumns(active, info) : []);
  }

  async #loadTable() {
    this.#tableAsked = true;
    this.#tableError = null;
    try {
      const [{ TableView }] = await Promise.all([import("./tableview.js"), styled("ui/table.css")]);
      this.table = new TableView(this.state);
    } catch (error) {
      this.#tableAsked = false; // when one is asked for again
      this.#tableError = error;
      this.state.report(error);
    }
    this.state.changed("active");
  }

  /** While nothing else is there, the middle says what is read so far. */
  #showOpening() {
    const [opening] = this.state.active ? [] : this.state.opening.values();
    this.#opening.hidden = !opening;
    if (!opening) {
      fill(this.#opening);
      return;
    }
    const { words, share } = openingWords(opening.progress);
    if (!this.#opening.firstChild) fill(this.#opening, el("b"), el("progress", { "aria-label": "Opening" }), el("p"), el("p", { class: "actions" }, el("button", { type: "button", onclick: () => this.state.opening.forEach((o) => o.cancel()) }, "Cancel")));
    const [title, bar, line] = this.#opening.children;
    say(title, opening.name + (this.state.opening.size > 1 ? ` and ${count(this.state.opening.size - 1, "other")}` : ""));
    say(line, words);
    showShare(/** @type {HTMLProgressElement} */ (bar), share);
  }

  #placeCursor() {
    const at = this.state.cursor;
    this.#cursor.hidden = at === null || !this.state.active;
    if (at === null) return;
    const x = xFromTicks(at, this.state.view, this.width);
    this.#cursor.hidden = x < 0 || x > this.width;
    this.#cursor.style.transform = `translateX(${Math.round(x)}px)`;
  }

  #placeSelection() {
    const selection = this.state.selection;
    this.#shade.hidden = !selection;
    if (!selection) return;
    const x0 = Math.max(-2, xFromTicks(selection.from, this.state.view, this.width));
    const x1 = Math.min(this.width + 2, xFromTicks(selection.to, this.state.view, this.width));
    this.#shade.hidden = x1 <= x0;
    this.#shade.style.left = x0 + "px";
    this.#shade.style.width = x1 - x0 + "px";
  }
}

/** Why there is nothing to see of a stream without rows. @param {StreamInfo} info */
function emptyPlate(info) {
  return el("div", { class: "table-plate" }, el("h2", null, info.title || info.id),
    el("p", null, "No rows: the stream was opened, and its device delivered nothing that is on disk."),
    el("table", null,
      el("thead", null, el("tr", null, el("th", { scope: "col" }, "column"), el("th", { scope: "col" }, "type"), el("th", { scope: "col" }, "unit"))),
      el("tbody", null, ...info.columns.slice(0, 200).map((c) => el("tr", null, el("td", null, c.name), el("td", null, c.type), el("td", null, c.unit))))));
}
