/**
 * The side of the recorder's connection that works: it takes in what comes and keeps the newest of it, away from the page's own thread, and answers the page
 * with pictures' worth of it. Runs in live.worker.js; remote.js is the page's end, and says what passes.
 *
 * @typedef {import("./remote.js").Wanted} Wanted
 * @typedef {import("./remote.js").Condition} Condition
 * @typedef {import("./remote.js").ToReceiver} ToReceiver
 * @typedef {import("./remote.js").FromReceiver} FromReceiver
 * @typedef {import("./protocol.js").Told} Told
 * @typedef {import("./protocol.js").Ask} Ask
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {{ wanted: Wanted, bins: Bins | null, rows: Rows | null, read: Map<string, Envelope>, tick: number }} Kept  read: what the file gave of each plot, which rows follow; tick: the last that came
 * @typedef {{ say(ask: Ask): boolean, end(): void }} Connection
 */
import { columnOf, parseMessage } from "./arrow.js";
import { Bins } from "./bins.js";
import { Feeds } from "./feeds.js";
import { firstRise } from "./follow.js";
import { Link } from "./link.js";
import { Rows } from "./rows.js";

/** What came is told so long after the first of it, for all streams, in milliseconds: they come together. */
const TOGETHER = 6;

/** Plots of which is kept what the file gave. */
const MOST_PLOTS = 4;

export class Receiver {
  /** By stream. @type {Map<string, Kept>} */
  #kept = new Map();
  /** What was asked for, by number of the recorder's answer; those that are not answered yet, oldest first. @type {Map<number, Wanted>} */
  #shows = new Map();
  /** @type {Wanted[][]} */
  #asked = [];
  #connect;
  /** @type {Connection | null} */
  #link = null;
  /** @type {Condition | null} */
  #condition = null;
  /** What the condition is about had this value last; null: nothing came since it is waited for. @type {number | null} */
  #before = null;
  /** What the page has not been told of yet, by stream. @type {Map<string, import("./remote.js").Came>} */
  #came = new Map();
  /** To the painter. @type {MessagePort | null} */
  #painter = null;
  #feeds = new Feeds((stream) => {
    const kept = this.#kept.get(stream);
    return kept ? { bins: kept.bins, tick: kept.tick, period: kept.wanted.period } : null;
  }, (answer, transfer) => this.#painter?.postMessage(answer, transfer));

  /**
   * @param {(message: FromReceiver, transfer?: Transferable[]) => void} post
   * @param {(url: string, hearer: import("./link.js").Hearer) => Connection} [connect]
   * @param {(call: () => void) => void} [soon]
   */
  constructor(post, connect = (url, hearer) => new Link(url, hearer), soon = (call) => setTimeout(call, TOGETHER)) {
    this.post = post;
    this.#connect = connect;
    this.soon = soon;
  }

  /** @param {string} url  of the recorder's websocket */
  connect(url) {
    this.#link = this.#connect(url, { told: (told) => this.#told(told), came: (data) => this.#take(data), state: (state, why) => this.#linked(state, why) });
  }

  /** @param {ToReceiver} message */
  handle(message) {
    switch (message.op) {
      case "painter":
        this.#painter = message.port;
        message.port.onmessage = ({ data }) => this.#feeds.asked(data);
        break;
      case "say":
        this.post({ op: "reply", id: message.id, value: this.#link?.say(message.ask) ?? false });
        break;
      case "end":
        this.#link?.end();
        break;
      case "want":
        this.#want(message.wanted);
        break;
      case "condition":
        this.#condition = message.condition;
        this.#before = null;
        break;
      case "written":
        this.#kept.get(message.stream)?.rows?.written(message.last);
        break;
      case "filled": {
        const bins = this.#kept.get(message.stream)?.bins;
        if (!bins || bins.width !== message.width || !sameColumns(bins.columns, message.envelope.columns)) break;
        bins.read(message.envelope);
        this.#feeds.came(message.stream, Math.round(message.envelope.from / bins.width));
        break;
      }
      case "missing":
        this.post({ op: "reply", id: message.id, value: this.#kept.get(message.stream)?.bins?.missing(message.fill.from, message.fill.to, message.fill.most) ?? null });
        break;
      case "bins":
        this.#answerBins(message);
        break;
      case "rows":
        this.#answerRows(message);
        break;
    }
  }

  /** @param {Extract<ToReceiver, { op: "bins" }>} message */
  #answerBins({ id, stream, from, to, bins, columns, fill }) {
    const kept = this.#kept.get(stream);
    if (!kept?.bins) {
      this.post({ op: "reply", id, value: null });
      return;
    }
    const envelope = kept.bins.envelope(from, to, bins, columns, kept.wanted.period);
    this.post({ op: "reply", id, value: { envelope, missing: kept.bins.missing(fill.from, fill.to, fill.most) } }, buffersOf(envelope));
  }

  /** @param {Extract<ToReceiver, { op: "rows" }>} message */
  #answerRows({ id, stream, plot, read, last }) {
    const kept = this.#kept.get(stream);
    if (!kept?.rows) {
      this.post({ op: "reply", id, value: null });
      return;
    }
    if (read) keepNewest(kept.read, plot, read);
    const before = kept.read.get(plot), envelope = before ? kept.rows.after(before, last) : null;
    this.post({ op: "reply", id, value: envelope }, envelope ? buffersOf(envelope) : []);
  }

  /** Keeps what is wanted from now on, with what is there of it already. @param {Wanted[]} wanted */
  #want(wanted) {
    const before = this.#kept;
    this.#kept = new Map(wanted.map((w) => {
      const old = before.get(w.stream), same = old && JSON.stringify(old.wanted) === JSON.stringify(w);
      return [w.stream, same ? old : fresh(w, old)];
    }));
    this.#show();
  }

  #show() {
    const wanted = [...this.#kept.values()].map((kept) => kept.wanted);
    const said = this.#link?.say({ type: "show", streams: wanted.map(({ stream, columns, bin }) => ({ stream, columns: columns.map((c) => c.index), bin })) });
    if (said) this.#asked.push(wanted);
  }

  /** @param {"connecting" | "open" | "lost"} state @param {string} why */
  #linked(state, why) {
    if (state === "lost") {
      this.#asked = [];
      this.#shows.clear();
      this.#broken();
    }
    this.post({ op: "state", state, why });
  }

  /** What comes next does not go on where what is kept ends. */
  #broken() {
    for (const { bins, rows } of this.#kept.values()) {
      bins?.broken();
      rows?.broken();
    }
  }

  /** @param {Told} told */
  #told(told) {
    if (told.type === "hello") this.#show();
    if (told.type === "show") {
      const wanted = this.#asked.shift() ?? [];
      this.#shows.clear();
      this.#broken(); // rows that the recorder had gathered for the question before are not sent
      for (const { show, stream } of told.streams) {
        const of = wanted.find((w) => w.stream === stream);
        if (of) this.#shows.set(show, of);
      }
      return;
    }
    this.post({ op: "told", told });
  }

  /** @param {ArrayBuffer} data */
  #take(data) {
    const message = parseMessage(data), { header } = message;
    const wanted = this.#shows.get(header.show), kept = this.#kept.get(header.stream);
    if (!wanted || !kept || message.rows === 0) return; // of a view before
    const all = wanted === kept.wanted || kept.wanted.columns.every(({ index }) => wanted.columns.some((c) => c.index === index)); // else the recorder has not heard yet of some
    if (header.bin > 0 && kept.bins?.width === header.bin) kept.bins.put(message, all);
    else if (header.bin > 0 && kept.bins && header.bin % kept.bins.width === 0) kept.bins.putWide(message);
    else if (header.bin === 0 && kept.bins) kept.bins.putRows(message, wanted.columns, all);
    else if (header.bin === 0 && kept.rows) kept.rows.put(message, wanted.columns);
    else return;
    kept.tick = header.to;
    if (kept.bins) this.#feeds.came(header.stream, Math.floor((header.bin > 0 ? header.from : Number(columnOf(message, 0, "uint64")[0])) / kept.bins.width));
    const before = this.#came.get(header.stream), rise = this.#rise(message, wanted);
    this.#came.set(header.stream, { stream: header.stream, last: kept.tick, rise: before?.rise ?? rise, skipped: header.skipped });
    if (this.#came.size === 1 && !before) this.soon(() => {
      const streams = [...this.#came.values()];
      this.#came.clear();
      this.post({ op: "came", streams });
    });
  }

  /** When what is waited for happened in a message; null: it did not. @param {import("./arrow.js").Message} message @param {Wanted} wanted */
  #rise(message, wanted) {
    const { header } = message, condition = this.#condition;
    if (!condition || condition.stream !== header.stream) return null;
    let ticks, values;
    if (header.bin === 0) {
      const k = wanted.columns.findIndex((c) => c.index === condition.column);
      if (k < 0) return null;
      ticks = Array.from(columnOf(message, 0, "uint64"), Number);
      values = Array.from(columnOf(message, 1 + k, wanted.columns[k].type), Number);
    } else {
      const columns = columnOf(message, 1, "uint16"), bins = columnOf(message, 0, "uint32"), most = columnOf(message, 4, "float32");
      const places = Array.from(columns, Number).flatMap((c, i) => (c === condition.column ? [i] : []));
      ticks = places.map((i) => header.from + Number(bins[i]) * header.bin);
      values = places.map((i) => Number(most[i]));
    }
    if (values.length === 0) return null;
    const tick = firstRise(ticks, values, condition, this.#before ?? values[0]);
    this.#before = values[values.length - 1];
    return tick;
  }
}

/** @param {Wanted} wanted @param {Kept} [old]  what was kept of the stream before @returns {Kept} */
function fresh(wanted, old) {
  const { columns, width, capacity } = wanted, bins = width > 0 ? new Bins(columns, width, capacity) : null, rows = width > 0 ? null : new Rows(columns);
  const before = old?.bins ?? old?.rows;
  if (before) bins?.seed(before);
  if (old?.rows) rows?.seed(old.rows);
  return { wanted, bins, rows, read: new Map(), tick: old?.tick ?? 0 };
}

/** @param {{ index: number }[]} columns @param {number[]} indices */
const sameColumns = (columns, indices) => columns.length === indices.length && columns.every((c, i) => c.index === indices[i]);

/** @param {Envelope} envelope */
function buffersOf({ data, mean, sd, x }) {
  return [data, mean, sd, x].flatMap((array) => (array && array.byteLength > 0 ? [array.buffer] : []));
}

/** @template T @param {Map<string, T>} kept  by plot @param {string} plot @param {T} value */
function keepNewest(kept, plot, value) {
  kept.delete(plot);
  kept.set(plot, value);
  if (kept.size > MOST_PLOTS) kept.delete(/** @type {string} */ (kept.keys().next().value));
}
