/**
 * The workers of the page. Those that every page needs were begun by early.js, before the modules were there.
 * @typedef {{ worker: Worker, failed: boolean }} Begun  failed: it broke off, or said that it has crashed, before anybody asked for it
 * @typedef {{ workers: Map<string, Begun>, compiled: Promise<WebAssembly.Module | null> }} Early  by path below src/; null: the worker says why it cannot be compiled
 */

/** What was begun, and nobody has asked for yet; nothing in tests of single modules. @type {Early | undefined} */
const early = /** @type {any} */ (globalThis).oniscopeEarly;

/** @param {string} path  below src/ @param {string} name */
function begin(path, name) {
  return new Worker(new URL(path, import.meta.url), { type: "module", name });
}

/** One that was begun, if nothing is wrong with it: of one that has failed nobody heard, so its maker hears it of the next. @param {string} path @returns {Worker | null} */
function begun(path) {
  const found = early?.workers.get(path);
  early?.workers.delete(path);
  if (found?.failed) found.worker.terminate();
  return found && !found.failed ? found.worker : null;
}

/**
 * A worker, which may have been begun already.
 * @param {string} path  of its module, below src/
 * @param {string} name
 */
export function worker(path, name) {
  return begun(path) ?? begin(path, name);
}

/** A worker of the first engine. It is compiled once a page, so that another one starts sooner. @param {string} name */
export function engineWorker(name) {
  const path = "./engine.worker.js", first = begun(path);
  if (first || !early) return first ?? begin(path, name);
  const next = begin(path + "?compiled", name);
  void early.compiled.then((module) => next.postMessage({ module }));
  return next;
}
