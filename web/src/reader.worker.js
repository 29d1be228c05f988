// @ts-check
/// <reference lib="webworker" />
/**
 * Reads parts of Blobs for an engine: see reader.js. Not as streams into memory that is used again: that takes less of the processor, but in Chromium, after some
 * hundred of them, a read was never answered.
 */
import { readParts } from "./reader.js";

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));

scope.onmessage = async (/** @type {MessageEvent} */ { data: { id, blob, ends } }) => {
  try {
    const bytes = await readParts(blob, ends);
    scope.postMessage({ id, bytes }, [bytes.buffer]);
  } catch (error) {
    scope.postMessage({ id, error });
  }
};
