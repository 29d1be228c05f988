/**
 * Where traces are and how large they are drawn, measured on the data themselves. Pure.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {{ middle: number, height: number, range: number, sd: number, within: number }} Measured
 *   height: median extent within a bin; range: from the 2nd to the 98th percentile; sd: of all values; within: sd inside bins; 0: of single samples
 */
/** Height of the scale bar, CSS pixels; the gain is what it means. */
export const BAR_PIXELS = 40;

/** Values looked at per channel; more do not change a median. */
const MOST_VALUES = 128;

/** Gains that are chosen by measuring, within a decade. */
const STEPS = [1, 1.5, 2, 3, 5, 7, 10];

/** Rows of more pixels than this have room, and few rows are of signals that are not alike, as analog inputs: traces stay inside them. */
const ROOMY = 16, FEW = 16;

/** What mean +- standard deviation takes of a row that is tight. */
const SHARE = 0.4;

/** Rows lower than this, CSS pixels, are lit by what happens within bins; how many rows slow waves may move them. */
const LOW = { pixels: 4, moved: 1.5 };

/** Used again for every channel. */
const mids = new Float64Array(2 * MOST_VALUES), heights = new Float64Array(2 * MOST_VALUES);

/**
 * Middle and spread of one channel, raw units.
 * @param {Envelope} envelope
 * @param {number} c
 * @returns {Measured | null} null without data
 */
export function measure(envelope, c) {
  const samples = envelope.kind === "samples";
  const n = samples ? envelope.x?.length ?? 0 : envelope.bins, { data, mean, sd } = envelope;
  const step = Math.max(1, Math.floor(n / MOST_VALUES));
  let count = 0, sum = 0, squares = 0, inside = 0;
  for (let i = 0; i < n && count < mids.length; i += step) {
    const at = c * n + i, min = samples ? data[at] : data[2 * at], max = samples ? min : data[2 * at + 1];
    if (Number.isNaN(min)) continue;
    const middle = mean && !samples ? mean[at] : (min + max) / 2, within = sd && !samples ? sd[at] : (max - min) / 4;
    mids[count] = middle;
    heights[count] = max - min;
    count++;
    sum += middle;
    squares += middle * middle + within * within;
    inside += within * within;
  }
  if (count === 0) return null;
  mids.subarray(0, count).sort();
  heights.subarray(0, count).sort();
  const at = (/** @type {Float64Array} */ sorted, /** @type {number} */ share) => sorted[Math.min(count - 1, Math.floor(share * count))];
  const height = at(heights, 0.5);
  return { middle: at(mids, 0.5), height, range: at(mids, 0.98) - at(mids, 0.02) + height, sd: Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)), within: samples ? 0 : Math.sqrt(inside / count) };
}

/**
 * A gain at which traces fill their rows: where rows are tight, mean +- standard deviation of a median channel takes four tenths of a row; where there is room, the
 * largest channel stays in its row. Low rows: that within bins, as far as slow waves do not move them away.
 * @param {{ range: number, sd: number, within: number }[]} channels  physical units
 * @param {number} rowPixels  CSS pixels
 * @returns {number} physical units of the scale bar, a round number
 */
export function fittingGain(channels, rowPixels) {
  const roomy = rowPixels > ROOMY || channels.length <= FEW;
  const perPixel = channels
    .map(({ range, sd, within }) => Math.abs(roomy ? range / (0.8 * rowPixels) : rowPixels < LOW.pixels && within ? Math.max(Math.abs(2 * within) / SHARE, Math.abs(sd) / LOW.moved) / rowPixels : (2 * sd) / (SHARE * rowPixels)))
    .filter((v) => v > 0)
    .sort((a, b) => a - b);
  if (perPixel.length === 0) return 1;
  return roundAbove(perPixel[roomy ? perPixel.length - 1 : Math.floor(perPixel.length / 2)] * BAR_PIXELS);
}

/** The next of 1, 1.5, 2, 3, 5, 7 x 10^k, at most a little below. @param {number} value  above 0 */
export function roundAbove(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  return decade * (STEPS.find((step) => step * decade >= value * 0.98) ?? 10);
}

/**
 * The middle a channel is drawn around: kept while the view moves, so that traces do not jump; given up when the data have drifted rows away from it.
 * @param {number | undefined} kept  raw units
 * @param {number} middle  of what is on the screen, raw units
 * @param {number} rowRaw  height of a row, raw units
 */
export function baseline(kept, middle, rowRaw) {
  return kept === undefined || Math.abs(middle - kept) > 3 * rowRaw ? middle : kept;
}
