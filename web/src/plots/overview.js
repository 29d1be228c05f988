/**
 * The whole run in one lane: extremes and mean +- standard deviation of one channel, or the RMS of many, with what is lost and what happened. Pure but for the canvas.
 * @typedef {import("../protocol.js").Overview} Overview
 * @typedef {import("../view/scale.js").Span} Span
 */
import { xFromTicks } from "../view/scale.js";

/** Values of so many bins may be cut at the edges of the lane, of all. */
const CUT = 0.005;

/**
 * Middle of the lane and what reaches its edge, raw units.
 * @param {Overview} overview
 * @returns {{ middle: number, reach: number }}
 */
export function laneScale({ data, mean, rms, bins }) {
  const at = (/** @type {number[]} */ values, /** @type {number} */ share) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];
  if (!data || !mean) {
    const seen = [...rms].filter((v) => !Number.isNaN(v));
    return { middle: 0, reach: seen.length > 0 ? at(seen, 1 - CUT) || 1 : 1 };
  }
  const means = [...mean].filter((v) => !Number.isNaN(v));
  if (means.length === 0) return { middle: 0, reach: 1 };
  const middle = at(means, 0.5), reaches = [];
  for (let b = 0; b < bins; b++) if (!Number.isNaN(data[2 * b])) reaches.push(Math.max(middle - data[2 * b], data[2 * b + 1] - middle));
  return { middle, reach: at(reaches, 1 - CUT) || 1 };
}

/**
 * Draws the bins of a run; neighbours in one pixel are drawn over each other.
 * @param {CanvasRenderingContext2D} ctx  in CSS pixels, origin at the left of the plot
 * @param {Overview} overview
 * @param {Span} run
 * @param {{ width: number, height: number, colour: string }} on
 */
export function drawOverview(ctx, overview, run, { width, height, colour }) {
  const { data, mean, sd, rms, bins, from, to } = overview, { middle, reach } = laneScale(overview);
  const x0 = xFromTicks(from, run, width), wide = (xFromTicks(to, run, width) - x0) / bins;
  const scale = (height / 2 - 1) / reach, y = (/** @type {number} */ raw) => Math.max(0, Math.min(height, height / 2 - (raw - middle) * scale));
  ctx.fillStyle = colour;
  const bar = (/** @type {number} */ b, /** @type {number} */ low, /** @type {number} */ high) => {
    const top = y(high), bottom = y(low);
    ctx.rect(x0 + b * wide, top - Math.max(0, 0.5 - (bottom - top) / 2), Math.max(wide, 0.5), Math.max(1, bottom - top));
  };
  if (!data || !mean || !sd) {
    ctx.beginPath();
    const step = (height * 0.8) / reach;
    for (let b = 0; b < bins; b++) {
      const high = Math.min(height, rms[b] * step);
      if (high >= 0) ctx.rect(x0 + b * wide, height - high, Math.max(wide, 0.5), high);
    }
    ctx.globalAlpha = 0.75;
    ctx.fill();
    ctx.globalAlpha = 1;
    return;
  }
  ctx.globalAlpha = 0.35;
  ctx.beginPath();
  for (let b = 0; b < bins; b++) if (!Number.isNaN(data[2 * b])) bar(b, data[2 * b], data[2 * b + 1]);
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.beginPath();
  for (let b = 0; b < bins; b++) if (!Number.isNaN(mean[b])) bar(b, mean[b] - sd[b], mean[b] + sd[b]);
  ctx.fill();
}

/**
 * Short lines at the upper edge where something happened, one a pixel at most.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Iterable<number>} ticks
 * @param {Span} run
 * @param {number} width
 * @param {string} colour
 */
export function drawEvents(ctx, ticks, run, width, colour) {
  const seen = new Uint8Array(Math.ceil(width) + 1);
  ctx.fillStyle = colour;
  for (const at of ticks) {
    const x = Math.round(xFromTicks(at, run, width));
    if (x < 0 || x > width || seen[x]) continue;
    seen[x] = 1;
    ctx.fillRect(x, 0, 1, 4);
  }
}

/** Least distance of two words beside marks, and how large a mark is. CSS pixels. */
const MARK = { space: 10, half: 3.5, high: 6 };

/**
 * Notes: a small triangle at the upper edge each, and its words where there is room.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{ at: number, text: string }[]} marks  by time
 * @param {Span} run
 * @param {number} width
 * @param {{ mark: string, text: string, font: string }} style
 */
export function drawMarks(ctx, marks, run, width, { mark, text, font }) {
  ctx.font = font;
  ctx.textBaseline = "middle";
  const xs = marks.map(({ at }) => xFromTicks(at, run, width));
  marks.forEach((note, i) => {
    const x = xs[i];
    if (x < -MARK.half || x > width + MARK.half) return;
    ctx.fillStyle = mark;
    ctx.beginPath();
    ctx.moveTo(x - MARK.half, 0);
    ctx.lineTo(x + MARK.half, 0);
    ctx.lineTo(x, MARK.high);
    ctx.fill();
    const end = x + MARK.half + 3 + ctx.measureText(note.text).width;
    if (end > width || (i + 1 < xs.length && end + MARK.space > xs[i + 1])) return;
    ctx.fillStyle = text;
    ctx.fillText(note.text, x + MARK.half + 3, MARK.high - 1);
  });
}

/**
 * What a press on the lane takes hold of: an edge of the window, the window, or nothing.
 * @param {number} x  pixels
 * @param {{ from: number, to: number }} window  pixels
 * @param {number} near  pixels
 * @returns {"from" | "to" | "window" | "elsewhere"}
 */
export function heldAt(x, { from, to }, near) {
  const inside = (to - from) / 3; // of a narrow window the middle must be left
  if (Math.abs(x - from) <= near && x < from + Math.min(near, inside)) return "from";
  if (Math.abs(x - to) <= near && x > to - Math.min(near, inside)) return "to";
  return x >= from - near && x <= to + near ? "window" : "elsewhere";
}
