// @ts-check
/**
 * The page's side of the engine: one worker, one promise a request.
 *
 * A request id gets exactly one reply. Aborting a signal asks the engine to stop; the promise is then rejected by the engine's reply, so that
 * nothing arrives afterwards. When the engine dies, everything pending is rejected first and onCrash is called once.
 *
 * What takes long (verifying, saving, recovering) is asked of a second engine, so that the one that draws is never busy with it, and is small.
 *
 * @typedef {import("./protocol.js").EngineClient} EngineClient
 * @typedef {import("./protocol.js").EngineError} EngineErrorData
 * @typedef {import("./protocol.js").OpenArgs} OpenArgs
 * @typedef {{resolve: (value: any) => void, reject: (error: Error) => void, progress?: (value: any) => void, release: () => void}} Pending
 */
import { Second } from "./second.js";
import { engineWorker, worker } from "./workers.js";

/** Starts the engine in a worker of its own. @param {typeof Engine} [Kind]  what talks to it @returns {Engine} */
export function startEngine(Kind = Engine) {
  return new Kind(engineWorker("oniscope-engine"), new Second(() => new Engine(worker("./engine.worker.js?second", "oniscope-second-engine"))));
}

/**
 * An error as the engine reported it: name and message, the byte offset where there is one, and what the person can do.
 * @param {EngineErrorData} data @returns {Error & {offset?: number, next?: string}}
 */
function errorFromReply(data) {
  const error = /** @type {Error & {offset?: number, next?: string}} */ (new Error(String(data.message)));
  error.name = String(data.name);
  if (typeof data.offset === "number") error.offset = data.offset;
  if (data.next) error.next = String(data.next);
  return error;
}

/** @implements {EngineClient} */
export class Engine {
  /** For what takes long; null: this one is it. @type {Second | null} */
  #second;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  #lastId = 0;
  /** Why the engine is dead; "" while it lives. */
  #dead = "";
  /** @type {Pick<Worker, "postMessage" | "terminate"> & {onmessage: any, onerror: any, onmessageerror: any}} */
  #worker;

  /** @type {(message: string) => void} */
  onCrash = () => {};

  /**
   * @param {Pick<Worker, "postMessage" | "terminate"> & {onmessage: any, onerror: any, onmessageerror: any}} worker  runs engine.worker.js
   * @param {Second | null} [second]
   */
  constructor(worker, second = null) {
    this.#worker = worker;
    this.#second = second;
    worker.onmessage = (/** @type {MessageEvent} */ event) => this.#receive(event.data);
    worker.onerror = (/** @type {ErrorEvent} */ event) => {
      event.preventDefault?.();
      this.#die(event.message ? `the engine's worker failed: ${event.message}` : "the engine's worker could not be loaded");
    };
    worker.onmessageerror = () => this.#die("a message of the engine could not be read");
  }

  /** @type {EngineClient["open"]} */
  async open(args, opts = {}) {
    const info = await this.#request("open", args, opts);
    this.#second?.note(args, async () => (await this.#request("known", { stream: args.stream }))?.known ?? null);
    return info;
  }

  /** Opens by what another engine knows of the file. @param {OpenArgs} args @param {ArrayBuffer} known */
  openKnown(args, known) {
    return this.#request("openKnown", { ...args, known }, { transfer: [known] });
  }

  /** @type {EngineClient["openGrowing"]} */
  async openGrowing(args) {
    const info = await this.#request("openGrowing", { ...args, blocks: Float64Array.from(args.blocks.flat()) });
    this.#second?.note(args);
    return info;
  }

  /** @type {EngineClient["grow"]} */
  grow(args) {
    this.#second?.grow(args);
    return this.#request("grow", args);
  }

  /** @type {EngineClient["close"]} */
  close(stream) {
    this.#second?.forget(stream);
    return this.#request("close", { stream });
  }

  /** @type {EngineClient["index"]} */
  index(stream, opts = {}) {
    return this.#request("index", { stream }, opts);
  }

  /** @type {EngineClient["info"]} */
  info(stream) {
    return this.#request("info", { stream });
  }

  /** @type {EngineClient["envelope"]} */
  envelope(args, opts = {}) {
    return this.#request("envelope", args, opts);
  }

  /** @type {EngineClient["overview"]} */
  overview(args, opts = {}) {
    return this.#request("overview", args, opts);
  }

  /** @type {EngineClient["values"]} */
  values(stream, column, start, end) {
    return this.#request("values", { stream, column, start, end });
  }

  /** @type {EngineClient["table"]} */
  table(args) {
    return this.#request("table", args);
  }

  /** @type {EngineClient["row"]} */
  row(stream, ticks) {
    return this.#request("row", { stream, ticks });
  }

  /** @type {EngineClient["slice"]} */
  async slice(args, opts = {}) {
    if (!this.#second) return this.#working("slice", args, opts);
    return (await this.#second.engineFor(args.stream)).slice(args, { ...opts, tiles: this.#keeper(args.stream) });
  }

  /** @type {EngineClient["recover"]} */
  async recover(args, opts = {}) {
    if (!this.#second) return this.#working("recover", args, opts);
    return (await this.#second.engineFor(args.stream)).recover(args, { ...opts, tiles: this.#keeper(args.stream) });
  }

  /** @type {EngineClient["verify"]} */
  async verify(stream, opts = {}) {
    if (!this.#second) return this.#working("verify", { stream }, opts);
    const report = await (await this.#second.engineFor(stream)).verify(stream, { ...opts, tiles: this.#keeper(stream) });
    await this.#request("proved", { stream, findings: report.findings });
    return report;
  }

  /**
   * Asks this engine for what takes long. What it reads meanwhile looks like comes as progress, to tiles.
   * @param {string} op @param {object} args
   * @param {{ signal?: AbortSignal, onProgress?: (p: any) => void, tiles?: (buffer: ArrayBuffer) => void }} opts
   */
  #working(op, args, { tiles, ...opts }) {
    const onProgress = (/** @type {any} */ p) => (p.tiles ? tiles?.(p.tiles) : opts.onProgress?.(p));
    return this.#request(op, { ...args, tiles: Boolean(tiles) }, { ...opts, onProgress });
  }

  /** Keeps here what another engine has read of a stream looks like. @param {string} stream @returns {(buffer: ArrayBuffer) => void} */
  #keeper(stream) {
    return (tiles) => void this.#request("tiles", { stream, tiles }, { transfer: [tiles] }).catch(() => {}); // they can be made again
  }

  /** @type {EngineClient["setGain"]} */
  setGain(stream, group, gain) {
    this.#second?.repeat(stream, (engine) => engine.setGain(stream, group, gain));
    return this.#request("setGain", { stream, group, gain });
  }

  /** @type {EngineClient["setTimeColumn"]} */
  setTimeColumn(stream, column) {
    this.#second?.repeat(stream, (engine) => engine.setTimeColumn(stream, column));
    return this.#request("setClock", { stream, hz: 0, column });
  }

  /** @type {EngineClient["setClock"]} */
  setClock(stream, hz, startUTC) {
    this.#second?.repeat(stream, (engine) => engine.setClock(stream, hz, startUTC));
    return this.#request("setClock", startUTC === undefined ? { stream, hz } : { stream, hz, start_utc: startUTC });
  }

  /** @type {EngineClient["startTime"]} */
  startTime(data) {
    let binary = "";
    for (let at = 0; at < data.length; at += 8192) binary += String.fromCharCode(...data.subarray(at, at + 8192));
    return this.#request("startTime", { data: btoa(binary) });
  }

  /** @type {EngineClient["chooseStartTime"]} */
  chooseStartTime(name, csvs) {
    return this.#request("chooseStartTime", { name, csvs });
  }

  /** @type {EngineClient["engine"]} */
  async engine() {
    const [state, second] = await Promise.all([this.#request("engine", {}), this.#second?.state()]);
    return second ? { ...state, bytes: state.bytes + second.bytes, read: state.read + second.read } : state;
  }

  /** Ends the worker; what is pending is rejected. onCrash is not called. */
  terminate() {
    this.onCrash = () => {};
    this.#second?.terminate();
    this.#die("the engine was closed");
  }

  /**
   * @param {string} op @param {object} args
   * @param {{signal?: AbortSignal, onProgress?: (value: any) => void, transfer?: ArrayBuffer[]}} [opts]
   * @returns {Promise<any>}
   */
  #request(op, args, { signal, onProgress, transfer = [] } = {}) {
    if (this.#dead) return Promise.reject(errorFromReply({ name: "EngineError", message: this.#dead, next: "Restart the engine; files on disk are untouched." }));
    if (signal?.aborted) return Promise.reject(errorFromReply({ name: "AbortError", message: "cancelled before it began" }));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const abort = () => this.#request("cancel", { target: id }).catch(() => {});
      const release = () => signal?.removeEventListener("abort", abort);
      try {
        this.#worker.postMessage({ id, op, args }, transfer);
      } catch (cause) { // an argument that cannot be cloned
        reject(errorFromReply({ name: "DataCloneError", message: `${op}: ${cause instanceof Error ? cause.message : cause}` }));
        return;
      }
      this.#pending.set(id, { resolve, reject, progress: onProgress, release });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** @param {any} message */
  #receive(message) {
    if (message.crash !== undefined) {
      this.#die(String(message.crash));
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return; // died or terminated meanwhile
    if ("progress" in message) {
      pending.progress?.(message.progress);
      return;
    }
    this.#pending.delete(message.id);
    pending.release();
    if ("error" in message) pending.reject(errorFromReply(message.error));
    else pending.resolve(message.result);
  }

  /** @param {string} why */
  #die(why) {
    if (this.#dead) return;
    this.#dead = why;
    this.#worker.terminate();
    this.#second?.terminate();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const p of pending) {
      p.release();
      p.reject(errorFromReply({ name: "EngineError", message: why, next: "Restart the engine; files on disk are untouched." }));
    }
    this.onCrash(why);
  }
}
