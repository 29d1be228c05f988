/**
 * Which channels of a signal are shown, and in which order: by number, depth or shank; some of them hidden, or only some. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./probe.js").Contact} Contact
 * @typedef {import("./state.js").Row} Row
 * @typedef {"number" | "depth" | "shank"} Order
 * @typedef {{ order: Order, hidden: ReadonlySet<number>, solo: ReadonlySet<number> | null }} Arrangement  columns
 */
import { probeOf } from "./probe.js";
import { integer, THIN } from "./words.js";

/** @type {Arrangement} */
export const AS_IT_IS = { order: "number", hidden: new Set(), solo: null };

/** The place of a column of a signal on its probe. @param {StreamInfo} info @param {Row} row @param {number} column @returns {Contact | undefined} */
export function contactOf(info, row, column) {
  return row.alongProbe ? probeOf(info)?.contacts.get(info.columns[column].channel) : undefined;
}

/** Where a channel is, in words: its depth, and on which shank where there are several; "" where that is not known. @param {StreamInfo} info @param {Row} row @param {number} column */
export function placeWords(info, row, column) {
  const contact = contactOf(info, row, column);
  return contact ? ((probeOf(info)?.shanks ?? 1) > 1 ? `${integer(contact.shank)} · ` : "") + integer(contact.y) + THIN + "µm" : "";
}

/** Orders that mean something for a signal. @param {StreamInfo} info @param {Row} row @returns {Order[]} */
export function ordersOf(info, row) {
  const probe = row.alongProbe ? probeOf(info) : null;
  return ["number", ...(probe ? [/** @type {const} */ ("depth")] : []), ...(probe && probe.shanks > 1 ? [/** @type {const} */ ("shank")] : [])];
}

/**
 * Columns of a signal from the top of the plot to its bottom. Deep channels are below; channels without a place come last.
 * @param {StreamInfo} info
 * @param {Row} row
 * @param {Arrangement} arrangement
 * @returns {number[]}
 */
export function arranged(info, row, { order, hidden, solo }) {
  const shown = row.all.filter((column) => !hidden.has(column) && (!solo || solo.has(column)));
  if (order === "number" || !ordersOf(info, row).includes(order)) return shown;
  const far = { x: 0, y: -Infinity, shank: Infinity }, at = new Map(shown.map((column) => [column, contactOf(info, row, column) ?? far]));
  const place = (/** @type {number} */ column) => /** @type {Contact} */ (at.get(column));
  const compare = (/** @type {number} */ a, /** @type {number} */ b) => (a === b ? 0 : a < b ? -1 : 1); // infinities too
  return shown.sort((a, b) => {
    const p = place(a), q = place(b);
    return (order === "shank" ? compare(p.shank, q.shank) : 0) || compare(q.y, p.y) || compare(p.shank, q.shank) || compare(p.x, q.x);
  });
}

/** Columns from one to another, both included, in the order they are shown. @param {number[]} columns @param {number} from @param {number} to */
export function rangeOf(columns, from, to) {
  const a = columns.indexOf(from), b = columns.indexOf(to);
  return a < 0 ? [to] : columns.slice(Math.min(a, b), Math.max(a, b) + 1);
}

/**
 * Columns that match what was typed: "117", "10-20", "AP 1?0", "*7", several with commas. Words without a wildcard are looked for in names.
 * @param {StreamInfo} info
 * @param {number[]} columns
 * @param {string} typed
 * @returns {number[]}
 */
export function matching(info, columns, typed) {
  const tests = typed.split(",").map((term) => term.trim()).filter(Boolean).map(testOf);
  return columns.filter((index) => tests.some((test) => test(info.columns[index])));
}

/** @param {string} term @returns {(column: StreamInfo["columns"][number]) => boolean} */
function testOf(term) {
  const range = /^(\d+)\s*[-–:]\s*(\d+)$/.exec(term);
  if (range) return ({ channel }) => channel >= Math.min(+range[1], +range[2]) && channel <= Math.max(+range[1], +range[2]);
  if (/^\d+$/.test(term)) return ({ channel }) => channel === Number(term);
  if (!/[*?]/.test(term)) return ({ label, name }) => [label, name].some((text) => text.toLowerCase().includes(term.toLowerCase()));
  const glob = new RegExp("^" + term.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".") + "$", "i");
  return ({ label, name, channel }) => [label, name, String(channel)].some((text) => glob.test(text));
}
