/**
 * Bins of a stream that came last and are not in its file yet, or were not a moment ago. Pure. They are kept in a worker: what comes is as much as the recorder writes.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("./arrow.js").Message} Message
 * @typedef {import("./arrow.js").Numbers} Numbers
 * @typedef {import("./rows.js").Rows} Rows
 * @typedef {{ min: number, max: number, mean: number, sd: number }} Bin
 * @typedef {{ index: number, type: string }} Column  of the stream, with its Arrow type
 */
import { columnOf, floatable } from "./arrow.js";

/** A bin of a ring: nothing is known of it; it came from the recorder; it was read from the file. */
const UNKNOWN = 0, CAME = 1, READ = 2;

/** Bins of one width of some columns: as many as a view has, and some more, the newest. */
export class Bins {
  /** Bin after the last that came. */
  next = -1;
  /** The same, even where what came next did not go on from it; -1: nothing came. */
  end = -1;
  /** Rows that found no room at the recorder, so far. */
  #skipped = 0;

  /** @param {Column[]} columns @param {number} width  ticks @param {number} capacity  bins */
  constructor(columns, width, capacity) {
    this.columns = columns;
    this.width = width;
    this.capacity = capacity;
    /** Place of a column, by its index; -1: it is not here. */
    this.index = new Int32Array(Math.max(0, ...columns.map((c) => c.index)) + 1).fill(-1);
    columns.forEach((column, i) => (this.index[column.index] = i));
    this.data = new Float32Array(2 * columns.length * capacity);
    this.mean = new Float32Array(columns.length * capacity);
    this.sd = new Float32Array(columns.length * capacity);
    /** Which bin a place has. */
    this.number = new Float64Array(capacity).fill(-1);
    this.state = new Uint8Array(capacity);
    /** What the last bin has of each column: how many rows, their sum and the sum of their squares. */
    this.open = { number: -1, rows: 0, sum: new Float64Array(columns.length), squares: new Float64Array(columns.length) };
  }

  /** Takes in bins; the one with which a message begins may lack rows, unless it goes on from the message before. @param {Message} message @param {boolean} [all]  it has all columns; else its bins are still to be read */
  put(message, all = true) {
    const { header, rows } = message;
    const bins = /** @type {Uint32Array} */ (columnOf(message, 0, "uint32")), columns = /** @type {Uint16Array} */ (columnOf(message, 1, "uint16")), counts = columnOf(message, 2, "uint32");
    const [min, max, mean, sd] = [3, 4, 5, 6].map((i) => /** @type {Float32Array} */ (columnOf(message, i, "float32")));
    const { capacity, index, number: numbers, state, data } = this, first = header.from / this.width, whole = this.#goesOn(first, header.skipped);
    for (let i = 0; i < rows; i++) {
      const c = columns[i] < index.length ? index[columns[i]] : -1, number = first + bins[i];
      if (c < 0 || counts[i] === 0) continue;
      const place = number % capacity, at = c * capacity + place;
      if (numbers[place] !== number) this.#take(place, number);
      data[2 * at] = min[i];
      data[2 * at + 1] = max[i];
      this.mean[at] = mean[i];
      this.sd[at] = sd[i];
      if (all && state[place] === UNKNOWN && (whole || bins[i] > 0)) state[place] = CAME;
      if (number >= this.next) this.next = number + 1;
    }
    if (this.next > 0) this.end = this.next;
    if (!all) this.broken();
  }

  /** Takes in bins that are some of these wide, as come when this is behind, or where the recorder cannot send all rows: each is as the wide one until it is read from the file. @param {Message} message */
  putWide(message) {
    const { header, rows } = message;
    const bins = /** @type {Uint32Array} */ (columnOf(message, 0, "uint32")), columns = /** @type {Uint16Array} */ (columnOf(message, 1, "uint16"));
    const [min, max, mean, sd] = [3, 4, 5, 6].map((i) => /** @type {Float32Array} */ (columnOf(message, i, "float32")));
    const { capacity, index, number: numbers, state, data, width } = this, wide = header.bin / width, first = header.from / width, end = Math.floor(header.to / width) + 1;
    const open = (this.next - 1) % capacity;
    if (this.next > 0 && numbers[open] === this.next - 1) state[open] = UNKNOWN; // it has not come again with all its rows
    this.#goesOn(first, header.skipped);
    for (let i = 0; i < rows; i++) {
      const c = columns[i] < index.length ? index[columns[i]] : -1, from = first + bins[i] * wide, to = Math.min(end, from + wide);
      for (let number = from; c >= 0 && number < to; number++) {
        const place = number % capacity, at = c * capacity + place;
        if (numbers[place] !== number) this.#take(place, number);
        else if (state[place] !== UNKNOWN) continue;
        data[2 * at] = data[2 * at] < min[i] ? data[2 * at] : min[i]; // NaN is not less
        data[2 * at + 1] = data[2 * at + 1] > max[i] ? data[2 * at + 1] : max[i];
        this.mean[at] = mean[i];
        this.sd[at] = sd[i];
      }
    }
    this.end = this.next = Math.max(this.next, end);
  }

  /** Takes in rows, where a bin has so few that the recorder sends them as they are. @param {Message} message @param {Column[]} columns  of the message, after Clock @param {boolean} [all]  as of put */
  putRows(message, columns, all = true) {
    const ticks = /** @type {BigUint64Array} */ (columnOf(message, 0, "uint64")), { capacity, width, open } = this;
    if (ticks.length === 0) return;
    /** Rows with which a bin begins, and which bin that is. */
    const edges = /** @type {number[]} */ ([]), numbers = /** @type {number[]} */ ([]);
    for (let i = 0; i < ticks.length; i++) {
      const number = Math.floor(Number(ticks[i]) / width);
      if (number === numbers[numbers.length - 1]) continue;
      edges.push(i);
      numbers.push(number);
    }
    const goesOn = this.#goesOn(numbers[0], message.header.skipped), continues = goesOn && open.number === numbers[0];
    edges.push(ticks.length);
    numbers.forEach((number, b) => {
      const place = number % capacity;
      if (this.number[place] !== number) this.#take(place, number);
      if (all && this.state[place] === UNKNOWN && (goesOn || b > 0)) this.state[place] = CAME;
    });
    columns.forEach((column, k) => {
      const c = column.index < this.index.length ? this.index[column.index] : -1;
      if (c >= 0) this.#sum(c, floatable(columnOf(message, 1 + k, column.type)), edges, numbers, continues);
    });
    const last = numbers.length - 1;
    open.rows = edges[last + 1] - edges[last] + (continues && last === 0 ? open.rows : 0);
    open.number = numbers[last];
    this.end = this.next = Math.max(this.next, numbers[last] + 1);
    if (!all) this.broken();
  }

  /** @param {number} c  place of the column @param {Exclude<Numbers, BigInt64Array | BigUint64Array>} values @param {number[]} edges @param {number[]} numbers @param {boolean} continues  the first bin has rows already */
  #sum(c, values, edges, numbers, continues) {
    const { capacity, data, open } = this;
    let sum = 0, squares = 0;
    for (let b = 0; b < numbers.length; b++) {
      const at = c * capacity + (numbers[b] % capacity), from = edges[b], to = edges[b + 1], more = continues && b === 0;
      let min = more ? data[2 * at] : Infinity, max = more ? data[2 * at + 1] : -Infinity;
      sum = more ? open.sum[c] : 0;
      squares = more ? open.squares[c] : 0;
      for (let i = from; i < to; i++) {
        const v = values[i];
        if (v < min) min = v;
        if (v > max) max = v;
        sum += v;
        squares += v * v;
      }
      const n = to - from + (more ? open.rows : 0), mean = sum / n;
      data[2 * at] = min;
      data[2 * at + 1] = max;
      this.mean[at] = mean;
      this.sd[at] = Math.sqrt(Math.max(0, squares / n - mean * mean));
    }
    open.sum[c] = sum;
    open.squares[c] = squares;
  }

  /** Whether a message goes on where the one before ended. @param {number} first  its first bin @param {number} skipped */
  #goesOn(first, skipped) {
    if (skipped !== this.#skipped) this.broken();
    this.#skipped = skipped;
    return this.next >= 0 && first <= this.next;
  }

  /** What comes next does not go on where this ends: the last bin lacks rows. */
  broken() {
    const place = (this.next - 1) % this.capacity;
    if (this.next > 0 && this.number[place] === this.next - 1) this.state[place] = UNKNOWN;
    this.next = -1;
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

  /**
   * Shows what was kept of the same stream in another width, until it comes or is read in this one: a zoom does not empty what is not in the file yet. A bin
   * has what all that it touches have, so narrower ones are steps.
   * @param {Bins | Rows} other
   */
  seed(other) {
    const pieces = other.pieces(), { width, capacity } = this;
    const last = pieces.reduce((most, { to }) => Math.max(most, Math.ceil(to / width) - 1), -1), weights = new Float64Array(capacity);
    const bin = { min: 0, max: 0, mean: 0, sd: 0 }, places = this.columns.map(({ index }) => other.columns.findIndex((c) => c.index === index));
    for (const { at, from, to } of pieces) {
      for (let number = Math.max(Math.floor(from / width), last - capacity + 1); number * width < to; number++) {
        const place = number % capacity, weight = Math.min(to, (number + 1) * width) - Math.max(from, number * width);
        if (this.number[place] !== number) this.#take(place, number);
        const before = weights[place];
        weights[place] += weight;
        for (let c = 0; c < places.length; c++) {
          if (places[c] < 0) continue;
          other.value(places[c], at, bin);
          const i = c * capacity + place, share = weight / weights[place];
          this.data[2 * i] = before > 0 ? Math.min(this.data[2 * i], bin.min) : bin.min;
          this.data[2 * i + 1] = before > 0 ? Math.max(this.data[2 * i + 1], bin.max) : bin.max;
          this.mean[i] = before > 0 ? this.mean[i] + share * (bin.mean - this.mean[i]) : bin.mean;
          this.sd[i] = before > 0 ? this.sd[i] + share * (bin.sd - this.sd[i]) : bin.sd;
        }
      }
    }
  }

  /** What is kept, by time: ticks. @returns {{ at: number, from: number, to: number }[]} */
  pieces() {
    const { number, width } = this;
    return Array.from(number, (n, at) => ({ at, from: n * width, to: (n + 1) * width })).filter(({ from }) => from >= 0);
  }

  /** @param {number} column  its place @param {number} at @param {Bin} bin  gets what is there */
  value(column, at, bin) {
    const i = column * this.capacity + at;
    bin.min = this.data[2 * i];
    bin.max = this.data[2 * i + 1];
    bin.mean = this.mean[i];
    bin.sd = this.sd[i];
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

  /**
   * What there is of a span, as the engine gives it, in arrays of its own.
   * @param {number} from @param {number} to @param {number} bins @param {number[]} columns @param {number} period  ticks from row to row
   * @returns {Envelope}
   */
  envelope(from, to, bins, columns, period) {
    const n = columns.length, first = Math.round(from / this.width), { capacity } = this;
    const data = new Float32Array(2 * n * bins).fill(NaN), mean = new Float32Array(n * bins).fill(NaN), sd = new Float32Array(n * bins).fill(NaN);
    /** Bins that lie together in the ring, too. @type {{ bin: number, place: number, length: number }[]} */
    const pieces = [];
    let used = 0;
    for (let b = 0; b < bins; b++) {
      const place = (first + b) % capacity;
      if (this.number[place] !== first + b) continue;
      used++;
      const piece = pieces[pieces.length - 1];
      if (piece && piece.bin + piece.length === b && piece.place + piece.length === place) piece.length++;
      else pieces.push({ bin: b, place, length: 1 });
    }
    columns.forEach((column, k) => {
      const c = column < this.index.length ? this.index[column] : -1;
      if (c < 0) return;
      for (const { bin, place, length } of pieces) {
        const at = c * capacity + place, out = k * bins + bin;
        data.set(this.data.subarray(2 * at, 2 * (at + length)), 2 * out);
        mean.set(this.mean.subarray(at, at + length), out);
        sd.set(this.sd.subarray(at, at + length), out);
      }
    });
    const perBin = Math.max(1, this.width / period);
    return { kind: "envelope", quality: "exact", from, to, bins, done: bins, columns, data, mean, sd, rows: Math.round(bins * perBin), rows_used: Math.round(used * perBin), samples_per_pixel: perBin };
  }
}
