import assert from "node:assert/strict";
import { test } from "node:test";
import { BAR_PIXELS, baseline, fittingGain, measure } from "../src/view/gain.js";
import { bestLayer } from "../src/view/loader.js";
import { changingBits, strokeBit, uncertain } from "../src/plots/bits.js";
import { missingIn } from "../src/plots/hatch.js";
import { strokeSamples } from "../src/plots/lines.js";

const envelope = (from, to, pairs) => ({ kind: "envelope", quality: "exact", from, to, bins: pairs.length, columns: [0], data: new Float32Array(pairs.flat()), rows: 1, rows_used: 1, samples_per_pixel: 2 });
const samples = (from, to, x, y) => ({ kind: "samples", quality: "exact", from, to, bins: 10, columns: [0], data: new Float32Array(y), x: new Float64Array(x), rows: x.length, rows_used: x.length, samples_per_pixel: 0.5 });

/** Notes the calls of a path. */
function pen() {
  const calls = [];
  return { calls, beginPath() {}, stroke() {}, rect: (x, y) => calls.push(["dot", x, y]), moveTo: (x, y) => calls.push(["M", x, y]), lineTo: (x, y) => calls.push(["L", x, y]) };
}

test("a line breaks where rows are missing, and only there", () => {
  const ctx = pen();
  strokeSamples(ctx, samples(0, 100, [0, 10, 20, 60, 70], [1, 2, NaN, 3, 4]), 0, { from: 0, to: 100 }, 100, (raw) => raw, { periodTicks: 10 });
  const path = ctx.calls.filter(([k]) => k !== "dot");
  const strokes = path.filter(([k, x], i) => k === "M" && !(i > 0 && path[i - 1][1] === x));
  assert.deepEqual(strokes.map(([, x]) => x), [0, 60]);
});

test("a run of repeated values counts as one sample of a slower signal", () => {
  const ctx = pen();
  strokeSamples(ctx, samples(0, 6000, [0, 1, 2, 3, 4, 5], [7, 7, 7, 9, 9, 9]), 0, { from: 0, to: 6000 }, 600, (raw) => raw, { stride: 3, periodTicks: 1 });
  const points = ctx.calls.filter(([k]) => k === "L").map(([, x, y]) => [Math.round(x * 10), y]);
  assert.deepEqual(points.at(-1), [3, 9]);
});

test("bits of samples are exact; of extremes any bit below the highest difference may have changed", () => {
  assert.equal(changingBits(samples(0, 10, [0, 1, 2], [0b0101, 0b0001, 0b0101]), 0), 0b0100);
  assert.equal(uncertain(0b0100, 0b0011), 0b0111);
  assert.equal(uncertain(5, 5), 0);
  const ctx = pen();
  strokeBit(ctx, samples(0, 10, [0, 4], [1, 0]), 0, 0, { from: 0, to: 10 }, 100, 2, 8, 10);
  assert.deepEqual(ctx.calls, [["M", 0, 2], ["L", 40, 2], ["L", 40, 8], ["L", 100, 8]]);
});

test("gain follows the median channel where rows are tight and the largest where there is room", () => {
  const quiet = { range: 1, sd: 1 }, loud = { range: 100, sd: 100 };
  assert.ok(fittingGain([...Array(20).fill(quiet), loud], 9) <= 30);
  assert.ok(fittingGain([quiet, quiet, loud], 9) > 300, "of few channels each is another signal");
  const waves = Array(20).fill({ range: 10, sd: 3, within: 0.1 });
  assert.deepEqual([fittingGain(waves, 9), fittingGain(waves, 2)], [70, 50], "spikes on slow waves light low rows");
  assert.deepEqual(fittingGain(Array(20).fill({ range: 6, sd: 1, within: 1 }), 2), 100);
  assert.ok(fittingGain([quiet, quiet, loud], 50) >= 80);
  assert.equal(fittingGain([], 9), 1);
  assert.equal(fittingGain([{ range: 0, sd: 0 }], 9), 1);
});

test("in tight rows mean +- standard deviation leaves more than half of a row free", () => {
  for (const row of [1.5, 4, 9, 20]) {
    const pixels = (2 * 12 * BAR_PIXELS) / fittingGain([{ range: 80, sd: 12 }], row);
    assert.ok(pixels < 0.45 * row && pixels > 0.2 * row, `${pixels} of ${row}`);
  }
});

test("measuring finds the middle in spite of outliers, and nothing where nothing is", () => {
  const pairs = Array.from({ length: 100 }, (_, i) => (i === 50 ? [-1000, 1000] : [510, 514]));
  const { middle, height, range } = measure(envelope(0, 100, pairs), 0);
  assert.deepEqual({ middle, height, range }, { middle: 512, height: 4, range: 4 });
  assert.equal(measure(envelope(0, 1, [[NaN, NaN]]), 0), null);
});

test("a baseline is kept until the data have left their row", () => {
  assert.equal(baseline(undefined, 5, 1), 5);
  assert.equal(baseline(4, 5, 1), 4);
  assert.equal(baseline(0, 5, 1), 5);
});

test("the layer that shows most of the view is drawn, the newer of equals", () => {
  const layer = (from, to, columns) => ({ envelope: { from, to, columns }, index: new Map(columns.map((c, i) => [c, i])) });
  const layers = [layer(50, 150, [1]), layer(0, 100, [1, 2]), layer(0, 100, [1, 2])];
  assert.equal(bestLayer(layers, 1, { from: 0, to: 100 }), layers[1]);
  assert.equal(bestLayer(layers, 1, { from: 50, to: 150 }), layers[0]);
  assert.equal(bestLayer(layers, 3, { from: 0, to: 100 }), null);
});

test("only losses that touch the view are hatched", () => {
  const coverage = [{ from: 0, to: 10, kind: "data" }, { from: 10, to: 20, kind: "damaged" }, { from: 20, to: 30, kind: "gap" }];
  assert.deepEqual(missingIn(coverage, { from: 0, to: 10 }), []);
  assert.equal(missingIn(coverage, { from: 15, to: 25 }).length, 2);
});
