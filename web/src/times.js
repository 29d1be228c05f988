/**
 * Where in time a stream lies, by its facts. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./view/scale.js").Span} Span
 */
import { count, duration } from "./words.js";

/** @param {StreamInfo} info @returns {Span} first row to the end of the last, ticks */
export function spanOf(info) {
  const to = info.clock.last + periodOf(info);
  const lost = info.coverage.reduce((end, c) => Math.max(end, c.to), to);
  return { from: info.clock.first, to: lost };
}

/** Ticks between two rows, as inside batches; before that is known the mean over the spans that are there. @param {StreamInfo} info */
export function periodOf(info) {
  if (info.clock.period > 0) return info.clock.period;
  let ticks = 0, steps = 0;
  for (const span of info.coverage) {
    if (span.kind !== "data" || span.rows < 2) continue;
    ticks += span.to - span.from;
    steps += span.rows - 1;
  }
  if (steps > 0) return Math.max(1, ticks / steps);
  return info.rows > 1 ? Math.max(1, (info.clock.last - info.clock.first) / (info.rows - 1)) : Math.max(1, info.clock.hz);
}

/** What streams on one time base have in common: those of a run with a Clock column share its clock, another has its own. @param {{ info: StreamInfo, run?: string }} entry */
export function timebase({ info, run = "" }) {
  return info.clock.column ? "run " + run : info.id;
}

/** Rows of a stream in a span, from its mean rate. @param {StreamInfo} info @param {Span} selection */
export function rowsIn(info, selection) {
  const period = periodOf(info);
  const from = Math.max(selection.from, info.clock.first), to = Math.min(selection.to, info.clock.last + period);
  return Math.max(0, Math.round((to - from) / period));
}

/** How long rows are missing in a gap, ticks: from the end of the last row before it to the first after it. @param {StreamInfo} info @param {StreamInfo["coverage"][number]} gap */
export function missingTicks(info, gap) {
  return Math.max(0, gap.to - gap.from - (gap.kind === "gap" ? periodOf(info) : 0));
}

/** What the clock of a stream counts. @param {StreamInfo} info */
export function tickWord(info) {
  return info.clock.column ? "tick" : "row";
}

/** Duration of a run in words; in what its clock counts while the rate is unknown. @param {number} ticks @param {number} hz @param {StreamInfo} info */
export function runLength(ticks, hz, info) {
  return hz > 0 ? duration(ticks / hz) : count(Math.round(ticks), tickWord(info));
}

/**
 * Row at a tick, the one that came last, where rows come evenly: counted through the spans of data before it.
 * @param {StreamInfo} info
 * @param {number} at
 */
export function rowAt(info, at) {
  if (info.groups.some((g) => g.kind === "lanes")) return undefined;
  const spans = info.coverage.filter((c) => c.kind === "data"); // from its first row to its last
  if (spans.length === 0 || spans.some((c) => c.rows <= 0)) return undefined;
  let before = 0;
  for (const { from, to, rows } of spans) {
    const step = rows > 1 ? (to - from) / (rows - 1) : periodOf(info);
    if (at >= from && at < to + step) return before + Math.min(rows - 1, Math.floor((at - from) / step + 1e-6));
    before += rows;
  }
  return undefined;
}
