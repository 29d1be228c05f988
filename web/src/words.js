/**
 * Numbers, units and times as people read them: thin spaces between thousands and before units, a true minus, the micro sign.
 * Pure: strings in and out. The space is U+202F, the thin space that does not break a line.
 */

export const THIN = "\u202f";
const MINUS = "\u2212";
const MICRO = "\u00b5";

/** Prefixes that are shown, largest first. @type {[string, number][]} */
const PREFIXES = [["G", 1e9], ["M", 1e6], ["k", 1e3], ["", 1], ["m", 1e-3], [MICRO, 1e-6], ["n", 1e-9]];

/** Units that take a prefix; others (%, bytes, codes) are shown as they are. */
const PREFIXED = new Set(["V", "A", "Hz", "s", "g", "m", "T"]);

/**
 * Groups the digits of a plain decimal number: "1234567.12345" -> "1 234 567.123 45".
 * @param {string} digits  as toFixed gives them, ASCII minus allowed
 * @returns {string}
 */
export function grouped(digits) {
  const negative = digits.startsWith("-");
  const [whole, fraction] = (negative ? digits.slice(1) : digits).split(".");
  const left = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  const right = fraction === undefined ? "" : "." + fraction.replace(/(\d{3})(?=\d)/g, "$1" + THIN);
  const zero = !/[1-9]/.test(digits);
  return (negative && !zero ? MINUS : "") + left + right;
}

/** @param {number | bigint} n @returns {string} */
export function integer(n) {
  if (typeof n === "number" && !Number.isFinite(n)) return String(n);
  return grouped(typeof n === "bigint" ? n.toString() : Math.round(n).toFixed(0));
}

/**
 * A number with so many significant digits, never in exponent form.
 * @param {number} x
 * @param {number} [digits]
 */
function significant(x, digits = 3) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "not a number" : (x < 0 ? MINUS : "") + "∞";
  if (x === 0) return "0";
  const rounded = Math.abs(Number(x.toPrecision(digits))); // 99.96 has one digit more than 100
  const places = Math.min(12, Math.max(0, digits - 1 - Math.floor(Math.log10(rounded))));
  return grouped(x.toFixed(places));
}

/** As significant, without zeros at the end of the fraction. @param {number} x @param {number} [digits] */
export function short(x, digits = 4) {
  if (!Number.isFinite(x)) return significant(x);
  if (x === 0) return "0";
  const places = Math.min(12, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(x)))));
  const text = x.toFixed(places);
  return grouped(text.includes(".") ? text.replace(/\.?0+$/, "") : text);
}

/**
 * A count with its noun: "1 row", "30 000 rows".
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 */
export function count(n, one, many = one + "s") {
  return integer(n) + THIN + (n === 1 ? one : many);
}

/** Characters that are not seen, or turn the text around them: controls, directions, joiners, line separators, halves of pairs. The thin space is none of them. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** Text of others as it is: what would not be seen is written as an escape, "\u{202e}". @param {string} text */
export function visible(text) {
  return text.replace(UNSEEN, (c) => `\\u{${/** @type {number} */ (c.codePointAt(0)).toString(16)}}`);
}

/** Groups the long numbers inside a sentence of somebody else's, and writes microseconds as they are written here. @param {string} text */
export function regrouped(text) {
  return text.replace(/(?<=\d) us\b/g, THIN + MICRO + "s").replace(/(?<![\w.])\d{4,}(?![\w.])/g, (digits) => grouped(digits));
}

/** Decimal multiples of bytes, as disks are sold. @param {number} n */
export function bytes(n) {
  if (n < 1000) return integer(n) + THIN + "B";
  /** @type {[string, number][]} */
  const units = [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]];
  for (const [name, size] of units) {
    if (n >= size) return significant(n / size, 3) + THIN + name;
  }
  return integer(n) + THIN + "B";
}

/**
 * Splits a unit into prefix factor and base: "uV" -> [1e-6, "V"], "%" -> [1, "%"].
 * @param {string} unit
 * @returns {[number, string]}
 */
export function baseUnit(unit) {
  if (PREFIXED.has(unit)) return [1, unit];
  const head = unit[0] === "u" || unit[0] === "\u03bc" ? MICRO : unit[0];
  const rest = unit.slice(1);
  const prefix = PREFIXES.find(([p]) => p !== "" && p === head);
  return prefix && PREFIXED.has(rest) ? [prefix[1], rest] : [1, unit];
}

/**
 * A physical value with the prefix that fits: quantity(-8.64e-5, "V") -> "−86.4 µV".
 * @param {number} value
 * @param {string} unit
 * @param {number} [digits]  significant digits
 */
export function quantity(value, unit, digits = 3) {
  const [factor, base] = baseUnit(unit);
  if (!PREFIXED.has(base)) return short(value, Math.max(digits, 6)) + (unit ? THIN + unitWord(value, unit) : "");
  const x = value * factor;
  if (x === 0 || !Number.isFinite(x)) return significant(x, digits) + THIN + base;
  const size = Number(Math.abs(x).toPrecision(digits)) * (1 + 1e-9); // 0.9999 s is 1.00 s, not 1 000 ms
  const [prefix, step] = PREFIXES.find(([, s]) => size >= s) ?? PREFIXES[PREFIXES.length - 1];
  return significant(x / step, digits) + THIN + prefix + base;
}

/** A long name in so many letters, with its end, which tells it from others. @param {string} name @param {number} most */
export function shortened(name, most) {
  return name.length > most ? name.slice(0, most - 9) + "…" + name.slice(-8) : name;
}

/** "1 code", "2 codes"; other units are the same for one and many. @param {number} value @param {string} unit */
function unitWord(value, unit) {
  return unit === "codes" && value === 1 ? "code" : unit;
}

/** As quantity, without zeros at the end: for gains, rates and scale bars. @param {number} value @param {string} unit */
export function round(value, unit) {
  const [factor, base] = baseUnit(unit);
  if (!PREFIXED.has(base)) return short(value, 4) + (unit ? THIN + unitWord(value, unit) : "");
  const x = value * factor;
  if (x === 0) return "0" + THIN + base;
  const size = Number(Math.abs(x).toPrecision(4)) * (1 + 1e-9);
  const [prefix, step] = PREFIXES.find(([, s]) => size >= s) ?? PREFIXES[PREFIXES.length - 1];
  return short(x / step, 4) + THIN + prefix + base;
}

/**
 * Reads "200 µV", "0.2mV" or "200" into a value of the given unit; NaN when it cannot be read.
 * @param {string} text
 * @param {string} unit  of the result, and of a number without a unit
 */
export function parseQuantity(text, unit) {
  const m = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(.*)$/i.exec(plain(text));
  if (!m) return NaN;
  const value = Number(m[1]);
  if (m[2] === "" || m[2] === unit || m[2] === unitWord(1, unit)) return value;
  const [want, base] = baseUnit(unit);
  const [have, given] = baseUnit(m[2]);
  return given === base && PREFIXED.has(base) ? Number(((value * have) / want).toPrecision(12)) : NaN;
}

/** Without spaces, with ASCII minus and the micro sign. @param {string} text */
function plain(text) {
  return text.replace(/[\s\u2009\u202f]/g, "").replace(MINUS, "-").replace(/\u03bc/g, MICRO).replace(",", ".");
}

/** Reads a whole number with or without thin spaces, "250 000 000"; NaN when it is none. @param {string} text */
export function parseWhole(text) {
  const digits = text.replace(/[\s\u2009\u202f]/g, "");
  return /^\d{1,15}$/.test(digits) ? Number(digits) : NaN;
}

/**
 * How long: "1 h 12 min 20.4 s", "34.7 ms".
 * @param {number} seconds
 */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "unknown";
  const s = Math.abs(seconds);
  if (s < 60) return s === 0 ? "0" + THIN + "s" : quantity(seconds, "s");
  const tenths = Math.round(s * 10);
  const h = Math.floor(tenths / 36000), min = Math.floor((tenths % 36000) / 600), rest = (tenths % 600) / 10;
  const parts = [];
  if (h > 0) parts.push(integer(h) + THIN + "h");
  if (h > 0 || min > 0) parts.push(min + THIN + "min");
  if (rest > 0) parts.push(rest.toFixed(1) + THIN + "s");
  return (seconds < 0 ? MINUS : "") + parts.join(" ");
}

/**
 * A length with many digits, for the span field and the selection: "1.000 s", "112.400 ms", "2 min 30.0 s".
 * @param {number} seconds
 */
export function span(seconds) {
  const s = Math.abs(seconds) * (1 + 1e-12);
  if (s >= 120) return duration(seconds);
  if (s >= 1) return grouped(seconds.toFixed(3)) + THIN + "s";
  if (s >= 1e-3) return grouped((seconds * 1e3).toFixed(3)) + THIN + "ms";
  return grouped((seconds * 1e6).toFixed(3)) + THIN + MICRO + "s";
}

/**
 * Reads "1.5 s", "500ms", "2 min 30 s", "1 h", "3" (seconds); NaN when it cannot be read.
 * @param {string} text
 */
export function parseSpan(text) {
  const s = plain(text);
  /** @type {Record<string, number>} */
  const units = { h: 3600, min: 60, s: 1, "": 1, ms: 1e-3, [MICRO + "s"]: 1e-6, us: 1e-6 };
  const part = /(\d+\.?\d*|\.\d+)(h|min|ms|us|\u00b5s|s|$)/gy;
  let sum = 0, end = 0, m;
  while ((m = part.exec(s)) !== null) {
    sum += Number(m[1]) * units[m[2]];
    end = part.lastIndex;
    if (end === s.length) break;
  }
  return s !== "" && end === s.length ? sum : NaN;
}

/**
 * A moment on the clock with a fixed number of decimals: "24 min 18.412 07 s".
 * @param {number} seconds
 * @param {number} decimals
 */
export function moment(seconds, decimals) {
  const negative = seconds < 0;
  const unit = 10 ** decimals;
  const total = Math.round(Math.abs(seconds) * unit);
  const whole = Math.floor(total / unit);
  const h = Math.floor(whole / 3600), min = Math.floor((whole % 3600) / 60);
  const rest = ((total - (h * 3600 + min * 60) * unit) / unit).toFixed(decimals);
  const parts = [];
  if (h > 0) parts.push(integer(h) + THIN + "h");
  if (h > 0 || min > 0) parts.push(min + THIN + "min");
  parts.push(grouped(rest) + THIN + "s");
  return (negative && total > 0 ? MINUS : "") + parts.join(" ");
}

/**
 * A moment as on a clock face, for the ruler: "24:18.400", "1:07:16", "18.40".
 * @param {number} seconds
 * @param {number} decimals
 * @param {number} largest  seconds; decides whether minutes and hours are written
 */
export function clockFace(seconds, decimals, largest) {
  const negative = seconds < 0;
  const unit = 10 ** decimals;
  const total = Math.round(Math.abs(seconds) * unit);
  const whole = Math.floor(total / unit);
  const sign = negative && total > 0 ? MINUS : "";
  if (largest < 60) return sign + (total / unit).toFixed(decimals);
  const h = Math.floor(whole / 3600), min = Math.floor((whole % 3600) / 60);
  const rest = ((total - (h * 3600 + min * 60) * unit) / unit).toFixed(decimals).padStart(decimals > 0 ? decimals + 3 : 2, "0");
  if (largest < 3600) return sign + min + ":" + rest;
  return sign + h + ":" + String(min).padStart(2, "0") + ":" + rest;
}

/** Rate for the stream list: "30 kHz", "2.5 kHz", "10 Hz". @param {number} hz */
export function rate(hz) {
  return hz > 0 ? round(hz, "Hz") : "";
}

/**
 * Wall-clock time of day in UTC: "14:27:29.884 UTC".
 * @param {number} epochSeconds
 */
export function wallTime(epochSeconds) {
  const date = new Date(epochSeconds * 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(11, 23) + " UTC";
}

/** A share as people say it: 0.9998 -> "99.98 %"; never rounds up to 100 when something is missing. @param {number} share */
export function percent(share) {
  if (share >= 1) return "100" + THIN + "%";
  const p = share * 100;
  for (const digits of [0, 1, 2, 3, 4]) {
    const text = (Math.floor(p * 10 ** digits) / 10 ** digits).toFixed(digits);
    if (p < 99 || Number(text) > 99 + 0.9 || digits === 4) return (p < 99 ? p.toFixed(1) : text) + THIN + "%";
  }
  return p.toFixed(1) + THIN + "%";
}
