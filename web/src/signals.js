/**
 * From the facts of a stream to the lines of the lists and plots. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("./state.js").Row} Row
 */
import { integer } from "./words.js";

/**
 * Lines of the stream list: one for each signal that is drawn as traces, one for all the rest of a stream.
 * @param {StreamInfo} info
 * @returns {Row[]}
 */
export function rowsFromInfo(info) {
  const name = info.title || info.id;
  const traces = info.groups.filter((g) => g.kind === "traces" && g.columns.length > 0);
  /** @type {Row[]} */
  const rows = traces.map((g) => ({
    key: info.id + "/" + g.name,
    id: info.id,
    name: traces.length > 1 ? name + " " + g.name : name,
    group: g.name,
    kind: "traces",
    ...both(g.along_probe ? [...g.columns].reverse() : g.columns), // the highest channel is on top
    alongProbe: g.along_probe,
    rateHz: g.rate_hz,
  }));
  const words = wordColumns(info);
  const table = words.length === 0 || words.length === info.columns.filter((c) => !isClock(c)).length ? [] : [{
    key: info.id + "/table", id: info.id, name: `${name} ${words.length === 1 ? info.columns[words[0]].label : "table"}`, group: "", kind: /** @type {const} */ ("table"), ...both(words), alongProbe: false, rateHz: 0,
  }];
  if (rows.length > 0) return [...rows, ...table];
  const rest = info.groups.find((g) => g.kind === "lanes") ?? info.groups.find((g) => g.kind === "slow") ?? info.groups[0];
  const kind = hasTimesOnly(info) ? "ticks" : rest?.kind ?? "table";
  return [{
    key: info.id + "/",
    id: info.id,
    name,
    group: rest?.name ?? "",
    kind,
    ...both(kind === "table" || kind === "ticks" ? info.columns.map((c) => c.index) : info.groups.filter((g) => g.kind === kind).flatMap((g) => g.columns)),
    alongProbe: false,
    rateHz: rest?.rate_hz ?? 0,
  }, ...table];
}

/** All columns of a row are shown until somebody arranges them. @param {number[]} columns */
function both(columns) {
  return { columns, all: columns };
}

/** Columns that cannot be plotted: text, lists, and the like. @param {StreamInfo} info */
function wordColumns(info) {
  return info.columns.filter((c) => !c.plottable).map((c) => c.index);
}

/** Whether a stream says when something came, and nothing else, as a heartbeat does. @param {StreamInfo} info */
export function hasTimesOnly(info) {
  return info.rows > 0 && info.clock.column && info.columns.length > 0 && info.columns.every((c) => c.plottable && isClock(c));
}

/** Columns that say when, and not what: they go along with any others. @param {ColumnInfo} column */
export function isClock(column) {
  return /clock$/i.test(column.name);
}

/** Columns of a row as a table: with the clocks of the stream in front, where they are not among them. @param {Row} row @param {StreamInfo} info */
export function tableColumns(row, info) {
  const clocks = info.columns.filter((c) => isClock(c) && !row.columns.includes(c.index)).map((c) => c.index);
  return [...clocks, ...row.columns];
}

/** What a bit of a digital port is called, as `oniscope plot` calls it: "Din 0", "Moon". @param {ColumnInfo} column @param {number} bit */
export function bitLabel(column, bit) {
  return column.bits[bit] || (column.type === "bool" ? column.label : "bit " + integer(bit));
}

/** Raw units to physical ones; codes stay codes: the engine gives those the line through 0 and 1. @param {ColumnInfo} column @param {number} raw */
export function physicalFromRaw(column, raw) {
  return column.line[0] + raw * column.line[1];
}

/** Physical units per raw unit. @param {ColumnInfo} column */
export function unitsPerRaw(column) {
  return column.line[1];
}

/** What tells a channel from its neighbours where its name has no room. @param {ColumnInfo} column */
export function briefly(column) {
  return column.channel >= 0 ? "ch " + integer(column.channel) : column.label;
}

/** Units as people write them. @type {Record<string, string>} */
const UNITS = { bytes: "B", byte: "B", deg: "°", degC: "°C", "m/s^2": "m/s²" };

/** What a value of the column is counted in. @param {ColumnInfo} column */
export function unitOf(column) {
  return (UNITS[column.unit] ?? column.unit) || (column.scale === 0 && /int/.test(column.type) ? "codes" : "");
}
