/**
 * How a recording is, in words. Pure.
 * @typedef {import("./protocol.js").Status} Status
 */
import { integer } from "../words.js";

/** Causes of a loss, in words. @type {Record<string, string>} */
const CAUSES = { link: "link", fifo: "hardware buffer full", queue: "recorder too slow", disk: "disk" };

/** "1 stream silent", or nothing. @param {Status} status */
export function troubleWords(status) {
  const wrong = status.streams.filter((s) => s.word !== "");
  if (wrong.length === 0) return "";
  return `${wrong.length === 1 ? "1 stream" : `${wrong.length} streams`} ${wrong.every((s) => s.word.startsWith("SILENT")) ? "silent" : "in trouble"}`;
}

/** What was lost, and why. @param {Status} status */
export function lossWords(status) {
  const lost = status.streams.filter((s) => s.lost_rows > 0);
  return lost.length === 0 ? "lost nothing" : "lost " + lost.map((s) => `${integer(s.lost_rows)} rows of ${s.name} (${CAUSES[s.cause] ?? s.cause})`).join(", ");
}

/**
 * What is wrong now and what to do, in sentences.
 * @param {Status | null} status
 * @param {boolean} live
 * @returns {string[]}
 */
export function alarms(status, live) {
  if (!status || !live) return [];
  const all = status.streams.flatMap((s) => {
    if (s.word.startsWith("SILENT")) return [`${s.name} has sent nothing for ${s.word.slice(7)}. The others are recorded; check its cable and headstage.`];
    if (s.word === "DISK FULL") return [`${s.name}: the disk is full. Rows wait in memory; free space, and it goes on by itself.`];
    return s.word ? [`${s.name}: ${s.word.toLowerCase()}. Its rows are lost.`] : [];
  });
  if (status.fifo.level === "warning" || status.fifo.level === "alarm") all.push(`The hardware buffer is ${Math.round(status.fifo.percent)} % full: the recorder does not keep up. Check the disk, end other programs.`);
  return all;
}
