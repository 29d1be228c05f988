/**
 * Spans where data are missing: hatched at true width.
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {StreamInfo["coverage"][number]} Coverage
 */
import { xFromTicks } from "../view/scale.js";

/** Distance of two hatch lines, CSS pixels. */
const PITCH = 6;

/**
 * Spans of a stream without good data that are in the view.
 * @param {Coverage[]} coverage
 * @param {Span} view
 */
export function missingIn(coverage, view) {
  return coverage.filter((c) => c.kind !== "data" && c.to > view.from && c.from < view.to);
}

/**
 * Hatches missing spans over the full height; a span of less than two pixels becomes a line of two, so that no loss is invisible.
 * @param {CanvasRenderingContext2D} ctx  in CSS pixels, origin at the left of the plot
 * @param {Coverage[]} missing
 * @param {Span} view
 * @param {number} width
 * @param {number} height
 * @param {{ bg: string, bad: string, warn: string, line: string }} colours
 */
export function drawHatch(ctx, missing, view, width, height, colours) {
  for (const span of missing) {
    const x0 = Math.max(-1, xFromTicks(span.from, view, width));
    const x1 = Math.min(width + 1, Math.max(x0 + 2, xFromTicks(span.to, view, width)));
    const edge = span.kind === "gap" ? colours.warn : colours.bad;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x0, 0, x1 - x0, height);
    ctx.clip();
    ctx.fillStyle = colours.bg;
    ctx.fillRect(x0, 0, x1 - x0, height);
    ctx.strokeStyle = colours.line;
    ctx.lineWidth = 1.6;
    ctx.beginPath();
    for (let x = Math.floor((x0 - height) / PITCH) * PITCH; x < x1; x += PITCH) {
      ctx.moveTo(x, height);
      ctx.lineTo(x + height, 0);
    }
    ctx.stroke();
    ctx.strokeStyle = edge;
    ctx.globalAlpha = 0.55;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x0 + 0.5, 0);
    ctx.lineTo(x0 + 0.5, height);
    ctx.moveTo(x1 - 0.5, 0);
    ctx.lineTo(x1 - 0.5, height);
    ctx.stroke();
    ctx.restore();
  }
}

/**
 * The 3 px strip of a stream over the whole run: grey where data are, empty where nothing is, coloured where it is damaged.
 * @param {CanvasRenderingContext2D} ctx  in device pixels
 * @param {Coverage[]} coverage
 * @param {Span} run
 * @param {number} width  device pixels
 * @param {number} height  device pixels
 * @param {{ data: string, bad: string, warn: string }} colours
 * @param {number} period  ticks that a row lasts
 */
export function drawCoverage(ctx, coverage, run, width, height, colours, period) {
  ctx.clearRect(0, 0, width, height);
  const end = coverage.reduce((last, span) => (span.kind === "data" ? Math.max(last, span.to) : last), -Infinity);
  for (const good of [true, false]) {
    for (const span of coverage) {
      if ((span.kind === "data") !== good || span.kind === "gap") continue; // a gap is empty
      const x0 = xFromTicks(span.from, run, width), x1 = xFromTicks(span.to + (good ? period : 0), run, width);
      ctx.fillStyle = good ? colours.data : colours.bad;
      // a lost tail is empty, and marked where it begins
      ctx.fillRect(x0, 0, good ? Math.max(1, x1 - x0) : span.to > end ? 2 : Math.max(2, x1 - x0), height);
    }
  }
}
