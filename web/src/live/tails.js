/**
 * What came last of a stream and is not in its file yet, or was a moment ago. Pure.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {ReturnType<typeof import("./arrow.js").parseMessage>} Message
 */
import { columnOf } from "./arrow.js";

/** A bin of a ring: nothing is known of it; it came from the recorder; it was read from the file. */
const UNKNOWN = 0, CAME = 1, READ = 2;

/** Bins of one width of some columns: as many as a view has, and some more, the newest. */
export class Bins {
  /** @param {number[]} columns @param {number} width  ticks @param {number} capacity  bins */
  constructor(columns, width, capacity) {
    this.columns = columns;
    this.width = width;
    this.capacity = capacity;
    /** @type {Map<number, number>} */
    this.index = new Map(columns.map((column, i) => [column, i]));
    this.data = new Float32Array(2 * columns.length * capacity);
    this.mean = new Float32Array(columns.length * capacity);
    this.sd = new Float32Array(columns.length * capacity);
    /** Which bin a place has. */
    this.number = new Float64Array(capacity).fill(-1);
    this.state = new Uint8Array(capacity);
    /** Bin after the last that came. */
    this.next = -1;
  }

  /** Takes in a message; the bin with which it begins may lack rows, unless it goes on from the one before. @param {Message} message */
  put(message) {
    const { header, rows } = message;
    const bins = columnOf(message, 0, "uint32"), columns = columnOf(message, 1, "uint16"), counts = columnOf(message, 2, "uint32");
    const [min, max, mean, sd] = [3, 4, 5, 6].map((i) => columnOf(message, i, "float32"));
    const first = header.from / this.width;
    const whole = this.next >= 0 && first <= this.next;
    for (let i = 0; i < rows; i++) {
      const c = this.index.get(Number(columns[i])), number = first + Number(bins[i]);
      if (c === undefined || Number(counts[i]) === 0) continue;
      const place = number % this.capacity, at = c * this.capacity + place;
      if (this.number[place] !== number) this.#take(place, number);
      this.data[2 * at] = Number(min[i]);
      this.data[2 * at + 1] = Number(max[i]);
      this.mean[at] = Number(mean[i]);
      this.sd[at] = Number(sd[i]);
      if (this.state[place] === UNKNOWN && (whole || bins[i] > 0)) this.state[place] = CAME;
      this.next = Math.max(this.next, number + 1);
    }
  }

  /** Empties a place for a bin. @param {number} place @param {number} number */
  #take(place, number) {
    this.number[place] = number;
    this.state[place] = UNKNOWN;
    for (let c = 0; c < this.columns.length; c++) {
      const at = c * this.capacity + place;
      this.data[2 * at] = this.data[2 * at + 1] = this.mean[at] = this.sd[at] = NaN;
    }
  }

  /** Takes in what was read from the file. @param {Envelope} envelope  of these columns and this width */
  read(envelope) {
    const first = Math.round(envelope.from / this.width), n = envelope.bins;
    if (envelope.kind !== "envelope") return;
    for (let b = Math.max(0, n - this.capacity); b < n; b++) {
      const place = (first + b) % this.capacity;
      if (this.number[place] > first + b) continue; // a newer one has the place
      this.#take(place, first + b);
      this.state[place] = READ;
      for (let c = 0; c < this.columns.length; c++) {
        const at = c * this.capacity + place, from = c * n + b;
        this.data[2 * at] = envelope.data[2 * from];
        this.data[2 * at + 1] = envelope.data[2 * from + 1];
        if (envelope.mean) this.mean[at] = envelope.mean[from];
        if (envelope.sd) this.sd[at] = envelope.sd[from];
      }
    }
  }

  /**
   * The newest bins of a span that are to be read from the file, at most so many; null if all are there.
   * @param {number} from  ticks @param {number} to  ticks, of what the file has @param {number} most
   * @returns {{ from: number, to: number, bins: number } | null}
   */
  missing(from, to, most) {
    const first = Math.max(0, Math.floor(from / this.width)), end = Math.floor(to / this.width);
    let last = -1, low = -1;
    for (let number = end - 1; number >= Math.max(first, end - this.capacity + 1); number--) {
      const place = number % this.capacity;
      const known = this.number[place] === number && this.state[place] !== UNKNOWN;
      if (known && last >= 0) break;
      if (known) continue;
      if (last < 0) last = number;
      low = number;
      if (last - low + 1 >= most) break;
    }
    return last < 0 ? null : { from: low * this.width, to: (last + 1) * this.width, bins: last - low + 1 };
  }

  /** What there is of a span, as the engine gives it. @param {number} from @param {number} to @param {number} bins @param {number[]} columns @returns {Envelope} */
  envelope(from, to, bins, columns) {
    const n = columns.length, first = Math.round(from / this.width);
    const data = new Float32Array(2 * n * bins).fill(NaN), mean = new Float32Array(n * bins).fill(NaN), sd = new Float32Array(n * bins).fill(NaN);
    const places = new Int32Array(bins);
    let used = 0;
    for (let b = 0; b < bins; b++) {
      const place = (first + b) % this.capacity;
      places[b] = this.number[place] === first + b ? place : -1;
      if (places[b] >= 0) used++;
    }
    columns.forEach((column, k) => {
      const c = this.index.get(column);
      if (c === undefined) return;
      for (let b = 0; b < bins; b++) {
        if (places[b] < 0) continue;
        const at = c * this.capacity + places[b], to = k * bins + b;
        data[2 * to] = this.data[2 * at];
        data[2 * to + 1] = this.data[2 * at + 1];
        mean[to] = this.mean[at];
        sd[to] = this.sd[at];
      }
    });
    return { kind: "envelope", quality: "exact", from, to, bins, done: bins, columns, data, mean, sd, rows: used, rows_used: used, samples_per_pixel: 2 };
  }
}

/** Rows kept of a stream whose every row is shown. */
const MOST_ROWS = 65536;

/** Rows of some columns, the newest. */
export class Rows {
  /** @param {ColumnInfo[]} columns */
  constructor(columns) {
    this.columns = columns;
    /** @type {number[]} */
    this.ticks = [];
    /** By column. @type {number[][]} */
    this.values = columns.map(() => []);
  }

  /** @param {Message} message */
  put(message) {
    const ticks = columnOf(message, 0, "uint64");
    for (let i = 0; i < ticks.length; i++) this.ticks.push(Number(ticks[i]));
    this.columns.forEach((column, c) => {
      const values = columnOf(message, 1 + c, column.type), list = this.values[c];
      for (let i = 0; i < values.length; i++) list.push(Number(values[i]));
    });
    if (this.ticks.length > MOST_ROWS) this.drop(this.ticks.length - MOST_ROWS / 2);
  }

  /** @param {number} rows */
  drop(rows) {
    this.ticks.splice(0, rows);
    for (const list of this.values) list.splice(0, rows);
  }

  /** Forgets what is in the file. @param {number} last  Clock of its last row */
  written(last) {
    const first = this.ticks.findIndex((tick) => tick > last);
    this.drop(first < 0 ? this.ticks.length : first);
  }

  /**
   * What the file gave, with the rows after it.
   * @param {Envelope} read  of kind "samples"
   * @param {number} last  Clock of the file's last row
   * @returns {Envelope}
   */
  after(read, last) {
    const begin = this.ticks.findIndex((tick) => tick > last);
    if (begin < 0 || read.kind !== "samples" || !read.x) return read;
    const more = this.ticks.length - begin, before = read.x.length, n = before + more;
    const x = new Float64Array(n), data = new Float32Array(n * read.columns.length).fill(NaN);
    x.set(read.x);
    for (let i = 0; i < more; i++) x[before + i] = this.ticks[begin + i] - read.from;
    read.columns.forEach((column, k) => {
      data.set(read.data.subarray(k * before, (k + 1) * before), k * n);
      const c = this.columns.findIndex((info) => info.index === column);
      if (c >= 0) for (let i = 0; i < more; i++) data[k * n + before + i] = this.values[c][begin + i];
    });
    return { ...read, to: Math.max(read.to, this.ticks[this.ticks.length - 1] + 1), x, data, rows: read.rows + more, rows_used: read.rows_used + more };
  }
}
