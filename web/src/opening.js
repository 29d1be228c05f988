/**
 * Opening: from files, URLs and start-time CSVs to streams of the page, with progress and Cancel.
 * @typedef {import("./state.js").State} State
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").StartTime} StartTime
 * @typedef {import("./sources.js").Source} Source
 * @typedef {{ name: string, folder: string, start: StartTime }[]} Starts  of the CSVs that were given
 * @typedef {{ name: string, words: string }[]} Said  what is to be said beside what is shown
 */
import { rememberedGain } from "./remembered.js";
import { isStartTime, lacksClock, rowToShow } from "./sources.js";

/** No start-time CSV is longer, in bytes. */
const LONGEST_CSV = 65536;

/** @param {Source} source @returns {Promise<Uint8Array>} */
async function bytesOf(source) {
  let data;
  if (typeof source.source === "string") {
    const response = await fetch(source.source);
    if (!response.ok) throw new Error(`${source.name}: the server answered ${response.status}`);
    data = await response.arrayBuffer();
  } else {
    data = await source.source.slice(0, LONGEST_CSV + 1).arrayBuffer();
  }
  return new Uint8Array(data);
}

/** A file that opens faster than this, in milliseconds, is not announced. */
const QUICK = 120;

/** The first picture waits so long, in milliseconds, for files of one drop that take their time. */
const PATIENCE = 600;

/** Counts the files given, for their order, and the gestures that brought them. */
let given = 0, drops = 0;

/**
 * Opens recordings side by side; each is there as soon as it is open, in the order given, and the one with the most channels is shown. Start times are
 * given to the streams that lack a clock rate. Those that are cancelled are neither among the ids nor among the failures.
 * @param {State} state
 * @param {Source[]} sources
 * @returns {Promise<{ ids: string[], failures: { name: string, error: unknown }[], said: Said }>}
 */
export async function openSources(state, sources) {
  const recordings = sources.filter((s) => !isStartTime(s)), csvs = sources.filter(isStartTime);
  const ids = /** @type {string[]} */ ([]), failures = /** @type {{ name: string, error: unknown }[]} */ ([]);
  const starts = /** @type {Starts} */ ([]), said = /** @type {Said} */ ([]);
  for (const csv of csvs) {
    try {
      const start = await state.client.startTime(await bytesOf(csv));
      starts.push({ name: csv.name, folder: csv.folder ?? "", start });
      if (start.note) said.push({ name: csv.name, words: start.note });
    } catch (error) {
      failures.push({ name: csv.name, error });
    }
  }
  const drop = ++drops;
  let chosen = "", patient = true;
  const choose = () => {
    if (state.activeKey !== chosen && state.active && chosen) return; // the person has chosen meanwhile
    chooseFirst(state, ids.filter((id) => state.entries.has(id)));
    chosen = state.activeKey;
  };
  const waited = setTimeout(() => {
    patient = false;
    choose();
  }, PATIENCE);
  await Promise.all(recordings.map(async (source, i) => {
    try {
      ids[i] = await openOne(state, { ...source, drop }, ++given, starts, said);
      if (!patient) choose();
    } catch (error) {
      if (!(error instanceof Error && error.name === "AbortError")) failures.push({ name: source.name, error });
    }
  }));
  clearTimeout(waited);
  if (recordings.length === 0 && starts.length > 0) await giveStart(state, starts, said);
  choose();
  return { ids: ids.filter(Boolean), failures, said };
}

/**
 * @param {State} state
 * @param {Source & { drop: number }} source
 * @param {number} order
 * @param {Starts} starts
 * @param {Said} said
 * @returns {Promise<string>} id of the stream
 */
async function openOne(state, { source, name, size, folder = "", drop }, order, starts, said) {
  const abort = new AbortController(), stream = state.claim(name);
  /** @type {import("./state.js").Opening} */
  const opening = { order, name, progress: null, cancel: () => abort.abort() };
  const quick = setTimeout(() => state.setOpening(opening), QUICK);
  try {
    const opened = await state.client.open({ stream, source, name }, { signal: abort.signal, onProgress: (progress) => {
      opening.progress = progress;
      if (state.opening.has(order)) state.setOpening(opening);
    } });
    let info = await withStart(state, opened, { name, folder }, starts, said);
    for (const { name: group } of info.groups.filter((g) => g.takes_gain)) {
      const gain = rememberedGain({ name, size }, group);
      if (gain > 0) info = await state.client.setGain(info.id, group, gain);
    }
    state.add({ id: info.id, info, source, name, size, order, folder, drop });
    return info.id;
  } catch (error) {
    state.release(stream);
    throw error;
  } finally {
    clearTimeout(quick);
    state.endOpening(order);
  }
}

/**
 * @param {State} state
 * @param {StreamInfo} info
 * @param {{ name: string, folder?: string }} file
 * @param {Starts} all  those of its own folder, if there are any, go before
 * @param {Said} said
 */
async function withStart(state, info, { name, folder }, all, said) {
  if (all.length === 0 || !info.clock.column || info.clock.hz > 0) return info;
  const own = all.filter((s) => s.folder && s.folder === folder), starts = own.length > 0 ? own : all;
  const { csv, words } = await state.client.chooseStartTime(name, starts.map((s) => s.name));
  if (words) said.push({ name, words });
  const start = starts.find((s) => s.name === csv)?.start;
  return lacksClock(info, start) ? state.client.setClock(info.id, start.hz, start.start_utc) : info;
}

/** A CSV that comes alone is for what is open; where that needs none, it says so. @param {State} state @param {Starts} starts @param {Said} said */
async function giveStart(state, starts, said) {
  const lacking = [...state.entries.values()].filter(({ info }) => info.clock.column && !(info.clock.hz > 0));
  for (const entry of lacking) state.update(await withStart(state, entry.info, entry, starts, said));
  if (lacking.length > 0) return;
  const none = state.entries.size === 0 ? "gives recordings their clock: drop it together with them." : "was not used: the clock of what is open is known.";
  for (const { name } of starts) said.push({ name, words: `This start-time CSV ${none}` });
}

/** Shows traces first, if any of the new streams has them. @param {State} state @param {string[]} ids */
function chooseFirst(state, ids) {
  const best = rowToShow(state.rows.filter((row) => ids.includes(row.id)), (row) => state.entry(row.id).info.rows > 0);
  if (best && state.activeKey !== best.key && (!state.active || ids.includes(best.id))) state.select(best.key, { opening: true });
}
