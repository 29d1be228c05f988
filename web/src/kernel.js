/**
 * The kernel that sums up plain values with SIMD, wasm/kernel/sums.wat: the engine's worker hands it the bytes of a read, so that they never go through the
 * memory of Go. Where it cannot run, loadKernel gives null, and the engine sums by itself, with the same results.
 */

/** Where the bytes of a read are put in the kernel's memory. */
const DATA = 65536;

/** Bytes of results for each bin, by the number of a function: Go's engine.KernelKind. */
const BIN_BYTES = [0, 32, 32, 88, 88];

/** What each run of the kernel is described by: function, bytes before the values, rows, level, bytes before the validity bits or -1. */
export const CALL = 5;

/** @typedef {{ narrow: Function, int32: Function, float32: Function }} Exports */

/** Compiles the kernel, or gives null. @param {BufferSource | Promise<BufferSource>} code @returns {Promise<Kernel | null>} */
export async function loadKernel(code) {
  try {
    return new Kernel(await WebAssembly.compile(await code));
  } catch { // no SIMD here, or the file is not there
    return null;
  }
}

export class Kernel {
  #module;
  #memory = new WebAssembly.Memory({ initial: 2 });
  #own;
  /** In the memory of the engine. @type {Exports | null} */
  #there = null;
  #engine = this.#memory;
  #size = 0; // of the bytes that are there

  /** @param {WebAssembly.Module} module */
  constructor(module) {
    this.#module = module;
    this.#own = functionsIn(module, this.#memory);
  }

  /** Of its memory. */
  get bytes() {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Runs the kernel over the bytes of a read, and puts what it gives into another memory, the engine's: a byte for each call, 1: its validity bits are all 1,
   * filled up to a multiple of 8; then the results one after another.
   * @param {Uint8Array | null} bytes  null: those of the time before @param {Int32Array} calls @param {ArrayBuffer} other @param {number} to
   */
  sums(bytes, calls, other, to) {
    const memory = this.#memory, count = calls.length / CALL, head = (count + 7) & ~7;
    let size = 0;
    for (let i = 0; i < calls.length; i += CALL) size += bytesOf(calls[i], calls[i + 2], calls[i + 3]);
    if (bytes) this.#size = bytes.byteLength;
    const results = this.#room(this.#size, size), data = new Uint8Array(memory.buffer, DATA);
    if (bytes) data.set(bytes);
    const out = new Uint8Array(other, to, head + size);
    let at = results;
    for (let n = 0; n < count; n++) {
      const [kind, from, rows, level, validity] = calls.subarray(n * CALL, (n + 1) * CALL);
      out[n] = validity < 0 || ones(data, validity, rows) ? 1 : 0;
      run(this.#own, kind, DATA + from, rows, level, at);
      at += bytesOf(kind, rows, level);
    }
    out.set(new Uint8Array(memory.buffer, results, size), head);
  }

  /** Sums values in another memory, the engine's, where they lie. @param {WebAssembly.Memory} memory */
  goTo(memory) {
    this.#engine = memory;
  }

  /** Sums values of what the engine has decoded, and puts the results into its memory. @param {number} kind @param {number} from @param {number} rows @param {number} level @param {number} to */
  sumThere(kind, from, rows, level, to) {
    this.#there ??= functionsIn(this.#module, this.#engine);
    run(this.#there, kind, from, rows, level, to);
  }

  /** Where results go after so many bytes of values. @param {number} bytes @param {number} size */
  #room(bytes, size) {
    const memory = this.#memory, results = DATA + ((bytes + 15) & ~15), missing = results + size - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    return results;
  }
}

/** @param {WebAssembly.Module} module @param {WebAssembly.Memory} memory */
function functionsIn(module, memory) {
  return /** @type {Exports} */ (/** @type {unknown} */ (new WebAssembly.Instance(module, { page: { memory } }).exports));
}

/** @param {Exports} functions @param {number} kind @param {number} from @param {number} rows @param {number} level @param {number} to */
function run({ narrow, int32, float32 }, kind, from, rows, level, to) {
  if (kind === 3) int32(from, rows, level, to);
  else if (kind === 4) float32(from, rows, level, to);
  else narrow(from, rows, level, to, kind === 1 ? 32768 : 0);
}

/** Bytes of the results of a run. @param {number} kind @param {number} rows @param {number} level */
function bytesOf(kind, rows, level) {
  return Math.ceil(rows / 2 ** level) * BIN_BYTES[kind];
}

/** Whether the first n bits are all 1. @param {Uint8Array} data @param {number} from @param {number} n */
function ones(data, from, n) {
  const whole = from + (n >> 3);
  for (let i = from; i < whole; i++) if (data[i] !== 255) return false;
  const rest = (1 << (n & 7)) - 1;
  return (data[whole] & rest) === rest;
}
