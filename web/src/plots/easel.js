/**
 * One plot of the painter: its layers, where its channels are drawn, and the picture of a scene. Pure but for what it keeps: its layers, whose memory it gives back
 * when they are dropped, and the picture in the making, which all plots share.
 *
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {import("./stack.js").Layer} Layer
 * @typedef {import("../colour.js").Triple} Triple
 * @typedef {{ columns: number[], colours: Uint32Array, unitsPerRaw: number[], strides: number[], periodTicks: number }} Rows  of one signal, from the first row to the last
 * @typedef {{ from: number, to: number, edge: number }} Missing  ticks; edge: colour of its borders
 * @typedef {"traces" | "rms" | "mean"} Mode
 * @typedef {{ width: number, height: number, dpr: number, view: Span, first: number, shown: number, rowPixels: number, gain: number | null, clip: number, mode: Mode, top: number | null, missing: Missing[], ground: number, text: number, line: number, stops: Triple[] }} Scene
 *   width, height, rowPixels: device pixels; first: row at the upper edge, and how many are shown; gain: physical units of the scale bar, null: to be measured;
 *   top: of the scale of colours, null: to be measured
 * @typedef {{ id: number, envelope: Envelope, base?: boolean }} NewLayer
 * @typedef {import("./reading.js").Reading} Reading
 */
import { free } from "../free.js";
import { BAR_PIXELS, baseline, fittingGain, measure, roundAbove } from "../view/gain.js";
import { drawHeat, shades, strengths } from "./heat.js";
import { hatch, transpose } from "./raster.js";
import { readingAt } from "./reading.js";
import { drawStack, piecesOf } from "./stack.js";

/** Columns of pixels that are looked at for the scale of colours; values above it, of all. Of what rolls the middle of a channel stays until it has drifted by 3 of this, as a share of the scale: else all colours would change a little once a second. */
const HEAT = { columns: 64, above: 0.01, drift: 0.01 };

/** What pictures are made on: x-major, and as they are shown. */
let made = new Uint32Array(0), shown = /** @type {ImageData | null} */ (null);

/** What a picture is shown by, until the next one. @param {number} width @param {number} height */
function imageOf(width, height) {
  if (!shown || shown.width !== width || shown.height !== height) {
    if (shown) free(shown.data.buffer);
    shown = new ImageData(width, height);
  }
  return shown;
}

/** @param {number} width @param {number} height */
function sheet(width, height) {
  if (made.length < width * height) made = new Uint32Array(width * height);
  return { pixels: made.subarray(0, width * height), image: imageOf(width, height) };
}

export class Easel {
  /** Newest first. @type {(Layer & { id: number })[]} */
  layers = [];
  /** @type {Rows | null} */
  rows = null;
  /** Where each channel is drawn, raw units, by column: kept while the view moves. @type {Map<number, number>} */
  #middles = new Map();
  /** As measured last. @type {Map<number, import("../view/gain.js").Measured | null>} */
  #measured = new Map();
  /** An exact layer whose middles are not looked at yet. @type {Layer | null} */
  #fresh = null;
  /** What goes on at its end, and is drawn instead of the layers. @type {Layer | null} */
  #rolling = null;
  #stops = "";
  /** @type {Uint32Array} */
  #table = new Uint32Array(0);

  /** Other channels, in another order or other colours; each stays where it was drawn. @param {Rows} rows */
  setRows(rows) {
    this.rows = rows;
  }

  /** Takes a layer, and forgets those that are not listed. @param {number[]} ids  newest first @param {NewLayer[]} added */
  setLayers(ids, added) {
    const known = new Map(this.layers.map((layer) => [layer.id, layer]));
    for (const { id, envelope, base } of added) {
      const layer = { id, envelope, base, index: new Map(envelope.columns.map((column, i) => [column, i])) };
      known.set(id, layer);
      if (envelope.quality === "exact" && !base && envelope.rows_used > 0) this.#fresh = layer;
    }
    this.layers = ids.flatMap((id) => known.get(id) ?? []);
    for (const [id, { envelope: { data, mean, sd, x } }] of known) {
      if (!ids.includes(id)) for (const array of [data, mean, sd, x]) if (array) free(/** @type {ArrayBuffer} */ (array.buffer));
    }
    if (this.#fresh && !this.layers.some((layer) => layer === this.#fresh)) this.#fresh = null;
    if (added.length > 0) this.#measured.clear();
  }

  /** What is drawn instead of the layers, as it grows; null: the layers. @param {Envelope | null} envelope */
  setRolling(envelope) {
    if (envelope === (this.#rolling?.envelope ?? null)) return;
    this.#rolling = envelope && { envelope, index: new Map(envelope.columns.map((column, i) => [column, i])) };
    this.#fresh = null;
    this.#measured.clear();
  }

  /** What is drawn from. */
  get #drawn() {
    return this.#rolling ? [this.#rolling] : this.layers;
  }

  /** Where channels are and how large is measured again with the next picture: what rolls is not as it was. */
  lookAnew() {
    this.#fresh = this.#rolling;
    this.#measured.clear();
  }

  /** What is known of a channel from what is seen of it. @param {number} column @param {Span} view */
  #measure(column, view) {
    let found = this.#measured.get(column);
    if (found === undefined) {
      const piece = piecesOf(this.#drawn, column, view, 64).sort((a, b) => b.range.to - b.range.from - (a.range.to - a.range.from))[0];
      found = piece ? measure(piece.layer.envelope, piece.c) : null;
      if (piece) this.#measured.set(column, found);
    }
    return found;
  }

  /**
   * Paints a scene.
   * @param {Scene} scene
   * @returns {{ image: ImageData, gain: number | null, top: number | null }}  image: until the next picture of any plot; gain, top: as measured, null: nothing to measure
   */
  paint(scene) {
    const { width, height } = scene;
    const { pixels, image } = sheet(width, height);
    const { gain, top } = this.draw(pixels, scene);
    transpose(pixels, new Uint32Array(image.data.buffer), width, height);
    return { image, gain, top };
  }

  /**
   * Draws a scene.
   * @param {Uint32Array} pixels  x-major, as many as the scene has
   * @param {Scene} scene
   * @returns {{ gain: number | null, top: number | null, moved: boolean, lacking: boolean }}  as measured; moved: a channel is drawn elsewhere than before; lacking: of one nothing was there yet to say where
   */
  draw(pixels, scene) {
    const { width, height } = scene;
    pixels.fill(scene.ground);
    const drawn = this.rows ? this.#drawRows(pixels, scene, this.rows) : { gain: null, top: null, moved: false, lacking: false };
    const scale = width / (scene.view.to - scene.view.from);
    hatch(pixels, width, height, scene.missing.map(({ from, to, edge }) => ({ x0: (from - scene.view.from) * scale, x1: (to - scene.view.from) * scale, edge })), scene);
    return drawn;
  }

  /** @param {Uint32Array} pixels @param {Scene} scene @param {Rows} rows */
  #drawRows(pixels, scene, rows) {
    const { view, first, shown, dpr, rowPixels } = scene;
    const seen = rows.columns.slice(first, first + shown);
    const units = rows.unitsPerRaw.slice(first, first + shown);
    const frame = { ...scene, top: 0, periodTicks: rows.periodTicks };
    if (scene.mode !== "traces") {
      const table = this.#tableOf(scene.stops), rolls = this.#rolling !== null, moved = rolls && scene.top !== null && this.#settle(seen, units, HEAT.drift * scene.top);
      const channels = seen.map((column, i) => ({ column, perRaw: units[i], middle: rolls || scene.mode === "mean" ? this.#at(column, view) : this.#measure(column, view)?.middle ?? 0 }));
      const top = scene.top ?? this.#topOf(channels, scene, scene.mode);
      drawHeat(pixels, frame, channels, this.#drawn, { measure: scene.mode, top: top ?? 1, table });
      return { gain: null, top, moved, lacking: top === null };
    }
    const gain = scene.gain ?? this.#gainOf(seen, units, view, rowPixels / dpr);
    const perUnit = (BAR_PIXELS * dpr) / (gain ?? 1);
    const moved = this.#settle(seen, units, (rowPixels / dpr) * ((gain ?? 1) / BAR_PIXELS));
    drawStack(pixels, frame, seen.map((column, i) => ({
      column, stride: rows.strides[first + i], perRaw: units[i] * perUnit, middle: this.#at(column, view), colour: rows.colours[first + i],
    })), this.#drawn);
    return { gain, top: null, moved, lacking: seen.some((column) => !this.#middles.has(column)) };
  }

  /** Where a channel is drawn; while no exact data were seen, where the others are. @param {number} column @param {Span} view */
  #at(column, view) {
    return this.#middles.get(column) ?? this.#measure(column, view)?.middle ?? 0;
  }

  /** Moves channels that have drifted away. @param {number[]} columns @param {number[]} units @param {number} rowUnits  height of a row @returns {boolean} whether one was moved */
  #settle(columns, units, rowUnits) {
    const layer = this.#fresh;
    if (!layer) return false;
    this.#fresh = null;
    let moved = false;
    columns.forEach((column, i) => {
      const c = layer.index.get(column), found = c === undefined ? null : measure(layer.envelope, c), before = this.#middles.get(column);
      if (!found) return;
      const middle = baseline(before, found.middle, Math.abs(rowUnits / units[i]));
      moved ||= middle !== before;
      this.#middles.set(column, middle);
    });
    return moved;
  }

  /** @param {number[]} columns @param {number[]} units @param {Span} view @param {number} rowPixels  CSS pixels */
  #gainOf(columns, units, view, rowPixels) {
    const found = columns.flatMap((column, i) => {
      const m = this.#measure(column, view);
      return m ? [{ range: m.range * units[i], sd: m.sd * units[i], within: m.within * units[i] }] : [];
    });
    return found.length > 0 ? fittingGain(found, rowPixels) : null;
  }

  /** @param {Triple[]} stops */
  #tableOf(stops) {
    if (this.#stops !== stops.join()) {
      this.#stops = stops.join();
      this.#table = shades(stops);
    }
    return this.#table;
  }

  /**
   * Top of the scale of colours: few values are above it.
   * @param {import("./heat.js").Channel[]} channels
   * @param {Scene} scene
   * @param {import("./heat.js").Measure} measure
   * @returns {number | null}
   */
  #topOf(channels, { view }, measure) {
    const values = /** @type {number[]} */ ([]), out = new Float32Array(HEAT.columns);
    for (const { column, perRaw, middle } of channels) {
      for (const { layer, c, range } of piecesOf(this.#drawn, column, view, HEAT.columns)) {
        strengths(out, layer.envelope, c, { view, width: HEAT.columns }, range, measure, middle);
        for (let x = range.from; x < range.to; x++) if (out[x] === out[x]) values.push(Math.abs(out[x] * perRaw));
      }
    }
    if (values.length === 0) return null;
    values.sort((a, b) => a - b);
    const top = values[Math.floor((1 - HEAT.above) * (values.length - 1))];
    return top > 0 ? roundAbove(top) : 1;
  }

  /** What a channel is at a tick, from the data that are drawn there. @param {number} column @param {number} at @returns {Reading} */
  read(column, at) {
    const [piece] = piecesOf(this.#drawn, column, { from: at, to: at + 1 }, 1);
    if (!piece) return { kind: "none" };
    return readingAt(piece.layer.envelope, piece.c, at, this.rows?.strides[this.rows.columns.indexOf(column)] ?? 1);
  }
}
