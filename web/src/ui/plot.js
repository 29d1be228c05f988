/**
 * What every plot shares: a canvas with a gutter, its loader, and the words for what cannot be drawn.
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Row} Row
 * @typedef {import("../view/loader.js").Wanted} Wanted
 */
import { Loader } from "../view/loader.js";
import { alignedBins } from "../view/scale.js";
import { periodOf, spanOf } from "../times.js";

/** Streams of at most so many rows are loaded once and whole, row by row, so that bits and slow values are exact at every zoom. */
const WHOLE_ROWS = 32768;

/**
 * A loader for one plot of the page.
 * @param {State} state
 */
export function plotLoader(state) {
  return new Loader(() => state.client, () => state.changed("data"), (error, stream) => state.report(error, stream));
}

/**
 * What a plot as wide as the screen needs of a stream.
 * @param {State} state
 * @param {StreamInfo} info
 * @param {number[]} columns
 * @param {number} pixels  device pixels
 * @returns {Wanted}
 */
export function wantedInView(state, info, columns, pixels) {
  const aligned = alignedBins(state.view, pixels);
  const span = spanOf(info);
  const seen = Math.max(0, Math.min(aligned.to, span.to) - Math.max(aligned.from, span.from));
  return { stream: info.id, columns, ...aligned, samples: (seen / periodOf(info)) * columns.length };
}

/**
 * What a lane or a slow panel needs: the whole stream where it is short, else what is in view with some to either side.
 * @param {State} state
 * @param {StreamInfo} info
 * @param {number[]} columns
 * @returns {Wanted}
 */
export function wantedWhole(state, info, columns) {
  const span = spanOf(info);
  if (info.rows <= WHOLE_ROWS) return { stream: info.id, columns, from: span.from, to: Math.ceil(span.to), bins: Math.max(16, info.rows * 2), samples: info.rows * columns.length };
  const { from, to } = state.view, width = to - from;
  const block = 2 ** Math.ceil(Math.log2(width)); // the same request while the view stays within one block and its neighbours
  const start = Math.max(span.from, Math.floor(from / block - 1) * block), end = Math.min(span.to, Math.ceil(to / block + 1) * block);
  return { stream: info.id, columns, from: Math.floor(start), to: Math.ceil(Math.max(end, start + 1)), bins: WHOLE_ROWS, samples: ((end - start) / periodOf(info)) * columns.length };
}
