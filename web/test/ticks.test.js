import assert from "node:assert/strict";
import { test } from "node:test";
import { tickMarks } from "../src/plots/ticks.js";

test("rows are ticks where they are, one a pixel; bins are as wide as they are", () => {
  const samples = { kind: "samples", from: 100, to: 200, bins: 9, data: new Float32Array([1, 2, NaN, 3, 4]), x: new Float64Array([0, 0.4, 20, 50, 150]) };
  assert.deepEqual(tickMarks(samples, { from: 100, to: 200 }, 100), [{ x: 0, width: 1 }, { x: 50, width: 1 }]);
  const dense = { kind: "samples", from: 0, to: 100, bins: 9, data: new Float32Array(9), x: Float64Array.from({ length: 9 }, (_, i) => 1.6 * i) };
  assert.deepEqual(tickMarks(dense, { from: 0, to: 100 }, 100), [{ x: 0, width: 14 }], "no pixel between them looks like a row that is missing");
  const bins = { kind: "envelope", from: 0, to: 100, bins: 4, data: new Float32Array([1, 2, NaN, NaN, 3, 4, 5, 6]) };
  assert.deepEqual(tickMarks(bins, { from: 0, to: 50 }, 100), [{ x: 0, width: 50 }, { x: 100, width: 50 }]);
});
