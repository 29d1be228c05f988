/**
 * The scripting interface: globalThis.oniscope. Everything returns a promise that rejects with a message; README documents it.
 * @typedef {import("./recording.js").Recording} Recording
 * @typedef {import("./ui/stage.js").Stage} Stage
 * @typedef {import("./protocol.js").SliceArgs} SliceArgs
 * @typedef {import("./protocol.js").RecoverArgs} RecoverArgs
 */

/**
 * @param {Recording} recording
 * @param {Stage} stage
 * @param {(given: (File | string | import("./opening.js").Listed)[]) => Promise<string[]>} open
 */
export function publish(recording, stage, open) {
  const oniscope = {
    /** Opens files and URLs; gives the ids of their streams. @param {File | string | (File | string)[] | FileList} given */
    async open(given) {
      const list = typeof given === "string" || given instanceof Blob ? [given] : [...given];
      return open(/** @type {(File | string)[]} */ (list));
    },

    /** Ids of the open streams. */
    async streams() {
      return recording.ordered.map((entry) => entry.id);
    },

    /** Facts of a stream, with the names of `oniscope info --json`. @param {string} stream */
    async info(stream) {
      recording.entry(stream);
      return recording.client.info(stream);
    },

    /** Values of a column, rows start <= row < end. @param {string} stream @param {string | number} column @param {number} start @param {number} end */
    async values(stream, column, start, end) {
      recording.entry(stream);
      return recording.client.values(stream, column, start, end);
    },

    /**
     * Moves the view; resolves when it is on the screen, exact. Seconds; columns by name, index or label.
     * @param {{ stream?: string, from?: number, to?: number, columns?: (string | number)[] }} [wanted]
     */
    async view({ stream, from, to, columns } = {}) {
      if (stream !== undefined) chooseStream(recording, stream, columns);
      const info = recording.info;
      if (!info) throw new Error("no stream is open");
      if (from !== undefined || to !== undefined) {
        const unit = info.clock.hz > 0 ? info.clock.hz : 1; // ticks where the rate is unknown
        const begin = from === undefined ? recording.view.from : from * unit, end = to === undefined ? recording.view.to : to * unit;
        if (!(end > begin)) throw new Error(`view: from ${from} to ${to} is not a span`);
        recording.setView({ from: begin, to: end });
      }
      if (columns !== undefined && columns.length > 0) chooseColumns(recording, stage, columns);
      await stage.drawn();
      const unit = info.clock.hz > 0 ? info.clock.hz : 1;
      const shown = stage.traces.shown();
      return { stream: info.id, from: recording.view.from / unit, to: recording.view.to / unit, columns: shown ? shown.columns.map((c) => shown.info.columns[c].name) : [] };
    },

    /** A span of rows or seconds as a new file. @param {string} stream @param {Omit<SliceArgs, "stream">} [options] */
    async slice(stream, options = {}) {
      recording.entry(stream);
      return recording.client.slice({ ...options, stream });
    },

    /** A repaired copy and its report. @param {string} stream @param {Omit<RecoverArgs, "stream">} [options] */
    async recover(stream, options = {}) {
      recording.entry(stream);
      return recording.client.recover({ ...options, stream });
    },

    /** Everything that is wrong with the file, as `oniscope verify --json`. @param {string} stream */
    async verify(stream) {
      recording.entry(stream);
      return recording.client.verify(stream);
    },

    /** Memory of the engine and bytes read from files. */
    async engine() {
      const { bytes, read } = await recording.client.engine();
      return { bytes, read };
    },
  };
  Object.defineProperty(globalThis, "oniscope", { value: Object.freeze(oniscope), configurable: true });
}

/** @param {Recording} recording @param {string} stream @param {(string | number)[]} [columns] */
function chooseStream(recording, stream, columns) {
  const info = recording.entry(stream).info;
  const rows = recording.rows.filter((row) => row.id === stream);
  const wanted = columns?.length ? indexOf(info, columns[0]) : undefined;
  const row = rows.find((r) => wanted !== undefined && r.columns.includes(wanted)) ?? rows.find((r) => r.key === recording.activeKey) ?? rows[0];
  if (row) recording.select(row.key);
}

/** Brings columns on the screen: the first becomes the channel that is read out. @param {Recording} recording @param {Stage} stage @param {(string | number)[]} columns */
function chooseColumns(recording, stage, columns) {
  const row = recording.traces;
  if (!row) return;
  const { info } = recording.entry(row.id);
  const places = columns.map((c) => row.columns.indexOf(indexOf(info, c))).filter((i) => i >= 0);
  if (places.length === 0) throw new Error(`view: none of the columns is in ${row.name}`);
  recording.setChannel(row.key, row.columns[places[0]]);
  const shown = stage.traces.shown(), first = Math.min(...places);
  if (shown) recording.setFirstRow(Math.min(first, Math.max(0, shown.window.total - shown.window.shown)));
}

/** @param {import("./protocol.js").StreamInfo} info @param {string | number} column */
function indexOf(info, column) {
  const found = typeof column === "number" ? info.columns[column] : info.columns.find((c) => c.name === column) ?? info.columns.find((c) => c.label === column);
  if (!found) throw new Error(`no column "${column}" in ${info.id}`);
  return found.index;
}
