// Reads of Blobs in a worker of its own give what Blob.arrayBuffer gives, with and without that worker.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { free } from "../src/free.js";
import { Reader } from "../src/reader.js";

/** The worker's module, on this thread: messages are cloned and handed over as between workers. */
class Beside {
  static begun = 0;
  static broken = false;

  constructor() {
    Beside.begun++;
    globalThis.postMessage = (message, transfer) => {
      const data = structuredClone(message, { transfer });
      queueMicrotask(() => this.onmessage({ data }));
    };
    this.ready = Beside.broken ? Promise.reject(new Error("404")) : import("../src/reader.worker.js");
    this.ready.catch(() => this.onerror({ preventDefault() {} }));
  }

  postMessage({ blob, ...rest }, transfer = []) {
    const data = { ...structuredClone(rest, { transfer }), blob }; // Node has no clone of a Blob that is not its own
    this.ready.then(() => globalThis.onmessage({ data }), () => {});
  }
}

const MB = 1 << 20, all = new Uint8Array(12 * MB).map((_, i) => (i * 2654435761) >>> 24), real = new Blob([all]);

/** A Blob whose streams read into memory of the reader's, as those of browsers do and Node's do not. */
const blob = /** @type {any} */ ({
  slice(from, to) {
    let at = from;
    const part = real.slice(from, to), end = from + part.size;
    const pull = (c) => {
      const { view } = c.byobRequest, n = Math.min(view.byteLength, end - at, 65_537);
      if (n === 0) c.close();
      else new Uint8Array(view.buffer, view.byteOffset).set(all.subarray(at, at + n));
      at += n;
      c.byobRequest.respond(n);
    };
    return Object.assign(part, { stream: () => new ReadableStream({ type: "bytes", pull }) });
  },
});

/** @param {Uint8Array} got @param {number[]} ends */
function same(got, ends) {
  const wanted = [];
  for (let i = 0; i < ends.length; i += 2) wanted.push(all.subarray(ends[i], ends[i + 1]));
  assert.ok(Buffer.concat(wanted).equals(got));
}

beforeEach(() => {
  globalThis.Worker = Beside;
  Beside.begun = 0;
  Beside.broken = false;
});

test("gives the bytes of one part, of several, and of few bytes", async () => {
  const reader = new Reader(free);
  for (const ends of [[5, 70], [0, 8 * MB], [3 * MB + 1, 9 * MB - 1], [1, 2 * MB, 4 * MB, 4 * MB + 7, 11 * MB, 12 * MB], [100, 90_000], [7, 7]]) {
    const got = await reader.read(blob, ends);
    same(got, ends);
    reader.drop(got);
    assert.equal(got.byteLength, 0, "its memory is given back");
  }
  assert.equal(Beside.begun, 1);
});

test("a file of which little is read begins no worker", async () => {
  same(await new Reader(free).read(blob, [0, MB - 1]), [0, MB - 1]);
  assert.equal(Beside.begun, 0);
});

test("memory that was given back holds the next read, which has its own length", async () => {
  const reader = new Reader(free), first = await reader.read(blob, [0, 6 * MB]), size = first.buffer.byteLength;
  reader.drop(first);
  const next = await reader.read(blob, [6 * MB, 11 * MB]);
  assert.equal(next.buffer.byteLength, size);
  same(next, [6 * MB, 11 * MB]);
});

test("a browser whose streams do not read into given memory is read otherwise", async () => {
  same(await new Reader(free).read(real, [MB, 3 * MB]), [MB, 3 * MB]);
});

test("reads under way at a time keep apart", async () => {
  const reader = new Reader(free), parts = [0, 1, 2, 3, 4, 5].map((i) => [2 * i * MB, 2 * (i + 1) * MB]);
  const all = await Promise.all(parts.map((ends) => reader.read(blob, ends)));
  all.forEach((got, i) => same(got, parts[i]));
});

test("what is wrong with a file is said as without the worker", async () => {
  const gone = { slice: () => ({ stream: () => { throw new TypeError("network error"); }, arrayBuffer: () => Promise.reject(new RangeError("it has changed")) }) };
  await assert.rejects(new Reader(free).read(/** @type {any} */ (gone), [0, 2 * MB]), { name: "RangeError", message: "it has changed" });
});

test("a file that is shorter than it was is not filled up", async () => {
  const got = await new Reader(free).read(blob, [10 * MB, 14 * MB]);
  same(got, [10 * MB, 12 * MB]);
});

test("without the worker's module everything is read here", async () => {
  Beside.broken = true;
  const reader = new Reader(free);
  same(await reader.read(blob, [0, 2 * MB]), [0, 2 * MB]);
  same(await reader.read(blob, [MB, 3 * MB]), [MB, 3 * MB]);
  assert.equal(Beside.begun, 1);
});

test("in a browser whose workers have none of their own everything is read here", async () => {
  globalThis.Worker = undefined;
  same(await new Reader(free).read(blob, [0, 2 * MB]), [0, 2 * MB]);
});
