/**
 * What is open: streams, the runs that they belong to, and the lines of the stream list. The lowest layer of the state; it knows nothing of what is looked at.
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../protocol.js").VerifyReport} VerifyReport
 * @typedef {{ id: string, info: StreamInfo, source: File | string, name: string, size?: number, order?: number, folder?: string, drop?: number, run?: string, verification?: Verification }} Entry
 *   order: place among the streams; folder: that it was dropped with, if any; drop: number of the gesture that brought it; run: what was recorded together
 * @typedef {{ key: string, name: string, entries: Entry[] }} Run
 * @typedef {{ state: "running", done: number, total: number, began: number, cancel: () => void } | { state: "done", report: VerifyReport } | { state: "failed", error: unknown }} Verification
 * @typedef {{ order: number, name: string, progress: import("../protocol.js").OpenProgress | null, cancel: () => void }} Opening
 *   a file that is being opened
 * @typedef {{ key: string, id: string, name: string, group: string, kind: "traces" | "lanes" | "slow" | "ticks" | "table", columns: number[], all: number[], alongProbe: boolean, rateHz: number }} Row
 *   a line of the stream list: a stream, or one signal of it; columns: those that are shown, in their order, of all
 */
import { runNames, runsOf } from "../runs.js";
import { rowsFromInfo } from "../signals.js";
import { Subjects } from "./subjects.js";

export class Streams extends Subjects {
  /** @type {Map<string, Entry>} */
  entries = new Map();
  /** Files that are being opened, by order. @type {Map<number, Opening>} */
  opening = new Map();
  /** Streams that are being opened anew, because their files have changed, and when that is done. @type {Map<string, Promise<unknown>>} */
  reopening = new Map();
  /** Ids of streams that are open or being opened. @type {Set<string>} */
  #ids = new Set();
  /** @type {Row[]} */
  rows = [];
  /** What was recorded together, in the order opened. @type {Run[]} */
  runs = [];

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
    this.rebuild();
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
    this.rebuild();
  }

  /** @param {string} id */
  remove(id) {
    const { verification } = this.entry(id);
    if (verification?.state === "running") verification.cancel();
    this.entries.delete(id);
    this.#ids.delete(id);
    this.rebuild();
  }

  clear() {
    for (const id of this.entries.keys()) this.#ids.delete(id); // those that are being opened stay taken
    this.entries.clear();
    this.rebuild();
  }

  /** Which columns of a row are shown, in their order. @param {StreamInfo} _info @param {Row} row */
  shownOf(_info, row) {
    return row.columns;
  }

  /** Puts runs and rows together anew, after anything of the streams, or of what is shown of them, changed. */
  rebuild() {
    this.#arrangeRuns();
    this.rows = this.ordered.flatMap(({ info }) => rowsFromInfo(info).map((row) => ({ ...row, columns: this.shownOf(info, row) })));
    for (const { entries } of this.runs) distinguish(this.rows.filter((row) => entries.some((e) => e.id === row.id)));
  }

  /** Puts the streams into runs. */
  #arrangeRuns() {
    const given = this.ordered.map(({ id, name, folder = "", drop = 0, info }) => ({ id, name, folder, drop, started: info.metadata?.start_utc ?? "" }));
    const keys = runsOf(given), found = [...new Set(keys.values())];
    for (const [id, key] of keys) this.entry(id).run = key;
    const names = runNames(found.map((key) => given.filter((g) => keys.get(g.id) === key)));
    this.runs = found.map((key, i) => ({ key, name: names[i], entries: this.ordered.filter((e) => e.run === key) }));
  }
}

/** Rows of other streams with the same name get their id beside it: two probes of one kind, parts of a stream. @param {Row[]} rows */
function distinguish(rows) {
  const twice = rows.filter((row) => rows.some((other) => other.name === row.name && other.id !== row.id));
  for (const row of twice) row.name += ` · ${row.id}`;
}
