/**
 * Reading a moment that a person types: "12.5 s", "1:02:03.5", "row 3000", "tick 250000000", "14:27:29 UTC", "2026-11-28 14:27". Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {{ kind: "none", words: string } | { kind: "ticks", ticks: number, words: string } | { kind: "row", row: number, words: string }} Place
 */
import { clockAt, placeOf, secondsAt } from "./axis.js";
import { spanOf } from "./times.js";
import { count, integer, moment, parseSpan, parseWhole, wallTime } from "./words.js";

const DAY = 86400e3;

/**
 * What the words mean in a stream, and a sentence that says so; a place outside the stream is none.
 * @param {string} text
 * @param {StreamInfo} info
 * @returns {Place}
 */
export function placeFromText(text, info) {
  const words = text.trim(), { hz, column } = info.clock;
  if (words === "") return { kind: "none", words: examples(info) };
  const row = /^(?:row|#)\s*(.+)$/i.exec(words) ?? (column ? null : /^(.+)$/.exec(words));
  if (row) {
    const n = parseWhole(row[1]);
    if (Number.isNaN(n)) return { kind: "none", words: "A row is a whole number: row 3000." };
    if (n >= info.rows) return { kind: "none", words: `The last of ${count(info.rows, "row")} is ${integer(info.rows - 1)}.` };
    return { kind: "row", row: n, words: `Row ${integer(n)} of ${integer(info.rows)}.` };
  }
  const tick = /^(?:ticks?|clock)\s*(.+)$/i.exec(words) ?? /^(.+?)\s*ticks?$/i.exec(words) ?? (hz > 0 ? null : /^(.+)$/.exec(words));
  if (tick) {
    const n = parseWhole(tick[1]);
    return Number.isNaN(n) ? { kind: "none", words: "A tick is a whole number: tick 250\u202f000\u202f000." } : within(placeOf(info, n), info, `Tick ${integer(n)}`);
  }
  const wall = wallTicks(words, info);
  if (typeof wall === "string") return { kind: "none", words: wall };
  if (wall !== null) return within(placeOf(info, wall.ticks, 0), info, wall.words);
  const seconds = secondsFrom(words);
  if (Number.isNaN(seconds)) return { kind: "none", words: "Not understood. " + examples(info) };
  return within(placeOf(info, seconds * hz), info, moment(seconds, 3));
}

/** @param {StreamInfo} info */
function examples({ clock }) {
  if (!clock.column) return "For instance: row 3000.";
  if (!(clock.hz > 0)) return "For instance: tick 250\u202f000\u202f000, row 3000.";
  return `For instance: 12.5 s, 1:02:03, row 3000, tick 250\u202f000\u202f000${clock.start_utc ? ", 14:27:29 UTC" : ""}.`;
}

/** @param {number} ticks @param {StreamInfo} info @param {string} words @returns {Place} */
function within(ticks, info, words) {
  const { from, to } = spanOf(info), { hz } = info.clock;
  if (ticks >= from && ticks <= to) {
    const several = (info.axis ?? []).filter((s) => placeOf(info, Number(clockAt(info, ticks)), s.start) >= s.from && placeOf(info, Number(clockAt(info, ticks)), s.start) <= s.to).length;
    return { kind: "ticks", ticks, words: words + (several > 1 ? `, in the first of ${several} segments that have it.` : ".") };
  }
  const face = (/** @type {number} */ t) => (hz > 0 ? moment(secondsAt(info, t), 3) : integer(clockAt(info, t)));
  return { kind: "none", words: `${words} is outside the stream, which lies from ${face(from)} to ${face(to)}${(info.axis?.length ?? 0) > 1 ? `, in ${count(info.axis.length, "segment")}` : ""}.` };
}

/** "1:02:03.5", "24:18" or "2 min 30 s", in seconds; NaN. @param {string} words */
function secondsFrom(words) {
  const face = /^(?:(\d+):)?(\d+):(\d{2}(?:[.,]\d+)?)$/.exec(words);
  return face ? Number(face[1] ?? 0) * 3600 + Number(face[2]) * 60 + Number(face[3].replace(",", ".")) : parseSpan(words);
}

/**
 * A time of day ("14:27:29 UTC", "at 14:27") or a date with time, as ticks; a sentence where it has no meaning here; null where it is none. Always UTC, as everywhere in the page.
 * @param {string} words
 * @param {StreamInfo} info
 */
function wallTicks(words, { clock }) {
  const m = /^(?:at\s+|wall\s+)?(?:(\d{4}-\d{2}-\d{2})[T\s]+)?(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(UTC|Z)?$/i.exec(words);
  if (!m || !(m[1] || m[3] || /^(at|wall)\s/i.test(words))) return null;
  const start = Date.parse(clock.start_utc);
  if (!clock.start_utc || Number.isNaN(start)) return "When the recording began is not known: a time of day has no place in it.";
  const [h, min, s] = m[2].split(":").map(Number), time = ((h * 60 + min) * 60 + (s ?? 0)) * 1000;
  if (h > 23 || min > 59 || (s ?? 0) >= 60) return "Not a time of day.";
  let at = m[1] ? Date.parse(m[1] + "T00:00:00Z") + time : Math.floor(start / DAY) * DAY + time;
  if (!m[1] && at < start) at += DAY; // after midnight
  return Number.isNaN(at) ? "Not a date." : { ticks: Number(clock.start_clock) + ((at - start) / 1000) * clock.hz, words: `${new Date(at).toISOString().slice(0, 10)} ${wallTime(at / 1000)}` };
}
