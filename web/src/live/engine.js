/**
 * The engine of a page that follows a recording: what is in the files it reads as always; what came last is added by the receiver, so that plots ask one engine.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../protocol.js").EnvelopeArgs} EnvelopeArgs
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./remote.js").Wanted} Wanted
 * @typedef {{ signal?: AbortSignal, onProgress?: (e: Envelope) => void, written?: boolean }} Options  written: what the file has is enough
 */
import { Engine } from "../engine.js";
import { periodOf } from "../times.js";
import { Remote } from "./remote.js";

/** Values that one read of the file takes while it is followed: the newest part first. */
const FILL_SAMPLES = 4e6;

/** With fewer rows in a bin than this, rows are less to send than bins: 2 bytes a value and row, against 26. */
const FEW_ROWS = 12;

/** So often it is looked whether a picture up to now lacks what is in the file, in milliseconds. */
const LOOK_EVERY = 200;

/** A plot that has asked for nothing so long, in milliseconds, is not there any more. */
const RECENT = 1500;

/** When no plot has asked for bins for so long, in milliseconds, rows are kept instead for one that shows them: the view was zoomed. */
const ZOOMED = 200;

/** A file that is being written, and what is kept of what came last of its stream. */
export class Tail {
  /** What is kept, and asked of the recorder. @type {Wanted | null} */
  wanted = null;
  /** Counts what came and what was read. */
  version = 0;
  /** What the receiver was given of the file's rows, or is about to be, by plot. @type {Map<string, string>} */
  #read = new Map();
  #filling = false;
  #lookedAt = -Infinity;
  #needed = -1;
  /** When bins were asked for last. */
  #binsAt = -Infinity;
  #eachRow = false;
  /** Rows that the recorder could not send, so far; while all of these bins were wanted they are too many. */
  #skipped = Infinity;
  #tooMany = 0;
  /** Which columns plots have asked for, and when last. @type {{ key: string, columns: number[], at: number }[]} */
  #plots = [];

  /**
   * @param {string} stream  name of the recorder's
   * @param {StreamInfo} info  of its newest file; its clock.last is that of the last row that came
   * @param {Remote} remote
   */
  constructor(stream, info, remote) {
    this.stream = stream;
    this.info = info;
    this.remote = remote;
    /** Clock of the last row in the file. */
    this.last = info.clock.last;
  }

  /** Ticks up to which the file has all rows. */
  get end() {
    return this.info.rows > 0 ? this.last + 1 : 0;
  }

  get needed() {
    return this.#needed >= 0;
  }

  /** @param {number} last  Clock of the file's last row by now */
  written(last) {
    this.last = last;
    this.version++;
    this.remote.send({ op: "written", stream: this.stream, last });
  }

  /** A column is wanted, whatever is on the screen; -1: none. @param {number} column @param {boolean} [eachRow]  bins do not tell what is looked for in it */
  need(column, eachRow = false) {
    this.#needed = column;
    this.#eachRow = eachRow;
    if (column < 0 || (this.#has([column]) && !(eachRow && this.wanted && this.wanted.bin > 0))) return;
    if (this.wanted) this.#keep({ ...this.wanted, ...(eachRow && { bin: 0 }), columns: this.#columns(this.wanted.columns.map((c) => c.index)) });
    else this.#keepRows([]);
  }

  /** @param {number[]} columns */
  #has(columns) {
    return this.wanted !== null && columns.every((c) => this.wanted?.columns.some((kept) => kept.index === c));
  }

  /** These columns, what other plots of the stream have asked for of late, and what is needed anyhow. @param {number[]} indices */
  #columns(indices) {
    const now = performance.now();
    this.#plots = this.#plots.filter(({ at }) => now - at < RECENT);
    const all = new Set([...indices, ...this.#plots.flatMap((plot) => plot.columns), ...(this.#needed < 0 ? [] : [this.#needed])]);
    return [...all].map((index) => ({ index, type: this.info.columns[index].type }));
  }

  /** A plot asks. @param {number[]} columns */
  #note(columns) {
    const key = columns.join(), plot = this.#plots.find((p) => p.key === key);
    if (plot) plot.at = performance.now();
    else this.#plots.push({ key, columns, at: performance.now() });
  }

  /** @param {Wanted} wanted */
  #keep(wanted) {
    this.wanted = wanted;
    this.#read.clear();
  }

  /** @param {number[]} columns */
  #keepRows(columns) {
    this.#keep({ stream: this.stream, columns: this.#columns(columns), bin: 0, width: 0, capacity: 0, period: periodOf(this.info) });
  }

  /**
   * @param {EnvelopeArgs} args
   * @param {(args: EnvelopeArgs) => Promise<Envelope>} read  from the file
   * @param {() => void} filled  something older was read
   * @param {() => void} changed  something else is wanted
   * @returns {Promise<Envelope>}
   */
  async envelope(args, read, filled, changed) {
    const { from, to, bins, columns } = args, width = (to - from) / bins, period = periodOf(this.info);
    if (Number.isInteger(width) && from % width === 0 && width >= 2 * period) {
      if (to <= this.end) return read(args);
      const { kept, atOnce } = this.#keepBins(columns, width, bins, period, changed);
      const got = await this.remote.bins({ stream: this.stream, from, to, bins, columns, fill: { from, to: Math.min(to, this.end), most: atOnce } });
      if (!got) return read(args);
      if (got.missing && this.wanted?.width === width) void this.#fill(got.missing, kept.map((c) => c.index), width, read, filled);
      return got.envelope;
    }
    this.#note(columns);
    if (!this.wanted || (this.wanted.width > 0 ? performance.now() - this.#binsAt > ZOOMED : !this.#has(columns))) {
      this.#keepRows(columns);
      changed();
    }
    if (!this.wanted || this.wanted.width > 0 || !this.#has(columns)) return read(args);
    const plot = columns.join(), key = JSON.stringify([args, this.last]), first = key !== this.#read.get(plot), { last } = this;
    const answer = !first ? null : from > this.last ? nothingOf(args, width / period) : await read(args);
    if (first) this.#read.set(plot, key);
    const rows = await this.remote.rows(this.stream, plot, answer, last);
    if (!rows) this.#read.delete(plot);
    return rows ?? read(args);
  }

  /**
   * Has bins of a width kept of columns, as many as a picture has.
   * @param {number[]} columns @param {number} width @param {number} bins @param {number} period @param {() => void} changed
   * @returns {{ kept: Wanted["columns"], atOnce: number }}  atOnce: bins that are read from the file at once
   */
  #keepBins(columns, width, bins, period, changed) {
    this.#note(columns);
    this.#binsAt = performance.now();
    if (!this.wanted || this.wanted.width !== width || this.wanted.capacity < bins + 2 || !this.#has(columns)) {
      this.#keep({ stream: this.stream, columns: this.#columns(columns), bin: this.#binFor(width, period), width, capacity: 2 ** Math.ceil(Math.log2(2 * bins + 2)), period });
      changed();
    }
    const { columns: kept } = /** @type {Wanted} */ (this.wanted);
    return { kept, atOnce: Math.max(16, Math.floor(FILL_SAMPLES / ((width / period) * kept.length))) };
  }

  /** What is asked for where bins of a width are kept: of few rows in a bin the rows, unless there were too many; then so many bins in one. @param {number} width @param {number} period */
  #binFor(width, period) {
    if (this.#eachRow) return 0;
    if (width >= FEW_ROWS * period) return width;
    return this.#tooMany === width ? width * Math.ceil((FEW_ROWS * period) / width) : 0;
  }

  /** So many rows the recorder could not send, so far. @param {number} skipped @param {() => void} changed */
  left(skipped, changed) {
    const more = skipped > this.#skipped, { wanted } = this;
    this.#skipped = skipped;
    if (!more || !wanted || wanted.width === 0 || wanted.bin > 0 || this.#eachRow) return;
    this.#tooMany = wanted.width;
    this.#keep({ ...wanted, bin: this.#binFor(wanted.width, wanted.period) });
    changed();
  }

  /**
   * What a picture up to now is painted from, bins of it; what is in the file only is read. null: rows are shown, or other bins than are kept.
   * @param {Pick<EnvelopeArgs, "from" | "to" | "bins" | "columns">} args
   * @param {number} span  ticks that are looked at
   * @param {(args: EnvelopeArgs) => Promise<Envelope>} read
   * @param {() => void} changed
   * @returns {import("./roll.js").Source | null}
   */
  source({ from, to, bins, columns }, span, read, changed) {
    const width = (to - from) / bins, period = periodOf(this.info), most = Math.ceil(span / width - 1e-6) + 2; // wherever the view begins in a bin
    if (!Number.isInteger(width) || from % width !== 0 || width < 2 * period) return null;
    const { kept, atOnce } = this.#keepBins(columns, width, most, period, changed), now = performance.now();
    if (now - this.#lookedAt >= LOOK_EVERY && !this.#filling) {
      this.#lookedAt = now;
      void this.remote.missing(this.stream, { from, to: Math.min(to, this.end), most: atOnce }).then((missing) => {
        if (missing && this.wanted?.width === width) return this.#fill(missing, kept.map((c) => c.index), width, read, () => (this.#lookedAt = -Infinity)); // there may be more
      });
    }
    return { stream: this.stream, columns, width, bins: most };
  }

  /** Reads what the ring lacks, part by part. @param {import("./remote.js").Missing} part @param {number[]} columns @param {number} width @param {(args: EnvelopeArgs) => Promise<Envelope>} read @param {() => void} filled */
  async #fill({ from, to, bins }, columns, width, read, filled) {
    if (this.#filling) return;
    this.#filling = true;
    try {
      const envelope = await read({ stream: this.info.id, columns, from, to, bins, quality: "exact" });
      if (envelope.kind === "envelope") this.remote.send({ op: "filled", stream: this.stream, width, envelope }, envelope);
      this.version++;
      filled();
    } catch {
      // a part that cannot be read now stays empty; it is asked for again with the next picture
    } finally {
      this.#filling = false;
    }
  }
}

/** What a file has of a span that it does not reach. @param {EnvelopeArgs} args @param {number} samples  in a bin @returns {Envelope} */
const nothingOf = ({ columns, from, to, bins }, samples) => ({ kind: "samples", quality: "exact", from, to, bins, done: bins, columns, data: new Float32Array(0), x: new Float64Array(0), rows: 0, rows_used: 0, samples_per_pixel: samples });

export class LiveEngine extends Engine {
  /** By id of the file's stream. @type {Map<string, Tail>} */
  tails = new Map();
  remote = new Remote();
  /** Older parts were read. @type {() => void} */
  onFilled = () => {};

  /**
   * @param {EnvelopeArgs} args
   * @param {Options} [opts]
   * @returns {Promise<Envelope>}
   */
  envelope(args, opts = {}) {
    const tail = this.tails.get(args.stream);
    if (!tail || args.columns.length === 0 || opts.written) return super.envelope(args, opts);
    return tail.envelope(args, (part) => super.envelope(part, part === args ? opts : {}), this.onFilled, () => this.want());
  }

  /**
   * What a picture up to now can be painted from without the page; null: the file, or rows.
   * @param {Pick<EnvelopeArgs, "stream" | "from" | "to" | "bins" | "columns">} args @param {number} span  ticks that are looked at
   */
  source(args, span) {
    return this.tails.get(args.stream)?.source(args, span, (part) => super.envelope(part), () => this.want()) ?? null;
  }

  /**
   * Of a file that grows, what is known at once: the exact answer would read the whole run, again and again.
   * @param {import("../protocol.js").OverviewArgs} args
   * @param {{ signal?: AbortSignal, onProgress?: (o: import("../protocol.js").Overview) => void }} [opts]
   * @returns {Promise<import("../protocol.js").Overview>}
   */
  overview(args, opts = {}) {
    return super.overview(this.tails.has(args.stream) ? { ...args, quality: "coarse" } : args, opts);
  }

  /** Streams that are seen; of others nothing is kept but what is needed anyhow. @param {Set<string | undefined>} seen  ids */
  only(seen) {
    const others = [...this.tails].filter(([id, tail]) => tail.wanted && !tail.needed && !seen.has(id));
    for (const [, tail] of others) tail.wanted = null;
    if (others.length > 0) this.want();
  }

  /** Says what is to be kept of what comes. */
  want() {
    this.remote.send({ op: "want", wanted: [...this.tails.values()].flatMap((tail) => tail.wanted ?? []) });
  }
}
