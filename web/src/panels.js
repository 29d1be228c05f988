/**
 * Which panels a stream calls for below the traces. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {{ key: string, kind: "lanes" | "slow" | "ticks", name: string, columns: number[], parts?: Parts, twin?: number }} Wanted
 *   columns: that are drawn; parts: of a quaternion, which is drawn as angles; twin: a column that says the same in another unit, as bytes beside percent
 * @typedef {Record<"w" | "x" | "y" | "z", number>} Parts  columns of a rotation
 */
import { hasTimesOnly, isClock, unitOf } from "./signals.js";

/** A share of something, whatever it is called. */
const PERCENT = /^(%|percent)$/i;

/**
 * Panels of a stream: all its digital ports in one, each slow quantity in its own, and one with a tick a row where rows say nothing but when.
 * @param {StreamInfo} info
 * @returns {Wanted[]}
 */
export function panelsOf(info) {
  const lanes = info.groups.filter((g) => g.kind === "lanes").flatMap((g) => g.columns);
  const slow = info.groups.filter((g) => g.kind === "slow" && g.columns.length > 0);
  const quantities = slow.flatMap((g) => byUnit(info, g.columns).map((columns) => ({ name: columns.length === 1 ? info.columns[columns[0]].label : g.name, columns })));
  return [
    ...(lanes.length > 0 ? [{ key: info.id + "/lanes", kind: /** @type {const} */ ("lanes"), name: "Digital ports", columns: lanes }] : []),
    ...withTwin(info, quantities).map((q) => ({ ...q, key: info.id + "/" + info.columns[q.columns[0]].name, kind: /** @type {const} */ ("slow"), parts: quaternionOf(info, q.columns) })),
    ...(hasTimesOnly(info) ? [{ key: info.id + "/ticks", kind: /** @type {const} */ ("ticks"), name: info.title || info.id, columns: [info.columns.find((c) => isClock(c) && c.name === "Clock")?.index ?? 0] }] : []),
  ];
}

/** Columns that can share an axis. @param {StreamInfo} info @param {number[]} columns @returns {number[][]} */
function byUnit(info, columns) {
  const units = [...new Set(columns.map((c) => unitOf(info.columns[c])))];
  return units.map((unit) => columns.filter((c) => unitOf(info.columns[c]) === unit));
}

/**
 * Where a stream says how full something is in percent and in bytes, one panel has both: a curve, and a scale on either side.
 * @template {{ name: string, columns: number[] }} Q
 * @param {StreamInfo} info
 * @param {Q[]} quantities
 * @returns {(Q & { twin?: number })[]}
 */
function withTwin(info, quantities) {
  const single = (/** @type {(unit: string) => boolean} */ is) => {
    const found = quantities.filter(({ columns }) => is(unitOf(info.columns[columns[0]])));
    return found.length === 1 && found[0].columns.length === 1 ? found[0] : undefined;
  };
  const share = single((unit) => PERCENT.test(unit)), amount = single((unit) => unit === "B");
  if (!share || !amount) return quantities;
  return quantities.filter((q) => q !== amount).map((q) => (q === share ? { ...q, twin: amount.columns[0] } : q));
}

/** Columns of a rotation, if they are one. @param {StreamInfo} info @param {number[]} columns @returns {Parts | undefined} */
function quaternionOf(info, columns) {
  const of = (/** @type {string} */ part) => columns.find((c) => info.columns[c].label === "Quaternion " + part);
  const [w, x, y, z] = ["W", "X", "Y", "Z"].map(of);
  return w !== undefined && x !== undefined && y !== undefined && z !== undefined ? { w, x, y, z } : undefined;
}
