/**
 * Opening: from files, URLs and start-time CSVs to streams of the recording, with progress and Cancel.
 * @typedef {import("./recording.js").Recording} Recording
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").StartTime} StartTime
 * @typedef {{ name: string, url: string, size?: number }} Listed
 * @typedef {{ source: File | string, name: string, size: number }} Source
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
      return { source: url.href, name: listed.name || decodeURIComponent(url.pathname.split("/").pop() || url.href), size: listed.size ?? 0 };
    }
    return { source: item, name: item.name, size: item.size };
  });
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

/** The run a file belongs to, from the end of its name: "memory-monitor_0.arrow" -> "0". @param {string} name */
export function suffixOf(name) {
  const stem = name.replace(/\.[^.]*$/, "").replace(/#\d+$/, "");
  const at = stem.indexOf("_");
  return at < 0 ? "" : stem.slice(stem.lastIndexOf("_") + 1);
}

/** @param {Source} source */
async function textOf(source) {
  if (typeof source.source !== "string") return source.source.text();
  const response = await fetch(source.source);
  if (!response.ok) throw new Error(`${source.name}: the server answered ${response.status}`);
  return response.text();
}

/** A file that opens faster than this, in milliseconds, is not announced. */
const QUICK = 120;

/** The first picture waits so long, in milliseconds, for files of one drop that take their time. */
const PATIENCE = 600;

/** Counts the files given, for their order. */
let given = 0;

/**
 * Opens recordings side by side; each is there as soon as it is open, in the order given, and the one with the most channels is shown. Start times are
 * given to the streams that lack a clock rate. Those that are cancelled are neither among the ids nor among the failures.
 * @param {Recording} recording
 * @param {Source[]} sources
 * @returns {Promise<{ ids: string[], failures: { name: string, error: unknown }[] }>}
 */
export async function openSources(recording, sources) {
  const recordings = sources.filter((s) => !isStartTime(s)), csvs = sources.filter(isStartTime);
  const ids = /** @type {string[]} */ ([]), failures = /** @type {{ name: string, error: unknown }[]} */ ([]);
  const starts = /** @type {{ suffix: string, start: StartTime }[]} */ ([]);
  for (const csv of csvs) {
    try {
      starts.push({ suffix: suffixOf(csv.name), start: await recording.client.startTime(await textOf(csv)) });
    } catch (error) {
      failures.push({ name: csv.name, error });
    }
  }
  let chosen = "", patient = true;
  const choose = () => {
    if (recording.activeKey !== chosen && recording.active && chosen) return; // the person has chosen meanwhile
    chooseFirst(recording, ids.filter((id) => recording.entries.has(id)));
    chosen = recording.activeKey;
  };
  const waited = setTimeout(() => {
    patient = false;
    choose();
  }, PATIENCE);
  await Promise.all(recordings.map(async (source, i) => {
    try {
      ids[i] = await openOne(recording, source, ++given, starts);
      if (!patient) choose();
    } catch (error) {
      if (!(error instanceof Error && error.name === "AbortError")) failures.push({ name: source.name, error });
    }
  }));
  clearTimeout(waited);
  if (recordings.length === 0) await giveStart(recording, starts);
  choose();
  return { ids: ids.filter(Boolean), failures };
}

/**
 * @param {Recording} recording
 * @param {Source} source
 * @param {number} order
 * @param {{ suffix: string, start: StartTime }[]} starts
 * @returns {Promise<string>} id of the stream
 */
async function openOne(recording, { source, name, size }, order, starts) {
  const abort = new AbortController(), stream = recording.claim(name);
  /** @type {import("./recording.js").Opening} */
  const opening = { order, name, progress: null, cancel: () => abort.abort() };
  const quick = setTimeout(() => recording.setOpening(opening), QUICK);
  try {
    const opened = await recording.client.open({ stream, source, name }, { signal: abort.signal, onProgress: (progress) => {
      opening.progress = progress;
      if (recording.opening.has(order)) recording.setOpening(opening);
    } });
    const info = await withStart(recording, opened, name, starts);
    recording.add({ id: info.id, info, source, name, size, order });
    return info.id;
  } catch (error) {
    recording.release(stream);
    throw error;
  } finally {
    clearTimeout(quick);
    recording.endOpening(order);
  }
}

/**
 * The start time of the same run: of the same suffix, or the only one there is.
 * @param {string} name
 * @param {{ suffix: string, start: StartTime }[]} starts
 */
function startFor(name, starts) {
  return starts.find((s) => s.suffix === suffixOf(name))?.start ?? (starts.length === 1 ? starts[0].start : undefined);
}

/**
 * @param {Recording} recording
 * @param {StreamInfo} info
 * @param {string} name
 * @param {{ suffix: string, start: StartTime }[]} starts
 */
async function withStart(recording, info, name, starts) {
  const start = startFor(name, starts);
  return start && info.clock.column && !(info.clock.hz > 0) && start.hz > 0 ? recording.client.setClock(info.id, start.hz, start.start_utc) : info;
}

/** A CSV that comes alone is for what is open. @param {Recording} recording @param {{ suffix: string, start: StartTime }[]} starts */
async function giveStart(recording, starts) {
  for (const { info, name } of [...recording.entries.values()]) recording.update(await withStart(recording, info, name, starts));
}

/** Shows traces first, if any of the new streams has them. @param {Recording} recording @param {string[]} ids */
function chooseFirst(recording, ids) {
  const rows = recording.rows.filter((row) => ids.includes(row.id));
  const filled = rows.filter((row) => recording.entry(row.id).info.rows > 0);
  const best = widest(filled) ?? filled[0] ?? widest(rows) ?? rows[0];
  if (best && recording.activeKey !== best.key && (!recording.active || ids.includes(best.id))) recording.select(best.key);
}

/** The signal with the most channels; the first of equals. @param {import("./recording.js").Row[]} rows */
function widest(rows) {
  const traces = rows.filter((row) => row.kind === "traces");
  return traces.reduce((best, row) => (!best || row.columns.length > best.columns.length || (row.columns.length === best.columns.length && row.group === "AP" && best.group !== "AP") ? row : best), traces[0]);
}
