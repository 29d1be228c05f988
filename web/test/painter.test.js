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
