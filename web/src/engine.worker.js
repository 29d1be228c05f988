// @ts-check
/// <reference lib="webworker" />
/**
 * The engine's worker: loads the Go engine and passes messages through.
 *
 * As engine.worker.js?second it loads the second engine, which does what takes long. As engine.worker.js?compiled it is sent the engine's module first, by
 * workers.js; null: it loads the engine by itself.
 *
 * Everything that decides lives in Go (wasm/); here only: start, the queue until it runs, and the notice when it ends. The Go side finds
 * `oniscopeHost` and calls `ready(handle)` once; it answers with `post(message, transfer)`, and `memory()` says how large all WebAssembly here has become. `sums(...)` is
 * the kernel, where there is one, `sumHere(...)` the same of values in Go's memory; `zstd(...)` decodes a frame; `read(blob, ends)` gives parts of a Blob, `drop(bytes)` their memory back; `store` keeps bytes from visit to visit.
 */
import "../gen/wasm_exec.js"; // a classic script: sets globalThis.Go
import { free } from "./free.js";
import { CALL, loadKernel } from "./kernel.js";
import { Reader } from "./reader.js";
import * as store from "./store.js";
import { Zstd } from "./zstd.js";

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));
const host = /** @type {any} */ (globalThis);

/** @type {((message: any) => void) | null} */
let handle = null;
/** @type {any[]} */
let waiting = [];
let ended = false;
let lastWords = ""; // the end of what Go wrote to standard error

/** @param {unknown} why */
function crash(why) {
  if (ended) return;
  ended = true;
  handle = null;
  waiting = [];
  const words = why instanceof Error ? why.message : String(why);
  const reason = /^(?:panic|fatal error): .*/m.exec(lastWords);
  scope.postMessage({ crash: reason ? `${words}: ${reason[0]}` : words });
}

/** @type {(module: WebAssembly.Module | null) => void} */
let give = () => {};
/** @type {Promise<WebAssembly.Module | null>} */
const given = new URL(import.meta.url).search === "?compiled" ? new Promise((resolve) => (give = resolve)) : Promise.resolve(null);

scope.onmessage = (/** @type {MessageEvent} */ event) => {
  if (ended) return;
  if ("module" in event.data) {
    give(event.data.module);
    return;
  }
  if (!handle) {
    waiting.push(event.data);
    return;
  }
  try {
    handle(event.data);
  } catch (why) { // the Go program has exited
    crash(why);
  }
};

const reader = new Reader(free);
host.oniscopeHost = {
  store,
  read: reader.read.bind(reader),
  drop: reader.drop.bind(reader),
  /** @param {any} message @param {Transferable[]} transfer */
  post: (message, transfer) => scope.postMessage(message, transfer),
  /** @param {(message: any) => void} go */
  ready: (go) => {
    handle = go;
    const messages = waiting;
    waiting = [];
    for (const message of messages) go(message);
  },
};

// Go writes the reason of its end to standard error, in pieces.
const write = host.fs?.writeSync;
if (typeof write === "function") {
  host.fs.writeSync = (/** @type {number} */ fd, /** @type {Uint8Array} */ bytes) => {
    lastWords = (lastWords + new TextDecoder().decode(bytes)).slice(-16384);
    return write.call(host.fs, fd, bytes);
  };
}

/** @param {string} path */
async function codeOf(path) {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.arrayBuffer();
}

/** @param {WebAssembly.Imports} imports @returns {Promise<WebAssembly.Instance>} */
async function load(imports) {
  const url = new URL(new URL(import.meta.url).search === "?second" ? "../gen/second.wasm" : "../gen/oniscope.wasm", import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the engine ${url.pathname} could not be loaded: ${response.status} ${response.statusText}`);
  const typed = (response.headers.get("Content-Type") ?? "").startsWith("application/wasm");
  const { instance } = typed // streaming needs the right type, which not every static host sends
    ? await WebAssembly.instantiateStreaming(response, imports)
    : await WebAssembly.instantiate(await response.arrayBuffer(), imports);
  return instance;
}

async function start() {
  const compiling = loadKernel(codeOf("../gen/sums.wasm"));
  const go = new host.Go();
  const module = await given;
  const instance = module ? await WebAssembly.instantiate(module, go.importObject) : await load(go.importObject);
  const memory = /** @type {WebAssembly.Memory} */ (instance.exports.mem);
  const zstd = new Zstd(() => codeOf("../gen/zstd.wasm"), () => memory);
  host.oniscopeHost.zstd = zstd.decode.bind(zstd);
  const kernel = await compiling;
  host.oniscopeHost.memory = () => memory.buffer.byteLength + zstd.bytes + (kernel?.bytes ?? 0);
  if (kernel) {
    kernel.goTo(memory);
    /** @type {(bytes: Uint8Array | null, calls: number, count: number, to: number) => void} */
    host.oniscopeHost.sums = (bytes, calls, count, to) => kernel.sums(bytes, new Int32Array(memory.buffer, calls, count * CALL), memory.buffer, to);
    host.oniscopeHost.sumHere = kernel.sumThere.bind(kernel);
  }
  let code = 0;
  go.exit = (/** @type {number} */ c) => (code = c);
  await go.run(instance);
  throw new Error(`the engine stopped (exit code ${code})`);
}

start().catch(crash);
