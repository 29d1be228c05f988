/**
 * What is open and what is looked at: the one place with state. The parts of the page read it, call its methods, and are called by subject when it changed, at
 * most once an animation frame. In layers, of which each knows those below: who is called (state/subjects.js), what is open (state/streams.js), how channels are
 * shown (state/looks.js), and here, when and which row is looked at.
 *
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").EngineClient} EngineClient
 * @typedef {import("./view/scale.js").Span} Span
 * @typedef {import("./state/subjects.js").Subject} Subject
 * @typedef {import("./state/streams.js").Entry} Entry
 * @typedef {import("./state/streams.js").Run} Run
 * @typedef {import("./state/streams.js").Verification} Verification
 * @typedef {import("./state/streams.js").Opening} Opening
 * @typedef {import("./state/streams.js").Row} Row
 */
import { endOfRows } from "./moves.js";
import { clampView, firstView } from "./view/viewport.js";
import { rowToShow } from "./sources.js";
import { Looks } from "./state/looks.js";
import { Marks } from "./marks.js";
import { periodOf, spanOf, timebase } from "./times.js";

/** Shortest view, as rows of the stream it is about. */
const MIN_ROWS_IN_VIEW = 8;

/** Words are renewed so often at most while a recording is followed, in milliseconds: nobody reads faster. */
const WORDS = 250;

export class State extends Looks {
  /** The row that was looked at last of a run. @type {Map<string, string>} */
  #lastOf = new Map();
  /** Key of the row that the inspector is about. */
  activeKey = "";
  /** @type {Span} ticks */
  view = { from: 0, to: 1 };
  /** @type {Span | null} ticks */
  selection = null;
  /** Pointer on the plots, in ticks. @type {number | null} */
  cursor = null;
  /** Column of the trace under the pointer. @type {number | null} */
  hover = null;
  /** Key of the row that it belongs to. */
  hoverKey = "";
  /** Views of streams that have a clock of their own (no Clock column), by stream. @type {Map<string, Span>} */
  #views = new Map();
  /** The place that was gone to last, and the view it made. @type {{ ticks: number, view: Span } | null} */
  placed = null;
  /** Streams whose plates of what is missing were closed. @type {Set<string>} */
  platesClosed = new Set();
  /** True when somebody has chosen a row. */
  #chosen = false;
  /** The view that a stream was opened with, as long as nobody moved. @type {Span | null} */
  #unmoved = null;
  /** False until the view was chosen for a stream that has rows. */
  #placed = false;
  /** What follows a recording that runs; null: the files are done. @type {import("./live/live.js").Live | null} */
  live = null;
  /** Shows an error to the person; set by the page. @type {(error: unknown, stream?: string) => void} */
  report = () => {};

  /**
   * @param {EngineClient} client
   * @param {(callback: () => void) => number} [schedule]  when listeners are called; the next animation frame
   */
  constructor(client, schedule = (callback) => requestAnimationFrame(callback)) {
    super(schedule);
    this.client = client;
    /** Notes of the run. */
    this.marks = new Marks(this);
  }

  /**
   * As on, for what is read rather than watched: while a recording is followed it is called four times a second, not with every picture.
   * @param {Subject[]} subjects
   * @param {() => void} listener
   */
  onSeldom(subjects, listener) {
    let last = -Infinity, due = 0;
    const call = () => {
      clearTimeout(due);
      due = 0;
      last = performance.now();
      listener();
    };
    this.on(subjects, () => {
      const wait = this.live?.following ? last + WORDS - performance.now() : 0;
      if (wait <= 0) call();
      else if (due === 0) due = window.setTimeout(call, wait);
    });
  }

  get active() {
    return this.rows.find((row) => row.key === this.activeKey) ?? null;
  }

  /** @returns {StreamInfo | null} */
  get info() {
    return this.active ? this.entry(this.active.id).info : null;
  }

  /** Whether the stream is shown as a table: what cannot be plotted is, and so is any that is asked for as one. */
  get tabled() {
    const { active, info } = this;
    return active !== null && info !== null && info.rows > 0 && (active.kind === "table" || this.asTable);
  }

  /** Clock rate of what is on the screen, Hz; 0 if unknown. */
  get hz() {
    return this.info?.clock.hz ?? 0;
  }

  /** The run that is looked at. @returns {Run | null} */
  get currentRun() {
    const key = this.active && this.entry(this.active.id).run;
    return this.runs.find((r) => r.key === key) ?? null;
  }

  /** Streams on the same clock as the active one: all of its run with a Clock column, or the active one alone. @returns {StreamInfo[]} */
  get companions() {
    const { active } = this;
    return active ? this.ordered.filter((e) => this.isCompanion(e.id)).map((e) => e.info) : [];
  }

  /** @param {string} id */
  isCompanion(id) {
    const { active } = this;
    return active !== null && timebase(this.entry(id)) === timebase(this.entry(active.id));
  }

  /** Looks at another run, where it was left. @param {string} key */
  selectRun(key) {
    const run = this.runs.find((r) => r.key === key), ids = run?.entries.map((e) => e.id) ?? [];
    const row = this.rows.find((r) => r.key === this.#lastOf.get(key)) ?? rowToShow(this.rows.filter((r) => ids.includes(r.id)), (r) => this.entry(r.id).info.rows > 0);
    if (row) this.select(row.key);
  }

  /** The whole run, ticks. @returns {Span} */
  get run() {
    const spans = this.companions.filter((i) => i.rows > 0).map(spanOf);
    if (spans.length === 0) return { from: 0, to: 1 };
    return { from: Math.min(...spans.map((s) => s.from)), to: Math.max(...spans.map((s) => s.to)) };
  }

  /** Where the rows end, ticks; what a broken file has lost at its end lies after it. */
  get rowsEnd() {
    return endOfRows(this.companions);
  }

  /** @param {string} id */
  remove(id) {
    super.remove(id);
    this.platesClosed.delete(id);
    if (!this.active && this.rows.length > 0) this.select(this.rows[0].key);
  }

  clear() {
    for (const map of [this.#lastOf, this.#views]) map.clear();
    this.activeKey = "";
    this.#chosen = false;
    this.#placed = false;
    this.selection = this.cursor = null;
    super.clear();
  }

  rebuild() {
    const id = this.active?.id;
    super.rebuild();
    if (!this.active) { // of a stream that is known better another row takes its place
      const again = this.rows.find((row) => row.id === id);
      this.activeKey = again?.key ?? "";
      if (again?.kind === "traces") this.tracesKey = again.key;
    }
    this.#arrangePanes();
    this.changed("streams", "active", "rows", "view");
  }

  /**
   * Makes a row the one that the inspector is about, and shows its traces if it has any, under those that are there.
   * @param {string} key
   * @param {{ opening?: boolean }} [how]  opening: nobody chose it; as long as nobody has chosen anything it stands alone
   */
  select(key, { opening = false } = {}) {
    const row = this.rows.find((r) => r.key === key);
    if (!row) return;
    if (opening && !this.#chosen) {
      for (const shown of this.panes) if (shown !== key) this.gain.delete(shown); // measured for rows of another height
      this.panes = [];
    }
    this.#chosen ||= !opening;
    const before = this.active && this.entry(this.active.id);
    this.activeKey = key;
    const now = this.entry(row.id), { info } = now;
    if (now.run !== undefined) this.#lastOf.set(now.run, key);
    if (row.kind === "traces" || !this.traces || !this.isCompanion(this.traces.id)) this.tracesKey = row.kind === "traces" ? key : this.#tracesBeside(row);
    if (before && before.id !== info.id) this.#views.set(timebase(before), this.view);
    const moved = !before || timebase(before) !== timebase(now);
    if (moved) {
      this.view = this.#views.get(timebase(now)) ?? { from: 0, to: 0 };
      this.selection = this.cursor = null;
    }
    this.#arrangePanes();
    const span = info.rows > 0 ? spanOf(info) : this.run;
    if (!(this.view.to > span.from && this.view.from < span.to) || !this.#placed || (opening && this.view === this.#unmoved)) { // nothing of it would be seen, or nobody has moved yet
      this.view = this.#unmoved = this.#firstView(info);
      this.#placed = info.rows > 0;
    }
    this.changed("active", "view", "rows", "gain", "selection", "cursor");
  }

  /** The chosen traces are on the screen, under those on the same clock that are there already; none before a stream is chosen, with which a view comes. */
  #arrangePanes() {
    const traces = this.active && this.traces, clock = traces ? timebase(this.entry(traces.id)) : "";
    this.panes = [...new Set([...this.panes, this.tracesKey])].filter((key) => {
      const row = this.rows.find((r) => r.key === key);
      return traces && row?.kind === "traces" && timebase(this.entry(row.id)) === clock;
    });
  }

  /** Takes traces off the screen; those that are left last stay. @param {string} key */
  closePane(key) {
    if (this.panes.length < 2 || !this.panes.includes(key)) return;
    this.panes = this.panes.filter((k) => k !== key);
    if (this.tracesKey === key) this.tracesKey = this.panes[0];
    if (this.activeKey === key) this.activeKey = this.tracesKey;
    this.changed("active", "rows", "gain", "view", "cursor");
  }

  /** @param {StreamInfo} info */
  #firstView(info) {
    if (info.rows > 0) return firstView({ first: info.clock.first, last: info.clock.last, rows: info.rows, hz: info.clock.hz });
    const { from, to } = this.run;
    return firstView({ first: from, last: to, rows: 2, hz: info.clock.hz });
  }

  /** @param {Row} row */
  #tracesBeside(row) {
    return this.rows.find((r) => r.kind === "traces" && (r.id === row.id || this.isCompanion(r.id)))?.key ?? "";
  }

  /** Ticks between rows of the stream in the large plot, for the limits of zooming. */
  get periodTicks() {
    const row = this.traces ?? this.active;
    return row ? periodOf(this.entry(row.id).info) : 1;
  }

  get minSpan() {
    return Math.max(4, this.periodTicks * MIN_ROWS_IN_VIEW);
  }

  /** @param {Span} view */
  setView(view) {
    const next = clampView(view, this.run, this.minSpan);
    if (next.from === this.view.from && next.to === this.view.to) return;
    this.view = next;
    if (!this.live?.following) this.turns.moved();
    this.changed("view");
  }

  /** Brings a moment to the middle of the screen, with the cursor on it. @param {number} ticks */
  centre(ticks) {
    const half = (this.view.to - this.view.from) / 2;
    this.setView({ from: ticks - half, to: ticks + half });
    this.setCursor(ticks);
    this.placed = { ticks, view: this.view };
  }

  /** The place of a row on the time axis; of streams without a clock the row itself. @param {string} id @param {number} row */
  async ticksOfRow(id, row) {
    if (!this.entry(id).info.clock.column) return row;
    const [ticks] = (await this.client.table({ stream: id, columns: [], start: row, end: row + 1 })).ticks;
    if (typeof ticks !== "number") throw new Error(`the clock of row ${row} cannot be read`);
    return ticks;
  }

  /** New facts of a stream. Where nothing of it would be seen, as after a first tick that was garbled, and nobody has moved yet, it is looked at anew. @param {StreamInfo} info */
  update(info) {
    super.update(info);
    const span = spanOf(info);
    if (this.active?.id !== info.id || info.rows === 0 || this.view !== this.#unmoved || (this.view.to > span.from && this.view.from < span.to)) return;
    this.view = this.#unmoved = this.#firstView(info);
    this.changed("view");
  }

  /** Back to the first view of the active stream. */
  resetView() {
    const info = this.info;
    if (info) this.setView(this.#firstView(info));
  }

  /** Closes the plates of what is missing in the stream of the traces, or shows them again. @param {string} [id] */
  togglePlates(id = (this.traces ?? this.active)?.id ?? "") {
    if (!this.platesClosed.delete(id)) this.platesClosed.add(id);
    this.changed("view");
  }

  /** @param {Span | null} selection */
  setSelection(selection) {
    this.selection = selection && selection.to > selection.from ? selection : null;
    this.changed("selection");
  }

  /** @param {number | null} ticks @param {number | null} [column]  under the pointer @param {string} [key]  of the row that it belongs to */
  setCursor(ticks, column = /** @type {number | null} */ (null), key = this.tracesKey) {
    if (ticks === this.cursor && column === this.hover && key === this.hoverKey) return;
    this.cursor = ticks;
    this.hover = column;
    this.hoverKey = key;
    this.changed("cursor");
  }
}
