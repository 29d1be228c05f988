/**
 * The value under the cursor, from the data that are on the screen already.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("./stage.js").Stage} Stage
 */
import { contactOf } from "../channels.js";
import { physicalFromRaw, unitOf, unitsPerRaw } from "../signals.js";
import { integer, quantity, THIN } from "../words.js";

/**
 * @param {State} state
 * @param {Stage} stage
 * @returns {{ row?: number, column?: ColumnInfo, words: string } | null}
 */
export function valueAt(state, stage) {
  const at = state.cursor, row = (state.hover !== null && state.rows.find((r) => r.key === state.hoverKey)) || (state.traces ?? state.active);
  if (at === null || !row) return null;
  const { info } = state.entry(row.id);
  const number = rowAt(info, at);
  const pane = stage.traces.all.find(({ key }) => key === row.key);
  if (!state.traces || !pane) return { row: number, words: "" };
  const index = state.hover ?? state.channel.get(row.key) ?? pane.shown()?.columns[0] ?? row.columns[0];
  const column = info.columns[index], reading = column ? pane.reading(index, at) : null;
  return { row: number, column, words: reading ? wordsOf(reading, column) : "" };
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

/**
 * Name and value of the channel under the pointer.
 * @param {State} state
 * @param {import("./traces.js").TracesPlot} pane
 * @returns {{ name: string, value: string }}
 */
export function hoveredWords(state, pane) {
  const shown = pane.shown(), index = state.hover, at = state.cursor;
  const column = shown && index !== null ? shown.info.columns[index] : undefined;
  if (!shown || !column || index === null || at === null) return { name: "", value: "" };
  const depth = contactOf(shown.info, shown.row, index)?.y, reading = pane.reading(index, at);
  const spread = reading?.kind === "bin" && !Number.isNaN(reading.sd) ? ", sd " + quantity(Math.abs(reading.sd * unitsPerRaw(column)), unitOf(column)) : "";
  return { name: column.label + (depth === undefined ? "" : `, ${integer(depth)}${THIN}µm`), value: reading ? wordsOf(reading, column) + spread : "" };
}

/** @param {import("../plots/easel.js").Reading} reading @param {ColumnInfo} column */
function wordsOf(reading, column) {
  if (reading.kind === "none") return "no value";
  const unit = unitOf(column);
  if (reading.kind === "value") return quantity(physicalFromRaw(column, reading.raw), unit);
  const a = physicalFromRaw(column, reading.min), b = physicalFromRaw(column, reading.max);
  return a === b ? quantity(a, unit) : quantity(Math.min(a, b), unit).split(THIN).slice(0, sameUnit(a, b, unit) ? -1 : undefined).join(THIN) + " to " + quantity(Math.max(a, b), unit);
}

/** Whether two values are written with the same prefix. @param {number} a @param {number} b @param {string} unit */
function sameUnit(a, b, unit) {
  return unit !== "" && quantity(a, unit).split(THIN).pop() === quantity(b, unit).split(THIN).pop();
}
