/**
 * Where traces are and how large they are drawn, measured on the data themselves. Pure.
 * @typedef {import("../protocol.js").Envelope} Envelope
 */
/** Height of the scale bar, CSS pixels; the gain is what it means. */
export const BAR_PIXELS = 40;

/** Values looked at per channel; more do not change a median. */
const MOST_VALUES = 512;

/** Gains that are chosen by measuring, within a decade. */
const STEPS = [1, 1.5, 2, 3, 5, 7, 10];

/**
 * Middle and spread of one channel, raw units.
 * @param {Envelope} envelope
 * @param {number} c
 * @returns {{ middle: number, height: number, range: number } | null}  height: median extent within a bin; range: from the 2nd to the 98th percentile; null without data
 */
export function measure(envelope, c) {
  const mids = [], heights = [];
  const samples = envelope.kind === "samples";
  const n = samples ? envelope.x?.length ?? 0 : envelope.bins;
  const step = Math.max(1, Math.floor(n / MOST_VALUES));
  for (let i = 0; i < n; i += step) {
    const min = samples ? envelope.data[c * n + i] : envelope.data[(c * n + i) * 2];
    const max = samples ? min : envelope.data[(c * n + i) * 2 + 1];
    if (Number.isNaN(min)) continue;
    mids.push((min + max) / 2);
    heights.push(max - min);
  }
  if (mids.length === 0) return null;
  mids.sort((a, b) => a - b);
  heights.sort((a, b) => a - b);
  const at = (/** @type {number[]} */ sorted, /** @type {number} */ share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const height = at(heights, 0.5);
  return { middle: at(mids, 0.5), height, range: at(mids, 0.98) - at(mids, 0.02) + height };
}

/**
 * A gain at which traces fill their rows: where rows are tight, the bars of a median channel take six tenths of a row and slow swings may reach into the
 * neighbours; where there is room, the largest channel stays in its row.
 * @param {{ height: number, range: number }[]} channels  physical units
 * @param {number} rowPixels
 * @returns {number} physical units of the scale bar, a round number
 */
export function fittingGain(channels, rowPixels) {
  const roomy = rowPixels > 24, reach = roomy ? 0.8 : 3;
  const perPixel = channels
    .map(({ height, range }) => Math.max(Math.abs(height) / (0.6 * rowPixels), Math.abs(range) / (reach * rowPixels)))
    .filter((v) => v > 0)
    .sort((a, b) => a - b);
  if (perPixel.length === 0) return 1;
  const wanted = perPixel[roomy ? perPixel.length - 1 : Math.floor(perPixel.length / 2)] * BAR_PIXELS;
  const decade = 10 ** Math.floor(Math.log10(wanted));
  return decade * (STEPS.find((step) => step * decade >= wanted * 0.98) ?? 10);
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
