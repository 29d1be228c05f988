/**
 * How a recording is, in words. Pure.
 * @typedef {import("./protocol.js").Status} Status
 */
import { integer } from "../words.js";

/** Causes of a loss, in words. @type {Record<string, string>} */
const CAUSES = { link: "link", fifo: "hardware buffer full", queue: "recorder too slow", disk: "disk" };

/** Whether nothing comes of a stream, by its word. @param {string} word */
export function isSilent(word) {
  return word.startsWith("SILENT");
}

/** "1 stream silent", or nothing. @param {Status} status */
export function troubleWords(status) {
  const wrong = status.streams.filter((s) => s.word !== "");
  if (wrong.length === 0) return "";
  return `${wrong.length === 1 ? "1 stream" : `${wrong.length} streams`} ${wrong.every((s) => isSilent(s.word)) ? "silent" : "in trouble"}`;
}

/** How late the picture is, and what it left out until the file had it. @param {number} ms @param {number} skipped  rows */
export function lateWords(ms, skipped) {
  return `display ${ms < 1000 ? `${Math.max(0, Math.round(ms / 10) * 10)} ms` : `${(ms / 1000).toFixed(1)} s`} behind` + (skipped > 0 ? `, ${integer(skipped)} rows shown later` : "");
}

/** How much was lost, in the room of the strip. @param {Status} status */
export function lossSum(status) {
  const lost = status.streams.filter((s) => s.lost_rows > 0), causes = [...new Set(lost.map((s) => CAUSES[s.cause] ?? s.cause))];
  if (lost.length === 0) return "lost nothing";
  return `lost ${integer(lost.reduce((sum, s) => sum + s.lost_rows, 0))} rows${lost.length > 1 ? ` of ${lost.length} streams` : ""} (${causes.join(", ")})`;
}

/** What was lost of each stream, and why. @param {Status} status */
export function lossWords(status) {
  const lost = status.streams.filter((s) => s.lost_rows > 0);
  return lost.length === 0 ? "lost nothing" : "lost " + lost.map((s) => `${integer(s.lost_rows)} rows of ${s.name} (${CAUSES[s.cause] ?? s.cause})`).join(", ");
}

/**
 * What a bell rings for: names of all that is wrong.
 * @param {Status | null} status
 * @param {import("./strip.js").Shown["state"]} state
 * @returns {string[]}
 */
export function troubles(status, state) {
  if (state === "lost" || state === "dead") return ["link"];
  if (!status || state !== "open") return [];
  const { streams, fifo } = status;
  return [...streams.filter((s) => s.word !== "").map((s) => s.name), ...streams.filter((s) => s.lost_rows > 0).map((s) => `rows of ${s.name}`), ...(fifo.level === "warning" || fifo.level === "alarm" ? ["hardware buffer"] : [])];
}

/** A word of a command line, quoted where a shell would take it apart. @param {string} word */
const quoted = (word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word.replace(/(["$`])/g, "\\$1")}"`);

/**
 * The command that serves the files of a recorder that does not answer, where its page is; null where that cannot be: oniscope view is on loopback only.
 * @param {string} folder
 * @param {Pick<Location, "hostname" | "port" | "protocol">} at  of the page
 */
export function viewCommand(folder, { hostname, port, protocol }) {
  const here = ["localhost", "127.0.0.1"].includes(hostname) && protocol === "http:" && port !== "";
  return here ? `oniscope view --no-browser --port ${port} ${quoted(folder)}` : null;
}

/** @param {string} folder @param {string} file */
export function recoverCommand(folder, file) {
  return `oniscope recover --in-place ${quoted(`${folder}${/\\/.test(folder) && !folder.includes("/") ? "\\" : "/"}${file}`)}`;
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
    if (isSilent(s.word)) return [`${s.name} has sent nothing for ${s.word.slice(7)}. The others are recorded; check its cable and headstage.`];
    if (s.word === "DISK FULL") return [`${s.name}: the disk is full. Rows wait in memory; free space, and it goes on by itself.`];
    return s.word ? [`${s.name}: ${s.word.toLowerCase()}. Its rows are lost.`] : [];
  });
  if (status.fifo.level === "warning" || status.fifo.level === "alarm") all.push(`The hardware buffer is ${Math.round(status.fifo.percent)} % full: the recorder does not keep up. Check the disk, end other programs.`);
  return all;
}
