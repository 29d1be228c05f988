// @ts-check
/**
 * A second engine, in a worker of its own, for what takes long: it is loaded when it is first needed, and opens a file when it is first asked about it. The first
 * engine, which draws, stays free, and is the smaller one. It gives what it knows of the file by then, so that this one indexes nothing again.
 *
 * @typedef {import("./engine.js").Engine} Engine
 * @typedef {import("./protocol.js").OpenArgs} OpenArgs
 * @typedef {import("./protocol.js").OpenGrowingArgs} OpenGrowingArgs
 * @typedef {import("./protocol.js").GrowArgs} GrowArgs
 * @typedef {(engine: Engine) => Promise<unknown>} Setting
 * @typedef {() => Promise<ArrayBuffer | null>} Known
 * @typedef {{ args: OpenArgs | OpenGrowingArgs, known: Known | null, settings: Setting[], opened: Promise<unknown> | null }} Entry
 */

export class Second {
  #start;
  /** @type {Engine | null} */
  #engine = null;
  /** What the second engine has to know of a stream, and once it does. @type {Map<string, Entry>} */
  #streams = new Map();

  /** @param {() => Engine} start */
  constructor(start) {
    this.#start = start;
  }

  /** A stream was opened in the first engine. @param {OpenArgs | OpenGrowingArgs} args @param {Known | null} [known]  gives what that knows of it; null: not yet */
  note(args, known = null) {
    this.#streams.set(args.stream, { args: "blocks" in args ? { ...args, blocks: [...args.blocks] } : args, known, settings: [], opened: null });
  }

  /** What came to a file that is being written. @param {GrowArgs} args */
  grow(args) {
    const entry = this.#streams.get(args.stream);
    if (!entry || !("blocks" in entry.args)) return;
    entry.args.blocks.push(...args.blocks);
    const engine = this.#engine;
    if (entry.opened && engine) entry.opened = entry.opened.then(() => engine.grow(args));
    entry.opened?.catch(() => {}); // whoever asks next hears of it
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

  /** The second engine, with the stream open if the first has it. @param {string} stream @returns {Promise<Engine>} */
  async engineFor(stream) {
    const engine = (this.#engine ??= this.#begin()), entry = this.#streams.get(stream);
    if (!entry) return engine; // which says that no such stream is open
    entry.opened ??= this.#open(engine, entry);
    try {
      await entry.opened;
    } catch (error) {
      entry.opened = null; // to be tried again
      void engine.close(stream).catch(() => {}); // if it was opened, and did not grow
      throw error;
    }
    return engine;
  }

  /** @param {Engine} engine @param {Entry} entry */
  async #open(engine, { args, known, settings }) {
    if ("blocks" in args) await engine.openGrowing(args);
    else {
      const given = await known?.().catch(() => null); // it can be read again
      await (given ? engine.openKnown(args, given) : engine.open(args));
    }
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
