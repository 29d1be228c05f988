/**
 * The scripting interface: globalThis.oniscope. Everything returns a promise that rejects with a message; README documents it.
 * @typedef {import("./state.js").State} State
 * @typedef {import("./ui/stage.js").Stage} Stage
 * @typedef {import("./protocol.js").SliceArgs} SliceArgs
 * @typedef {import("./protocol.js").RecoverArgs} RecoverArgs
 */
import { placeOf, secondsAt, stretchAt } from "./axis.js";
import { cameFrom, hasChanged } from "./sources.js";
import { noteVerified } from "./verifying.js";

/**
 * @param {State} state
 * @param {Stage} stage
 * @param {(given: (File | string | import("./sources.js").Listed)[]) => Promise<string[]>} open
 */
export function publish(state, stage, open) {
  const oniscope = {
    /** Opens files and URLs; gives the ids of their streams. @param {File | string | (File | string)[] | FileList} given */
    async open(given) {
      const list = typeof given === "string" || given instanceof Blob ? [given] : [...given];
      return open(/** @type {(File | string)[]} */ (list));
    },

    /** Ids of the open streams. */
    async streams() {
      return state.ordered.map((entry) => entry.id);
    },

    /** Facts of a stream, with the names of `oniscope info --json`. @param {string} stream */
    async info(stream) {
      return asked(state, stream, () => state.client.info(stream));
    },

    /** Values of a column, rows start <= row < end. @param {string} stream @param {string | number} column @param {number} start @param {number} end */
    async values(stream, column, start, end) {
      return asked(state, stream, () => state.client.values(stream, column, start, end));
    },

    /**
     * Moves the view; resolves when it is on the screen, exact. Seconds; columns by name, index or label.
     * @param {{ stream?: string, from?: number, to?: number, columns?: (string | number)[] }} [wanted]
     */
    async view({ stream, from, to, columns } = {}) {
      if (stream !== undefined) chooseStream(state, stream, columns);
      const info = state.info;
      if (!info) throw new Error("no stream is open");
      if (from !== undefined || to !== undefined) {
        const unit = info.clock.hz > 0 ? info.clock.hz : 1; // ticks where the rate is unknown
        const begin = from === undefined ? state.view.from : placeOf(info, from * unit), row = stretchAt(info, begin)?.start; // both in one segment
        const end = to === undefined ? state.view.to : placeOf(info, to * unit, from === undefined ? undefined : row);
        if (!(end > begin)) throw new Error(`view: from ${from} to ${to} is not a span`);
        state.setView({ from: begin, to: end });
      }
      if (columns !== undefined && columns.length > 0) chooseColumns(state, stage, columns);
      await stage.drawn();
      const shown = stage.traces.shown();
      return { stream: info.id, from: secondsAt(info, state.view.from), to: secondsAt(info, state.view.to), columns: shown ? shown.columns.map((c) => shown.info.columns[c].name) : [] };
    },

    /** A span of rows or seconds as a new file. @param {string} stream @param {Omit<SliceArgs, "stream">} [options] */
    async slice(stream, options = {}) {
      return asked(state, stream, () => state.client.slice({ ...options, stream }));
    },

    /** A repaired copy and its report. @param {string} stream @param {Omit<RecoverArgs, "stream">} [options] */
    async recover(stream, options = {}) {
      return asked(state, stream, () => state.client.recover({ ...options, stream }));
    },

    /** Everything that is wrong with the file, as `oniscope verify --json`. @param {string} stream */
    async verify(stream) {
      const report = await asked(state, stream, () => state.client.verify(stream));
      await noteVerified(state, stream, report);
      return report;
    },

    /** Of a recording that runs: its state, the last tick, how late the picture is; null of any other. */
    async live() {
      return state.live?.facts ?? null;
    },

    /** Memory of the engine, bytes read from files, and how much of the files it keeps. */
    async engine() {
      const { bytes, read, cache_bytes, cache_limit } = await state.client.engine();
      return { bytes, read, cache_bytes, cache_limit };
    },
  };
  Object.defineProperty(globalThis, "oniscope", { value: Object.freeze(oniscope), configurable: true });
}

/**
 * Asks of a stream; a file that was written to meanwhile is opened again first.
 * @template T
 * @param {State} state
 * @param {string} stream
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
async function asked(state, stream, ask) {
  state.entry(stream);
  await state.reopening.get(stream);
  try {
    return await ask();
  } catch (error) {
    if (!hasChanged(error) || !cameFrom(state.entry(stream).source)) throw error;
    state.report(error, stream);
    await state.reopening.get(stream);
    return ask();
  }
}

/** @param {State} state @param {string} stream @param {(string | number)[]} [columns] */
function chooseStream(state, stream, columns) {
  const info = state.entry(stream).info;
  const rows = state.rows.filter((row) => row.id === stream);
  const wanted = columns?.length ? indexOf(info, columns[0]) : undefined;
  const row = rows.find((r) => wanted !== undefined && r.all.includes(wanted)) ?? rows.find((r) => r.key === state.activeKey) ?? rows[0];
  if (row) state.select(row.key);
}

/** Brings columns on the screen: the first becomes the channel that is read out. @param {State} state @param {Stage} stage @param {(string | number)[]} columns */
function chooseColumns(state, stage, columns) {
  if (!state.traces) return;
  const { info } = state.entry(state.traces.id);
  const hidden = columns.some((c) => !state.traces?.columns.includes(indexOf(info, c)) && state.traces?.all.includes(indexOf(info, c)));
  if (hidden) state.showAll(state.tracesKey);
  const row = state.traces;
  const places = columns.map((c) => row.columns.indexOf(indexOf(info, c))).filter((i) => i >= 0);
  if (places.length === 0) throw new Error(`view: none of the columns is in ${row.name}`);
  state.setChannel(row.key, row.columns[places[0]]);
  const shown = stage.traces.shown(), first = Math.min(...places);
  if (shown) state.setFirstRow(Math.min(first, Math.max(0, shown.window.total - shown.window.shown)));
}

/** @param {import("./protocol.js").StreamInfo} info @param {string | number} column */
function indexOf(info, column) {
  const found = typeof column === "number" ? info.columns[column] : info.columns.find((c) => c.name === column) ?? info.columns.find((c) => c.label === column);
  if (!found) throw new Error(`no column "${column}" in ${info.id}`);
  return found.index;
}
