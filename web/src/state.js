/**
 * What is open and what is looked at: the one place with state. The parts of the page read it, call its methods, and are called by subject when it
 * changed, at most once an animation frame.
 *
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("./protocol.js").EngineClient} EngineClient
 * @typedef {import("./protocol.js").VerifyReport} VerifyReport
 * @typedef {import("./view/scale.js").Span} Span
 * @typedef {{ id: string, info: StreamInfo, source: File | string, name: string, size?: number, order?: number, folder?: string, drop?: number, run?: string, verification?: Verification }} Entry
 *   order: place among the streams; folder: that it was dropped with, if any; drop: number of the gesture that brought it; run: what was recorded together
 * @typedef {{ key: string, name: string, entries: Entry[] }} Run
 * @typedef {{ state: "running", done: number, total: number, began: number, cancel: () => void } | { state: "done", report: VerifyReport } | { state: "failed", error: unknown }} Verification
 * @typedef {{ order: number, name: string, progress: import("./protocol.js").OpenProgress | null, cancel: () => void }} Opening
 *   a file that is being opened
 * @typedef {{ key: string, id: string, name: string, group: string, kind: "traces" | "lanes" | "slow" | "ticks" | "table", columns: number[], all: number[], alongProbe: boolean, rateHz: number }} Row
 *   a line of the stream list: a stream, or one signal of it; columns: those that are shown, in their order, of all
 * @typedef {import("./channels.js").Arrangement} Arrangement
 * @typedef {"streams" | "active" | "view" | "rows" | "gain" | "selection" | "cursor" | "theme" | "data" | "progress" | "opening" | "health"} Subject
 */
import { arranged, AS_IT_IS } from "./channels.js";
import { endOfRows } from "./moves.js";
import { ALL_ROWS, clampView, firstView } from "./view/viewport.js";
import { runNames, runsOf } from "./runs.js";
import { rowsFromInfo } from "./signals.js";
import { rowToShow } from "./sources.js";
import { periodOf, spanOf, timebase } from "./times.js";

/** Shortest view, as rows of the stream it is about. */
const MIN_ROWS_IN_VIEW = 8;

/** Highest row of traces, pixels. */
const MOST_PIXELS = 400;

export class State {
  /** @type {Map<string, Entry>} */
  entries = new Map();
  /** Files that are being opened, by order. @type {Map<number, Opening>} */
  opening = new Map();
  /** Ids of streams that are open or being opened. @type {Set<string>} */
  #ids = new Set();
  /** @type {Row[]} */
  rows = [];
  /** What was recorded together, in the order opened. @type {Run[]} */
  runs = [];
  /** The row that was looked at last of a run. @type {Map<string, string>} */
  #lastOf = new Map();
  /** Key of the row that the inspector is about. */
  activeKey = "";
  /** Key of the row whose traces are in the large plot. */
  tracesKey = "";
  /** Keys of the rows whose traces are on the screen, top to bottom. @type {string[]} */
  panes = [];
  /** What the large plots show: traces, or how strong each channel is. @type {import("./plots/easel.js").Mode} */
  mode = "traces";
  /** The overview is of all channels, not of the chosen one. */
  overviewOfAll = false;
  /** How many row heights a trace may reach up and down. */
  clip = 3;
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
  /** Column of the channel that was chosen, by row key. @type {Map<string, number>} */
  channel = new Map();
  /** Columns of the channels that are selected, by row key; the chosen one is among them. @type {Map<string, Set<number>>} */
  picked = new Map();
  /** What is shown of the channels and in which order, by row key. @type {Map<string, Arrangement>} */
  #arrangements = new Map();
  /** Height of a trace row in pixels, or ALL_ROWS, by row key; absent: as many rows as fit. @type {Map<string, number>} */
  spacing = new Map();
  /** First trace row shown, by row key. @type {Map<string, number>} */
  firstRow = new Map();
  /** Physical units of the 40 px scale bar, by row key; absent: not yet chosen. @type {Map<string, number>} */
  gain = new Map();
  /** Gain at the other spacing, all rows or not, by row key. @type {Map<string, number>} */
  #otherGain = new Map();
  /** Top of the scale of colours, by row key and mode. @type {Map<string, number>} */
  heatTop = new Map();
  /** Views of streams that have a clock of their own (no Clock column), by stream. @type {Map<string, Span>} */
  #views = new Map();
  /** @type {Map<Subject, Set<() => void>>} */
  #listeners = new Map();
  /** @type {Set<Subject>} */
  #changed = new Set();
  /** True while the active stream is looked at as a table, whatever it is. */
  asTable = false;
  /** The place that was gone to last, and the view it made. @type {{ ticks: number, view: Span } | null} */
  placed = null;
  #frame = 0;
  /** True when somebody has chosen a row. */
  #chosen = false;
  /** False until the view was chosen for a stream that has rows. */
  #placed = false;
  /** What follows a recording that runs; null: the files are done. @type {import("./live/live.js").Live | null} */
  live = null;
  /** Shows an error to the person; set by the page. @type {(error: unknown, stream?: string) => void} */
  report = () => {};
  /** Says something in passing; set by the page. @type {(words: string) => void} */
  said = () => {};

  /** Calls back in the next animation frame; returns a number that is not 0. @type {(callback: () => void) => number} */
  #schedule;

  /**
   * @param {EngineClient} client
   * @param {(callback: () => void) => number} [schedule]  when listeners are called; the next animation frame
   */
  constructor(client, schedule = (callback) => requestAnimationFrame(callback)) {
    this.client = client;
    this.#schedule = schedule;
  }

  /**
   * Calls back in the next animation frame after any of the subjects changed.
   * @param {Subject[]} subjects
   * @param {() => void} listener
   */
  on(subjects, listener) {
    for (const subject of subjects) {
      const set = this.#listeners.get(subject) ?? new Set();
      this.#listeners.set(subject, set.add(listener));
    }
  }

  /** @param {...Subject} subjects */
  changed(...subjects) {
    for (const subject of subjects) this.#changed.add(subject);
    if (this.#frame === 0) this.#frame = this.#schedule(() => this.tell());
  }

  /** Tells the listeners at once what changed, not with the next frame; that one then finds nothing to tell. */
  tell() {
    this.#frame = 0;
    const due = new Set([...this.#changed].flatMap((subject) => [...(this.#listeners.get(subject) ?? [])]));
    this.#changed.clear();
    for (const listener of due) listener();
  }

  /** @param {string} id @returns {Entry} */
  entry(id) {
    const entry = this.entries.get(id);
    if (!entry) throw new Error(`no stream "${id}"; open are: ${[...this.entries.keys()].join(", ") || "none"}`);
    return entry;
  }

  /** Open streams in the order their files were given; they may have been opened in another. */
  get ordered() {
    return [...this.entries.values()].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
  }

  get active() {
    return this.rows.find((row) => row.key === this.activeKey) ?? null;
  }

  get traces() {
    return this.rows.find((row) => row.key === this.tracesKey) ?? null;
  }

  /** @returns {StreamInfo | null} */
  get info() {
    return this.active ? this.entry(this.active.id).info : null;
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

  /** The id of a stream that is about to be opened: the name of its file without the extension, `#2` after a second of that name. @param {string} name */
  claim(name) {
    const stem = name.replace(/(.)\.[^.]*$/, "$1");
    let id = stem;
    for (let n = 2; this.#ids.has(id); n++) id = `${stem}#${n}`;
    this.#ids.add(id);
    return id;
  }

  /** The stream was not opened. @param {string} id */
  release(id) {
    this.#ids.delete(id);
  }

  /** @param {Entry} entry */
  add(entry) {
    this.#ids.add(entry.id);
    this.entries.set(entry.id, entry);
    this.#rebuild();
  }

  /** A file is being opened, or has got further. @param {Opening} opening */
  setOpening(opening) {
    this.opening.set(opening.order, opening);
    this.changed("opening");
  }

  /** @param {number} order */
  endOpening(order) {
    if (this.opening.delete(order)) this.changed("opening");
  }

  /** What is known of a stream's verification. @param {string} id @param {Verification | undefined} verification */
  setVerification(id, verification) {
    const entry = this.entries.get(id);
    if (!entry) return; // closed meanwhile
    entry.verification = verification;
    this.changed("health");
  }

  /** New facts of a stream that is open. @param {StreamInfo} info */
  update(info) {
    this.entry(info.id).info = info;
    this.#rebuild();
  }

  /** New facts of a stream of which a signal has another unit: its gain on the screen is found anew. @param {StreamInfo} info @param {string} group */
  regain(info, group) {
    for (const row of this.rows) if (row.id === info.id && row.group === group) this.gain.delete(row.key);
    this.update(info);
    this.changed("gain", "cursor");
  }

  /** @param {string} id */
  remove(id) {
    const { verification } = this.entry(id);
    if (verification?.state === "running") verification.cancel();
    this.entries.delete(id);
    this.#ids.delete(id);
    this.#rebuild();
    if (!this.active && this.rows.length > 0) this.select(this.rows[0].key);
  }

  clear() {
    for (const id of this.entries.keys()) this.#ids.delete(id); // those that are being opened stay taken
    this.entries.clear();
    for (const map of [this.channel, this.picked, this.#arrangements, this.#lastOf, this.spacing, this.firstRow, this.gain, this.heatTop, this.#otherGain, this.#views]) map.clear();
    this.activeKey = this.tracesKey = "";
    this.mode = "traces";
    this.#chosen = false;
    this.#placed = false;
    this.selection = this.cursor = null;
    this.#rebuild();
  }

  /** Puts the streams into runs. */
  #arrangeRuns() {
    const given = this.ordered.map(({ id, name, folder = "", drop = 0, info }) => ({ id, name, folder, drop, started: info.metadata?.start_utc ?? "" }));
    const keys = runsOf(given), found = [...new Set(keys.values())];
    for (const [id, key] of keys) this.entry(id).run = key;
    const names = runNames(found.map((key) => given.filter((g) => keys.get(g.id) === key)));
    this.runs = found.map((key, i) => ({ key, name: names[i], entries: this.ordered.filter((e) => e.run === key) }));
  }

  #rebuild() {
    this.#arrangeRuns();
    this.rows = this.ordered.flatMap(({ info }) => rowsFromInfo(info).map((row) => ({ ...row, columns: arranged(info, row, this.arrangement(row.key)) })));
    for (const { entries } of this.runs) distinguish(this.rows.filter((row) => entries.some((e) => e.id === row.id)));
    if (!this.active) this.activeKey = "";
    if (!this.traces) this.tracesKey = this.rows.find((row) => row.kind === "traces")?.key ?? "";
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
    if (opening && !this.#chosen) this.panes = [];
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
    if (!(this.view.to > span.from && this.view.from < span.to) || !this.#placed) { // nothing of it would be seen
      this.view = this.#firstView(info);
      this.#placed = info.rows > 0;
    }
    this.changed("active", "view", "rows", "gain", "selection", "cursor");
  }

  /** The chosen traces are on the screen, under those on the same clock that are there already. */
  #arrangePanes() {
    const traces = this.traces, clock = traces ? timebase(this.entry(traces.id)) : "";
    const keys = new Set([...this.panes, this.tracesKey]);
    this.panes = this.rows.filter((row) => row.kind === "traces" && keys.has(row.key) && timebase(this.entry(row.id)) === clock).map((row) => row.key);
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

  /** Back to the first view of the active stream. */
  resetView() {
    const info = this.info;
    if (info) this.setView(this.#firstView(info));
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

  /** @param {string} key @param {number} column */
  setChannel(key, column) {
    if (this.channel.get(key) === column && this.picked.get(key)?.size === 1) return;
    this.pick(key, [column], column);
  }

  /** Selects channels; the chosen one is read out. @param {string} key @param {Iterable<number>} columns @param {number} [chosen]  the first, if not given */
  pick(key, columns, chosen) {
    const picked = new Set(columns), [first] = picked;
    this.picked.set(key, picked);
    const now = chosen ?? first;
    if (now === undefined) this.channel.delete(key);
    else this.channel.set(key, now);
    this.changed("cursor", "rows");
  }

  /** @param {string} key @returns {Arrangement} */
  arrangement(key) {
    return this.#arrangements.get(key) ?? AS_IT_IS;
  }

  /** Changes which channels are shown, or their order; nothing changes where none would be left. @param {string} key @param {Partial<Arrangement>} change */
  arrange(key, change) {
    const row = this.rows.find((r) => r.key === key);
    if (!row) return;
    const next = { ...this.arrangement(key), ...change };
    if (arranged(this.entry(row.id).info, row, next).length === 0) {
      this.said("At least one channel stays.");
      return;
    }
    const top = row.columns[this.firstRow.get(key) ?? -1];
    this.#arrangements.set(key, next);
    this.#rebuild();
    const at = this.traces?.key === key ? this.traces.columns.indexOf(top) : -1;
    if (at >= 0) this.firstRow.set(key, at); // what was on top stays there
    else this.firstRow.delete(key);
  }

  /** Shows only these channels; all of them again where only these are shown. @param {string} key @param {Iterable<number>} columns */
  toggleSolo(key, columns) {
    const solo = new Set(columns), now = this.arrangement(key).solo;
    const same = now !== null && now.size === solo.size && [...solo].every((c) => now.has(c));
    this.arrange(key, { solo: same || solo.size === 0 ? null : solo });
  }

  /** @param {string} key @param {Iterable<number>} columns */
  hide(key, columns) {
    this.arrange(key, { hidden: new Set([...this.arrangement(key).hidden, ...columns]) });
  }

  /** @param {string} key */
  showAll(key) {
    this.arrange(key, { hidden: AS_IT_IS.hidden, solo: null });
  }

  /** @param {number | undefined} pixels  height of a row, or ALL_ROWS; undefined: as many rows as can be told apart */
  setSpacing(pixels) {
    if (!this.traces) return;
    const key = this.tracesKey, wasAll = this.spacing.get(key) === ALL_ROWS, gain = this.gain.get(key), other = this.#otherGain.get(key);
    if (pixels === undefined) this.spacing.delete(key);
    else this.spacing.set(key, pixels === ALL_ROWS ? ALL_ROWS : Math.min(MOST_PIXELS, Math.max(1, pixels)));
    if (wasAll !== (pixels === ALL_ROWS)) { // a gain for 20 px is none for 2
      if (gain === undefined) this.#otherGain.delete(key);
      else this.#otherGain.set(key, gain);
      if (other === undefined) this.gain.delete(key);
      else this.gain.set(key, other);
    }
    this.changed("rows", "gain");
  }

  /** @param {boolean} asTable */
  setAsTable(asTable) {
    this.asTable = asTable;
    this.changed("view", "rows", "cursor");
  }

  /** @param {number} first @param {string} [key]  of the row, else of the chosen traces */
  setFirstRow(first, key = this.tracesKey) {
    if (!this.traces || this.firstRow.get(key) === first) return;
    this.firstRow.set(key, first);
    this.changed("rows");
  }

  /** @param {number} gain  physical units of the scale bar @param {string} [key]  of the row, else of the chosen traces */
  setGain(gain, key = this.tracesKey) {
    if (!this.traces || !(gain > 0) || !Number.isFinite(gain)) return;
    this.gain.set(key, gain);
    this.changed("gain");
  }

  /** Gain and scale of colours are measured again, on what is on the screen. */
  refit() {
    for (const key of this.panes) {
      if (this.mode === "traces") this.gain.delete(key);
      else this.heatTop.delete(key + this.mode);
    }
    this.changed("gain");
  }

  /** All channels of the stream at once, and back. */
  toggleAllRows() {
    this.setSpacing(this.spacing.get(this.tracesKey) === ALL_ROWS ? undefined : ALL_ROWS);
  }

  /** @param {import("./plots/easel.js").Mode} mode */
  setMode(mode) {
    this.mode = mode;
    this.changed("rows", "gain", "view");
  }

  /** @param {boolean} all */
  setOverviewOfAll(all) {
    this.overviewOfAll = all;
    this.changed("rows");
  }

  /** @param {number} clip  row heights */
  setClip(clip) {
    this.clip = clip;
    this.changed("gain");
  }
}

/** Rows of other streams with the same name get their id beside it: two probes of one kind, parts of a stream. @param {Row[]} rows */
function distinguish(rows) {
  const twice = rows.filter((row) => rows.some((other) => other.name === row.name && other.id !== row.id));
  for (const row of twice) row.name += ` · ${row.id}`;
}
