/**
 * The overview under the traces: the whole run of one channel, or the RMS of all, coarse at once and exact in the background while nobody moves; the window on it is
 * what the traces show.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./stage.js").Stage} Stage
 * @typedef {import("../protocol.js").Overview} Data
 */
import { cssFromRgb } from "../colour.js";
import { MEASURES } from "../measures.js";
import { drawHatch, missingIn } from "../plots/hatch.js";
import { drawEvents, drawMarks, drawOverview, heldAt } from "../plots/overview.js";
import { axisMarks } from "../plots/ruler.js";
import { briefly } from "../signals.js";
import { runLength } from "../times.js";
import { ticksFromX, xFromTicks } from "../view/scale.js";
import { percent } from "../words.js";
import { byId, DrawnFrom, el, fitCanvas, hint, say } from "./dom.js";
import { canvasFont, colourOf, token } from "./tokens.js";

/** Height of the times below the lane, and of the edge with the progress. CSS pixels. */
const TIMES = 17;

/** The pointer is on an edge of the window when it is this near; a window is at least so wide. CSS pixels. */
const NEAR = 5, LEAST = 6;

/** How long nothing must have moved before the background goes on, and how often a growing run is looked at anew, in milliseconds. */
const CALM = 150, GROWING = 3000;

/** Letters of a name that have room in the gutter. */
const MOST_LETTERS = 7;

/** Bins for one of all channels are enough. */
const MOST_BINS = 4096;

export class Overview {
  node = byId("overview");
  #canvas = el("canvas", { "aria-hidden": "true" });
  #window = el("div", { class: "view" });
  #edge = el("div", { class: "edge" });
  #what = el("span", { class: "what" });
  #length = el("span", { class: "note" });
  #button = el("button", { type: "button", class: "choice-of", onclick: () => this.state.setOverviewOfAll(!this.state.overviewOfAll) }, this.#what, this.#length);
  #size = { width: 0, height: 0 };
  /** @type {Data | null} */
  #data = null;
  /** What the data are of, and what was asked for last. */
  #dataKey = "";
  /** Of the file, when it was asked for. */
  #dataRows = 0;
  #askedKey = "";
  #exactKey = "";
  #drawnFrom = new DrawnFrom();
  /** @type {AbortController | null} */
  #asking = null;
  #timer = 0;
  #askedAt = 0;

  /** @param {State} state @param {Stage} stage */
  constructor(state, stage) {
    this.state = state;
    this.stage = stage;
    this.node.append(this.#canvas, this.#button, el("div", { class: "lane" }, this.#window), this.#edge);
    new ResizeObserver(([{ contentRect: { width, height } }]) => {
      this.#size = { width, height };
      this.draw();
      this.#place();
    }).observe(this.node);
    state.onSeldom(["active", "streams", "grown", "theme", "rows", "data", "marks"], () => this.draw());
    state.on(["view", "active", "streams"], () => this.#place());
    state.onSeldom(["data", "progress", "active", "streams", "grown", "rows"], () => this.#later());
    this.#connect();
  }

  /** @returns {{ row: import("../state.js").Row, info: import("../protocol.js").StreamInfo, columns: number[], key: string } | null} */
  #shown() {
    const row = this.state.traces;
    if (!row || row.columns.length === 0) return null;
    const { info } = this.state.entry(row.id);
    if (info.rows === 0) return null;
    const one = this.state.channel.get(row.key) ?? row.columns[row.columns.length >> 1];
    const columns = this.state.overviewOfAll ? row.columns : [one];
    return { row, info, columns, key: [row.key, columns.join(), this.#bins].join("|") };
  }

  get #bins() {
    return Math.max(1, Math.min(MOST_BINS, Math.round((this.#size.width - MEASURES.gutter) * (globalThis.devicePixelRatio || 1))));
  }

  /** Asks for data when nothing has moved for a moment; what was begun gives way while the hand moves. */
  #later() {
    const shown = this.#shown(), busy = !this.stage.calm;
    if (busy && this.#exactKey !== this.#askedKey) this.#asking?.abort();
    if (this.state.live?.open && this.#timer !== 0) return; // something comes all the time
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!shown || this.#size.width <= MEASURES.gutter) return;
    this.#timer = setTimeout(() => void this.#ask(), CALM);
  }

  async #ask() {
    this.#timer = 0;
    const shown = this.#shown();
    if (!shown || !this.stage.calm) return;
    const { rows } = shown.info, key = `${shown.key}|${rows}`, grown = this.#askedKey.startsWith(shown.key + "|");
    if (key === this.#askedKey) return;
    if (grown && performance.now() - this.#askedAt < GROWING) {
      this.#timer = setTimeout(() => void this.#ask(), GROWING);
      return;
    }
    this.#asking?.abort();
    const control = (this.#asking = new AbortController());
    this.#askedKey = key;
    this.#askedAt = performance.now();
    const accept = (/** @type {Data} */ data) => {
      if (this.#asking !== control) return;
      this.#data = data;
      this.#dataKey = shown.key;
      this.#dataRows = rows;
      this.draw();
      this.state.changed("progress"); // the status says how far it is
    };
    try {
      accept(await this.state.client.overview({ stream: shown.row.id, columns: shown.columns, bins: this.#bins }, { signal: control.signal, onProgress: accept }));
      if (this.#asking === control) this.#exactKey = key;
    } catch (error) {
      if (this.#asking !== control) return;
      this.#askedKey = "";
      if (!control.signal.aborted) this.#exactKey = this.#askedKey = key; // it would fail again; the traces say why
    } finally {
      this.draw();
    }
  }

  /** What the lane is about, for the status: empty without one. */
  get words() {
    const shown = this.#shown();
    if (!shown || this.#dataKey !== shown.key || !this.#data) return "";
    const newest = this.#dataRows < shown.info.rows || this.state.live?.open ? " but for the newest" : ""; // of a run that grows it is read only now and then
    return this.#data.quality === "exact" ? `overview exact${newest}` : `overview ${percent(this.#data.done / this.#data.bins)} exact`;
  }

  draw() {
    const shown = this.#shown(), { state } = this;
    this.node.hidden = !shown;
    if (!shown) return;
    const { row, info, columns, key } = shown, { run } = state;
    const { width, height } = this.#size, plot = width - MEASURES.gutter, lane = height - TIMES, lanes = this.stage.lower.loaded;
    const data = this.#dataKey === key ? this.#data : null;
    if (plot <= 0 || !this.#drawnFrom.differs(data, info, run.from, run.to, width, height, globalThis.devicePixelRatio, token("bg"), lanes, key, state.marks.list)) return;
    const { ctx } = fitCanvas(this.#canvas, this.#size);
    const all = columns.length > 1 || state.overviewOfAll;
    const column = info.columns[columns[0]];
    say(this.#what, all ? "all, RMS" : column.label.length > MOST_LETTERS ? briefly(column) : column.label);
    say(this.#length, state.hz > 0 ? runLength(run.to - run.from, state.hz, info) : "");
    hint(this.#button, all ? "RMS of all channels; press for one channel" : "The chosen channel; press for the RMS of all channels, which reads all of the file");
    ctx.clearRect(0, 0, width, height);
    ctx.save();
    ctx.translate(MEASURES.gutter, 0);
    ctx.beginPath();
    ctx.rect(0, 0, plot, height);
    ctx.clip();
    if (data) {
      ctx.save();
      ctx.translate(0, 5);
      drawOverview(ctx, data, run, { width: plot, height: lane - 8, colour: cssFromRgb(colourOf(info, row, columns[0])) });
      ctx.restore();
    }
    drawHatch(ctx, missingIn(info.coverage, run), run, plot, lane, { bg: token("bg"), bad: token("bad"), warn: token("warn"), line: token("line-2") });
    drawEvents(ctx, this.stage.lower.events(), run, plot, token("digital"));
    drawMarks(ctx, state.marks.list, run, plot, { mark: token("warn"), text: token("dim"), font: canvasFont(10) });
    ctx.font = canvasFont(10);
    ctx.textBaseline = "middle";
    for (const { x, text } of axisMarks(info, run, plot).labels) {
      ctx.fillStyle = token("line-2");
      ctx.fillRect(Math.round(x), height - TIMES + 1, 1, TIMES);
      ctx.fillStyle = token("dim");
      if (x + 5 + ctx.measureText(text).width < plot) ctx.fillText(text, x + 4, height - TIMES / 2 + 1);
    }
    ctx.restore();
    const done = data && data.quality !== "exact" ? data.done / data.bins : data ? 1 : 0;
    this.#edge.hidden = done >= 1;
    this.#edge.style.width = `${done * plot}px`;
  }

  /** The window, in pixels. */
  #windowAt() {
    const { run, view } = this.state, plot = this.#size.width - MEASURES.gutter;
    const from = xFromTicks(view.from, run, plot), to = xFromTicks(view.to, run, plot), spare = Math.max(0, LEAST - (to - from)) / 2;
    return { from: from - spare, to: to + spare };
  }

  #place() {
    if (!this.state.traces) return;
    const { from, to } = this.#windowAt(), plot = this.#size.width - MEASURES.gutter;
    const left = Math.max(0, from), right = Math.min(plot, to);
    this.#window.style.transform = `translateX(${left}px)`;
    this.#window.style.width = Math.max(LEAST, right - left) + "px";
  }

  #connect() {
    const lane = /** @type {HTMLElement} */ (this.node.querySelector(".lane"));
    let held = /** @type {{ what: "from" | "to" | "window" | "elsewhere", at: number, view: import("../view/scale.js").Span } | null} */ (null);
    const ticks = (/** @type {PointerEvent} */ event) => ticksFromX(event.clientX - this.stage.left, this.state.run, this.#size.width - MEASURES.gutter);
    lane.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      lane.setPointerCapture(event.pointerId);
      const at = ticks(event), what = heldAt(event.clientX - this.stage.left, this.#windowAt(), NEAR);
      if (what === "elsewhere") {
        const half = (this.state.view.to - this.state.view.from) / 2;
        this.state.setView({ from: at - half, to: at + half });
      }
      held = { what, at, view: this.state.view };
    });
    lane.addEventListener("pointermove", (event) => {
      const what = held?.what ?? heldAt(event.clientX - this.stage.left, this.#windowAt(), NEAR);
      lane.dataset.held = what;
      if (!held) return;
      const at = ticks(event), by = at - held.at, { from, to } = held.view;
      const least = this.state.minSpan;
      if (what === "from") this.state.setView({ from: Math.min(from + by, to - least), to });
      else if (what === "to") this.state.setView({ from, to: Math.max(to + by, from + least) });
      else this.state.setView({ from: from + by, to: to + by });
    });
    for (const end of ["pointerup", "pointercancel"]) lane.addEventListener(end, () => (held = null));
    lane.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.stage.node.dispatchEvent(new WheelEvent("wheel", event)); // as over the traces
    }, { passive: false });
  }
}
