import { Worker } from "node:worker_threads";

/** What engine.js needs of a browser's Worker, around one of Node. */
export function browserWorker() {
  const worker = new Worker(new URL("./engine.worker-host.js", import.meta.url), { stdout: true });
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
