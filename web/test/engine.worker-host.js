// Runs web/src/engine.worker.js in a worker thread of Node, which lacks a few things of a browser's worker.
import { readFile } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { fileURLToPath } from "node:url";

globalThis.self = globalThis;
globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
let receive = null;
const early = [];
parentPort.on("message", (data) => (receive ? receive({ data }) : early.push(data)));
Object.defineProperty(globalThis, "onmessage", {
  set(handler) {
    receive = handler;
    for (const data of early.splice(0)) handler({ data });
  },
});
const fetchOverHTTP = globalThis.fetch;
globalThis.fetch = async (url, options) =>
  String(url).startsWith("file:")
    ? new Response(await readFile(fileURLToPath(url)), { headers: { "Content-Type": "application/wasm" } })
    : fetchOverHTTP(url, options);
await import(`../src/engine.worker.js${workerData}`);
