/**
 * zstd's own decoder, C in WebAssembly, about four times as fast as Go's there. It works between the memory of the engine and its own. It is loaded when the first
 * frame is to be decoded; until then, where it cannot be had, and for every frame that it refuses, the engine's own decodes.
 */

/** Bytes of a frame and its content that are decoded here at most; larger ones are rare, and memory never shrinks. */
const MOST = 64 << 20;

/** Room is taken in steps of so many bytes. */
const STEP = 1 << 16;

/**
 * @typedef {{ memory: WebAssembly.Memory, malloc: (n: number) => number, free: (at: number) => void, ZSTD_decompress: (to: number, room: number, from: number, n: number) => number, ZSTD_isError: (n: number) => number }} Exports
 */

export class Zstd {
  #code;
  #memory;
  /** @type {Exports | null} */
  #exports = null;
  #asked = false;
  /** Where frame and content are put, and how much fits there. */
  #at = 0;
  #room = 0;

  /** @param {() => Promise<BufferSource>} code  loads the module @param {() => WebAssembly.Memory} memory  of the engine */
  constructor(code, memory) {
    this.#code = code;
    this.#memory = memory;
  }

  /** Of its memory. */
  get bytes() {
    return this.#exports?.memory.buffer.byteLength ?? 0;
  }

  /** Loads the decoder; it never rejects. */
  async load() {
    this.#asked = true;
    try {
      const { instance } = await WebAssembly.instantiate(await this.#code(), { env: { emscripten_notify_memory_growth: () => {} } });
      this.#exports = /** @type {Exports} */ (/** @type {unknown} */ (instance.exports));
    } catch {
      // not built, or not for this browser
    }
  }

  /** Decodes a frame in the engine's memory into a place there. @param {number} from @param {number} bytes @param {number} to @param {number} room @returns {number} bytes that were decoded, or -1 */
  decode(from, bytes, to, room) {
    if (!this.#asked) void this.load();
    const c = this.#exports, padded = (bytes + 15) & ~15;
    if (!c || bytes + room > MOST) return -1;
    try {
      if (padded + room > this.#room) this.#take(c, padded + room);
      if (!this.#at) return -1;
      new Uint8Array(c.memory.buffer).set(new Uint8Array(this.#memory().buffer, from, bytes), this.#at);
      const n = c.ZSTD_decompress(this.#at + padded, room, this.#at, bytes);
      if (c.ZSTD_isError(n)) return -1;
      new Uint8Array(this.#memory().buffer, to, n).set(new Uint8Array(c.memory.buffer, this.#at + padded, n));
      return n;
    } catch { // it has failed, and its memory with it
      this.#exports = null;
      return -1;
    }
  }

  /** @param {Exports} c @param {number} bytes */
  #take(c, bytes) {
    if (this.#at) c.free(this.#at);
    this.#room = Math.ceil(bytes / STEP) * STEP;
    this.#at = c.malloc(this.#room);
    if (!this.#at) this.#room = 0;
  }
}
