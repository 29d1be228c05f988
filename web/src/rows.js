/**
 * From the facts of a stream to the lines of the lists and plots. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("./recording.js").Row} Row
 */
import { integer } from "./words.js";

/** Groups that run along a probe: the highest channel is nearest to the surface and stands on top. */
const ALONG_PROBE = new Set(["AP", "LFP"]);

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
    columns: inDisplayOrder(g.columns, info.columns),
    rateHz: g.rate_hz,
  }));
  if (rows.length > 0) return rows;
  const rest = info.groups.find((g) => g.kind === "lanes") ?? info.groups.find((g) => g.kind === "slow") ?? info.groups[0];
  return [{
    key: info.id + "/",
    id: info.id,
    name,
    group: rest?.name ?? "",
    kind: rest?.kind ?? "table",
    columns: info.groups.filter((g) => g.kind === (rest?.kind ?? "table")).flatMap((g) => g.columns),
    rateHz: rest?.rate_hz ?? 0,
  }];
}

/**
 * Columns from the top row to the bottom row.
 * @param {number[]} columns
 * @param {ColumnInfo[]} facts
 */
export function inDisplayOrder(columns, facts) {
  return columns.length > 1 && columns.every((c) => ALONG_PROBE.has(facts[c].group)) ? [...columns].reverse() : columns;
}

/** Label of a bit of a digital port: "Din 0", "Btn 3". @param {ColumnInfo} column @param {number} bit */
export function bitLabel(column, bit) {
  const short = /^digital/i.test(column.name) ? "Din" : /^button/i.test(column.name) ? "Btn" : column.label.split(" ")[0].slice(0, 6);
  return short + " " + integer(bit);
}

/** Raw units to physical ones; codes stay codes. @param {ColumnInfo} column @param {number} raw */
export function physicalFromRaw(column, raw) {
  return column.scale === 0 ? raw : column.scale * (raw - column.offset);
}

/** Physical units per raw unit. @param {ColumnInfo} column */
export function unitsPerRaw(column) {
  return column.scale === 0 ? 1 : column.scale;
}

/** What a value of the column is counted in. @param {ColumnInfo} column */
export function unitOf(column) {
  if (column.unit === "bytes" || column.unit === "byte") return "B";
  return column.unit || (column.scale === 0 && /int/.test(column.type) ? "codes" : "");
}
