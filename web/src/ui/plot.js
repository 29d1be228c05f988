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

/** Values of a picture: of more than a thousand channels bins are some pixels wide, because each value takes sixty bytes of the engine and sixteen of the painter; so many that the tiles of a whole run stay while it works. */
const MOST_VALUES = 1.4e6;

/**
 * A loader for one plot of the page.
 * @param {State} state
 * @param {() => void} [onData]  what came is to be drawn
 */
export function plotLoader(state, onData = () => state.changed("data")) {
  return new Loader(() => state.client, onData, (error, stream) => state.report(error, stream), state.turns);
}

/**
 * What a plot as wide as the screen needs of a stream.
 * @param {State} state
 * @param {StreamInfo} info
 * @param {number[]} columns
 * @param {number} pixels  device pixels
 * @param {import("../view/scale.js").Span} [view]  what is to be seen, if it is not what is looked at now
 * @returns {Wanted}
 */
export function wantedInView(state, info, columns, pixels, view = state.view) {
  columns = columns.slice(0, info.limits.columns);
  const most = Math.max(1, Math.min(mostBins(info, columns), Math.floor(MOST_VALUES / columns.length)));
  let aligned = alignedBins(view, Math.min(pixels, Math.max(1, most - 2))); // at both ends there may be one more
  if (aligned.bins > most) aligned = alignedBins(view, most / 2); // whole ticks are up to twice as many bins
  const span = spanOf(info);
  const seen = Math.max(0, Math.min(aligned.to, span.to) - Math.max(aligned.from, span.from));
  return { stream: info.id, columns, ...aligned, samples: (seen / periodOf(info)) * columns.length, version: versionOf(state, info, aligned.to) };
}

/** Changes when a file was opened anew. @param {State} state @param {StreamInfo} info @param {number} [to]  ticks, what is looked at while a recording is followed */
function versionOf(state, info, to) {
  if (!state.live) return info.size_bytes;
  return to === undefined ? undefined : state.live.version(info.id, to);
}

/** How many bins of some columns the engine gives at once. @param {StreamInfo} info @param {number[]} columns */
function mostBins({ limits }, columns) {
  return Math.max(1, Math.min(limits.bins, Math.floor(limits.values / Math.max(1, columns.length))));
}

/**
 * What a lane or a slow panel needs: the whole stream, row by row, where it is short, so that bits and slow values are exact at every zoom, else what is in view with some to either side.
 * @param {State} state
 * @param {StreamInfo} info
 * @param {number[]} columns
 * @returns {Wanted}
 */
export function wantedWhole(state, info, columns) {
  columns = columns.slice(0, info.limits.columns);
  const span = spanOf(info), most = mostBins(info, columns);
  if (info.rows * 2 <= most) return { stream: info.id, columns, from: span.from, to: Math.ceil(span.to), bins: Math.max(16, info.rows * 2), samples: info.rows * columns.length, version: versionOf(state, info), grows: !!state.live };
  const { from, to } = state.view, width = to - from;
  const block = 2 ** Math.ceil(Math.log2(width)); // the same request while the view stays within one block and its neighbours
  const start = Math.max(span.from, Math.floor(from / block - 1) * block), end = Math.min(span.to, Math.ceil(to / block + 1) * block);
  return { stream: info.id, columns, from: Math.floor(start), to: Math.ceil(Math.max(end, start + 1)), bins: Math.floor(most / 2), samples: ((end - start) / periodOf(info)) * columns.length, version: versionOf(state, info), grows: !!state.live };
}
