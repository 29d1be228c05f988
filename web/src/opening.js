/**
 * Opening: from files, URLs and start-time CSVs to streams in the recording, with progress and Cancel.
 * @typedef {import("./recording.js").Recording} Recording
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").StartTime} StartTime
 * @typedef {{ name: string, url: string, size?: number }} Listed
 * @typedef {{ source: File | string, name: string, size: number }} Source
 * @typedef {{ names: string[], done: number, bytes: number, cancel: () => void }} Progress
 */

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

/**
 * Opens recordings side by side, lists them in the order given, and shows the one with the most channels. Start times are given to the streams that
 * lack a clock rate.
 * @param {Recording} recording
 * @param {Source[]} sources
 * @param {(progress: Progress | null) => void} show
 * @returns {Promise<{ ids: string[], failures: { name: string, error: unknown }[] }>}
 */
export async function openSources(recording, sources, show) {
  const abort = new AbortController();
  const recordings = sources.filter((s) => !isStartTime(s)), csvs = sources.filter(isStartTime);
  /** @type {Progress} */
  const progress = { names: recordings.map((s) => s.name), done: 0, bytes: 0, cancel: () => abort.abort() };
  const ids = /** @type {string[]} */ ([]), failures = /** @type {{ name: string, error: unknown }[]} */ ([]);
  const starts = /** @type {{ suffix: string, start: StartTime }[]} */ ([]);
  show(progress);
  try {
    for (const csv of csvs) {
      try {
        starts.push({ suffix: suffixOf(csv.name), start: await recording.client.startTime(await textOf(csv)) });
      } catch (error) {
        failures.push({ name: csv.name, error });
      }
    }
    const read = new Array(recordings.length).fill(0);
    const opening = recordings.map(({ source, name }, i) => recording.client.open(source, name, { signal: abort.signal, onProgress: (p) => {
      read[i] = p.bytes;
      progress.bytes = read.reduce((sum, n) => sum + n, 0);
      show(progress);
    } }));
    for (const promise of opening) promise.catch(() => {}); // each is awaited below, in order
    for (const [i, { source, name, size }] of recordings.entries()) {
      try {
        const info = await withStart(recording, await opening[i], name, starts);
        recording.add({ id: info.id, info, source, name, size });
        ids.push(info.id);
      } catch (error) {
        if (!(error instanceof Error && error.name === "AbortError")) failures.push({ name, error });
      }
      progress.done++;
      show(progress);
    }
    if (recordings.length === 0) await giveStart(recording, starts);
    chooseFirst(recording, ids);
  } finally {
    show(null);
  }
  return { ids, failures };
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
