/**
 * The time axis on top: seconds where the clock rate is known, ticks or rows where it is not.
 * @typedef {import("../view/scale.js").Span} Span
 */
import { decimalsOf, multiples, niceAbove, timeStep, xFromTicks } from "../view/scale.js";
import { bordersIn, clockAt, partsOf, secondsAt } from "../axis.js";
import { clockFace, integer } from "../words.js";

/** Least distance of two labels, CSS pixels. */
const LABEL_SPACING = 110;

/**
 * Labels and minor ticks of a view.
 * @param {Span} view
 * @param {number} hz  0: ticks
 * @param {number} width
 * @returns {{ unit: string, step: number, labels: { x: number, text: string }[], minor: number[] }}  step in seconds, or in ticks
 */
export function rulerMarks(view, hz, width) {
  const unit = hz > 0 ? hz : 1;
  const from = view.from / unit, to = view.to / unit;
  const least = ((to - from) / Math.max(1, width)) * LABEL_SPACING;
  const step = hz > 0 ? timeStep(least) : Math.max(1, niceAbove(least));
  const largest = Math.max(Math.abs(from), Math.abs(to));
  const decimals = decimalsOf(step);
  const place = (/** @type {number} */ t) => xFromTicks(t * unit, view, width);
  const labels = multiples(from, to, step).map((t) => ({
    x: place(t),
    text: hz > 0 ? clockFace(t, decimals, largest) : integer(t),
  }));
  const minor = multiples(from, to, minorStep(step, hz > 0)).map(place);
  return { unit: hz > 0 ? (largest >= 3600 ? "h min s" : largest >= 60 ? "min s" : "s") : "ticks", step, labels, minor };
}

/** Beside a border no label lies nearer than so many pixels: there are its own times. */
const BORDER_ROOM = 70;

/**
 * The marks of a stream's axis: each stretch counts by its own clock, and where that begins anew the times on both sides are written.
 * @param {import("../protocol.js").StreamInfo} info
 * @param {Span} view
 * @param {number} width
 */
export function axisMarks(info, view, width) {
  const { hz } = info.clock, edges = bordersIn(info, view).map((b) => ({ ...b, x: xFromTicks(b.place, view, width) }));
  const near = (/** @type {{ x: number }} */ { x }) => edges.every((b) => Math.abs(b.x - x) > BORDER_ROOM);
  const parts = partsOf(info, view).map((part) => {
    const from = xFromTicks(part.view.from, view, width), marks = rulerMarks(part.clock, hz, xFromTicks(part.view.to, view, width) - from);
    return { ...marks, labels: marks.labels.map((l) => ({ ...l, x: l.x + from })), minor: marks.minor.map((x) => x + from) };
  });
  const decimals = decimalsOf(parts[0].step) + 1;
  const face = (/** @type {number} */ place) => (hz > 0 ? clockFace(secondsAt(info, place), decimals, secondsAt(info, place)) : integer(clockAt(info, place)));
  const apart = edges.filter((b, i) => i === 0 || b.x - edges[i - 1].x > 2 * BORDER_ROOM);
  const borders = edges.map((b) => ({ x: b.x, end: apart.includes(b) ? face(b.before) : "", begin: apart.includes(b) ? face(b.place) : "" }));
  return { unit: parts[0].unit, labels: parts.flatMap((p) => p.labels).filter(near), minor: parts.flatMap((p) => p.minor), borders };
}

/** @param {number} step @param {boolean} seconds */
function minorStep(step, seconds) {
  if (seconds && step >= 60) return step / (step % 3 === 0 && step < 3600 ? 3 : 4);
  const lead = Math.round(step / 10 ** Math.floor(Math.log10(step) + 1e-9));
  return lead === 2 ? step / 4 : step / 5;
}

/**
 * @param {CanvasRenderingContext2D} ctx  in CSS pixels, origin at the left of the canvas
 * @param {{ view: Span, info: import("../protocol.js").StreamInfo | null, hz: number, unit: string, width: number, height: number, gutter: number, colours: { text: string, dim: string, line: string, font: string } }} o
 */
export function drawRuler(ctx, { view, info, hz, unit, width, height, gutter, colours }) {
  ctx.clearRect(0, 0, width, height);
  const plot = width - gutter;
  const marks = info ? axisMarks(info, view, plot) : { ...rulerMarks(view, hz, plot), borders: [] };
  ctx.font = colours.font;
  ctx.textBaseline = "middle";
  ctx.fillStyle = colours.dim;
  ctx.fillText(hz > 0 ? marks.unit : unit, 8, height / 2);
  ctx.save();
  ctx.beginPath();
  ctx.rect(gutter, 0, plot, height);
  ctx.clip();
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const x of marks.minor) {
    ctx.moveTo(Math.round(gutter + x) + 0.5, height - 5);
    ctx.lineTo(Math.round(gutter + x) + 0.5, height);
  }
  for (const { x } of marks.labels) {
    ctx.moveTo(Math.round(gutter + x) + 0.5, height - 18);
    ctx.lineTo(Math.round(gutter + x) + 0.5, height);
  }
  ctx.stroke();
  ctx.fillStyle = colours.text;
  let free = gutter;
  for (const { x, text } of marks.labels) {
    const wide = ctx.measureText(text).width, after = Math.round(gutter + x) + 5;
    const at = after + wide <= width - 2 ? after : after - 10 - wide; // before its line where there is no room after it
    if (at < free) continue;
    ctx.fillText(text, at, height / 2 - 1);
    free = at + wide + 8;
  }
  for (const { x, end, begin } of marks.borders) {
    const at = Math.round(gutter + x);
    ctx.fillRect(at, 0, 1, height);
    ctx.fillText(end, at - 4 - ctx.measureText(end).width, height / 2 - 1);
    ctx.fillText(begin, at + 5, height / 2 - 1);
  }
  ctx.restore();
}
