/**
 * Stacked traces of one signal, or their heat map: asks for data, hands them to the painter, and lays its newest picture onto the screen, shifted and stretched to
 * what is looked at now. Nothing here is done once a sample.
 *
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Row} Row
 * @typedef {import("../view/loader.js").Layer} Layer
 * @typedef {import("../plots/easel.js").Scene} Scene
 * @typedef {{ row: Row, info: StreamInfo, window: import("../view/viewport.js").RowWindow, rowPixels: number, columns: number[] }} Shown
 */
import { mix, pixelFromRgb, rgbFromHex } from "../colour.js";
import { MEASURES } from "../measures.js";
import { missingIn } from "../plots/hatch.js";
import { unitsPerRaw } from "../signals.js";
import { periodOf } from "../times.js";
import { rowBand, rowHeight, rowWindow } from "../view/viewport.js";
import { Backdrop } from "./backdrop.js";
import { DrawnFrom, el } from "./dom.js";
import { Gutter } from "./gutter.js";
import { placed, show, transformOf } from "./pictures.js";
import { plotLoader, wantedInView } from "./plot.js";
import { colourOf, heatStops, token } from "./tokens.js";

/** What is painted beyond the edges of the screen, as a part of it: there while the next picture is on its way. */
const MARGIN = 1 / 8;

/** Spans that differ by less are one, as a share. */
const SAME = 1e-6;

export class TracesPlot {
  #key;
  /** @type {import("../painter.js").Plot} */
  #plot;
  #backdrop;
  #size = { width: 0, height: 0 };
  #observer;
  /** Layers that the painter has. @type {Map<Layer, number>} */
  #given = new Map();
  #lastId = 0;
  /** What the painter knows the channels by. @type {{ columns?: number[], info?: StreamInfo, picked?: Set<number>, ground?: string }} */
  #rows = {};
  /** Rows that are painted, and those that data are asked for. @type {import("../view/viewport.js").RowBand | null} */
  #band = null;
  #asked = { first: 0, end: 0 };
  #askedOf = new DrawnFrom();
  #sceneKey = "";
  /** Ticks of a picture that goes on: the view's, which differs in its last digits wherever it is. */
  #span = NaN;
  /** What a picture that goes on by itself is painted from, while a recording is followed. @type {import("../live/roll.js").Source | null} */
  #source = null;
  /** Where the rows end that a scene of now shows, ticks: the view goes with them. @type {WeakMap<Scene, number>} */
  #ends = new WeakMap();
  /** Where the rows of the newest layer end, ticks. @type {{ layer: Layer | null, last: number }} */
  #rowsOf = { layer: null, last: -Infinity };
  /** The last row that was there, ticks. */
  #lastRow = -Infinity;
  /** Which request of the loader was answered when a scene was made. @type {WeakMap<Scene, number>} */
  #answered = new WeakMap();
  /** @type {{ column: number, at: number, reading: import("../plots/easel.js").Reading | null }} */
  #read = { column: -1, at: NaN, reading: null };

  #gutter;
  /** The newest picture, larger than its window; moving it costs the page's own thread nothing. */
  #picture = el("canvas", { class: "picture" });
  #shownPicture = /** @type {import("../painter.js").Picture | null} */ (null);

  /**
   * @param {State} state
   * @param {import("../painter.js").Painter} painter
   * @param {string} key  of the row
   */
  constructor(state, painter, key) {
    this.state = state;
    this.#key = key;
    this.#gutter = new Gutter(state);
    this.#backdrop = new Backdrop(state, painter);
    this.node = el("div", { class: "plot", "aria-hidden": "true" }, this.#gutter.node, el("div", { class: "window" }, this.#backdrop.node, this.#picture));
    this.#plot = painter.plot(() => this.#received());
    this.loader = plotLoader(state);
    this.#observer = new ResizeObserver(([{ contentRect: { width, height } }]) => {
      const first = this.#size.height === 0;
      this.#size = { width, height };
      state.changed("rows");
      if (first) this.want(); // a frame earlier
    });
    this.#observer.observe(this.node);
  }

  /** CSS pixels. */
  get height() {
    return this.#size.height;
  }

  get key() {
    return this.#key;
  }

  /** What the plot shows now; null without traces. @returns {Shown | null} */
  shown() {
    const row = this.state.rows.find((r) => r.key === this.#key);
    if (!row || row.kind !== "traces" || this.state.entry(row.id).info.rows === 0) return null;
    const { height } = this.#size, total = row.columns.length;
    const start = this.state.firstRow.get(row.key) ?? (row.columns[0] > row.columns[total - 1] ? total : 0);
    const rowPixels = rowHeight(height, total, this.state.spacing.get(row.key)), window = rowWindow(height, total, start, rowPixels);
    return {
      row, info: this.state.entry(row.id).info, window, rowPixels,
      columns: row.columns.slice(window.first, window.first + window.shown),
    };
  }

  /** Asks for the data of the view. */
  want() {
    const shown = this.shown();
    this.#source = null;
    if (!shown || shown.columns.length === 0) return;
    const dpr = globalThis.devicePixelRatio || 1;
    const { live } = this.state;
    const wanted = wantedInView(this.state, shown.info, this.#askedColumns(shown), Math.round((this.#size.width - MEASURES.gutter) * dpr), live?.following ? live.newest : undefined);
    this.#source = live?.source(wanted) ?? null;
    if (this.#source) return;
    this.loader.want(wanted);
    if (!this.loader.settled) this.#backdrop.abort();
  }

  /** Those that are seen; when the hand scrolls on, those around them too. @param {Shown} shown */
  #askedColumns({ row, window }) {
    const { view, live } = this.state, { first, shown: seen } = window;
    this.#band = rowBand(this.#band, window, MARGIN);
    if (this.#askedOf.differs(view.from, view.to, row.columns, seen, this.#size.width) || live?.following) this.#asked = { first, end: first + seen };
    else if (first < this.#asked.first || first + seen > this.#asked.end) this.#asked = this.#band;
    return row.columns.slice(this.#asked.first, this.#asked.end);
  }

  /** Whether its pictures go on by themselves. */
  get rolls() {
    return this.#source !== null;
  }

  /** Whether the view goes with its pictures, so that they end at its right edge however late they are. */
  get leads() {
    return this.#source !== null || ((this.state.live?.following && this.state.live.isNow(this.#lastRow)) ?? false);
  }

  /** Looks where the rows end that came, before they are given to the painter. */
  #lookAtRows() {
    const layer = this.loader.layers[0] ?? null, x = layer?.envelope.x;
    if (layer === this.#rowsOf.layer) return;
    this.#rowsOf = { layer, last: layer && x && x.length > 0 ? layer.envelope.from + x[x.length - 1] : -Infinity };
    this.#lastRow = Math.max(this.#lastRow, this.#rowsOf.last);
  }

  /** Where rows of now end that are here, ticks; null: rows are not what is shown, or not of now. */
  get #endOfRows() {
    const { live } = this.state, { last } = this.#rowsOf;
    return live?.following && live.isNow(last) ? last : null;
  }

  /** Asks for what is not looked at yet, once the view is on the screen: until then nothing is read but what it shows. */
  wantMore() {
    const shown = this.shown();
    if (shown && (this.#source !== null || (this.loader.settled && this.loader.error === null && this.loader.layers.length > 0))) void this.#backdrop.want(shown);
  }

  /** True when everything wanted is on the screen exactly, or nothing is to be drawn. Traces that have no room yet are still to be drawn. */
  get settled() {
    const shown = this.shown();
    return shown === null || (shown.columns.length > 0 && (this.#source !== null || this.loader.settled) && (this.error !== null || this.#plot.picture?.key === this.#sceneKey));
  }

  /** Why what is looked at is not on the screen, or null. @returns {unknown} */
  get error() {
    return this.loader.error ?? this.#plot.errorOf(this.#sceneKey);
  }

  /** Whether anything is on the screen. */
  get painted() {
    return this.shown() === null || this.error !== null || this.#plot.picture !== null;
  }

  /** What was asked for, and came, so far. */
  get begun() {
    return { requests: this.loader.begun, pictures: this.#plot.pictures };
  }

  /** Whether a picture of what is looked at is on the screen whose data were asked for after then; it may be of a moment ago. @param {{ requests: number, pictures: number }} since */
  shownSince({ requests, pictures }) {
    const { picture } = this.#plot, shown = this.shown(), { view } = this.state;
    if (this.settled && !this.#source) return true;
    if (!picture || !shown || (this.#source ? this.#plot.pictures <= pictures || Number.isNaN(picture.tick) : (this.#answered.get(picture.scene) ?? 0) <= requests)) return false;
    const { scene } = picture, dpr = globalThis.devicePixelRatio || 1, width = Math.round((this.#size.width - MEASURES.gutter) * dpr);
    const spans = ((view.to - view.from) * scene.width) / (width * (scene.view.to - scene.view.from));
    return Math.abs(spans - 1) < 1e-3 && scene.mode === this.state.mode && scene.rowPixels === shown.rowPixels * dpr && scene.first <= shown.window.first && scene.first + scene.shown >= shown.window.first + shown.window.shown;
  }

  /** What is drawn, for the status. @returns {{ envelope: Pick<import("../protocol.js").Envelope, "kind" | "quality" | "samples_per_pixel"> } | null} */
  get newest() {
    const { picture } = this.#plot, shown = this.shown();
    if (!this.#source || !picture || !shown || Number.isNaN(picture.tick)) return this.loader.layers[0] ?? null;
    return { envelope: { kind: "envelope", quality: "exact", samples_per_pixel: this.#source.width / periodOf(shown.info) } };
  }

  /** Milliseconds that the newest picture took in the painter. */
  get painting() {
    return this.#plot.picture?.milliseconds ?? 0;
  }

  #received() {
    const { picture } = this.#plot, { state } = this;
    if (picture?.gain && !state.gain.has(this.#key)) state.setGain(picture.gain, this.#key);
    const tick = picture ? this.#lastOf(picture) : undefined;
    if (picture && tick !== undefined && this.leads) state.live?.painted(this.#key, this.#source ? picture.scene.view.to : tick, tick);
    if (picture?.top && picture.scene.mode !== "traces" && !state.heatTop.has(this.#key + picture.scene.mode)) {
      state.heatTop.set(this.#key + picture.scene.mode, picture.top);
      state.changed("gain");
    }
    state.changed("data");
  }

  /** The last tick of a picture of now. @param {import("../painter.js").Picture} picture @returns {number | undefined} */
  #lastOf({ scene, tick }) {
    return Number.isNaN(tick) ? this.#ends.get(scene) : tick;
  }

  draw() {
    const shown = this.shown(), plot = this.#size.width - MEASURES.gutter, dpr = globalThis.devicePixelRatio || 1;
    if (!shown || plot <= 0 || shown.columns.length === 0) {
      this.#picture.hidden = true;
      return;
    }
    const width = Math.max(1, Math.round(plot * dpr));
    this.#handRows(shown);
    if (this.#source) this.#roll(shown, width, dpr, this.#source);
    else {
      this.#plot.hold();
      this.#lookAtRows();
      this.#handLayers();
      if (this.loader.layers.length > 0) this.#paint(shown, width, dpr);
    }
    this.#gutter.draw(shown, this.#size.height); // before anything is moved: text on a canvas makes the browser look at all styles that changed
    this.#place(shown, plot, dpr);
  }

  /** Gives the painter what it does not have: channels, colours. @param {Shown} shown */
  #handRows({ row, info }) {
    const picked = this.state.picked.get(row.key), ground = token("bg"), before = this.#rows;
    if (row.columns !== before.columns || info !== before.info || picked !== before.picked || ground !== before.ground) {
      const text = rgbFromHex(token("text"));
      const rows = {
        columns: row.columns,
        colours: Uint32Array.from(row.columns, (column) => {
          const colour = colourOf(info, row, column);
          return pixelFromRgb(picked?.has(column) ? mix(colour, text, 0.45) : colour);
        }),
        unitsPerRaw: row.columns.map((c) => unitsPerRaw(info.columns[c])),
        strides: row.columns.map((c) => info.columns[c].stride),
        periodTicks: periodOf(info),
      };
      this.#plot.rows(rows);
      this.#backdrop.rows(rows);
      this.#rows = { columns: row.columns, info, picked, ground };
    }
  }

  /** Gives the painter data that it does not have. */
  #handLayers() {
    const base = this.#backdrop.layer, layers = base ? [...this.loader.layers, base] : this.loader.layers;
    if (layers.length === this.#given.size && layers.every((layer) => this.#given.has(layer))) return;
    const added = [], given = this.#given;
    this.#given = new Map();
    for (const layer of layers) {
      const id = given.get(layer) ?? ++this.#lastId;
      this.#given.set(layer, id);
      if (!given.has(layer)) added.push({ id, envelope: layer.envelope, base: layer === base });
    }
    this.#plot.layers([...this.#given.values()], added);
  }

  /** Asks for a picture of what is looked at, with some beyond its edges. @param {Shown} shown @param {number} width  device pixels @param {number} dpr */
  #paint({ row, info, window, rowPixels }, width, dpr) {
    const { view } = this.state, span = view.to - view.from, last = this.#endOfRows, to = last ?? view.to;
    const side = Math.round(width * MARGIN), wide = { from: to - span - (side / width) * span, to: to + (side / width) * span };
    const { first, end } = (this.#band = rowBand(this.#band, window, MARGIN));
    /** @type {Scene} */
    const scene = { ...this.#look(row, info, wide), width: width + 2 * side, height: Math.max(1, Math.round((end - first) * rowPixels * dpr)), dpr, view: wide, first, shown: end - first, rowPixels: rowPixels * dpr };
    this.#sceneKey = [this.#plot.version, scene.width, scene.height, wide.from, wide.to, first, end, rowPixels, dpr, scene.gain, scene.clip, scene.mode, scene.top, scene.missing.length, scene.ground].join();
    this.#answered.set(scene, this.loader.done);
    if (last !== null) this.#ends.set(scene, last);
    this.#plot.paint(scene, this.#sceneKey);
    this.#backdrop.paint(scene, row.columns.length, rowPixels);
  }

  /** Has the painter go on painting up to what came last. @param {Shown} shown @param {number} width  device pixels @param {number} dpr @param {import("../live/roll.js").Source} source */
  #roll({ row, info, window: { first, shown }, rowPixels }, width, dpr, source) {
    const { view } = this.state, now = view.to - view.from;
    if (!(Math.abs(now / this.#span - 1) < SAME)) this.#span = now;
    /** @type {import("../live/roll.js").RollScene} */
    const scene = { ...this.#look(row, info, view), width, height: Math.max(1, Math.round(shown * rowPixels * dpr)), dpr, span: this.#span, first, shown, rowPixels: rowPixels * dpr };
    const { gain, clip, mode, top, ground, missing } = scene;
    this.#sceneKey = ["roll", this.#plot.version, width, scene.height, scene.span, first, shown, rowPixels, dpr, gain, clip, mode, top, ground, source.width, source.bins, source.columns.length, ...missing.map(({ from, to }) => `${from}-${to}`)].join();
    this.#plot.roll(scene, source, this.#sceneKey);
    this.#backdrop.paint({ ...scene, view }, row.columns.length, rowPixels);
  }

  /** What a picture looks like, wherever it is. @param {Row} row @param {StreamInfo} info @param {import("../view/scale.js").Span} span */
  #look(row, info, span) {
    const { state } = this, heat = state.mode !== "traces";
    return {
      gain: state.gain.get(row.key) ?? null, clip: state.clip, mode: state.mode, top: heat ? state.heatTop.get(row.key + state.mode) ?? null : null,
      missing: missingIn(info.coverage, span).map(({ from, to, kind }) => ({ from, to, edge: pixelFromRgb(rgbFromHex(token(kind === "gap" ? "warn" : "bad"))) })),
      ground: pixelFromRgb(rgbFromHex(token("bg"))), text: pixelFromRgb(rgbFromHex(token("text"))), line: pixelFromRgb(rgbFromHex(token("line-2"))), stops: heat ? heatStops() : [],
    };
  }

  /** Lays the newest picture where it belongs now, and what is under it where it does not reach. @param {Shown} shown @param {number} plot @param {number} dpr */
  #place(shown, plot, dpr) {
    const { picture } = this.#plot, { height } = this.#size;
    this.#picture.hidden = picture === null;
    let covered = false;
    if (picture) {
      const at = placed(picture.scene, shown, this.state.view, plot);
      if (picture !== this.#shownPicture) {
        show(this.#picture, picture, dpr);
        this.#shownPicture = picture;
        this.#plot.shown();
        const tick = this.#lastOf(picture);
        if (tick !== undefined) this.state.live?.shown(this.#key, tick);
      }
      this.#picture.style.transform = transformOf(picture.scene, at, dpr);
      const rows = shown.window.shown * shown.rowPixels;
      covered = at.x <= 0 && at.y <= 0 && at.x + at.width >= plot && at.y + at.height >= Math.min(rows, height) - 1;
    }
    this.#backdrop.place(shown, covered, plot, dpr);
  }

  /** Column at a height of the plot. @param {number} y @returns {number | null} */
  columnAt(y) {
    const shown = this.shown();
    if (!shown) return null;
    return shown.columns[Math.floor(y / shown.rowPixels)] ?? null;
  }

  /**
   * What a channel is at a tick, from the data that are on the screen; the painter has them, so it is known a moment later, and the cursor changes then.
   * @param {number} column
   * @param {number} at
   * @returns {import("../plots/easel.js").Reading | null}  null: not known yet
   */
  reading(column, at) {
    if (this.#read.column !== column || this.#read.at !== at) {
      const asked = (this.#read = { column, at, reading: this.#read.column === column ? this.#read.reading : null });
      void this.#plot.read(column, at).then((reading) => {
        asked.reading = reading;
        if (this.#read === asked) this.state.changed("cursor");
      });
    }
    return this.#read.reading;
  }

  /** Forgets its data, as when a stream or the engine went. */
  reset() {
    this.loader.reset();
    this.#backdrop.reset();
    this.#rows = {};
  }

  /** The plot is gone. */
  drop() {
    this.reset();
    this.#observer.disconnect();
    this.#plot.drop();
    this.#backdrop.drop();
  }
}
