/**
 * The kernel that sums up plain values with SIMD, wasm/kernel/sums.wat: the engine's worker hands it the bytes of a read, so that they never go through the
 * memory of Go. Where it cannot run, loadKernel gives null, and the engine sums by itself, with the same results.
 */

/** Where the bytes of a read are put in the kernel's memory. */
const DATA = 65536;

/** Bytes of results for each bin, by the number of a function: Go's engine.KernelKind. */
const BIN_BYTES = [0, 32, 32, 88, 88];

/** What each run of the kernel is described by: function, bytes before the values, rows, level, bytes before the validity bits or -1. */
const CALL = 5;

/** @typedef {{ memory: WebAssembly.Memory, narrow: Function, int32: Function, float32: Function }} Exports */

/** Compiles the kernel, or gives null. @param {BufferSource | Promise<BufferSource>} code @returns {Promise<Kernel | null>} */
export async function loadKernel(code) {
  try {
    const { instance } = await WebAssembly.instantiate(await code);
    return new Kernel(/** @type {Exports} */ (/** @type {unknown} */ (instance.exports)));
  } catch { // no SIMD here, or the file is not there
    return null;
  }
}

export class Kernel {
  #exports;

  /** @param {Exports} exports */
  constructor(exports) {
    this.#exports = exports;
  }

  /**
   * Runs the kernel over the bytes of a read.
   * @param {ArrayBuffer} bytes @param {Int32Array} calls
   * @returns {Uint8Array} a byte for each call, 1: its validity bits are all 1, filled up to a multiple of 8; then the results one after another
   */
  sums(bytes, calls) {
    const { memory, narrow, int32, float32 } = this.#exports, count = calls.length / CALL;
    let size = 0;
    for (let i = 0; i < calls.length; i += CALL) size += Math.ceil(calls[i + 2] / 2 ** calls[i + 3]) * BIN_BYTES[calls[i]];
    const results = DATA + ((bytes.byteLength + 15) & ~15), missing = results + size - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    const data = new Uint8Array(bytes);
    new Uint8Array(memory.buffer).set(data, DATA);
    const head = (count + 7) & ~7, out = new Uint8Array(head + size);
    let at = results;
    for (let n = 0; n < count; n++) {
      const [kind, from, rows, level, validity] = calls.subarray(n * CALL, (n + 1) * CALL);
      out[n] = validity < 0 || ones(data, validity, rows) ? 1 : 0;
      if (kind === 3) int32(DATA + from, rows, level, at);
      else if (kind === 4) float32(DATA + from, rows, level, at);
      else narrow(DATA + from, rows, level, at, kind === 1 ? 32768 : 0);
      at += Math.ceil(rows / 2 ** level) * BIN_BYTES[kind];
    }
    out.set(new Uint8Array(memory.buffer, results, size), head);
    return out;
  }
}

/** Whether the first n bits are all 1. @param {Uint8Array} data @param {number} from @param {number} n */
function ones(data, from, n) {
  const whole = from + (n >> 3);
  for (let i = from; i < whole; i++) if (data[i] !== 255) return false;
  const rest = (1 << (n & 7)) - 1;
  return (data[whole] & rest) === rest;
}
