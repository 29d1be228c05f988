/**
 * What a page begins before anything else of it is there: the engine is fetched and compiled, and the workers load what they need, while the page's own modules come.
 * A classic script, because browsers may put off every module until the first paint; workers.js takes over what was begun here.
 */
{
  /** What a page of a recorder loads besides: each module names the next ones only when it is there. */
  const LIVE = ["afterwards", "bell", "engine", "follow", "live", "modes", "notes", "remote", "strip", "words"];

  const { src } = /** @type {HTMLScriptElement} */ (document.currentScript), live = new URLSearchParams(location.search).has("live");
  /** @type {import("./workers.js").Early} */
  const early = { workers: new Map(), compiled: Promise.resolve(null) };

  /** @param {string} path @param {string} name @param {string} [query] */
  const begin = (path, name, query = "") => {
    const begun = { worker: new Worker(new URL(path + query, src), { type: "module", name }), failed: false };
    const fail = (/** @type {Event} */ event) => {
      event.preventDefault();
      begun.failed = true;
    };
    begun.worker.onerror = begun.worker.onmessage = fail; // the only message that nobody asked for is that it has crashed
    early.workers.set(path, begun);
    return begun.worker;
  };

  if (location.protocol !== "file:") { // else nothing can be loaded, and the page says so
    early.compiled = WebAssembly.compileStreaming(fetch(new URL("../gen/oniscope.wasm", src), { priority: "high" })).catch(() => null);
    const engine = begin("./engine.worker.js", "oniscope-engine", "?compiled");
    void early.compiled.then((module) => engine.postMessage({ module }));
    begin("./painter.worker.js", "oniscope-painter");
    if (live) begin("./live/live.worker.js", "oniscope-live");
    setTimeout(() => { // the first look at it waits for the browser: better now than when the page is put together
      try {
        void localStorage.length;
      } catch {
        // a browser may refuse it
      }
    });
    for (const name of live ? LIVE : []) document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: new URL(`./live/${name}.js`, src).href, fetchPriority: "low" }));
  }
  Object.assign(globalThis, { oniscopeEarly: early });
}
