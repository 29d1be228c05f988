/**
 * The engine of a page that follows a recording: what is in the files it reads as always; what came last it adds, so that plots ask one engine.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../protocol.js").EnvelopeArgs} EnvelopeArgs
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {{ signal?: AbortSignal, onProgress?: (e: Envelope) => void }} Options
 * @typedef {ReturnType<typeof import("./arrow.js").parseMessage>} Message
 */
import { Engine } from "../engine.js";
import { periodOf } from "../times.js";
import { Bins, Rows } from "./tails.js";

/** Values that one read of the file takes while it is followed: the newest part first. */
const FILL_SAMPLES = 4e6;

/** A file that is being written, and what came last of its stream. */
export class Tail {
  /** @type {Bins | null} */
  bins = null;
  /** @type {Rows | null} */
  rows = null;
  /** Counts what came and what was read. */
  version = 0;
  /** The engine's last answer, with what it answered. @type {{ key: string, answer: Envelope } | null} */
  #read = null;
  #filling = false;

  /**
   * @param {string} stream  name of the recorder's
   * @param {StreamInfo} info  of its newest file; its clock.last is that of the last row that came
   */
  constructor(stream, info) {
    this.stream = stream;
    this.info = info;
    /** Clock of the last row in the file. */
    this.last = info.clock.last;
  }

  /** Ticks up to which the file has all rows. */
  get end() {
    return this.info.rows > 0 ? this.last + 1 : 0;
  }

  /** What the recorder is to send. @returns {{ stream: string, columns: number[], bin: number } | null} */
  get wanted() {
    if (this.bins) return { stream: this.stream, columns: this.bins.columns, bin: this.bins.width };
    if (this.rows) return { stream: this.stream, columns: this.rows.columns.map((c) => c.index), bin: 0 };
    return null;
  }

  /** @param {Message} message @returns {boolean} whether it is one that was wanted */
  put(message) {
    const { bin } = message.header;
    if (bin > 0 && this.bins?.width === bin) this.bins.put(message);
    else if (bin === 0 && this.rows && message.buffers.length === 2 * (this.rows.columns.length + 1)) this.rows.put(message);
    else return false;
    this.version++;
    return true;
  }

  /** @param {number} last  Clock of the file's last row by now */
  written(last) {
    this.last = last;
    this.version++;
    this.rows?.written(last);
  }

  /**
   * @param {EnvelopeArgs} args
   * @param {(args: EnvelopeArgs) => Promise<Envelope>} read  from the file
   * @param {() => void} filled  something older was read
   * @returns {Promise<Envelope>}
   */
  async envelope(args, read, filled) {
    const { from, to, bins, columns } = args, width = (to - from) / bins;
    if (Number.isInteger(width) && from % width === 0 && width >= 2 * periodOf(this.info)) {
      if (to <= this.end) return read(args);
      const ring = this.#ring(columns, width, bins);
      void this.#fill(ring, from, Math.min(to, this.end), read, filled);
      return ring.envelope(from, to, bins, columns);
    }
    if (!this.bins && !(this.rows && columns.every((c) => this.rows?.columns.some((info) => info.index === c)))) {
      const known = this.rows?.columns.map((c) => c.index) ?? [];
      this.rows = new Rows([...new Set([...known, ...columns])].map((c) => this.info.columns[c]));
    }
    const key = JSON.stringify([args, this.last]);
    if (this.#read?.key !== key) this.#read = { key, answer: await read(args) };
    return this.rows && this.#read.answer.quality === "exact" && to >= this.last ? this.rows.after(this.#read.answer, this.last) : this.#read.answer;
  }

  /** @param {number[]} columns @param {number} width @param {number} bins */
  #ring(columns, width, bins) {
    const ring = this.bins;
    if (ring && ring.width === width && ring.capacity >= bins + 2 && columns.every((c) => ring.index.has(c))) return ring;
    this.rows = null;
    return (this.bins = new Bins(columns, width, 2 ** Math.ceil(Math.log2(2 * bins + 2))));
  }

  /** Reads what the ring lacks, part by part. @param {Bins} ring @param {number} from @param {number} to @param {(args: EnvelopeArgs) => Promise<Envelope>} read @param {() => void} filled */
  async #fill(ring, from, to, read, filled) {
    if (this.#filling) return;
    this.#filling = true;
    try {
      const perBin = (ring.width / periodOf(this.info)) * ring.columns.length;
      const part = ring.missing(from, to, Math.max(16, Math.floor(FILL_SAMPLES / perBin)));
      if (!part || ring !== this.bins) return;
      const answer = await read({ stream: this.info.id, columns: ring.columns, from: part.from, to: part.to, bins: part.bins, quality: "exact" });
      if (answer.kind === "envelope") ring.read(answer);
      this.version++;
      filled();
    } catch {
      // a part that cannot be read now stays empty; it is asked for again with the next picture
    } finally {
      this.#filling = false;
    }
  }
}

export class LiveEngine extends Engine {
  /** By id of the file's stream. @type {Map<string, Tail>} */
  tails = new Map();
  /** Something came, or what is wanted of the recorder has changed. @type {() => void} */
  onWanted = () => {};
  /** Older parts were read. @type {() => void} */
  onFilled = () => {};
  #asked = "";

  /**
   * @param {EnvelopeArgs} args
   * @param {Options} [opts]
   * @returns {Promise<Envelope>}
   */
  envelope(args, opts = {}) {
    const tail = this.tails.get(args.stream);
    if (!tail || args.columns.length === 0) return super.envelope(args, opts);
    const answer = tail.envelope(args, (part) => super.envelope(part, part === args ? opts : {}), this.onFilled);
    const asked = JSON.stringify([...this.tails.values()].map((t) => t.wanted));
    if (asked !== this.#asked) {
      this.#asked = asked;
      this.onWanted();
    }
    return answer;
  }

  /**
   * Of a file that grows, what is known at once: the exact answer would read the whole run, again and again.
   * @param {import("../protocol.js").OverviewArgs} args
   * @param {{ signal?: AbortSignal, onProgress?: (o: import("../protocol.js").Overview) => void }} [opts]
   * @returns {Promise<import("../protocol.js").Overview>}
   */
  overview(args, opts = {}) {
    if (!this.tails.has(args.stream)) return super.overview(args, opts);
    const control = new AbortController();
    opts.signal?.addEventListener("abort", () => control.abort(), { once: true });
    return new Promise((resolve, reject) => {
      super.overview(args, { signal: control.signal, onProgress: (first) => {
        resolve(first);
        control.abort();
      } }).then(resolve, reject);
    });
  }

  /** What the recorder is to send. */
  get wanted() {
    return [...this.tails.values()].flatMap((tail) => tail.wanted ?? []);
  }
}
