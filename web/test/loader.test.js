// What a plot asks the engine for, of a stream that grows faster than a busy machine answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Loader } from "../src/view/loader.js";

/** An engine that takes its time, and hears of what is broken off. */
function slow(/** @type {number} */ ms) {
  return {
    envelope: (/** @type {import("../src/protocol.js").EnvelopeArgs} */ { columns, from, to, bins, quality }, /** @type {{ signal: AbortSignal }} */ { signal }) =>
      new Promise((resolve, reject) => {
        const done = setTimeout(() => resolve({ kind: "envelope", columns, from, to, bins, quality, data: new Float32Array(2) }), ms);
        signal.addEventListener("abort", () => {
          clearTimeout(done);
          reject(signal.reason);
        });
      }),
  };
}

const wanted = (/** @type {number} */ rows, from = 0) => ({ stream: "heartbeat", columns: [0], from, to: rows * 100, bins: 2 * rows, samples: rows, grows: true });

test("rows that come while a request is answered do not break it off, and what is looked at is there", async () => {
  const loader = new Loader(() => /** @type {any} */ (slow(300)), () => {}, () => {}), view = { from: 0, to: 500 };
  for (let rows = 10; rows < 20; rows++) {
    loader.want(wanted(rows));
    await new Promise((r) => setTimeout(r, 100));
  }
  assert.ok(loader.done >= 2, `${loader.done} of ${loader.begun} requests were answered in a second`);
  assert.ok(!loader.settled && loader.has(view), "the newest rows are not there yet, those that are looked at are");
  assert.ok(!loader.has({ from: 0, to: 1900 }), "a view of the newest rows waits for them");
  loader.reset();
});

test("another view breaks a request off, and nothing of it counts as there", async () => {
  const loader = new Loader(() => /** @type {any} */ (slow(300)), () => {}, () => {});
  loader.want(wanted(10));
  await new Promise((r) => setTimeout(r, 400));
  assert.ok(loader.settled);
  for (let i = 1; i < 5; i++) {
    loader.want(wanted(10, -i));
    await new Promise((r) => setTimeout(r, 130));
  }
  assert.equal(loader.done, 1);
  assert.ok(!loader.has({ from: 0, to: 500 }));
  loader.reset();
});
