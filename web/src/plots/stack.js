/**
 * Stacked traces into a raster. Above FEW samples in a bin, extremes are drawn faint and mean +- standard deviation bright, so that rows stay apart at every zoom;
 * below, full lines from sample to sample, and a dot each where there is room.
 *
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {import("./columns.js").Range} Range
 * @typedef {{ envelope: Envelope, index: Map<number, number>, base?: boolean }} Layer  index: column to its place in the envelope; base: the whole run, coarse: only where nothing else is
 * @typedef {{ layer: Layer, c: number, range: Range }} Piece  what a channel is drawn from in some columns of pixels
 * @typedef {{ width: number, height: number, view: Span, top: number, rowPixels: number, clip: number, dpr: number, periodTicks: number, ground: number, text: number }} Frame
 *   device pixels; top: of the first row; clip: how many row heights a trace may reach up and down; view: over the whole width
 * @typedef {{ column: number, stride: number, perRaw: number, middle: number, colour: number }} Channel  perRaw: device pixels a raw unit
 */
import { binsUnder, columnsUnder, extremes, lines, spreads } from "./columns.js";
import { blended, fillBar } from "./raster.js";

/** Samples in a bin from which on extremes are faint. */
export const FEW = 4;

/** How much of a channel's colour extremes have, of 128: 22 %. */
const FAINT = 28;

/** Bars of full lines of more rows than this are drawn above all traces, a little brighter: a spike is not hidden by the noise of the rows below it. */
const SPIKE_ROWS = 1.6;

/** Rows from this height on have room: their lines are a little thicker, and no spike is hidden. CSS pixels. */
const ROOMY = 24;

/** Rows below this height are drawn in whole pixels: what is thinner than its row lights all of it, as strongly as it is high, so that no pattern comes of where rows lie. CSS pixels. */
const LOW = 4;

/** How strongly a channel on which nothing happens lights a low row: to be seen, and as what it is. */
const DEAD = 0.08;

/** Samples further apart than this get a dot each; half the edge of a dot. CSS pixels. */
const DOT = { spacing: 7, half: 1.25 };

/** Values in one bin of a layer, of one channel. @param {Envelope} envelope @param {number} stride */
function samplesInBin({ rows, bins }, stride) {
  return rows / bins / stride;
}

/**
 * What a channel is drawn from, in columns of pixels from left to right: the newest layer that has it, then older ones, then the whole run.
 * @param {Layer[]} layers  newest first
 * @param {number} column
 * @param {Span} view
 * @param {number} width
 * @returns {Piece[]}
 */
export function piecesOf(layers, column, view, width) {
  /** @type {Piece[]} */
  const pieces = [];
  let free = [{ from: 0, to: width }];
  for (const layer of [...layers].sort((a, b) => Number(a.base ?? false) - Number(b.base ?? false))) {
    const c = layer.index.get(column);
    if (c === undefined) continue;
    const seen = columnsUnder(layer.envelope, view, width);
    /** @type {Range[]} */
    const rest = [];
    for (const hole of free) {
      const from = Math.max(hole.from, seen.from), to = Math.min(hole.to, seen.to);
      if (from >= to) {
        rest.push(hole);
        continue;
      }
      pieces.push({ layer, c, range: { from, to } });
      if (hole.from < from) rest.push({ from: hole.from, to: from });
      if (to < hole.to) rest.push({ from: to, to: hole.to });
    }
    free = rest;
    if (free.length === 0) break;
  }
  return pieces;
}

/** Rows that end up on the picture, first and one after the last. @param {Frame} frame @param {number} rows @param {number} spare */
export function rowsOn({ top, rowPixels, height }, rows, spare) {
  return { first: Math.max(0, Math.floor(-top / rowPixels) - spare), end: Math.min(rows, Math.ceil((height - top) / rowPixels) + spare) };
}

/**
 * Draws all channels: first what is faint, of all of them, then what is bright, so that no extreme hides the middle of a neighbour.
 * @param {Uint32Array} pixels  x-major, filled with the ground
 * @param {Frame} frame
 * @param {Channel[]} channels  from the first row on
 * @param {Layer[]} layers  newest first
 */
export function drawStack(pixels, frame, channels, layers) {
  const { first, end } = rowsOn(frame, channels.length, Math.ceil(frame.clip));
  const pieces = channels.map((channel, row) => (row >= first && row < end ? piecesOf(layers, channel.column, frame.view, frame.width) : []));
  const pen = new Pen(pixels, frame);
  if (!pen.merged) for (let row = first; row < end; row++) for (const piece of pieces[row]) if (isDense(piece, channels[row])) pen.faint(row, channels[row], piece);
  for (let row = first; row < end; row++) for (const piece of pieces[row]) pen.bright(row, channels[row], piece);
  if (pen.merged || frame.rowPixels >= ROOMY * frame.dpr) return;
  for (let row = first; row < end; row++) for (const piece of pieces[row]) if (!isDense(piece, channels[row])) pen.spikes(row, channels[row], piece);
}

/** @param {Piece} piece @param {Channel} channel */
function isDense({ layer: { envelope } }, { stride }) {
  return envelope.kind === "envelope" && envelope.mean !== undefined && samplesInBin(envelope, stride) > FEW;
}

class Pen {
  /** @param {Uint32Array} pixels @param {Frame} frame */
  constructor(pixels, frame) {
    this.pixels = pixels;
    this.frame = frame;
    this.bars = { tops: new Float32Array(frame.width), bottoms: new Float32Array(frame.width) };
    const { rowPixels, dpr } = frame;
    this.low = rowPixels < LOW * dpr;
    this.least = this.low ? rowPixels * DEAD : Math.min(dpr, rowPixels * 0.3); // of a bar
    /** Where several rows share a pixel it shows the one that lights it most: how much that is, of 128, by pixel. */
    this.merged = rowPixels < 1 ? new Uint8Array(pixels.length) : null;
    this.line = rowPixels > ROOMY * dpr ? 1.25 * dpr : Math.min(dpr, rowPixels * 0.4);
  }

  /** @param {number} row @param {Channel} channel */
  #placing(row, { perRaw, middle }) {
    const { top, rowPixels } = this.frame;
    return { offset: top + (row + 0.5) * rowPixels + middle * perRaw, perRaw };
  }

  /** Where a row is cut. @param {number} row */
  #limits(row) {
    const { top, rowPixels, clip } = this.frame, middle = top + (row + 0.5) * rowPixels;
    return { top: middle - clip * rowPixels, bottom: middle + clip * rowPixels };
  }

  /** @param {number} row @param {Channel} channel @param {Piece} piece */
  faint(row, channel, { layer: { envelope }, c, range }) {
    const { view, width, ground } = this.frame;
    extremes(this.bars, envelope, c, binsUnder(envelope, view, width), range, this.#placing(row, channel));
    this.#fill(row, range, blended(ground, channel.colour, FAINT), this.least);
  }

  /** @param {number} row @param {Channel} channel @param {Piece} piece */
  bright(row, channel, piece) {
    const { layer: { envelope }, c, range } = piece, { view, width, dpr, periodTicks } = this.frame;
    if (envelope.kind === "envelope") {
      (isDense(piece, channel) ? spreads : extremes)(this.bars, envelope, c, binsUnder(envelope, view, width), range, this.#placing(row, channel));
      this.#fill(row, range, channel.colour, this.least);
      return;
    }
    const pitch = (periodTicks * channel.stride * width) / (view.to - view.from);
    /** @type {number[]} */
    const dots = [];
    const dot = pitch > DOT.spacing * dpr && this.frame.rowPixels > DOT.spacing * dpr ? (/** @type {number} */ x, /** @type {number} */ y) => dots.push(x, y) : undefined;
    lines(this.bars, envelope, c, { view, width }, range, { ...this.#placing(row, channel), ...this.#limits(row) }, { stride: channel.stride, periodTicks }, dot);
    this.#fill(row, range, channel.colour, 0, this.line / 2);
    for (let i = 0; i < dots.length; i += 2) this.#dot(dots[i], dots[i + 1], channel.colour);
  }

  /** Tall bars again, a little brighter. @param {number} row @param {Channel} channel @param {Piece} piece */
  spikes(row, channel, { layer: { envelope }, c, range }) {
    const { view, width, text, rowPixels } = this.frame;
    if (envelope.kind !== "envelope") return;
    extremes(this.bars, envelope, c, binsUnder(envelope, view, width), range, this.#placing(row, channel));
    this.#fill(row, range, blended(channel.colour, text, 51), this.least, 0, SPIKE_ROWS * rowPixels);
  }

  /**
   * @param {number} row
   * @param {Range} range
   * @param {number} colour
   * @param {number} least  height of a bar
   * @param {number} [wider]  added above and below
   * @param {number} [tallerThan]  leaves out others
   */
  #fill(row, range, colour, least, wider = 0, tallerThan = -1) {
    const { pixels, bars: { tops, bottoms }, frame: { height, rowPixels, ground, top: start } } = this;
    const limits = this.#limits(row), middle = start + (row + 0.5) * rowPixels, rowTop = Math.round(start + row * rowPixels), rowBottom = Math.round(start + (row + 1) * rowPixels);
    let lastTop = NaN, lastBottom = NaN;
    for (let x = range.from; x < range.to; x++) {
      let top = tops[x], bottom = bottoms[x];
      if (top !== top) {
        lastTop = lastBottom = NaN;
        continue;
      }
      const ownTop = top, ownBottom = bottom;
      // touches the bar before it, as the line between the two samples would
      if (top > lastBottom) top = lastBottom;
      else if (bottom < lastTop) bottom = lastTop;
      lastTop = ownTop;
      lastBottom = ownBottom;
      if (bottom - top <= tallerThan) continue;
      top -= wider;
      bottom += wider;
      if (bottom - top < least) {
        const centre = (top + bottom) / 2;
        top = centre - least / 2;
        bottom = centre + least / 2;
      }
      if (top < limits.top) {
        top = limits.top;
        if (bottom < top + least) bottom = top + least;
      }
      if (bottom > limits.bottom) {
        bottom = limits.bottom;
        if (top > bottom - least) top = bottom - least;
      }
      if (this.merged) this.#merge(x * height, row, top, bottom, colour);
      else if (this.low && bottom - top < rowPixels) {
        const shift = Math.round((top + bottom) / 2 - middle);
        fillBar(pixels, x * height, height, rowTop + shift, rowBottom + shift, blended(ground, colour, ((128 * (bottom - top)) / rowPixels) | 0));
      } else fillBar(pixels, x * height, height, top, bottom, colour);
    }
  }

  /** A bar of a row that is lower than a pixel. @param {number} column @param {number} row @param {number} top @param {number} bottom @param {number} colour */
  #merge(column, row, top, bottom, colour) {
    const { pixels, frame: { height, rowPixels, ground, top: start } } = this, merged = /** @type {Uint8Array} */ (this.merged);
    const cover = Math.min(128, (128 * (bottom - top)) / rowPixels) | 0, middle = start + (row + 0.5) * rowPixels;
    const from = Math.min(height - 1, Math.floor(middle)) + Math.round((top + bottom) / 2 - middle) - ((bottom - top) >> 1);
    for (let y = Math.max(0, from), end = Math.min(height, from + Math.max(1, Math.round(bottom - top))); y < end; y++) {
      if (merged[column + y] >= cover) continue;
      merged[column + y] = cover;
      pixels[column + y] = blended(ground, colour, cover);
    }
  }

  /** @param {number} x @param {number} y @param {number} colour */
  #dot(x, y, colour) {
    const { pixels, frame: { width, height, dpr } } = this, half = DOT.half * dpr;
    for (let k = Math.max(0, Math.round(x - half)); k < Math.min(width, Math.round(x + half)); k++) fillBar(pixels, k * height, height, y - half, y + half, colour);
  }
}
