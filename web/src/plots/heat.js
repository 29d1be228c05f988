/**
 * Depth x time as colours: how strong each channel is in every column of pixels, as RMS about its middle or as mean.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {import("./columns.js").Range} Range
 * @typedef {import("./stack.js").Layer} Layer
 * @typedef {import("./stack.js").Frame} Frame
 * @typedef {"rms" | "mean"} Measure
 * @typedef {{ column: number, perRaw: number, middle: number }} Channel  perRaw: physical units a raw unit
 */
import { binsUnder } from "./columns.js";
import { piecesOf, rowsOn } from "./stack.js";

/** Colours in the table that values are looked up in. */
const SHADES = 256;

/**
 * A table of colours from stops of equal distance.
 * @param {[number, number, number][]} stops  RGB, 0..255
 * @returns {Uint32Array} as ImageData holds them
 */
export function shades(stops) {
  return Uint32Array.from({ length: SHADES }, (_, i) => {
    const at = (i / (SHADES - 1)) * (stops.length - 1), k = Math.min(stops.length - 2, Math.floor(at)), t = at - k;
    const [r, g, b] = stops[k].map((v, n) => Math.round(v + (stops[k + 1][n] - v) * t));
    return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
  });
}

/**
 * Values of one channel by column of pixels, raw units; NaN where nothing is.
 * @param {Float32Array} out
 * @param {Envelope} envelope
 * @param {number} c
 * @param {{ view: Span, width: number }} on
 * @param {Range} range
 * @param {Measure} measure
 * @param {number} middle  raw units
 */
export function strengths(out, envelope, c, { view, width }, range, measure, middle) {
  if (envelope.kind === "samples") {
    strengthsOfSamples(out, envelope, c, { view, width }, range, measure, middle);
    return;
  }
  const { start, step } = binsUnder(envelope, view, width), { bins, mean, sd } = envelope, first = c * bins;
  if (!mean || !sd) {
    out.fill(NaN, range.from, range.to);
    return;
  }
  for (let x = range.from; x < range.to; x++) {
    let b = Math.floor(start + x * step + 1e-6), end = Math.floor(start + (x + 1) * step + 1e-6), n = 0, sum = 0;
    if (end <= b) end = b + 1;
    if (b < 0) b = 0;
    if (end > bins) end = bins;
    for (; b < end; b++) {
      const m = mean[first + b] - middle, s = sd[first + b];
      if (m !== m) continue;
      n++;
      sum += measure === "mean" ? m : m * m + s * s;
    }
    out[x] = n === 0 ? NaN : measure === "mean" ? sum / n : Math.sqrt(sum / n);
  }
}

/**
 * Fewer samples than pixels: each is seen until the next one; the column of pixels before the first has nothing.
 * @param {Float32Array} out
 * @param {Envelope} samples
 * @param {number} c
 * @param {{ view: Span, width: number }} on
 * @param {Range} range
 * @param {Measure} measure
 * @param {number} middle
 */
function strengthsOfSamples(out, samples, c, { view, width }, range, measure, middle) {
  const x = samples.x ?? new Float64Array(0), first = c * x.length;
  const scale = width / (view.to - view.from), origin = (samples.from - view.from) * scale;
  out.fill(NaN, range.from, range.to);
  for (let i = 0; i < x.length; i++) {
    const value = samples.data[first + i] - middle;
    const from = Math.max(range.from, Math.floor(origin + x[i] * scale)), to = Math.min(range.to, i + 1 < x.length ? Math.ceil(origin + x[i + 1] * scale) : range.to);
    for (let k = from; k < to; k++) out[k] = measure === "mean" ? value : Math.abs(value);
  }
}

/**
 * Draws all channels as rows of colour.
 * @param {Uint32Array} pixels  x-major, filled with the ground
 * @param {Frame} frame
 * @param {Channel[]} channels
 * @param {Layer[]} layers  newest first
 * @param {{ measure: Measure, top: number, table: Uint32Array }} how  top: what the last colour means, physical units; of a mean the first one is its negative
 */
export function drawHeat(pixels, frame, channels, layers, { measure, top, table }) {
  const { first, end } = rowsOn(frame, channels.length, 0), { width, height, rowPixels } = frame;
  const values = new Float32Array(width), most = rowPixels < 1 ? new Float32Array(width) : null; // of rows that share a pixel the strongest is seen
  let lastY = -1;
  for (let row = first; row < end; row++) {
    const y0 = most ? Math.min(height - 1, Math.floor((row + 0.5) * rowPixels + frame.top)) : Math.max(0, Math.round(frame.top + row * rowPixels)), y1 = Math.min(height, most ? y0 + 1 : Math.round(frame.top + (row + 1) * rowPixels));
    if (most && y0 !== lastY) most.fill(-1);
    lastY = y0;
    const { column, perRaw, middle } = channels[row];
    for (const { layer, c, range } of piecesOf(layers, column, frame.view, width)) {
      strengths(values, layer.envelope, c, frame, range, measure, middle);
      for (let x = range.from; x < range.to; x++) {
        const value = values[x] * perRaw;
        if (value !== value || (most && most[x] >= Math.abs(value))) continue;
        if (most) most[x] = Math.abs(value);
        const share = measure === "mean" ? (value / top + 1) / 2 : Math.abs(value) / top;
        const colour = table[Math.max(0, Math.min(SHADES - 1, Math.round(share * (SHADES - 1))))];
        for (let i = x * height + y0, stop = x * height + y1; i < stop; i++) pixels[i] = colour;
      }
    }
  }
}
