// @ts-check
/// <reference lib="webworker" />
/**
 * Reads parts of Blobs for an engine: see reader.js. One part is read into memory that is used again: so it takes three fifths of the processor's time that arrayBuffer
 * takes, which has new memory each time.
 */
import { free } from "./free.js";
import { readParts } from "./reader.js";

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));

/** So much memory is kept for the next reads, until there were none for so many milliseconds. */
const KEPT = 16 << 20, IDLE = 1000;

/** @type {ArrayBuffer[]} */
const kept = [];
let idle = 0;

/** @param {ArrayBuffer} buffer */
function keep(buffer) {
  kept.push(buffer);
  while (kept.reduce((sum, { byteLength }) => sum + byteLength, 0) > KEPT) free(/** @type {ArrayBuffer} */ (kept.shift()));
  clearTimeout(idle);
  idle = setTimeout(() => kept.splice(0).forEach(free), IDLE);
}

/** Memory for so many bytes, and at most twice as many. @param {number} size */
function room(size) {
  const i = kept.findIndex(({ byteLength }) => byteLength >= size && byteLength <= 2 * size);
  return i < 0 ? new ArrayBuffer(size) : kept.splice(i, 1)[0];
}

/**
 * What is being read. Chromium collects the stream of a Blob to which nothing refers but a read that waits for it, which then is never answered.
 * @type {Set<ReadableStreamBYOBReader>}
 */
const open = new Set();

/** @param {Blob} blob @param {number} from @param {number} to @returns {Promise<Uint8Array>} */
async function readOne(blob, from, to) {
  const size = to - from, reader = blob.slice(from, to).stream().getReader({ mode: "byob" });
  let buffer = room(size), at = 0;
  open.add(reader);
  try {
    while (at < size) {
      const { done, value } = await reader.read(new Uint8Array(buffer, at, size - at));
      if (!value || done) throw new Error("the file is shorter than it was");
      buffer = value.buffer;
      at += value.byteLength;
    }
  } finally {
    open.delete(reader);
  }
  return new Uint8Array(buffer, 0, size);
}

scope.onmessage = async (/** @type {MessageEvent} */ { data: { id, blob, ends, back } }) => {
  if (back) {
    keep(back);
    return;
  }
  try {
    const bytes = ends.length === 2 ? await readOne(blob, ends[0], ends[1]).catch(() => null) : null;
    if (bytes) scope.postMessage({ id, bytes, lent: true }, [bytes.buffer]);
    else { // several parts, or a browser that cannot; and it says what is wrong
      const other = await readParts(blob, ends);
      scope.postMessage({ id, bytes: other }, [other.buffer]);
    }
  } catch (error) {
    scope.postMessage({ id, error });
  }
};
