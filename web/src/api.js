/**
 * The scripting interface: globalThis.oniscope. Everything returns a promise that rejects with a message; README documents it.
 * @typedef {import("./session.js").Session} Session
 * @typedef {import("./ui/stage.js").Stage} Stage
 * @typedef {import("./protocol.js").SliceArgs} SliceArgs
 */

/**
 * @param {Session} session
 * @param {Stage} stage
 * @param {(given: (File | string | import("./opening.js").Listed)[]) => Promise<string[]>} open
 */
export function publish(session, stage, open) {
  const oniscope = {
    /** Opens files and URLs; gives the ids of their streams. @param {File | string | (File | string)[] | FileList} given */
    async open(given) {
      const list = typeof given === "string" || given instanceof Blob ? [given] : [...given];
      return open(/** @type {(File | string)[]} */ (list));
    },

    /** Ids of the open streams. */
    async streams() {
      return [...session.entries.keys()];
    },

    /** Facts of a stream, with the names of `oniscope info --json`. @param {string} stream */
    async info(stream) {
      session.entry(stream);
      return session.client.info(stream);
    },

    /** Values of a column, rows start <= row < end. @param {string} stream @param {string | number} column @param {number} start @param {number} end */
    async values(stream, column, start, end) {
      session.entry(stream);
      return session.client.values(stream, column, start, end);
    },

    /**
     * Moves the view; resolves when it is on the screen, exact. Seconds; columns by name, index or label.
     * @param {{ stream?: string, from?: number, to?: number, columns?: (string | number)[] }} [wanted]
     */
    async view({ stream, from, to, columns } = {}) {
      if (stream !== undefined) chooseStream(session, stream, columns);
      const info = session.info;
      if (!info) throw new Error("no stream is open");
      if (from !== undefined || to !== undefined) {
        const unit = info.clock.hz > 0 ? info.clock.hz : 1; // ticks where the rate is unknown
        const begin = from === undefined ? session.view.from : from * unit, end = to === undefined ? session.view.to : to * unit;
        if (!(end > begin)) throw new Error(`view: from ${from} to ${to} is not a span`);
        session.setView({ from: begin, to: end });
      }
      if (columns !== undefined && columns.length > 0) chooseColumns(session, stage, columns);
      await stage.drawn();
      const unit = info.clock.hz > 0 ? info.clock.hz : 1;
      const shown = stage.traces.shown();
      return { stream: info.id, from: session.view.from / unit, to: session.view.to / unit, columns: shown ? shown.columns.map((c) => shown.info.columns[c].name) : [] };
    },

    /** A span of rows or seconds as a new file. @param {string} stream @param {Omit<SliceArgs, "stream">} [options] */
    async slice(stream, options = {}) {
      session.entry(stream);
      return session.client.slice({ ...options, stream });
    },

    /** A repaired copy and its report. @param {string} stream */
    async recover(stream) {
      session.entry(stream);
      return session.client.recover(stream);
    },

    /** Memory of the engine and bytes read from files. */
    async engine() {
      const { bytes, read } = await session.client.engine();
      return { bytes, read };
    },
  };
  Object.defineProperty(globalThis, "oniscope", { value: Object.freeze(oniscope), configurable: true });
}

/** @param {Session} session @param {string} stream @param {(string | number)[]} [columns] */
function chooseStream(session, stream, columns) {
  const info = session.entry(stream).info;
  const rows = session.rows.filter((row) => row.id === stream);
  const wanted = columns?.length ? indexOf(info, columns[0]) : undefined;
  const row = rows.find((r) => wanted !== undefined && r.columns.includes(wanted)) ?? rows.find((r) => r.key === session.activeKey) ?? rows[0];
  if (row) session.select(row.key);
}

/** Brings columns on the screen: the first becomes the channel that is read out. @param {Session} session @param {Stage} stage @param {(string | number)[]} columns */
function chooseColumns(session, stage, columns) {
  const row = session.traces;
  if (!row) return;
  const { info } = session.entry(row.id);
  const places = columns.map((c) => row.columns.indexOf(indexOf(info, c))).filter((i) => i >= 0);
  if (places.length === 0) throw new Error(`view: none of the columns is in ${row.name}`);
  session.setChannel(row.key, row.columns[places[0]]);
  const shown = stage.traces.shown(), first = Math.min(...places);
  if (shown) session.setFirstRow(Math.min(first, Math.max(0, shown.window.total - shown.window.shown)));
}

/** @param {import("./protocol.js").StreamInfo} info @param {string | number} column */
function indexOf(info, column) {
  const found = typeof column === "number" ? info.columns[column] : info.columns.find((c) => c.name === column) ?? info.columns.find((c) => c.label === column);
  if (!found) throw new Error(`no column "${column}" in ${info.id}`);
  return found.index;
}
