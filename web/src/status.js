/**
 * What the status bar says: what is drawn, of how much, and what was read for it. Pure.
 * @typedef {import("./protocol.js").Envelope} Envelope
 */
import { bytes, count, short } from "./words.js";

/** What the heat map shows, by the mode of the plots. @type {Record<string, string>} */
const MAPS = { rms: "heat map of the RMS", mean: "heat map of the mean" };

/**
 * @param {string} mode  of the plots
 * @param {Pick<Envelope, "kind" | "samples_per_pixel">} envelope  that is on the screen
 * @param {number} stride  rows from a value of its own to the next: of a slower signal most rows repeat one
 * @param {number} [pixels]  device pixels that a bin is wide
 */
export function drawnWords(mode, { kind, samples_per_pixel }, stride, pixels = 1) {
  const map = MAPS[mode];
  if (kind === "samples") return map ?? "lines, every sample";
  const samples = Math.max(1, samples_per_pixel / Math.max(1, stride));
  return `${map ?? "envelope"}, ${short(samples, 2)} ${short(samples, 2) === "1" ? "sample" : "samples"} ${Math.round(pixels) > 1 ? `in ${Math.round(pixels)} pixels` : "a pixel"}`;
}

/** Channels on the screen, of one signal or of several under one another. @param {number[]} signals */
export function channelWords(signals) {
  const sum = signals.reduce((all, n) => all + n, 0);
  return sum === 0 ? "" : count(sum, "channel") + (signals.length > 1 ? ` of ${count(signals.length, "signal")}` : "");
}

/** Bytes are counted as often as they are read. @param {number} read @param {number} total  of the files @param {number} kept */
export function readWords(read, total, kept) {
  if (total <= 0) return "";
  return (read <= total ? `read ${bytes(read)} of ${bytes(total)}` : `read ${bytes(read)}, some of ${bytes(total)} again`) + (kept > 0 ? `, kept ${bytes(kept)}` : "");
}

/**
 * How true the picture is.
 * @param {{ traces: unknown, others: unknown, settled: boolean, coarse: boolean }} o  errors of the traces, and of what is beside them; null where there is none
 */
export function truthWords({ traces, others, settled, coarse }) {
  if (traces !== null) return "could not be read";
  if (!settled) return coarse ? "coarse, refining…" : "reading…";
  return others !== null ? "exact, but a panel could not be read" : "exact";
}
