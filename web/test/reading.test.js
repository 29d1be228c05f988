import assert from "node:assert/strict";
import { test } from "node:test";
import { readingAt } from "../src/plots/reading.js";
import { rowAt } from "../src/times.js";
import { streamInfo } from "./facts.js";

test("a sample is read until the next one; where rows are missing there is none", () => {
  const samples = /** @type {any} */ ({ kind: "samples", from: 100, to: 160, x: new Float64Array([0, 10, 20, 30, 50]), data: new Float32Array([1, 2, NaN, NaN, 5, 6, 7, 8, 9, 10]) });
  const raw = (/** @type {number} */ at, c = 0, stride = 1) => {
    const reading = readingAt(samples, c, at, stride);
    return reading.kind === "value" ? reading.raw : reading.kind;
  };
  assert.deepEqual([raw(99), raw(100), raw(109), raw(110), raw(125), raw(155)], ["none", 1, 1, 2, "none", 5]);
  assert.deepEqual([raw(125, 1), raw(125, 0, 2), raw(135, 0, 2)], [8, 2, "none"], "a slower signal has no value of its own in each row");
});

test("a bin is read as its extremes, mean and deviation", () => {
  const bins = /** @type {any} */ ({ kind: "envelope", from: 0, to: 30, bins: 3, data: new Float32Array([0, 1, NaN, NaN, 4, 6]), mean: new Float32Array([0.5, NaN, 5]), sd: new Float32Array([0.5, NaN, 1]) });
  assert.deepEqual([-1, 9, 15, 29, 30].map((at) => readingAt(bins, 0, at, 1)), [
    { kind: "none" }, { kind: "bin", min: 0, max: 1, mean: 0.5, sd: 0.5 }, { kind: "none" }, { kind: "bin", min: 4, max: 6, mean: 5, sd: 1 }, { kind: "none" },
  ]);
});

test("the row at a tick is the one that came last, however many there are, and none in a gap", () => {
  const of = (/** @type {[number, number, number][]} */ spans) => /** @type {any} */ (streamInfo("s", { coverage: spans.map(([from, to, rows]) => ({ from, to, kind: "data", rows, reason: "" })) }));
  assert.deepEqual([-1, 0, 99, 100, 199, 200, 299, 300].map((at) => rowAt(of([[0, 200, 3]]), at)), [undefined, 0, 0, 1, 1, 2, 2, undefined]);
  assert.deepEqual([199, 299, 300, 1000, 1100].map((at) => rowAt(of([[0, 200, 3], [1000, 1200, 3]]), at)), [1, 2, undefined, 3, 4]);
});
