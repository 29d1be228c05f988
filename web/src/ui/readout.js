/**
 * The value under the cursor, from the data that are on the screen already.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("./stage.js").Stage} Stage
 */
import { bestLayer } from "../view/loader.js";
import { physicalFromRaw, unitOf } from "../signals.js";
import { quantity, THIN } from "../words.js";

/**
 * @param {State} state
 * @param {Stage} stage
 * @returns {{ row?: number, column?: ColumnInfo, words: string } | null}
 */
export function valueAt(state, stage) {
  const at = state.cursor, row = state.traces ?? state.active;
  if (at === null || !row) return null;
  const { info } = state.entry(row.id);
  const number = rowAt(info, at);
  if (!state.traces) return { row: number, words: "" };
  const index = state.hover ?? state.channel.get(row.key) ?? stage.traces.shown()?.columns[0] ?? row.columns[0];
  const column = info.columns[index];
  const layer = bestLayer(stage.traces.loader.layers, index, state.view);
  const c = layer?.index.get(index);
  if (!layer || c === undefined || !column) return { row: number, words: "" };
  return { row: number, column, words: read(layer.envelope, c, at, column) };
}

/**
 * Row at a tick, where rows come evenly: counted through the spans of data before it.
 * @param {import("../protocol.js").StreamInfo} info
 * @param {number} at
 */
function rowAt(info, at) {
  if (info.groups.some((g) => g.kind === "lanes")) return undefined;
  const spans = info.coverage.filter((c) => c.kind === "data");
  if (spans.length === 0 || spans.some((c) => c.rows <= 0)) return undefined;
  let before = 0;
  for (const span of spans) {
    if (at >= span.from && at < span.to) return before + Math.min(span.rows - 1, Math.floor(((at - span.from) / (span.to - span.from)) * span.rows));
    before += span.rows;
  }
  return undefined;
}

/** @param {Envelope} envelope @param {number} c @param {number} at @param {ColumnInfo} column */
function read(envelope, c, at, column) {
  if (envelope.kind === "samples") {
    const x = /** @type {Float64Array} */ (envelope.x);
    let low = 0, high = x.length;
    while (low < high) { // first sample after the cursor
      const middle = (low + high) >> 1;
      if (x[middle] <= at - envelope.from) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= 0 && i > low - 1 - Math.max(1, column.stride); i--) {
      const raw = envelope.data[c * x.length + i];
      if (!Number.isNaN(raw)) return quantity(physicalFromRaw(column, raw), unitOf(column));
    }
    return "no value";
  }
  const bin = Math.floor(((at - envelope.from) / (envelope.to - envelope.from)) * envelope.bins);
  if (bin < 0 || bin >= envelope.bins) return "";
  const a = physicalFromRaw(column, envelope.data[(c * envelope.bins + bin) * 2]), b = physicalFromRaw(column, envelope.data[(c * envelope.bins + bin) * 2 + 1]);
  if (Number.isNaN(a)) return "no value";
  const unit = unitOf(column);
  return a === b ? quantity(a, unit) : quantity(Math.min(a, b), unit).split(THIN).slice(0, sameUnit(a, b, unit) ? -1 : undefined).join(THIN) + " to " + quantity(Math.max(a, b), unit);
}

/** Whether two values are written with the same prefix. @param {number} a @param {number} b @param {string} unit */
function sameUnit(a, b, unit) {
  return unit !== "" && quantity(a, unit).split(THIN).pop() === quantity(b, unit).split(THIN).pop();
}
