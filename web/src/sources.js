/**
 * What is decided about what was given, before and after it is opened. Pure; opening.js does it.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").StartTime} StartTime
 * @typedef {import("./state.js").Row} Row
 * @typedef {{ name: string, url: string, size?: number }} Listed
 * @typedef {{ source: File | string, name: string, size: number, folder?: string }} Source  folder: that it lies in, where that is known
 */
import { bytes, integer, percent } from "./words.js";

/**
 * What was given, as sources the engine takes; URLs become absolute against the page.
 * @param {(File | string | Listed)[]} given
 * @param {string} base
 * @returns {Source[]}
 */
export function sourcesOf(given, base) {
  return given.map((item) => {
    if (typeof item === "string" || "url" in item) {
      const listed = typeof item === "string" ? { url: item, name: "", size: 0 } : item;
      const url = new URL(listed.url, base);
      const folder = typeof item === "string" ? url.href.slice(0, url.href.lastIndexOf("/")) : ""; // a list may be of files from anywhere
      return { source: url.href, folder, name: listed.name || decodeURIComponent(url.pathname.split("/").pop() || url.href), size: listed.size ?? 0 };
    }
    return { source: item, name: item.name, size: item.size, folder: folders.get(item) ?? item.webkitRelativePath?.replace(/\/?[^/]*$/, "") ?? "" };
  });
}

/** Folders that files were dropped with; a File does not say it. @type {WeakMap<File, string>} */
const folders = new WeakMap();

/** Remembers that a file was dropped with its folder. @param {File} file @param {string} folder */
export function inFolder(file, folder) {
  folders.set(file, folder);
  return file;
}

/** Where files were dropped from, to be asked for what they are later. @type {WeakMap<File, FileSystemFileEntry>} */
const places = new WeakMap();

/** Where a file was dropped from, if that is known. @param {File | string | undefined} source */
export function cameFrom(source) {
  return typeof source === "object" ? places.get(source) : undefined;
}

/** Whether a file could not be read because it is another one now. @param {unknown} error */
export function hasChanged(error) {
  return error instanceof Error && (error.name === "NotReadableError" || error.name === "NotFoundError");
}

/** A file as it is now. @param {FileSystemFileEntry} place @returns {Promise<File>} */
export function dropFrom(place) {
  return new Promise((resolve, reject) => place.file((file) => resolve(droppedFrom(file, place)), reject));
}

/** Remembers where a file was dropped from. @param {File} file @param {FileSystemFileEntry} place */
export function droppedFrom(file, place) {
  places.set(file, place);
  if (place.fullPath.lastIndexOf("/") > 0) inFolder(file, place.fullPath.slice(0, place.fullPath.lastIndexOf("/")));
  return file;
}

/**
 * How far opening has got: words, and the share that is done, or null where nobody knows.
 * @param {import("./protocol.js").OpenProgress | null} progress
 * @returns {{ words: string, share: number | null }}
 */
export function openingWords(progress) {
  if (!progress) return { words: "opening…", share: null };
  const { batches, of, bytes: read, at, size } = progress;
  if (of > 0) return { words: `reading batch headers, ${integer(batches)} of about ${integer(of)}`, share: Math.min(1, batches / of) };
  if (size > 0 && at > 0) return { words: `reading batch headers, ${at < size ? percent(at / size) : "all"} of ${bytes(size)}`, share: Math.min(1, at / size) };
  return { words: read > 0 ? `opening, ${bytes(read)} read` : "opening…", share: null };
}

/** Start-time CSVs give streams their clock; everything else is a recording. @param {Source} source */
export function isStartTime(source) {
  return /\.csv$/i.test(source.name);
}

/** Whether a file of a folder is a recording or a start-time CSV; hidden ones are none. @param {string} name */
export function belongsToRun(name) {
  return /^[^.].*\.(arrow|arrows|feather)$/i.test(name) || /^start-time.*\.csv$/i.test(name);
}

/** Whether a start time has what a stream lacks. @param {StreamInfo} info @param {StartTime | undefined} start @returns {start is StartTime} */
export function lacksClock(info, start) {
  return start !== undefined && info.clock.column && !(info.clock.hz > 0) && start.hz > 0;
}

/**
 * The row to show of streams that were opened: traces first, those with rows before empty ones.
 * @param {Row[]} rows
 * @param {(row: Row) => boolean} filled  whether its stream has rows
 * @returns {Row | undefined}
 */
export function rowToShow(rows, filled) {
  const full = rows.filter(filled);
  return widest(full) ?? full[0] ?? widest(rows) ?? rows[0];
}

/** The signal with the most channels; the first of equals. @param {Row[]} rows */
function widest(rows) {
  const traces = rows.filter((row) => row.kind === "traces");
  return traces.reduce((best, row) => (!best || row.columns.length > best.columns.length || (row.columns.length === best.columns.length && row.group === "AP" && best.group !== "AP") ? row : best), traces[0]);
}
