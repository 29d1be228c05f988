/**
 * What is on the screen, as pure functions on spans of ticks and windows of rows.
 * @typedef {import("./scale.js").Span} Span
 * @typedef {{ first: number, shown: number, total: number }} RowWindow  rows are trace rows, top to bottom
 * @typedef {{ first: number, end: number, window: RowWindow }} RowBand  rows from first to end around a window
 */

/**
 * Keeps a view inside bounds (with a twentieth of its span to spare, so that an edge can be seen as one) and its span between limits.
 * @param {Span} view
 * @param {Span} bounds
 * @param {number} minSpan ticks
 * @returns {Span}
 */
export function clampView(view, bounds, minSpan) {
  const whole = Math.max(bounds.to - bounds.from, minSpan);
  const span = Math.min(Math.max(view.to - view.from, minSpan), whole * 1.1);
  let from = (view.from + view.to) / 2 - span / 2;
  if (view.to - view.from === span) from = view.from;
  const spare = span * 0.05;
  from = span >= whole
    ? bounds.from - (span - whole) / 2
    : Math.min(Math.max(from, bounds.from - spare), bounds.to - span + spare);
  return { from, to: from + span };
}

/** @param {Span} view @param {number} ticks */
export function pan(view, ticks) {
  return { from: view.from + ticks, to: view.to + ticks };
}

/**
 * Zooms so that the tick `at` stays where it is; factor below 1 shows less.
 * @param {Span} view
 * @param {number} at
 * @param {number} factor
 * @param {number} minSpan
 */
export function zoomAt(view, at, factor, minSpan) {
  const span = view.to - view.from;
  const next = Math.max(span * factor, minSpan);
  const share = (at - view.from) / span;
  return { from: at - share * next, to: at - share * next + next };
}

/**
 * The first view of a stream: a second from its start; more when a second has few rows, less when the stream is shorter.
 * @param {{ first: number, last: number, rows: number, hz: number }} stream
 * @returns {Span}
 */
export function firstView({ first, last, rows, hz }) {
  const period = rows > 1 ? (last - first) / (rows - 1) : Math.max(1, hz);
  const whole = Math.max(1, last - first + period);
  let span = hz > 0 ? hz : 30000 * period;
  if (span < 50 * period) span = 600 * period;
  if (span > whole * 0.9) return { from: first, to: first + whole };
  return { from: first, to: first + span };
}

/** Spacing that shows all rows, however many share a pixel; height of one at least, px. */
export const ALL_ROWS = 0;
const LEAST_ROW = 1 / 64;

/** Height of a row at most, px. */
const MOST_ROW = 480;

/** Trace rows: as many as fit at about 9 px, taller when there are few; or of the height that was asked for. @param {number} height px @param {number} total @param {number} [wanted] px, or ALL_ROWS */
export function rowHeight(height, total, wanted) {
  if (wanted) return wanted;
  return Math.max(wanted === ALL_ROWS ? LEAST_ROW : 9, Math.min(MOST_ROW, height / Math.max(1, total)));
}

/** @param {number} height px @param {number} total @param {number} first wanted @param {number} [rowPixels] @returns {RowWindow} */
export function rowWindow(height, total, first, rowPixels = rowHeight(height, total)) {
  const shown = Math.max(0, Math.min(total, Math.floor(height / rowPixels + 1e-6)));
  return { first: Math.min(Math.max(0, Math.round(first)), total - shown), shown, total };
}

/**
 * Rows that are painted around those that are seen. While these stay within, so does the band: scrolling moves a picture that is there and asks for nothing.
 * @param {RowBand | null} kept  the band before
 * @param {RowWindow} window
 * @param {number} margin  to either side, as a part of what is seen
 * @returns {RowBand}
 */
export function rowBand(kept, window, margin) {
  const { first, shown, total } = window;
  if (kept && kept.window.shown === shown && kept.window.total === total && first >= kept.first && first + shown <= kept.end) return kept;
  const beyond = Math.ceil(shown * margin);
  return { first: Math.max(0, first - beyond), end: Math.min(total, first + shown + beyond), window };
}

/** One row in so many is labelled, so that labels are at least 13 px apart. @param {number} rowPixels */
export function labelStride(rowPixels) {
  let n = 1;
  while (n * rowPixels < 13 && n < 1024) n *= 2;
  return n;
}
