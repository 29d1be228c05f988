import assert from "node:assert/strict";
import { test } from "node:test";
import { stepSpacing } from "../src/moves.js";
import { ALL_ROWS, clampView, firstView, labelStride, pan, rowBand, rowHeight, rowWindow, zoomAt } from "../src/view/viewport.js";

const bounds = { from: 1000, to: 101000 };

test("a view stays within its bounds, with a twentieth to spare", () => {
  assert.deepEqual(clampView({ from: 5000, to: 6000 }, bounds, 10), { from: 5000, to: 6000 });
  assert.deepEqual(clampView({ from: -9000, to: -8000 }, bounds, 10), { from: 950, to: 1950 });
  assert.deepEqual(clampView({ from: 2e5, to: 2e5 + 1000 }, bounds, 10), { from: 100050, to: 101050 });
  const all = clampView({ from: -1e9, to: 1e9 }, bounds, 10);
  assert.ok(all.from <= bounds.from && all.to >= bounds.to && all.to - all.from <= 1.1e5 + 1);
});

test("zooming keeps the tick under the pointer and stops at the shortest view", () => {
  const view = { from: 10000, to: 20000 };
  const near = zoomAt(view, 12500, 0.5, 10);
  assert.deepEqual(near, { from: 11250, to: 16250 });
  assert.equal((12500 - near.from) / (near.to - near.from), 0.25);
  assert.equal(zoomAt(view, 12500, 1e-9, 100).to - zoomAt(view, 12500, 1e-9, 100).from, 100);
  assert.deepEqual(pan(view, -500), { from: 9500, to: 19500 });
});

test("the first view is a second from the start", () => {
  assert.deepEqual(firstView({ first: 3e9, last: 3e11, rows: 1e7, hz: 250e6 }), { from: 3e9, to: 3.25e9 });
});

test("a stream shorter than a second is shown whole", () => {
  const view = firstView({ first: 1000, last: 1000 + 383 * 8333, rows: 384, hz: 250e6 });
  assert.deepEqual(view, { from: 1000, to: 1000 + 384 * 8333 });
});

test("a slow stream shows more than a second, and ticks do without a rate", () => {
  const slow = firstView({ first: 0, last: 25e6 * 99999, rows: 1e5, hz: 250e6 });
  assert.equal(slow.to - slow.from, 600 * 25e6);
  const ticks = firstView({ first: 0, last: 8333 * 999999, rows: 1e6, hz: 0 });
  assert.equal(ticks.to, 30000 * 8333);
  assert.ok(firstView({ first: 7, last: 7, rows: 1, hz: 0 }).to > 7);
});

test("rows are 9 px when there are many and taller when there are few", () => {
  assert.equal(rowHeight(600, 384), 9);
  assert.equal(rowHeight(600, 12), 50);
  assert.deepEqual(rowWindow(600, 384, 1000), { first: 318, shown: 66, total: 384 });
  assert.deepEqual(rowWindow(600, 12, 5), { first: 0, shown: 12, total: 12 });
  assert.deepEqual(rowWindow(0, 12, 0), { first: 0, shown: 0, total: 12 });
});

test("all rows are shown at once, however many there are and however low the plot", () => {
  for (const [height, total] of [[1031, 1536], [40, 384], [300, 5000], [600, 12]]) {
    const rowPixels = rowHeight(height, total, ALL_ROWS);
    assert.deepEqual(rowWindow(height, total, 7, rowPixels), { first: 0, shown: total, total }, `${total} rows on ${height} px`);
  }
  assert.equal(rowWindow(0, 384, 0, rowHeight(0, 384, ALL_ROWS)).shown, 0, "before there is room");
});

test("rows that share pixels get higher by a key, and no lower", () => {
  const steps = (/** @type {number} */ rowPixels, /** @type {1 | -1} */ by) => {
    const set = /** @type {number[]} */ ([]);
    stepSpacing(/** @type {any} */ ({ setSpacing: (/** @type {number} */ px) => set.push(px) }), /** @type {any} */ ({ traces: { shown: () => ({ rowPixels }) } }), by);
    return set;
  };
  assert.deepEqual([steps(0.6, -1), steps(1, -1), steps(0.6, 1), steps(9, -1)], [[], [], [1.6], [7]]);
});

test("labels never stand closer than 13 px", () => {
  for (const px of [0.06, 0.6, 2, 4, 6.5, 9, 13, 40]) assert.ok(labelStride(px) * px >= 13, String(px));
});

test("a band of rows stays while what is seen is within, and never leaves the rows", () => {
  const at = (/** @type {number} */ first, shown = 40) => ({ first, shown, total: 100 });
  const band = rowBand(null, at(20), 1 / 8);
  assert.deepEqual([band.first, band.end], [15, 65]);
  for (const first of [15, 18, 25]) assert.equal(rowBand(band, at(first), 1 / 8), band);
  for (const first of [14, 26, 0, 60]) {
    const next = rowBand(band, at(first), 1 / 8);
    assert.ok(next !== band && next.first >= 0 && next.end <= 100 && next.first <= first && next.end >= first + 40, `from row ${first}`);
  }
  assert.notEqual(rowBand(band, at(20, 41), 1 / 8), band, "higher or lower rows are another picture");
  assert.notEqual(rowBand(band, { ...at(20), total: 90 }, 1 / 8), band, "so are other rows");
});
