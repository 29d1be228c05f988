/**
 * Places on the time axis and the Clock that they are. What the page calls ticks are places: the same as Clock, as long as that rises and numbers have every
 * tick of it. Where it begins anew its segments lie one after the other, and ticks above 2^53 are counted from another origin; StreamInfo.axis says how. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").Stretch} Stretch
 * @typedef {import("./view/scale.js").Span} Span
 */

/** The stretch of a place: the last that begins at or before it, else the first; undefined where places are ticks. @param {StreamInfo} info @param {number} place */
export function stretchAt(info, place) {
  return info.axis?.findLast((s) => s.from <= place) ?? info.axis?.[0];
}

/** The Clock at a place: a bigint where a number has not every tick. @param {StreamInfo} info @param {number} place @returns {number | bigint} */
export function clockAt(info, place) {
  const s = stretchAt(info, place);
  return s ? BigInt(s.first) + BigInt(Math.round(place - s.from)) : place;
}

/** Seconds by the clock at a place, ticks where its rate is not known. @param {StreamInfo} info @param {number} place */
export function secondsAt(info, place) {
  const unit = info.clock.hz > 0 ? info.clock.hz : 1, s = stretchAt(info, place);
  return s ? firstOf(s) / unit + (place - s.from) / unit : place / unit;
}

/** @param {Stretch} s */
function firstOf(s) {
  return Number(s.first);
}

/**
 * The place of a tick: in the stretch of a row where that is known, else in the first stretch that has it, else before or after all.
 * @param {StreamInfo} info
 * @param {import("./protocol.js").Ticks} of
 * @param {number} [row]
 */
export function placeOf(info, of, row) {
  const axis = info.axis ?? [], ticks = Number(of);
  if (axis.length === 0) return ticks;
  const has = (/** @type {Stretch} */ s) => ticks >= firstOf(s) && ticks <= Number(s.last);
  const s = (row === undefined ? axis.find(has) : axis.findLast((s) => s.start <= row)) ?? (ticks > Number(axis[axis.length - 1].last) ? axis[axis.length - 1] : axis[0]);
  return s.from + (typeof of === "string" ? Number(BigInt.asIntN(64, BigInt(of) - BigInt(s.first))) : ticks - firstOf(s));
}

/** Decimals of a second that an address has: less than a tick of any clock. */
const DECIMALS = 9;

/**
 * A place as text that says where it is: seconds by the clock, or ticks without its rate, `2:0.5` in segment 2 of several. Places that are no ticks are rounded to one.
 * @param {StreamInfo} info
 * @param {number} place
 */
export function textOfPlace(info, place) {
  const { hz } = info.clock, axis = info.axis ?? [];
  const segment = axis.length > 1 ? `${Math.max(0, axis.findLastIndex((s) => s.from <= place)) + 1}:` : "";
  if (hz > 0 && (axis.length === 0 || !Number.isInteger(hz))) return segment + String(Number(secondsAt(info, place).toFixed(DECIMALS)));
  const ticks = BigInt(axis.length > 0 ? clockAt(info, place) : Math.round(place));
  if (!(hz > 0)) return segment + ticks;
  const size = ticks < 0n ? -ticks : ticks, unit = BigInt(10 ** DECIMALS), parts = (size * unit + BigInt(hz) / 2n) / BigInt(hz);
  const fraction = String(parts % unit).padStart(DECIMALS, "0").replace(/0+$/, "");
  return `${segment}${ticks < 0n ? "-" : ""}${parts / unit}${fraction ? "." + fraction : ""}`;
}

/**
 * The place that a text says, as textOfPlace writes it; NaN if it is none.
 * @param {StreamInfo} info
 * @param {string} text
 * @param {"s" | "ticks"} unit
 */
export function placeOfText(info, text, unit) {
  const { hz } = info.clock, axis = info.axis ?? [], [, segment, sign, whole, fraction = ""] = /^(?:(\d+):)?(-?)(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined) return NaN;
  const row = segment ? axis[Number(segment) - 1]?.start : undefined;
  if (unit === "ticks") return placeOf(info, sign + whole, row);
  if (!(hz > 0)) return NaN;
  if (axis.length === 0 || !Number.isInteger(hz)) return placeOf(info, Number(text.slice(text.indexOf(":") + 1)) * hz, row);
  const scale = BigInt(10) ** BigInt(fraction.length), size = ((BigInt(whole) * scale + BigInt(fraction || 0)) * BigInt(hz) + scale / 2n) / scale;
  return placeOf(info, String(sign ? -size : size), row);
}

/** Whether something lies elsewhere on an axis than on the one before. @param {Stretch[]} before @param {Stretch[]} after */
export function moved(before, after) {
  return before.length !== after.length || after.some((s, i) => s.from !== before[i].from || s.first !== before[i].first);
}

/** Places in a view where Clock begins anew, with the places of the last row before it. @param {StreamInfo} info @param {Span} view */
export function bordersIn(info, view) {
  const axis = info.axis ?? [];
  return axis.slice(1).map((s, i) => ({ place: s.from, before: axis[i].to })).filter((b) => b.place > view.from && b.place < view.to);
}

/**
 * The stretches of a view, each with the ticks by which it counts.
 * @param {StreamInfo} info
 * @param {Span} view
 * @returns {{ view: Span, clock: Span }[]}  one, with the same, where places are ticks
 */
export function partsOf(info, view) {
  const axis = info.axis ?? [], parts = [];
  for (const [i, s] of axis.entries()) {
    const from = i === 0 ? view.from : Math.max(view.from, s.from), to = Math.min(view.to, axis[i + 1]?.from ?? Infinity), by = firstOf(s) - s.from;
    if (to > from) parts.push({ view: { from, to }, clock: { from: from + by, to: to + by } });
  }
  return parts.length > 0 ? parts : [{ view, clock: view }];
}
