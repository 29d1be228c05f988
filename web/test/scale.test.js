import assert from "node:assert/strict";
import { test } from "node:test";
import { rulerMarks } from "../src/plots/ruler.js";
import { alignedBins, decimalsOf, multiples, niceAbove, niceStep, ticksFromX, timeStep, valueAxis, xFromTicks } from "../src/view/scale.js";

test("pixels and ticks are inverse, at 417 days too", () => {
  const view = { from: 2 ** 52, to: 2 ** 52 + 250e6 };
  for (const x of [0, 1, 500, 999]) assert.ok(Math.abs(xFromTicks(ticksFromX(x, view, 1000), view, 1000) - x) < 1e-3);
});

test("steps are 1, 2, 5 and clock steps above a second", () => {
  assert.deepEqual([0.9, 1, 1.1, 2.1, 6, 0.03].map(niceAbove), [1, 1, 2, 5, 10, 0.05]);
  assert.deepEqual([0.11, 3, 20, 45, 400, 5000].map(timeStep), [0.2, 5, 30, 60, 600, 7200]);
  assert.deepEqual([niceStep(200, 1), niceStep(200, -1), niceStep(100, -1), niceStep(500, 1)], [500, 100, 50, 1000]);
  let gain = 0.0002;
  for (let i = 0; i < 9; i++) gain = niceStep(gain, 1);
  assert.ok(Math.abs(gain - 0.2) < 1e-9, String(gain));
});

test("multiples do not drift", () => {
  const all = multiples(0, 100, 0.1);
  assert.equal(all.length, 1000);
  assert.equal(all[999], 999 * 0.1);
  assert.deepEqual(multiples(0.05, 0.35, 0.1).map((x) => x.toFixed(decimalsOf(0.1))), ["0.1", "0.2", "0.3"]);
});

test("a value axis holds its range and survives one value and none", () => {
  const axis = valueAxis(0.3, 1.2, 2);
  assert.ok(axis.min <= 0.3 && axis.max >= 1.2);
  const flat = valueAxis(5, 5, 2);
  assert.ok(flat.min < 5 && flat.max > 5);
  assert.deepEqual(valueAxis(Infinity, -Infinity, 2), { min: 0, max: 1, step: 1 });
});

test("bins are whole ticks, cover the view, and keep their borders while it pans", () => {
  const a = alignedBins({ from: 1e9, to: 1e9 + 250e6 }, 1234), b = alignedBins({ from: 1e9 + 12345, to: 1e9 + 12345 + 250e6 }, 1234);
  const width = (a.to - a.from) / a.bins;
  assert.equal(width % 1, 0);
  assert.equal((b.to - b.from) / b.bins, width);
  assert.equal((b.from - a.from) % width, 0);
  assert.ok(a.from <= 1e9 && a.to >= 1e9 + 250e6);
  assert.ok(a.bins >= 1234 && a.bins <= 1238);
  assert.deepEqual(alignedBins({ from: 10, to: 13 }, 1000), { from: 10, to: 13, bins: 3 });
});

test("the ruler labels seconds with a known rate and ticks without", () => {
  const seconds = rulerMarks({ from: 1458 * 250e6, to: 1459 * 250e6 }, 250e6, 1030);
  assert.equal(seconds.unit, "min s");
  assert.deepEqual(seconds.labels.slice(0, 2).map((l) => l.text), ["24:18.0", "24:18.2"]);
  assert.ok(Math.abs(seconds.labels[1].x - 206) < 1e-6);
  const ticks = rulerMarks({ from: 0, to: 1e6 }, 0, 1000);
  assert.equal(ticks.unit, "ticks");
  assert.equal(ticks.labels[1].text, "200\u202f000");
  assert.ok(ticks.minor.length > ticks.labels.length);
});
