/**
 * Whole numbers that stand for things, as the sensor that saw a pulse: a line for each, and marks where it was. Lines between them would mean nothing.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {{ from: number, to: number, level: number, sure: boolean }} Mark  CSS pixels; sure: false where a bin holds this level or one between others
 */

/** Values outside these, and more different ones, are a quantity: what has names is counted from 0, with -1 for none. */
const NAMED = { least: -1, most: 15, count: 12 };

/** Narrowest mark. CSS pixels. */
const LEAST = 1.5;

/** Marks nearer than this to the one before on the same line join it. CSS pixels. */
const JOINED = 0.5;

/** Whether values of a column may be names of things: whole numbers without a unit. @param {ColumnInfo} column */
export function mayBeLevels(column) {
  return /^u?int(8|16|32)$/.test(column.type) && column.scale === 0 && column.unit === "" && column.bits.length === 0;
}

/**
 * The different values of a column, from the lowest, in some layers; null where they are too many to be names. Of an envelope, all between its extremes.
 * @param {{ envelope: Envelope, index: Map<number, number> }[]} layers
 * @param {number} column
 * @returns {number[] | null}
 */
export function levelsIn(layers, column) {
  /** @type {Set<number>} */
  const seen = new Set();
  for (const { envelope, index } of layers) {
    const c = index.get(column);
    if (c === undefined) continue;
    const samples = envelope.kind === "samples", n = samples ? envelope.x?.length ?? 0 : envelope.bins, step = samples ? 1 : 2;
    for (let i = c * n * step; i < (c + 1) * n * step; i += step) {
      const least = envelope.data[i], most = envelope.data[i + step - 1];
      if (least < NAMED.least || most > NAMED.most) return null;
      for (let level = least; level <= most; level++) seen.add(level);
      if (seen.size > NAMED.count) return null;
    }
  }
  return seen.size === 0 ? null : [...seen].sort((a, b) => a - b);
}

/**
 * Where each value was, from left to right. With a period a value lasts until the next row; else rows come when they come, and a mark is a moment.
 * @param {Envelope} envelope
 * @param {number} c
 * @param {Span} view
 * @param {number} width  CSS pixels
 * @param {number} periodTicks
 * @returns {Mark[]}
 */
export function levelMarks(envelope, c, view, width, periodTicks) {
  const scale = width / (view.to - view.from), origin = (envelope.from - view.from) * scale;
  /** @type {Mark[]} */
  const marks = [];
  /** @type {Map<string, Mark>} */
  const last = new Map();
  const add = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ level, /** @type {boolean} */ sure) => {
    if (!(to > 0 && from < width)) return;
    const before = last.get(level + "" + sure);
    if (before && from <= before.to + JOINED) {
      before.to = Math.max(before.to, to);
      return;
    }
    const mark = { from, to, level, sure };
    marks.push(mark);
    last.set(level + "" + sure, mark);
  };
  if (envelope.kind === "samples") {
    const x = envelope.x ?? new Float64Array(0), wide = Math.max(LEAST, periodTicks * scale);
    for (let i = 0; i < x.length; i++) {
      const value = envelope.data[c * x.length + i];
      if (!Number.isNaN(value)) add(origin + x[i] * scale, origin + x[i] * scale + wide, value, true);
    }
    return marks;
  }
  const bin = ((envelope.to - envelope.from) / envelope.bins) * scale;
  for (let b = 0; b < envelope.bins; b++) {
    const least = envelope.data[(c * envelope.bins + b) * 2], most = envelope.data[(c * envelope.bins + b) * 2 + 1];
    for (let level = least; level <= most; level++) add(origin + b * bin, origin + (b + 1) * bin, level, level === least || level === most);
  }
  return marks;
}
