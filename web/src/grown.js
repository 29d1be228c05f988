/**
 * A dropped file that goes on being written. Browsers refuse to read a File that has changed since it was given; where it was dropped from, another one can be
 * asked for, and is opened in its place: what was known of the stream, and where the view is, stays.
 * @typedef {import("./state.js").State} State
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 */
import { cameFrom, dropFrom, hasChanged } from "./sources.js";
import { spanOf } from "./times.js";
import { count } from "./words.js";

/** How often a file that is unfinished is looked at, and so often it is opened anew before that is said to fail, as one that is written all the time may. */
const EVERY = 2000, TRIES = 3;

/** Files that are followed. @type {WeakSet<State>} */
const followed = new WeakSet();

/** What a dropped file is now, if it is not as it was opened. @param {State} state @param {string} id @returns {Promise<File | null>} */
async function newer(state, id) {
  const { source } = state.entry(id), from = cameFrom(source);
  if (!from || typeof source === "string") return null;
  const file = await dropFrom(from);
  return file.size === source.size && file.lastModified === source.lastModified ? null : file;
}

/**
 * Opens what a dropped file is now.
 * @param {State} state
 * @param {string} id
 * @returns {Promise<boolean>}  whether it had changed; rejects when it cannot be read
 */
export function reopen(state, id) {
  const done = openAnew(state, id).finally(() => state.reopening.delete(id));
  state.reopening.set(id, done.catch(() => {}));
  return done;
}

/** @param {State} state @param {string} id */
async function openAnew(state, id) {
  const entry = state.entry(id), { name, info: before } = entry;
  for (let n = 1; ; n++) {
    const file = await newer(state, id);
    if (!file) return n > 1;
    try {
      await state.client.close(id).catch((error) => n > 1 || Promise.reject(error)); // the last time it may not have been opened
      const info = await asBefore(state, before, await state.client.open({ stream: id, source: file, name }));
      if (!state.entries.has(id)) return true; // closed meanwhile
      Object.assign(entry, { source: file, size: file.size });
      show(state, before, info);
      return true;
    } catch (error) {
      if (n === TRIES || !hasChanged(error)) throw error;
    }
  }
}

/** What a person has said of a stream is true of what came to it. @param {State} state @param {StreamInfo} before @param {StreamInfo} info */
async function asBefore({ client }, before, info) {
  const { id, clock } = info;
  if (before.time_column && !info.time_column) info = await client.setTimeColumn(id, before.time_column);
  else if (clock.column && !(clock.hz > 0) && before.clock.hz > 0) info = await client.setClock(id, before.clock.hz, before.clock.start_utc || undefined);
  for (const { name, columns, takes_gain: takes } of info.groups) {
    const { gain } = before.columns[columns[0]] ?? {};
    if (takes && gain > 0 && !(info.columns[columns[0]].gain > 0)) info = await client.setGain(id, name, gain);
  }
  return client.index(id);
}

/** A view of all that there was becomes one of all that there is. @param {State} state @param {StreamInfo} before @param {StreamInfo} info */
function show(state, before, info) {
  const { view } = state, all = spanOf(before), whole = state.isCompanion(info.id) && view.from <= all.from && view.to >= all.to;
  state.update(info);
  if (whole) state.setView(state.run);
  state.changed("streams", "grown", "view", "data");
  state.said(`${info.id}: ${count(info.rows - before.rows, "more row")}`);
}

/** Looks at dropped files that are unfinished, now and then. @param {State} state @param {(error: unknown, id: string) => void} failed */
export function follow(state, failed) {
  if (followed.has(state)) return;
  followed.add(state);
  setInterval(() => {
    if (document.hidden) return;
    for (const { id, info } of state.entries.values()) {
      if (info.state !== "unfinished" || state.reopening.has(id)) continue;
      newer(state, id).then((file) => file && reopen(state, id)).catch((error) => failed(error, id));
    }
  }, EVERY);
}
