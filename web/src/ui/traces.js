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
import { periodOf, spanOf } from "../times.js";
import { labelStride, rowHeight, rowWindow } from "../view/viewport.js";
import { el, fitCanvas, fitted } from "./dom.js";
import { plotLoader, wantedInView } from "./plot.js";
import { canvasFont, colourOf, heatStops, token } from "./tokens.js";

/** What is painted beyond the edges of the screen, as a part of it: there while the next picture is on its way. */
const MARGIN = 1 / 8;

/** The whole run is loaded once, coarse, in so many values, and is what is seen where nothing better has come yet. */
const BASE = { values: 300_000, bins: 512 };

export class TracesPlot {
  #key;
  /** @type {import("../painter.js").Plot} */
  #plot;
  #size = { width: 0, height: 0 };
  #observer;
  /** Layers that the painter has. @type {Map<Layer, number>} */
  #given = new Map();
  #lastId = 0;
  /** What the painter knows the channels by. @type {{ columns?: number[], info?: StreamInfo, picked?: Set<number>, ground?: string }} */
  #rows = {};
  #labelsKey = "";
  #sceneKey = "";
  /** @type {AbortController | null} */
  #base = null;
  /** @type {Layer | null} */
  #baseLayer = null;
  /** @type {{ column: number, at: number, reading: import("../plots/easel.js").Reading | null }} */
  #read = { column: -1, at: NaN, reading: null };

  /** Names beside the rows. */
  #gutter = el("canvas", { class: "gutter" });
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
    this.node = el("div", { class: "plot", "aria-hidden": "true" }, this.#gutter, el("div", { class: "window" }, this.#picture));
    this.#plot = painter.plot(() => this.#received());
    this.loader = plotLoader(state);
    this.#observer = new ResizeObserver(() => {
      this.#size = { width: this.node.clientWidth, height: this.node.clientHeight };
      state.changed("rows");
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
    if (!shown || shown.columns.length === 0) return;
    const dpr = globalThis.devicePixelRatio || 1;
    this.loader.want(wantedInView(this.state, shown.info, shown.columns, Math.round((this.#size.width - MEASURES.gutter) * dpr)));
    if (!this.loader.settled) this.#base?.abort();
    else if (this.loader.error === null && this.loader.layers.length > 0) void this.#wantBase(shown);
  }

  /** The whole run, all channels, coarse: once there is nothing more urgent. @param {Shown} shown */
  async #wantBase({ row, info }) {
    const { from, to } = spanOf(info), { view } = this.state;
    if (this.#base || this.#baseLayer || row.columns.length > BASE.values / 16 || (view.from <= from && view.to >= to)) return;
    const control = (this.#base = new AbortController());
    try {
      const bins = Math.min(BASE.bins, Math.floor(BASE.values / row.columns.length));
      const envelope = await this.state.client.envelope({ stream: info.id, columns: row.columns, from, to: Math.ceil(to), bins, quality: "coarse" }, { signal: control.signal });
      if (this.#base !== control) return;
      if (envelope.kind === "envelope") this.#baseLayer = { envelope, index: new Map() };
      this.state.changed("data");
    } catch {
      if (this.#base === control) this.#base = null; // another time
    }
  }

  /** True when everything wanted is on the screen exactly, or nothing is to be drawn. Traces that have no room yet are still to be drawn. */
  get settled() {
    const shown = this.shown();
    return shown === null || (shown.columns.length > 0 && this.loader.settled && (this.loader.error !== null || this.#plot.picture?.key === this.#sceneKey));
  }

  /** What is drawn, for the status. */
  get newest() {
    return this.loader.layers[0] ?? null;
  }

  /** Milliseconds that the newest picture took in the painter. */
  get painting() {
    return this.#plot.picture?.milliseconds ?? 0;
  }

  /** Top of the scale of colours. */
  get heatTop() {
    return this.#plot.picture?.scene.mode === this.state.mode ? this.#plot.picture.top : null;
  }

  #received() {
    const { picture } = this.#plot, { state } = this;
    if (picture?.gain && !state.gain.has(this.#key)) state.setGain(picture.gain, this.#key);
    if (picture?.top && picture.scene.mode !== "traces" && !state.heatTop.has(this.#key + picture.scene.mode)) state.heatTop.set(this.#key + picture.scene.mode, picture.top);
    state.changed("data");
  }

  draw() {
    const shown = this.shown(), plot = this.#size.width - MEASURES.gutter, dpr = globalThis.devicePixelRatio || 1;
    if (!shown || plot <= 0 || shown.columns.length === 0) {
      this.#picture.hidden = true;
      return;
    }
    this.#handOver(shown);
    if (this.loader.layers.length > 0) this.#paint(shown, Math.max(1, Math.round(plot * dpr)), dpr);
    this.#place(shown, plot, dpr);
    this.#drawLabels(shown, this.#size.height);
  }

  /** Gives the painter what it does not have: channels, colours, data. @param {Shown} shown */
  #handOver({ row, info }) {
    const picked = this.state.picked.get(row.key), ground = token("bg"), before = this.#rows;
    if (row.columns !== before.columns || info !== before.info || picked !== before.picked || ground !== before.ground) {
      const text = rgbFromHex(token("text"));
      this.#plot.rows({
        columns: row.columns,
        colours: Uint32Array.from(row.columns, (column) => {
          const colour = colourOf(info, row, column);
          return pixelFromRgb(picked?.has(column) ? mix(colour, text, 0.45) : colour);
        }),
        unitsPerRaw: row.columns.map((c) => unitsPerRaw(info.columns[c])),
        strides: row.columns.map((c) => info.columns[c].stride),
        periodTicks: periodOf(info),
      });
      this.#rows = { columns: row.columns, info, picked, ground };
    }
    const layers = this.#baseLayer ? [...this.loader.layers, this.#baseLayer] : this.loader.layers;
    if (layers.length === this.#given.size && layers.every((layer) => this.#given.has(layer))) return;
    const added = [], given = this.#given;
    this.#given = new Map();
    for (const layer of layers) {
      const id = given.get(layer) ?? ++this.#lastId;
      this.#given.set(layer, id);
      if (!given.has(layer)) added.push({ id, envelope: layer.envelope, base: layer === this.#baseLayer });
    }
    this.#plot.layers([...this.#given.values()], added);
  }

  /** Asks for a picture of what is looked at, with some beyond its edges. @param {Shown} shown @param {number} width  device pixels @param {number} dpr */
  #paint({ row, info, window, rowPixels }, width, dpr) {
    const { state } = this, { view } = state, span = view.to - view.from;
    const side = Math.round(width * MARGIN), wide = { from: view.from - (side / width) * span, to: view.to + (side / width) * span };
    const beyond = Math.ceil(window.shown * MARGIN), first = Math.max(0, window.first - beyond), end = Math.min(window.total, window.first + window.shown + beyond);
    const heat = state.mode !== "traces";
    /** @type {Scene} */
    const scene = {
      width: width + 2 * side, height: Math.max(1, Math.round((end - first) * rowPixels * dpr)), dpr, view: wide, first, shown: end - first, rowPixels: rowPixels * dpr,
      gain: state.gain.get(row.key) ?? null, clip: state.clip, mode: state.mode, top: heat ? state.heatTop.get(row.key + state.mode) ?? null : null,
      missing: missingIn(info.coverage, wide).map(({ from, to, kind }) => ({ from, to, edge: pixelFromRgb(rgbFromHex(token(kind === "gap" ? "warn" : "bad"))) })),
      ground: pixelFromRgb(rgbFromHex(token("bg"))), text: pixelFromRgb(rgbFromHex(token("text"))), line: pixelFromRgb(rgbFromHex(token("line-2"))), stops: heat ? heatStops() : [],
    };
    this.#sceneKey = [this.#plot.version, scene.width, scene.height, wide.from, wide.to, first, end, rowPixels, dpr, scene.gain, scene.clip, scene.mode, scene.top, scene.missing.length, scene.ground].join();
    this.#plot.paint(scene, this.#sceneKey);
  }

  /** Lays the newest picture where it belongs now. @param {Shown} shown @param {number} plot @param {number} dpr */
  #place({ window, rowPixels }, plot, dpr) {
    const { picture } = this.#plot, { view } = this.state, canvas = this.#picture;
    canvas.hidden = picture === null;
    if (!picture) return;
    const { scene } = picture, width = scene.width / dpr, height = scene.height / dpr;
    if (picture !== this.#shownPicture) {
      this.#shownPicture = picture;
      if (canvas.width !== scene.width) canvas.width = scene.width;
      if (canvas.height !== scene.height) canvas.height = scene.height;
      canvas.style.width = width + "px";
      canvas.style.height = height + "px";
      canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(picture.bitmap);
    }
    const scale = plot / (view.to - view.from), x = Math.round((scene.view.from - view.from) * scale * dpr) / dpr, y = Math.round((scene.first - window.first) * rowPixels * dpr) / dpr;
    const wide = ((scene.view.to - scene.view.from) * scale) / width, high = (scene.shown * rowPixels) / height;
    const asPainted = Math.abs(wide - 1) * scene.width < 1 && Math.abs(high - 1) * scene.height < 1;
    canvas.style.transform = `translate(${x}px, ${y}px)` + (asPainted ? "" : ` scale(${wide}, ${high})`);
  }

  /** The gutter, when it is not as it was. @param {Shown} shown @param {number} height */
  #drawLabels({ row, info, window, rowPixels, columns }, height) {
    const stride = labelStride(rowPixels), active = this.state.channel.get(row.key);
    const key = [globalThis.devicePixelRatio, height, rowPixels, window.first, columns.length, columns[0], columns[columns.length - 1], active, token("dim"), info.id].join();
    if (key === this.#labelsKey) return;
    this.#labelsKey = key;
    const { ctx } = fitCanvas(this.#gutter, { width: MEASURES.gutter, height });
    ctx.clearRect(0, 0, MEASURES.gutter, height);
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    for (let i = 0; i < columns.length; i++) {
      const column = info.columns[columns[i]];
      const number = column.channel >= 0 ? column.channel : window.first + i;
      const isActive = columns[i] === active;
      if (!isActive && (number % stride !== 0 || this.#besideActive(columns, i, active, stride))) continue;
      const y = Math.min(height - 7, Math.max(7, (i + 0.5) * rowPixels));
      ctx.font = canvasFont(10.5, isActive ? 600 : 400);
      ctx.fillStyle = isActive ? token("accent") : token("dim");
      ctx.fillText(fitted(ctx, column.label, (MEASURES.gutter - 14) * 1.3), 10, y, MEASURES.gutter - 14);
    }
  }

  /** A label is left out when the active channel's is less than a stride away. @param {number[]} columns @param {number} i @param {number | undefined} active @param {number} stride */
  #besideActive(columns, i, active, stride) {
    if (active === undefined || stride === 1) return false;
    for (let k = Math.max(0, i - stride + 1); k < i + stride && k < columns.length; k++) if (columns[k] === active) return true;
    return false;
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
    this.#base?.abort();
    this.#base = this.#baseLayer = null;
    this.#rows = {};
  }

  /** The plot is gone. */
  drop() {
    this.reset();
    this.#observer.disconnect();
    this.#plot.drop();
  }
}
