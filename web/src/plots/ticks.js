/**
 * Rows as ticks: where each of them is, and where many are.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 */
import { xFromTicks } from "../view/scale.js";

/** Marks so near to each other are one: single pixels left out between them would look like rows that are missing. CSS pixels. */
const NEAR = 2;

/**
 * One mark a row, at most one a pixel; bins with rows are marks as wide as they are.
 * @param {Envelope} envelope  of any column
 * @param {Span} view
 * @param {number} width  CSS pixels
 * @returns {{ x: number, width: number }[]}
 */
export function tickMarks(envelope, view, width) {
  const marks = /** @type {{ x: number, width: number }[]} */ ([]);
  if (envelope.kind === "samples") {
    let last = -Infinity;
    (envelope.x ?? []).forEach((offset, i) => {
      if (Number.isNaN(envelope.data[i])) return;
      const x = Math.round(xFromTicks(envelope.from + offset, view, width));
      if (x === last || x < -1 || x > width) return;
      const before = marks.at(-1);
      if (before && x - last <= NEAR) before.width = x - before.x + 1;
      else marks.push({ x, width: 1 });
      last = x;
    });
    return marks;
  }
  const bin = (envelope.to - envelope.from) / envelope.bins;
  for (let b = 0; b < envelope.bins; b++) {
    if (Number.isNaN(envelope.data[2 * b])) continue;
    const x = xFromTicks(envelope.from + b * bin, view, width), wide = Math.max(1, xFromTicks(envelope.from + (b + 1) * bin, view, width) - x);
    if (x + wide >= 0 && x <= width) marks.push({ x, width: wide });
  }
  return marks;
}
