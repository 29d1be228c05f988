/**
 * The value under the cursor, from the data that are on the screen already.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("./stage.js").Stage} Stage
 */
import { placeWords } from "../channels.js";
import { readingAt } from "../plots/reading.js";
import { physicalFromRaw, unitOf, unitsPerRaw } from "../signals.js";
import { rowAt } from "../times.js";
import { quantity, THIN } from "../words.js";
import { quantitiesOf } from "./slowpanel.js";

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
  return { row: number, column, words: reading ? wordsOf(reading, (raw) => physicalFromRaw(column, raw), unitOf(column)) : "" };
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
  const place = placeWords(shown.info, shown.row, index), reading = pane.reading(index, at);
  const spread = reading?.kind === "bin" && !Number.isNaN(reading.sd) ? ", sd " + quantity(Math.abs(reading.sd * unitsPerRaw(column)), unitOf(column)) : "";
  return { name: column.label + (place && `, ${place}`), value: reading ? wordsOf(reading, (raw) => physicalFromRaw(column, raw), unitOf(column)) + spread : "" };
}

/** Slow quantities shown at once beside the traces; of the panel under the pointer all that it draws, up to as many. */
const MOST_SLOW = 8;

/**
 * Values of slow quantities at the cursor: of the panel that the pointer is on, else of all panels, where they are few.
 * @param {State} state
 * @param {Stage} stage
 * @returns {[string, string][]}
 */
export function slowValuesAt({ cursor: at, view, hoverKey, entries }, stage) {
  const panels = stage.lower.panels.filter(({ kind }) => kind === "slow"), under = panels.find(({ key }) => key === hoverKey);
  const found = /** @type {[string, string][]} */ ([]);
  for (const panel of under ? [under] : panels) {
    const info = entries.get(panel.id)?.info;
    if (!info || at === null) continue;
    for (const { name, layer, c, physical, stride, unit } of quantitiesOf(panel, info, view)) {
      if (layer && c !== undefined) found.push([name, wordsOf(at < layer.envelope.to ? readingAt(layer.envelope, c, at, stride) : { kind: "none" }, physical, unit)]);
    }
  }
  return under || found.length <= MOST_SLOW ? found.slice(0, MOST_SLOW) : [];
}

/** @param {import("../plots/reading.js").Reading} reading @param {(raw: number) => number} physical @param {string} unit */
function wordsOf(reading, physical, unit) {
  if (reading.kind === "none") return "no value";
  if (reading.kind === "value") return quantity(physical(reading.raw), unit);
  const a = physical(reading.min), b = physical(reading.max);
  return a === b ? quantity(a, unit) : quantity(Math.min(a, b), unit).split(THIN).slice(0, sameUnit(a, b, unit) ? -1 : undefined).join(THIN) + " to " + quantity(Math.max(a, b), unit);
}

/** Whether two values are written with the same prefix. @param {number} a @param {number} b @param {string} unit */
function sameUnit(a, b, unit) {
  return unit !== "" && quantity(a, unit).split(THIN).pop() === quantity(b, unit).split(THIN).pop();
}
