/**
 * The workers that every page needs, begun before its other modules are there: the engine is compiled meanwhile, on another core.
 * This module imports nothing, so that it runs first.
 */

/** Those that nobody has asked for yet, by the path of their module. @type {Map<string, { worker: Worker, failed: boolean }>} */
const begun = new Map();

/** @param {string} path  below src/ @param {string} name */
function begin(path, name) {
  return new Worker(new URL(path, import.meta.url), { type: "module", name });
}

/** @param {string} path @param {string} name @param {string} [query] */
function beginEarly(path, name, query = "") {
  const entry = { worker: begin(path + query, name), failed: false };
  const fail = (/** @type {Event} */ event) => {
    event.preventDefault();
    entry.failed = true;
  };
  entry.worker.onerror = entry.worker.onmessage = fail; // the only message that nobody asked for is that it has crashed
  begun.set(path, entry);
  return entry.worker;
}

/**
 * A worker, which may have been begun already. One that has failed since nobody heard of: it is begun again, and its maker hears it.
 * @param {string} path  of its module, below src/
 * @param {string} name
 */
export function worker(path, name) {
  const early = begun.get(path);
  begun.delete(path);
  if (!early) return begin(path, name);
  if (!early.failed) return early.worker;
  early.worker.terminate();
  return begin(path, name);
}

/** Compiles the engine; null: its worker says why it cannot be. @returns {Promise<WebAssembly.Module | null>} */
async function compile() {
  try {
    return await WebAssembly.compileStreaming(fetch(new URL("../gen/oniscope.wasm", import.meta.url)));
  } catch {
    return null;
  }
}

if (globalThis.document) { // not in tests of single modules
  const compiled = compile(); // while the worker's own modules wait for their turn
  const engine = beginEarly("./engine.worker.js", "oniscope-engine", "?compiled");
  void compiled.then((module) => engine.postMessage({ module }));
  beginEarly("./painter.worker.js", "oniscope-painter");
  if (new URLSearchParams(location.search).has("live")) beginEarly("./live/live.worker.js", "oniscope-live");
}
