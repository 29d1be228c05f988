// @ts-check
/**
 * Reads parts of Blobs in a worker of its own, so that they go on while this one works: a browser hands over what it has read in the event loop of the worker that
 * asked, and of an engine that verified or summed up meanwhile two fifths of the time were waiting.
 */
/** A read of fewer bytes begins no worker, and of yet fewer is faster in the worker that wants it. */
const LARGE = 1 << 20, SMALL = 1 << 16;

/** @typedef {{ again: () => Promise<Uint8Array>, resolve: (bytes: Uint8Array | Promise<Uint8Array>) => void, reject: (why: unknown) => void }} Asked */

export class Reader {
  #free;
  /** @type {Worker | null} */
  #worker = null;
  #failed = false;
  #last = 0;
  /** @type {Map<number, Asked>} */
  #asked = new Map();
  /** Buffers that the worker can use again. @type {WeakSet<ArrayBuffer>} */
  #lent = new WeakSet();

  /** @param {(buffer: ArrayBuffer) => void} free  gives memory back at once: free.js, which whoever has a Reader imports, so that no module waits for another */
  constructor(free) {
    this.#free = free;
  }

  /**
   * The bytes of parts of a Blob, one after another, to be dropped afterwards. Rejects as Blob.arrayBuffer does.
   * @param {Blob} blob
   * @param {number[]} ends  from and to of each part
   * @returns {Promise<Uint8Array>}
   */
  read(blob, ends) {
    const again = () => readParts(blob, ends), size = bytesOf(ends);
    if (size < (this.#worker ? SMALL : LARGE) || !(this.#worker ??= this.#begin())) return again();
    this.#worker.postMessage({ id: ++this.#last, blob, ends });
    return new Promise((resolve, reject) => this.#asked.set(this.#last, { again, resolve, reject }));
  }

  /** Takes back bytes that were read, here or elsewhere: their memory is used again, or free at once. @param {Uint8Array} bytes */
  drop({ buffer }) {
    const whole = /** @type {ArrayBuffer} */ (buffer);
    if (this.#worker && this.#lent.has(whole)) this.#worker.postMessage({ back: whole }, [whole]);
    else this.#free(whole);
  }

  #begin() {
    if (this.#failed) return null;
    try {
      const worker = new Worker(new URL("./reader.worker.js", import.meta.url), { type: "module", name: "oniscope-reader" });
      worker.onmessage = ({ data: { id, bytes, lent, error } }) => {
        const asked = this.#asked.get(id);
        this.#asked.delete(id);
        if (lent) this.#lent.add(bytes.buffer);
        if (bytes) asked?.resolve(bytes);
        else asked?.reject(error);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        this.#fail();
      };
      return worker;
    } catch { // an old browser, whose workers have none of their own
      this.#failed = true;
      return null;
    }
  }

  /** What it was asked is read here. */
  #fail() {
    this.#failed = true;
    this.#worker = null;
    for (const { again, resolve } of this.#asked.values()) resolve(again());
    this.#asked.clear();
  }
}

/** @param {number[]} ends  from and to of each part */
function bytesOf(ends) {
  return ends.reduce((sum, end, i) => (i % 2 ? sum + end : sum - end), 0);
}

/** @param {Blob} blob @param {number[]} ends  from and to of each part @returns {Promise<Uint8Array>} */
export async function readParts(blob, ends) {
  const parts = [];
  for (let i = 0; i < ends.length; i += 2) parts.push(blob.slice(ends[i], ends[i + 1]));
  return new Uint8Array(await (parts.length === 1 ? /** @type {Blob} */ (parts[0]) : new Blob(parts)).arrayBuffer());
}
