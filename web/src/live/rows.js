/**
 * Rows of a stream that came last, where every row is shown: as bins.js, of plots that have no bins. Pure.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("./arrow.js").Message} Message
 * @typedef {import("./bins.js").Bin} Bin
 * @typedef {import("./bins.js").Column} Column
 */
import { columnOf, floatable } from "./arrow.js";

/** Rows kept of a stream whose every row is shown, and for how many there is room at first. */
const MOST_ROWS = 65536, FIRST_ROWS = 1024;

/** Rows of some columns, the newest. */
export class Rows {
  /** Rows that are kept. */
  length = 0;

  /** @param {Column[]} columns */
  constructor(columns) {
    this.columns = columns;
    this.ticks = new Float64Array(FIRST_ROWS);
    this.values = columns.map(() => new Float32Array(FIRST_ROWS));
  }

  /** As of Bins. @returns {{ at: number, from: number, to: number }[]} */
  pieces() {
    return Array.from(this.ticks.subarray(0, this.length), (tick, at) => ({ at, from: tick, to: tick + 1 })).filter(({ at }) => this.values.some((list) => !Number.isNaN(list[at])));
  }

  /** As of Bins. @param {number} column @param {number} at @param {Bin} bin */
  value(column, at, bin) {
    bin.min = bin.max = bin.mean = this.values[column][at];
    bin.sd = 0;
  }

  /** The same rows of other columns too, which were not kept. @param {Rows} other */
  seed(other) {
    this.#room(other.length);
    this.ticks.set(other.ticks.subarray(0, other.length));
    this.columns.forEach((column, c) => {
      const k = other.columns.findIndex((of) => of.index === column.index);
      if (k >= 0) this.values[c].set(other.values[k].subarray(0, other.length));
      else this.values[c].fill(NaN, 0, other.length);
    });
    this.length = other.length;
  }

  /** @param {Message} message @param {Column[]} columns  of the message, after Clock */
  put(message, columns) {
    const ticks = /** @type {BigUint64Array} */ (columnOf(message, 0, "uint64")), n = ticks.length;
    if (this.length + n > MOST_ROWS) this.drop(Math.max(0, Math.min(this.length, this.length + n - MOST_ROWS / 2)));
    this.#room(this.length + n);
    for (let i = 0; i < n; i++) this.ticks[this.length + i] = Number(ticks[i]);
    this.columns.forEach((column, c) => {
      const k = columns.findIndex((of) => of.index === column.index);
      if (k >= 0) this.values[c].set(floatable(columnOf(message, 1 + k, column.type)), this.length);
      else this.values[c].fill(NaN, this.length, this.length + n); // the recorder has not heard yet that it is wanted
    });
    this.length += n;
  }

  /** What comes next does not go on where this ends: no line is drawn there. */
  broken() {
    if (this.length === 0) return;
    this.#room(this.length + 1);
    this.ticks[this.length] = this.ticks[this.length - 1] + 1;
    for (const list of this.values) list[this.length] = NaN;
    this.length++;
  }

  /** @param {number} rows */
  #room(rows) {
    if (rows <= this.ticks.length) return;
    const size = 2 ** Math.ceil(Math.log2(rows)), ticks = new Float64Array(size);
    ticks.set(this.ticks);
    this.ticks = ticks;
    this.values = this.values.map((old) => {
      const values = new Float32Array(size);
      values.set(old);
      return values;
    });
  }

  /** Forgets the oldest. @param {number} rows */
  drop(rows) {
    if (rows <= 0) return;
    for (const list of [this.ticks, ...this.values]) list.copyWithin(0, rows, this.length);
    this.length -= rows;
  }

  /** The first row after a tick. @param {number} tick */
  #after(tick) {
    let low = 0, high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ticks[middle] > tick) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Forgets what is in the file. @param {number} last  Clock of its last row */
  written(last) {
    this.drop(this.#after(last));
  }

  /**
   * What the file gave, with the rows after it, in arrays of its own.
   * @param {Envelope} read
   * @param {number} last  Clock of the file's last row
   * @returns {Envelope}
   */
  after(read, last) {
    const x0 = read.x ?? new Float64Array(0), begin = Math.max(this.#after(last), this.#after(read.from) - 1), more = read.kind === "samples" && read.quality === "exact" && read.to >= last ? this.length - begin : 0;
    const before = x0.length, n = before + more;
    if (more === 0) return structuredClone(read);
    const x = new Float64Array(n), data = new Float32Array(n * read.columns.length).fill(NaN);
    x.set(x0);
    for (let i = 0; i < more; i++) x[before + i] = this.ticks[begin + i] - read.from;
    read.columns.forEach((column, k) => {
      data.set(read.data.subarray(k * before, (k + 1) * before), k * n);
      const c = this.columns.findIndex((of) => of.index === column);
      if (c >= 0) data.set(this.values[c].subarray(begin, this.length), k * n + before);
    });
    return { ...read, to: Math.max(read.to, this.ticks[this.length - 1] + 1), x, data, rows: read.rows + more, rows_used: read.rows_used + more };
  }
}
