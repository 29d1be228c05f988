/**
 * How the channels of each row are shown: which of them and in which order, how high, how strong, as traces or as colours, and which are chosen.
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../channels.js").Arrangement} Arrangement
 * @typedef {import("./streams.js").Row} Row
 */
import { arranged, AS_IT_IS } from "../channels.js";
import { ALL_ROWS } from "../view/viewport.js";
import { Turns } from "../view/turns.js";
import { Streams } from "./streams.js";

/** Highest row of traces, pixels. */
const MOST_PIXELS = 400;

export class Looks extends Streams {
  /** Key of the row whose traces are in the large plot. */
  tracesKey = "";
  /** Keys of the rows whose traces are on the screen, top to bottom. @type {string[]} */
  panes = [];
  /** What the large plots show: traces, or how strong each channel is. @type {import("../plots/easel.js").Mode} */
  mode = "traces";
  /** The overview is of all channels, not of the chosen one. */
  overviewOfAll = false;
  /** How many row heights a trace may reach up and down. */
  clip = 3;
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
  /** True while the active stream is looked at as a table, whatever it is. */
  asTable = false;
  /** Who may work while the hand moves. */
  turns = new Turns(() => this.changed("data"));
  /** Says something in passing; set by the page. @type {(words: string) => void} */
  said = () => {};

  get traces() {
    return this.rows.find((row) => row.key === this.tracesKey) ?? null;
  }

  clear() {
    for (const map of [this.channel, this.picked, this.#arrangements, this.spacing, this.firstRow, this.gain, this.heatTop, this.#otherGain]) map.clear();
    this.tracesKey = "";
    this.mode = "traces";
    super.clear();
  }

  /** @param {StreamInfo} info @param {Row} row */
  shownOf(info, row) {
    return arranged(info, row, this.arrangement(row.key));
  }

  rebuild() {
    super.rebuild();
    if (!this.traces) this.tracesKey = this.rows.find((row) => row.kind === "traces")?.key ?? "";
  }

  /** New facts of a stream of which a signal has another unit: its gain on the screen is found anew. @param {StreamInfo} info @param {string} group */
  regain(info, group) {
    for (const { key } of this.rows.filter((row) => row.id === info.id && row.group === group)) {
      for (const map of [this.gain, this.#otherGain]) map.delete(key);
      for (const mode of ["rms", "mean"]) this.heatTop.delete(key + mode);
    }
    this.update(info);
    this.changed("gain", "cursor");
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
    this.rebuild();
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
    this.turns.moved();
    this.firstRow.set(key, first);
    this.changed("rows");
  }

  /** @param {number} gain  physical units of the scale bar @param {string} [key]  of the row, else of the chosen traces */
  setGain(gain, key = this.tracesKey) {
    if (!this.traces || !(gain > 0) || !Number.isFinite(gain)) return;
    this.turns.moved();
    this.gain.set(key, gain);
    this.changed("gain");
  }

  /** What the scale bar, or the end of the colours, means of a row; undefined while it is not known. @param {string} [key]  else of the chosen traces */
  scaleOf(key = this.tracesKey) {
    return this.mode === "traces" ? this.gain.get(key) : this.heatTop.get(key + this.mode);
  }

  /** @param {number} scale  physical units @param {string} [key]  of the row, else of the chosen traces */
  setScale(scale, key = this.tracesKey) {
    if (this.mode === "traces" || !(scale > 0) || !Number.isFinite(scale)) this.setGain(scale, key);
    else {
      this.heatTop.set(key + this.mode, scale);
      this.changed("gain");
    }
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

  /** @param {import("../plots/easel.js").Mode} mode */
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
