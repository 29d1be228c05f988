/**
 * Keeps one plot supplied: asks the engine for the envelope of what is on the screen, coarse first where exact takes long, and drops requests that a newer
 * view has overtaken. At most one request is on its way; results of earlier views are kept a while and drawn where they belong in time, so nothing is ever blank.
 *
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../protocol.js").EngineClient} EngineClient
 * @typedef {import("./scale.js").Span} Span
 * @typedef {{ stream: string, columns: number[], from: number, to: number, bins: number, samples: number, version?: string | number, grows?: boolean }} Wanted
 *   samples: about how many values an exact answer reads; version: another one asks anew, of a stream that grows; grows: it is asked for as far as a recording has come
 * @typedef {{ envelope: Envelope, index: Map<number, number> }} Layer  index: column to its place in the envelope
 */

import { Turns } from "./turns.js";

/** Exact at once up to so many values: about 50 ms of work. */
const QUICK_SAMPLES = 1.5e6;

/** A request that was overtaken may still finish if it is younger than this, in milliseconds: while the view moves, every frame overtakes the one before. */
const GRACE = 120;

/** Layers kept, and their values: of many channels the newest alone, with the one before while it has not all of them. */
const DEPTH = 3, MOST_VALUES = 2e6;

export class Loader {
  /** Newest first. @type {Layer[]} */
  layers = [];
  /** Why the last request failed; null when it did not. @type {unknown} */
  error = null;
  /** @type {Wanted | null} */
  #wanted = null;
  #wantedKey = "";
  #doneKey = "";
  /** What is asked for now, and what was answered last, exactly. @type {Wanted | null} */
  #asked = null;
  /** @type {Wanted | null} */
  #answered = null;
  #running = false;
  /** @type {AbortController | null} */
  #abort = null;
  #startedAt = 0;
  #generation = 0;
  /** Requests that were begun, and the newest that has ended: what was asked for after one was begun is answered by a later one. */
  begun = 0;
  done = 0;

  /**
   * @param {() => EngineClient} client
   * @param {() => void} onData  a layer came or the last request ended
   * @param {(error: unknown, stream: string) => void} onError
   * @param {Turns} [turns]
   */
  constructor(client, onData, onError, turns = new Turns()) {
    this.client = client;
    this.onData = onData;
    this.onError = onError;
    this.turns = turns;
  }

  /** True when what was wanted last is here, exact, or failed. */
  get settled() {
    return this.#wantedKey === this.#doneKey;
  }

  /** True when a view is here, exact, or failed: rows that a recording got since, after it, do not matter. @param {Span} view */
  has(view) {
    return this.settled || (!!this.#answered && view.to <= this.#answered.to && grown(this.#answered, this.#wanted));
  }

  /** The exact answer to what is wanted now, if it is here. @returns {Layer | null} */
  get exact() {
    const layer = this.layers[0];
    return layer && this.settled && layer.envelope.quality === "exact" ? layer : null;
  }

  /** @param {Wanted} wanted */
  want(wanted) {
    const key = [wanted.stream, wanted.from, wanted.to, wanted.bins, wanted.columns.join(), wanted.version ?? ""].join("|");
    if (key === this.#wantedKey) return;
    if (this.#wanted && this.#wanted.stream !== wanted.stream) this.layers = [];
    this.#wanted = wanted;
    this.#wantedKey = key;
    if (!this.#running) {
      void this.#run();
      return;
    }
    if (grown(this.#asked, wanted)) return; // new rows come faster than a busy machine answers: each would break off the request before it
    const overtaken = this.#abort;
    setTimeout(() => overtaken?.abort(), Math.max(0, GRACE - (performance.now() - this.#startedAt)));
  }

  /** Forgets everything, as when streams close, change or the engine restarts. */
  reset() {
    this.#generation++;
    this.#abort?.abort();
    this.#running = false;
    this.layers = [];
    this.error = null;
    this.#wanted = this.#asked = this.#answered = null;
    this.#wantedKey = this.#doneKey = "";
  }

  async #run() {
    const generation = this.#generation, who = {};
    this.#running = true;
    while (this.#wanted && this.#doneKey !== this.#wantedKey) {
      const turn = this.turns.turn(who);
      if (turn) await turn; // meanwhile the view has moved on
      if (generation !== this.#generation) {
        this.turns.done(who);
        return;
      }
      const wanted = /** @type {Wanted} */ (this.#wanted), key = this.#wantedKey, number = ++this.begun;
      const { signal } = (this.#abort = new AbortController());
      this.#startedAt = performance.now();
      this.#asked = wanted;
      try {
        await this.#load(wanted, key, signal, generation, who).finally(() => this.turns.done(who));
        if (generation !== this.#generation) return;
        this.#doneKey = key;
        this.done = number;
        this.error = null;
        this.#answered = this.layers[0]?.envelope.quality === "exact" ? wanted : null;
      } catch (error) {
        if (generation !== this.#generation) return;
        if (!signal.aborted) { // else overtaken, if only by a moment: what is wanted now is asked for next
          this.#doneKey = key;
          this.error = error;
          this.onError(error, wanted.stream);
        }
      }
    }
    this.#running = false;
    this.onData();
  }

  /**
   * @param {Wanted} wanted
   * @param {string} key
   * @param {AbortSignal} signal
   * @param {number} generation
   * @param {object} who  has the turn
   */
  async #load(wanted, key, signal, generation, who) {
    const { stream, columns, from, to, bins } = wanted;
    /** @type {Layer | null} */
    let own = null;
    const accept = (/** @type {Envelope} */ envelope) => {
      if (generation !== this.#generation) return; // of one that was overtaken, what came is still good
      const layer = { envelope, index: new Map(envelope.columns.map((column, i) => [column, i])) };
      this.layers = newest([layer, ...this.layers.filter((l) => l !== own)], columns.length);
      own = layer;
      this.onData();
    };
    if (wanted.samples > QUICK_SAMPLES) {
      const coarse = await this.client().envelope({ stream, columns, from, to, bins, quality: "coarse" }, { signal, onProgress: accept });
      accept(coarse);
      this.turns.done(who); // what came is painted first
      const turn = key === this.#wantedKey && coarse.quality !== "exact" ? this.turns.turn(who) : null;
      if (turn) await turn;
      if (key !== this.#wantedKey || coarse.quality === "exact") return; // overtaken, or nothing better would come
      this.#startedAt = performance.now();
    }
    accept(await this.client().envelope({ stream, columns, from, to, bins, quality: "exact" }, { signal, onProgress: accept }));
  }
}

/** Whether the same is wanted, of a stream that has more rows by now. @param {Wanted | null} before @param {Wanted | null} now */
function grown(before, now) {
  return !!before && !!now?.grows && before.stream === now.stream && before.from === now.from && before.to < now.to && before.bins <= now.bins && before.columns.join() === now.columns.join();
}

/** Layers that there is room for. @param {Layer[]} layers  newest first @param {number} wanted  columns of the newest, when all of it is there */
function newest(layers, wanted) {
  let values = 0;
  const always = layers[0].envelope.columns.length < wanted ? 1 : 0;
  return layers.slice(0, DEPTH).filter(({ envelope: { bins, columns } }, i) => (values += bins * columns.length) <= MOST_VALUES || i <= always);
}

/**
 * The layer that shows most of a view for one column, newest first among equals.
 * @param {Layer[]} layers
 * @param {number} column
 * @param {Span} view
 * @returns {Layer | null}
 */
export function bestLayer(layers, column, view) {
  let best = null, most = 0;
  for (const layer of layers) {
    if (!layer.index.has(column)) continue;
    const { from, to } = layer.envelope;
    const seen = Math.min(to, view.to) - Math.max(from, view.from);
    if (seen > most * 1.02) {
      best = layer;
      most = seen;
    }
  }
  return best;
}
