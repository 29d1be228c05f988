/**
 * The large plot: stacked traces of the chosen signal.
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Row} Row
 * @typedef {import("../view/loader.js").Layer} Layer
 * @typedef {{ row: Row, info: StreamInfo, window: import("../view/viewport.js").RowWindow, rowPixels: number, columns: number[] }} Shown
 */
import { MEASURES } from "../measures.js";
import { cssFromRgb, mix, pixelFromRgb, rgbFromHex } from "../colour.js";
import { BAR_PIXELS, baseline, fittingGain, measure } from "../view/gain.js";
import { bestLayer } from "../view/loader.js";
import { drawHatch, missingIn } from "../plots/hatch.js";
import { strokeSamples } from "../plots/lines.js";
import { rasterEnvelope } from "../plots/raster.js";
import { unitsPerRaw } from "../signals.js";
import { labelStride, rowHeight, rowWindow } from "../view/viewport.js";
import { byId, fitCanvas, fitted } from "./dom.js";
import { plotLoader, wantedInView } from "./plot.js";
import { canvasFont, colourOf, token } from "./tokens.js";
import { periodOf } from "../times.js";

/** Bars of more rows than this are drawn above all traces, a little brighter: a spike is not hidden by the noise of the rows below it. */
const SPIKE_ROWS = 1.6;

export class TracesPlot {
  /** @type {HTMLCanvasElement} */
  canvas = byId("traces");
  /** Middle of each channel, raw units, by row key. @type {Map<string, Map<number, number>>} */
  #baselines = new Map();
  /** @type {ImageData | null} */
  #image = null;
  #pixels = new Uint32Array(0);
  #measured = /** @type {Layer | null} */ (null);

  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.loader = plotLoader(state);
  }

  /** What the plot shows now; null without traces. @returns {Shown | null} */
  shown() {
    const row = this.state.traces;
    if (!row || row.kind !== "traces" || this.state.entry(row.id).info.rows === 0) return null;
    const height = this.canvas.clientHeight;
    const total = row.columns.length;
    const start = this.state.firstRow.get(row.key) ?? (row.columns[0] > row.columns[total - 1] ? total : 0);
    const rowPixels = rowHeight(height, total, this.state.spacing.get(row.key)), window = rowWindow(height, total, start, rowPixels);
    return {
      row, info: this.state.entry(row.id).info, window, rowPixels,
      columns: row.columns.slice(window.first, window.first + window.shown),
    };
  }

  /** Forgets what it knows, as when a stream or the engine went. */
  reset() {
    this.loader.reset();
    this.#baselines.clear();
    this.#measured = null;
  }

  /** Asks for the data of the view. */
  want() {
    const shown = this.shown();
    if (!shown || shown.columns.length === 0) return;
    const dpr = globalThis.devicePixelRatio || 1;
    this.loader.want(wantedInView(this.state, shown.info, shown.columns, Math.round((this.canvas.clientWidth - MEASURES.gutter) * dpr)));
  }

  /** True when everything wanted is drawn exactly, or nothing is to be drawn. Traces that have no room yet are still to be drawn. */
  get settled() {
    const shown = this.canvas.hidden ? null : this.shown();
    return shown === null || (shown.columns.length > 0 && this.loader.settled);
  }

  draw() {
    const { ctx, width, height, dpr } = fitCanvas(this.canvas);
    ctx.clearRect(0, 0, width, height);
    const shown = this.shown();
    if (!shown || width <= MEASURES.gutter) return;
    this.#measure(shown);
    this.#drawEnvelopes(ctx, shown, width, height, dpr);
    ctx.save();
    ctx.beginPath();
    ctx.rect(MEASURES.gutter, 0, width - MEASURES.gutter, height);
    ctx.clip();
    ctx.translate(MEASURES.gutter, 0);
    this.#drawLines(ctx, shown, width - MEASURES.gutter);
    drawHatch(ctx, missingIn(shown.info.coverage, this.state.view), this.state.view, width - MEASURES.gutter, height, {
      bg: token("bg"), bad: token("bad"), warn: token("warn"), line: token("line-2"),
    });
    ctx.restore();
    this.#drawLabels(ctx, shown);
  }

  /** Middle and gain from the first exact data, and again where traces have drifted away. @param {Shown} shown */
  #measure({ row, info, rowPixels, columns }) {
    const layer = this.loader.exact ?? (this.state.gain.has(row.key) ? null : this.loader.layers[0]);
    if (!layer || layer === this.#measured || layer.envelope.rows_used === 0) return;
    const found = columns.map((column) => ({ column, m: layer.index.has(column) ? measure(layer.envelope, /** @type {number} */ (layer.index.get(column))) : null }));
    if (!this.state.gain.has(row.key)) {
      const channels = found.flatMap(({ column, m }) => (m ? [{ height: m.height * unitsPerRaw(info.columns[column]), range: m.range * unitsPerRaw(info.columns[column]) }] : []));
      if (channels.length === 0) return;
      this.state.setGain(fittingGain(channels, rowPixels));
    }
    this.#measured = layer;
    const kept = this.#baselines.get(row.key) ?? new Map();
    this.#baselines.set(row.key, kept);
    const rowUnits = (rowPixels * this.#gain(row)) / BAR_PIXELS;
    for (const { column, m } of found) {
      if (m) kept.set(column, baseline(kept.get(column), m.middle, Math.abs(rowUnits / unitsPerRaw(info.columns[column]))));
    }
  }

  /** @param {Row} row */
  #gain(row) {
    return this.state.gain.get(row.key) ?? 1;
  }

  /** @param {Shown} shown @param {number} i */
  #colour({ row, info, columns }, i) {
    const colour = colourOf(info, row, columns[i]);
    return this.state.picked.get(row.key)?.has(columns[i]) ? mix(colour, rgbFromHex(token("text")), 0.45) : colour;
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Shown} shown
   * @param {number} width
   * @param {number} height
   * @param {number} dpr
   */
  #drawEnvelopes(ctx, shown, width, height, dpr) {
    if (!this.loader.layers.some((l) => l.envelope.kind === "envelope")) return;
    const w = Math.max(1, Math.round((width - MEASURES.gutter) * dpr)), h = Math.max(1, Math.round(height * dpr));
    if (!this.#image || this.#image.width !== w || this.#image.height !== h) {
      this.#image = new ImageData(w, h);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
    }
    this.#pixels.fill(0);
    const { row, info, rowPixels, columns } = shown;
    const middles = this.#baselines.get(row.key);
    const thickness = Math.max(1, dpr), tall = rowPixels < 24 ? SPIKE_ROWS * rowPixels * dpr : Infinity;
    const text = rgbFromHex(token("text"));
    for (const spikes of tall < Infinity ? [false, true] : [false]) for (let i = 0; i < columns.length; i++) {
      const layer = bestLayer(this.loader.layers, columns[i], this.state.view);
      if (!layer || layer.envelope.kind !== "envelope") continue;
      const middle = middles?.get(columns[i]) ?? this.#provisionalMiddle(layer, columns[i]);
      const pixelsPerRaw = (unitsPerRaw(info.columns[columns[i]]) * BAR_PIXELS * dpr) / this.#gain(row);
      rasterEnvelope(this.#pixels, w, h, layer.envelope, /** @type {number} */ (layer.index.get(columns[i])), this.state.view,
        (i + 0.5) * rowPixels * dpr, pixelsPerRaw, middle, pixelFromRgb(spikes ? mix(this.#colour(shown, i), text, 0.4) : this.#colour(shown, i)), thickness, spikes ? tall : -1);
    }
    ctx.putImageData(this.#image, Math.round(MEASURES.gutter * dpr), 0);
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Shown} shown @param {number} width */
  #drawLines(ctx, shown, width) {
    const { row, info, rowPixels, columns } = shown;
    const middles = this.#baselines.get(row.key);
    ctx.lineWidth = rowPixels > 24 ? 1.25 : 1;
    ctx.lineJoin = "round";
    for (let i = 0; i < columns.length; i++) {
      const layer = bestLayer(this.loader.layers, columns[i], this.state.view);
      if (!layer || layer.envelope.kind !== "samples") continue;
      const column = info.columns[columns[i]];
      const middle = middles?.get(columns[i]) ?? this.#provisionalMiddle(layer, columns[i]);
      const pixelsPerRaw = (unitsPerRaw(column) * BAR_PIXELS) / this.#gain(row);
      const zero = (i + 0.5) * rowPixels;
      ctx.strokeStyle = cssFromRgb(this.#colour(shown, i));
      strokeSamples(ctx, layer.envelope, /** @type {number} */ (layer.index.get(columns[i])), this.state.view, width,
        (raw) => zero - (raw - middle) * pixelsPerRaw, { stride: column.stride, periodTicks: periodOf(info) });
    }
  }

  /** @param {Layer} layer @param {number} column */
  #provisionalMiddle(layer, column) {
    return measure(layer.envelope, /** @type {number} */ (layer.index.get(column)))?.middle ?? 0;
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Shown} shown */
  #drawLabels(ctx, { row, info, window, rowPixels, columns }) {
    const stride = labelStride(rowPixels);
    const active = this.state.channel.get(row.key);
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    for (let i = 0; i < columns.length; i++) {
      const column = info.columns[columns[i]];
      const number = column.channel >= 0 ? column.channel : window.first + i;
      const isActive = columns[i] === active;
      if (!isActive && (number % stride !== 0 || this.#besideActive(columns, i, active, stride))) continue;
      const y = Math.max(7, (i + 0.5) * rowPixels);
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
}
