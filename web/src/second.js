// @ts-check
/**
 * A second engine, in a worker of its own, for what takes long: it starts when it is first needed, and opens a file when it is first asked about it. The first
 * engine, which draws, stays free.
 *
 * @typedef {import("./engine.js").Engine} Engine
 * @typedef {import("./protocol.js").OpenArgs} OpenArgs
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {(engine: Engine) => Promise<unknown>} Setting
 */

/** What is smaller is done sooner than another engine starts. */
const SMALL = 64e6;

export class Second {
  #start;
  /** @type {Engine | null} */
  #engine = null;
  /** What the second engine has to know of a stream, and once it does. @type {Map<string, { args: OpenArgs, settings: Setting[], opened: Promise<unknown> | null }>} */
  #streams = new Map();

  /** @param {() => Engine} start */
  constructor(start) {
    this.#start = start;
  }

  /** A stream was opened in the first engine. @param {OpenArgs} args @param {StreamInfo} info */
  note(args, info) {
    if (info.size_bytes >= SMALL) this.#streams.set(args.stream, { args, settings: [], opened: null });
  }

  /** What a person says of a stream is to hold in both engines. @param {string} stream @param {Setting} setting */
  repeat(stream, setting) {
    const entry = this.#streams.get(stream);
    if (!entry) return;
    entry.settings.push(setting);
    if (entry.opened && this.#engine) void setting(this.#engine).catch(() => {}); // the first engine says what is wrong
  }

  /** @param {string} stream */
  forget(stream) {
    const entry = this.#streams.get(stream);
    this.#streams.delete(stream);
    if (entry?.opened) void this.#engine?.close(stream).catch(() => {});
  }

  /** The second engine with the stream open, or null for one that the first does as fast. @param {string} stream @returns {Promise<Engine | null>} */
  async engineFor(stream) {
    const entry = this.#streams.get(stream);
    if (!entry) return null;
    const engine = (this.#engine ??= this.#begin());
    entry.opened ??= this.#open(engine, entry);
    try {
      await entry.opened;
    } catch (error) {
      entry.opened = null; // to be tried again
      throw error;
    }
    return engine;
  }

  /** @param {Engine} engine @param {{ args: OpenArgs, settings: Setting[] }} entry */
  async #open(engine, { args, settings }) {
    await engine.open(args);
    for (const setting of settings) await setting(engine).catch(() => {});
  }

  #begin() {
    const engine = this.#start();
    engine.onCrash = () => this.#stopped();
    return engine;
  }

  /** What it was asked has failed with its own error; the next question starts another. */
  #stopped() {
    this.#engine = null;
    for (const entry of this.#streams.values()) entry.opened = null;
  }

  /** Memory and bytes read; null: it does not run. */
  async state() {
    return this.#engine ? this.#engine.engine().catch(() => null) : null;
  }

  terminate() {
    this.#engine?.terminate();
    this.#stopped();
  }
}
