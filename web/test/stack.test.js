import assert from "node:assert/strict";
import { test } from "node:test";
import { drawHeat, shades, strengths } from "../src/plots/heat.js";
import { blended, fillBar, hatch, transpose } from "../src/plots/raster.js";
import { drawStack, FEW, piecesOf } from "../src/plots/stack.js";

const GROUND = 0xff000000, WHITE = 0xffffffff;
const frame = (over) => ({ width: 4, height: 10, view: { from: 0, to: 4 }, top: 0, rowPixels: 10, clip: 10, dpr: 1, periodTicks: 1, ground: GROUND, text: WHITE, ...over });
const channel = (over) => ({ column: 0, stride: 1, perRaw: 1, middle: 0, colour: WHITE, ...over });
const layer = (envelope, over) => ({ envelope, index: new Map(envelope.columns.map((column, i) => [column, i])), ...over });
const bins = (from, to, pairs, over) => ({ kind: "envelope", quality: "exact", from, to, bins: pairs.length, columns: [0], data: new Float32Array(pairs.flat()), rows: pairs.length, rows_used: pairs.length, ...over });
const samples = (x, y) => ({ kind: "samples", quality: "exact", from: 0, to: 100, bins: 10, columns: [0], data: new Float32Array(y), x: new Float64Array(x), rows: x.length, rows_used: x.length });

/** Draws, and gives the brightness of every pixel, column by column. */
function drawn(f, channels, layers) {
  const pixels = new Uint32Array(f.width * f.height).fill(GROUND);
  drawStack(pixels, f, channels, layers);
  return Array.from({ length: f.width }, (_, x) => Array.from(pixels.subarray(x * f.height, (x + 1) * f.height), (p) => p & 255));
}
const lit = (column) => column.flatMap((v, y) => (v === 255 ? [y] : []));

test("a bar reaches from the minimum to the maximum, and touches the one before it; gaps stay empty", () => {
  const columns = drawn(frame(), [channel()], [layer(bins(0, 4, [[-2, 2], [NaN, NaN], [0, 0], [1, 4]]))]);
  assert.deepEqual(lit(columns[0]), [3, 4, 5, 6]);
  assert.ok(columns[1].every((v) => v === 0));
  assert.ok(columns[2][4] > 0 && columns[2][5] > 0, "a flat signal is a line a pixel thick");
  assert.deepEqual(lit(columns[3]), [1, 2, 3, 4]);
});

test("true extremes survive when several bins fall on a pixel", () => {
  const pairs = [[0, 0], [0, 9], [0, 0], [-9, 0], [0, 0], [0, 0], [0, 0], [0, 0]];
  const columns = drawn(frame({ width: 2, height: 20, rowPixels: 20, view: { from: 0, to: 8 } }), [channel()], [layer(bins(0, 8, pairs))]);
  assert.equal(lit(columns[0]).length, 18);
});

test("above a few samples a bin extremes are faint and mean +- sd bright; below, all of it is bright", () => {
  const of = (rows) => bins(0, 4, [[-4, 4], [-4, 4], [-4, 4], [-4, 4]], { rows: rows * 4, mean: new Float32Array(4), sd: new Float32Array(4).fill(1) });
  const dense = drawn(frame(), [channel()], [layer(of(FEW + 1))])[1], few = drawn(frame(), [channel()], [layer(of(FEW))])[1];
  assert.deepEqual(lit(dense), [4, 5]);
  assert.ok(dense[1] > 0.18 * 255 && dense[1] < 0.26 * 255, `extremes are at ${dense[1]} of 255`);
  assert.deepEqual(lit(few), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("rows repeated by a slower signal are not counted as samples", () => {
  const envelope = bins(0, 4, [[-4, 4], [-4, 4], [-4, 4], [-4, 4]], { rows: 48, mean: new Float32Array(4), sd: new Float32Array(4) });
  assert.equal(lit(drawn(frame(), [channel({ stride: 12 })], [layer(envelope)])[1]).length, 8);
});

test("a trace is cut at so many row heights, and what lies beyond is seen at the cut", () => {
  const columns = drawn(frame({ height: 40, rowPixels: 10, top: 10, clip: 1 }), [channel()], [layer(bins(0, 4, [[-100, 100], [50, 60], [0, 1], [-60, -50]]))]);
  assert.deepEqual([lit(columns[0])[0], lit(columns[0]).at(-1)], [5, 24]);
  assert.deepEqual(columns.map((c) => c.flatMap((v, y) => (v > 0 ? [y] : []))).every((ys) => ys.every((y) => y >= 5 && y < 25)), true);
  assert.ok(columns[1][5] > 0 && columns[3][24] > 0);
});

test("rows of a pixel or two show no pattern of where they lie, are as bright as their trace is high, and let spikes through", () => {
  const rows = 20, f = frame({ width: 1, height: 24, rowPixels: 1.2, view: { from: 0, to: 1 } });
  const of = (/** @type {number} */ half) => layer(bins(0, 1, [[-half, half]], { columns: [0] }));
  const brightness = (/** @type {number} */ half) => drawn(f, Array.from({ length: rows }, () => channel()), [of(half)])[0];
  const quiet = brightness(0), loud = brightness(0.25);
  assert.deepEqual([new Set(quiet).size, new Set(loud).size], [1, 1], `${quiet} and ${loud}`);
  assert.ok(quiet[0] > 0 && quiet[0] < 40 && loud[0] > 80 && loud[0] < 150, `${quiet[0]}, ${loud[0]}`);
  const spike = drawn(f, Array.from({ length: rows }, (_, i) => channel({ column: i === 10 ? 1 : 0 })), [of(0.25), layer(bins(0, 1, [[-3, 3]], { columns: [1] }))])[0];
  assert.ok(lit(spike).length >= 4, `${spike}`);
});

test("of rows that share a pixel the one that lights it most is seen, whichever comes first, and none is left out", () => {
  const rows = 20, rowPixels = 0.35, f = frame({ width: 1, height: 7, rowPixels, view: { from: 0, to: 1 } });
  const layers = [layer(bins(0, 1, [[0, 0]], { columns: [0] })), layer(bins(0, 1, [[-0.1, 0.1]], { columns: [1] }))];
  const quiet = drawn(f, Array.from({ length: rows }, () => channel()), layers)[0];
  assert.equal(new Set(quiet).size, 1, `no pattern: ${quiet}`);
  assert.ok(quiet[0] > 0 && quiet[0] < 40, `${quiet}`);
  for (let loud = 0; loud < rows; loud++) {
    const seen = drawn(f, Array.from({ length: rows }, (_, i) => channel({ column: i === loud ? 1 : 0 })), layers)[0], at = Math.floor((loud + 0.5) * rowPixels);
    assert.deepEqual(seen.flatMap((v, y) => (v > 100 ? [y] : [])), [at], `row ${loud}: ${seen}`);
    assert.ok(seen.every((v, y) => y === at || v === quiet[0]));
  }
  const table = shades([[0, 0, 0], [255, 255, 255]]), heat = (/** @type {number} */ loud, /** @type {"rms" | "mean"} */ measure) => {
    const pixels = new Uint32Array(7).fill(GROUND), of = (/** @type {number} */ column, /** @type {number} */ v) => layer(bins(0, 1, [[v, v]], { columns: [column], mean: new Float32Array([v]), sd: new Float32Array(1) }));
    drawHeat(pixels, f, Array.from({ length: rows }, (_, i) => channel({ column: i === loud ? 1 : 0 })), [of(0, 0.1), of(1, -1)], { measure, top: 1, table });
    return Array.from(pixels, (p) => p & 255);
  };
  for (let loud = 0; loud < rows; loud++) {
    const at = Math.floor((loud + 0.5) * rowPixels);
    assert.deepEqual(heat(loud, "rms").map((v) => v > 200), Array.from({ length: 7 }, (_, y) => y === at));
    assert.deepEqual(heat(loud, "mean").map((v) => v < 60), Array.from({ length: 7 }, (_, y) => y === at), "of a mean the sign is kept");
  }
});

test("the newest layer is drawn where it is, older ones beside it, the whole run where nothing else is", () => {
  const base = layer(bins(0, 100, [[0, 1]]), { base: true }), old = layer(bins(0, 50, [[0, 1]])), fresh = layer(bins(40, 60, [[0, 1]]));
  const pieces = piecesOf([base, fresh, old], 0, { from: 0, to: 100 }, 100).map(({ layer: l, range }) => [l, range.from, range.to]);
  assert.deepEqual(pieces.sort((a, b) => a[1] - b[1]), [[old, 0, 40], [fresh, 40, 60], [base, 60, 100]]);
  assert.deepEqual(piecesOf([fresh], 7, { from: 0, to: 100 }, 100), []);
});

test("a line goes from sample to sample, and breaks where rows are missing", () => {
  const f = frame({ width: 100, view: { from: 0, to: 100 }, periodTicks: 10 });
  const columns = drawn(f, [channel()], [layer(samples([0, 10, 20, 60, 70], [1, 2, NaN, 3, 4]))]);
  const seen = columns.flatMap((c, x) => (c.some((v) => v > 0) ? [x] : []));
  assert.ok(seen.includes(5) && seen.includes(65));
  assert.ok(!seen.some((x) => x > 14 && x < 56));
});

test("a slower signal whose rows are its own goes on where two values are the same", () => {
  const f = frame({ width: 100, view: { from: 0, to: 100 }, periodTicks: 5 });
  const columns = drawn(f, [channel({ stride: 4 })], [layer(samples([0, 20, 40, 60, 80], [1, 1, 1, 2, 2]))]);
  assert.ok(columns.slice(0, 80).every((c) => c.some((v) => v > 0)), "no break");
});

test("samples with room between them are dots", () => {
  const f = frame({ width: 100, height: 40, rowPixels: 40, view: { from: 0, to: 100 }, periodTicks: 10 });
  const columns = drawn(f, [channel()], [layer(samples([0, 10, 20, 30], [0, 0, 0, 0]))]);
  const high = (x) => columns[x].filter((v) => v > 0).length;
  assert.ok(high(10) > high(15), `${high(10)} at a sample, ${high(15)} between two`);
});

test("a bar's ends cover their pixels in part, and transposing loses nothing", () => {
  const pixels = new Uint32Array(8).fill(GROUND);
  fillBar(pixels, 4, 4, 0.5, 2.25, WHITE);
  assert.deepEqual([...pixels].map((p) => p & 255), [0, 0, 0, 0, 127, 255, 63, 0]);
  assert.equal(blended(0xff102030, 0xff304010, 64), 0xff203020);
  const columns = Uint32Array.from({ length: 70 * 45 }, (_, i) => i), rows = new Uint32Array(70 * 45);
  transpose(columns, rows, 70, 45);
  assert.ok(rows.every((v, i) => v === (i % 70) * 45 + Math.floor(i / 70)));
});

test("no loss is too short to be seen", () => {
  const pixels = new Uint32Array(20 * 10).fill(GROUND);
  hatch(pixels, 20, 10, [{ x0: 5.2, x1: 5.3, edge: WHITE }, { x0: 10, x1: 18, edge: WHITE }], { ground: GROUND, line: 0xff808080, dpr: 1 });
  const bright = (x) => pixels.subarray(x * 10, (x + 1) * 10).filter((p) => p !== GROUND).length;
  assert.deepEqual([4, 5, 6, 7].map(bright), [0, 10, 0, 0]);
  assert.ok(bright(13) > 0 && bright(13) < 10, "hatched, not filled");
});

test("the strength of a channel is RMS about its middle, of bins and of samples", () => {
  const out = new Float32Array(4), on = { view: { from: 0, to: 4 }, width: 4 }, range = { from: 0, to: 4 };
  const envelope = bins(0, 4, [[0, 0], [0, 0], [NaN, NaN], [0, 0]], { mean: new Float32Array([13, 10, NaN, 6]), sd: new Float32Array([4, 2, NaN, 3]) });
  strengths(out, envelope, 0, on, range, "rms", 10);
  assert.deepEqual([...out], [5, 2, NaN, 5]);
  strengths(out, envelope, 0, on, range, "mean", 10);
  assert.deepEqual([...out], [3, 0, NaN, -4]);
  strengths(out, samples([0, 2], [7, 12]), 0, on, range, "rms", 10);
  assert.deepEqual([...out], [3, 3, 2, 2]);
});

test("the table of colours begins and ends with its stops", () => {
  const table = shades([[0, 0, 0], [100, 0, 0], [200, 10, 0]]);
  assert.deepEqual([table[0], table.at(-1)], [0xff000000, 0xff000ac8]);
});
