import { Worker } from "node:worker_threads";

import { Engine } from "../src/engine.js";
import { Second } from "../src/second.js";

/** An engine with a second one, as the page has. */
export function engineWithSecond() {
  return new Engine(browserWorker(""), new Second(() => new Engine(browserWorker("?second"))));
}

/** What engine.js needs of a browser's Worker, around one of Node. @param {string} search  of the worker's address */
function browserWorker(search) {
  const worker = new Worker(new URL("./engine.worker-host.js", import.meta.url), { stdout: true, workerData: search });
  const adapter = {
    onmessage: null,
    onerror: null,
    onmessageerror: null,
    postMessage: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
  };
  worker.on("message", (data) => adapter.onmessage?.({ data }));
  worker.on("error", (error) => adapter.onerror?.({ message: error.message }));
  return adapter;
}
