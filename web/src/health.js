/**
 * How a stream is, in sentences that need no others: what happened, where, how much. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").Finding} Finding
 * @typedef {import("./protocol.js").Severity} Severity
 * @typedef {{ grade: "ok" | "warn" | "bad" | "plain", text: string }} Sentence
 */
import { clockAt, placeOf, secondsAt } from "./axis.js";
import { missingTicks, tickWord } from "./times.js";
import { bytes, count, duration, integer, moment, percent, regrouped } from "./words.js";

/** Findings listed one by one; the rest is counted. */
const MOST_FINDINGS = 6;

/** Whether a finding is about rows that never reached the file: no damage, and nothing brings them back. @param {Finding} f */
export function isGap(f) {
  return f.reason.startsWith("gap: ");
}

/** "885 of 5 000 rows missing in 653 gaps (17.7 %)." @param {Finding[]} gaps @param {number} rows  that are there */
export function missingText(gaps, rows) {
  const lost = gaps.reduce((sum, f) => sum + Math.max(0, f.lost_rows), 0);
  return `${integer(lost)} of ${count(rows + lost, "row")} missing in ${count(gaps.length, "gap")} (${percent(lost / Math.max(1, rows + lost))}).`;
}

/** Share of the file that can be read, 0..1. @param {StreamInfo} info */
export function readable(info) {
  if (info.size_bytes <= 0) return 1;
  const lost = info.findings.reduce((sum, f) => sum + (f.severity === "error" ? Math.max(0, f.length) : 0), 0);
  return Math.max(0, 1 - lost / info.size_bytes);
}

/** How many gaps are known. @param {StreamInfo[]} infos */
function gapCount(infos) {
  return infos.reduce((sum, { findings, coverage }) => sum + Math.max(findings.filter(isGap).reduce((n, f) => n + (f.count || 1), 0), coverage.filter((c) => c.kind === "gap").length), 0);
}

/** The state pill: the state of all streams, and what was found besides. @param {StreamInfo[]} infos @returns {Sentence} */
export function pill(infos) {
  const gaps = gapCount(infos), warnings = infos.flatMap((i) => i.findings).filter((f) => f.severity === "warning").length;
  const more = [gaps > 0 ? count(gaps, "gap") : "", warnings > 0 ? count(warnings, "warning") : ""].filter(Boolean);
  const say = (/** @type {"ok" | "warn"} */ grade, /** @type {string} */ text) => ({ grade: more.length > 0 ? /** @type {const} */ ("warn") : grade, text: [text, ...more].join(", ") });
  const damaged = infos.filter((i) => i.state === "damaged");
  if (damaged.length === 0 && infos.some((i) => i.state === "open")) return say("ok", "open");
  if (damaged.length > 0) {
    const share = Math.min(...damaged.map(readable));
    return say("warn", share < 1 ? `damaged, ${percent(share)} readable` : "damaged");
  }
  const unfinished = infos.filter((i) => i.state === "unfinished").length;
  if (unfinished > 0) return say("warn", infos.length > 1 ? `${unfinished} of ${infos.length} unfinished` : "unfinished");
  return say("ok", "complete");
}

/**
 * @param {StreamInfo} info
 * @param {boolean} [listed]  the findings are listed elsewhere
 * @returns {Sentence[]}
 */
export function sentences(info, listed = false) {
  /** @type {Sentence[]} */
  const out = [];
  if (info.state === "unfinished") out.push({ grade: "warn", text: "Footer missing: the recorder stopped before it could close the file. Every whole batch can be read." });
  const told = info.findings.filter((f) => f.severity !== "info" && !isGap(f)).sort(byWeight);
  for (const finding of listed ? [] : told.slice(0, MOST_FINDINGS)) out.push({ grade: finding.severity === "error" ? "bad" : "warn", text: findingText(finding, info.clock.hz) });
  if (!listed && told.length > MOST_FINDINGS) out.push({ grade: "bad", text: `And ${count(told.length - MOST_FINDINGS, "more finding")}; the report lists them all.` });
  const missing = info.findings.filter(isGap), gaps = info.coverage.filter((c) => c.kind === "gap");
  if (!listed && (missing.length > 1 || gaps.length === 0 && missing.length > 0)) out.push({ grade: "warn", text: missingText(missing, info.rows) });
  for (const gap of listed ? [] : gaps.slice(0, 3)) out.push({ grade: "warn", text: gapText(gap, info) });
  if (!listed && gaps.length > 3 && missing.length === 0) out.push({ grade: "warn", text: `${integer(gaps.length)} gaps in all.` });
  if (info.state === "open") out.push({ grade: "ok", text: `Being recorded: ${count(info.rows, "row")} in ${count(info.batches, "batch", "batches")} so far.` });
  else if (info.rows === 0) out.push({ grade: "warn", text: "No rows: nothing was recorded in this stream." });
  else if (info.state === "complete" && told.length === 0) out.push({ grade: "ok", text: `Complete. ${info.rows_exact ? "" : "About "}${count(info.rows, "row")} in ${count(info.batches, "batch", "batches")}.` });
  else {
    const broken = new Set(told.filter((f) => f.severity === "error" && f.batch >= 0 && f.batch < info.batches).map((f) => f.batch)).size;
    out.push({ grade: "ok", text: `${broken > 0 ? integer(info.batches - broken) + " of " : ""}${count(info.batches, "batch", "batches")} intact, ${info.rows_exact ? "" : "about "}${count(info.rows, "row")}.` });
  }
  if (info.clock.column && !(info.clock.hz > 0)) out.push({ grade: "plain", text: "Clock rate unknown: drop the start-time CSV of the run here, or type the rate above." });
  if (!info.clock.column) out.push({ grade: "plain", text: info.time_columns?.length > 1 ? "No Clock column, and several of timestamps: choose one above; until then rows are counted." : "No Clock column: rows are counted instead of time." });
  return out;
}

/** Severities from worst to least, with their grade and noun. @type {{ severity: Severity, grade: "bad" | "warn" | "plain", noun: string }[]} */
const SEVERITIES = [{ severity: "error", grade: "bad", noun: "error" }, { severity: "warning", grade: "warn", noun: "warning" }, { severity: "info", grade: "plain", noun: "note" }];

/** How many findings there are of each severity, worst first. @param {Finding[]} findings */
export function findingCounts(findings) {
  return SEVERITIES.map(({ severity, grade, noun }) => {
    const list = findings.filter((f) => f.severity === severity);
    return { severity, grade, list, words: count(list.length, noun) };
  }).filter(({ list }) => list.length > 0);
}

/**
 * Where a finding is, in ticks of the stream: the first row after it, else the last before it; null where nobody knows.
 * @param {Finding} f
 * @param {StreamInfo} info
 */
export function ticksOf(f, info) {
  if (!info.clock.column) return f.before_row >= 0 ? f.before_row : null;
  if (f.clock_after) return placeOf(info, f.clock_after, f.before_row);
  return f.clock_before ? placeOf(info, f.clock_before, Math.max(0, f.before_row - 1)) : null;
}

/** Errors before warnings, each by place. @param {Finding} a @param {Finding} b */
function byWeight(a, b) {
  return Number(b.severity === "error") - Number(a.severity === "error") || a.offset - b.offset;
}

/** "Batch 1 458 at byte 33 104 220 416: checksum differs; 30 000 rows lost." @param {Finding} f @param {number} hz */
export function findingText(f, hz) {
  const where = (f.batch >= 0 ? `Batch ${integer(f.batch)} at byte ` : "At byte ") + integer(f.offset);
  const lost = f.lost_rows > 0 ? `; ${count(f.lost_rows, "row")} lost` : f.lost_rows < 0 && f.severity === "error" && f.length > 0 ? `; ${bytes(f.length)} cannot be read` : "";
  const before = Number(f.clock_before), when = hz > 0 && before > 0 ? `, after ${face(before / hz)}` : "";
  return `${where}${when}: ${regrouped(f.reason)}${lost}.`;
}

/** @param {StreamInfo["coverage"][number]} gap @param {StreamInfo} info */
function gapText(gap, info) {
  const rows = gap.rows > 0 ? ` (${count(gap.rows, "row")})` : "", { hz } = info.clock, ticks = missingTicks(info, gap);
  if (hz > 0) return `Gap of ${duration(ticks / hz)} at ${face(secondsAt(info, gap.from))}${rows}.`;
  return `Gap of ${count(ticks, tickWord(info))} at ${integer(clockAt(info, gap.from))}${rows}.`;
}

/** What is lost, shortly, for the plate on the traces; the whole reason is under Health. @param {StreamInfo["coverage"][number]} span @param {StreamInfo} info */
export function lossTitle(span, info) {
  if (span.kind === "gap") return "Gap";
  const finding = info.findings.find((f) => {
    const at = placeOf(info, f.clock_before, Math.max(0, f.before_row - 1));
    return f.batch >= 0 && f.severity === "error" && !isGap(f) && at >= span.from - 1 && at < span.to;
  });
  if (finding) return `Batch ${integer(finding.batch)} is damaged`;
  const reason = regrouped(span.reason.split(": ")[0]);
  if (reason) return reason[0].toUpperCase() + reason.slice(1);
  return span.kind === "damaged" ? "Damaged" : "Missing";
}

/** "15 001 rows, 500 ms missing" @param {StreamInfo["coverage"][number]} span @param {StreamInfo} info */
export function lossSize(span, info) {
  const ticks = missingTicks(info, span), { hz } = info.clock;
  return (span.rows > 0 ? count(span.rows, "row") + ", " : "") + (hz > 0 ? duration(ticks / hz) : count(ticks, tickWord(info))) + " missing";
}

/** @param {number} seconds */
function face(seconds) {
  return moment(seconds, 3);
}

/** All that is known, as text to paste into a mail. @param {StreamInfo} info */
export function reportText(info) {
  return [
    `${info.path || info.id}, ${info.size_bytes} bytes, ${info.state}`,
    `${info.rows} rows${info.rows_exact ? "" : " (about)"}, ${info.batches} batches, codec ${info.compression || "none"}`,
    ...sentences(info).map((s) => "- " + s.text.replace(/\u202f/g, " ")),
    ...info.findings.map((f) => JSON.stringify(f)),
  ].join("\n") + "\n";
}
