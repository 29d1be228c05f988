import assert from "node:assert/strict";
import { test } from "node:test";
import { Painter } from "../src/painter.js";

test("a picture that comes after its plot is gone is closed", () => {
  const worker = /** @type {any} */ ({ postMessage: () => {} });
  const painter = new Painter(worker), plot = painter.plot(() => assert.fail("nobody looks at it"));
  plot.paint(/** @type {any} */ ({}), "key");
  plot.drop();
  let closed = 0;
  worker.onmessage({ data: { plot: plot.id, op: "painted", bitmap: { close: () => closed++ } } });
  assert.equal(closed, 1);
});

/** A painter whose worker is looked at: what it was sent, and what it answers. */
function looked() {
  const sent = /** @type {any[]} */ ([]), errors = /** @type {Error[]} */ ([]), worker = /** @type {any} */ ({ postMessage: (/** @type {any} */ m) => sent.push(m) });
  const painter = new Painter(worker, (error) => errors.push(error)), plot = painter.plot(() => {});
  return { sent, errors, worker, plot, painter, says: (/** @type {any} */ data) => worker.onmessage({ data: { plot: plot.id, ...data } }), scene: (/** @type {string} */ key) => plot.paint(/** @type {any} */ ({}), key) };
}

test("a scene that fails is said once and not tried again; the next one is painted", async () => {
  const { sent, errors, plot, says, scene } = looked(), paints = () => sent.filter((m) => m.op === "paint").length;
  scene("a");
  says({ op: "failed", of: "paint", why: "no room" });
  assert.match(String(plot.errorOf("a")), /the painter failed: no room/);
  scene("a");
  assert.equal(paints(), 1, "not in every frame");
  scene("b");
  assert.equal(paints(), 2, "another scene is");
  assert.equal(plot.errorOf("b"), null);
  says({ op: "failed", of: "paint", why: "no room" });
  scene("c");
  says({ op: "painted", bitmap: { close() {} }, gain: 1, top: null, milliseconds: 1 });
  assert.equal(plot.picture?.key, "c");
  const reading = plot.read(3, 5);
  says({ op: "failed", of: "read", id: sent.at(-1).id, why: "no room" });
  assert.deepEqual(await reading, { kind: "none" });
  assert.equal(errors.length, 1, "once");
});

test("a worker that ends leaves no plot waiting for its picture", () => {
  const { errors, plot, worker, scene, sent } = looked();
  scene("a");
  scene("b");
  worker.onerror({ message: "gone", preventDefault() {} });
  assert.equal(errors.length, 1);
  assert.ok(plot.errorOf("a"));
  assert.equal(sent.filter((m) => m.op === "paint").length, 2, "what waited is tried");
});

test("the painter makes nothing of a plot that is gone, and answers what it cannot", async () => {
  const scope = /** @type {any} */ (globalThis), said = /** @type {any[]} */ ([]);
  scope.postMessage = (/** @type {any} */ m) => said.push(m);
  await import("../src/painter.worker.js");
  const tell = async (/** @type {any} */ data) => {
    await scope.onmessage({ data: { plot: 7, ...data } });
    return said.splice(0);
  };
  const envelope = { kind: "envelope", from: 0, to: 100, bins: 1, columns: [0], data: Float32Array.from([1, 2]), mean: Float32Array.from([1.5]), sd: Float32Array.from([0.5]), rows_used: 4, quality: "exact" };
  const rows = { columns: [0], colours: Uint32Array.from([1]), unitsPerRaw: [1], strides: [1], periodTicks: 1 };
  await tell({ op: "rows", rows });
  await tell({ op: "layers", ids: [1], added: [{ id: 1, envelope }] });
  assert.equal((await tell({ op: "read", id: 1, column: 0, at: 50 }))[0].reading.max, 2);
  await tell({ op: "drop" });
  for (const id of [2, 3]) assert.deepEqual(await tell({ op: "read", id, column: 0, at: 50 }), [{ plot: 7, op: "read", id, reading: { kind: "none" } }]);
  assert.deepEqual(await tell({ op: "paint", id: 0, scene: {} }), [], "nothing is painted of it");
  await tell({ op: "rows", rows });
  const [failed] = await tell({ op: "paint", id: 0, scene: { width: -1, height: 5 } });
  assert.deepEqual([failed.op, failed.of, typeof failed.why], ["failed", "paint", "string"]);
  delete scope.postMessage;
  delete scope.onmessage;
});
