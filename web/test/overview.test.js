import assert from "node:assert/strict";
import { test } from "node:test";
import { drawEvents, drawOverview, heldAt, laneScale } from "../src/plots/overview.js";

const overview = (pairs, over) => ({ quality: "exact", from: 100, to: 200, bins: pairs.length, done: pairs.length, columns: [0], rms: new Float32Array(pairs.length).fill(1), data: new Float32Array(pairs.flat()), mean: Float32Array.from(pairs, ([a, b]) => (a + b) / 2), sd: new Float32Array(pairs.length).fill(1), ...over });

/** Notes rectangles. */
function pen() {
  const rects = [];
  return { rects, beginPath() {}, fill() {}, rect: (...r) => rects.push(r), fillRect: (...r) => rects.push(r) };
}

test("an overview lies where its stream lies in the run, and is empty where nothing is", () => {
  const ctx = pen();
  drawOverview(ctx, overview([[-4, 4], [NaN, NaN], [-2, 2], [-4, 4]]), { from: 0, to: 200 }, { width: 200, height: 50, colour: "#fff" });
  assert.deepEqual([...new Set(ctx.rects.map(([x]) => x))], [100, 150, 175]);
  assert.ok(ctx.rects.every(([, y, , h]) => y >= 0 && y + h <= 50));
});

test("the lane is scaled to what is usual: one artefact does not flatten the run", () => {
  const pairs = Array.from({ length: 400 }, (_, i) => (i === 7 ? [-1e6, 1e6] : [508, 516]));
  assert.deepEqual(laneScale(overview(pairs)), { middle: 512, reach: 4 });
  assert.deepEqual(laneScale(overview([[NaN, NaN]])), { middle: 0, reach: 1 });
  assert.deepEqual(laneScale({ bins: 3, rms: new Float32Array([1, NaN, 3]) }), { middle: 0, reach: 3 });
});

test("events are one a pixel, and only those of the run", () => {
  const ctx = pen();
  drawEvents(ctx, [0, 1, 1.1, 50, 99, 400], { from: 0, to: 100 }, 100, "#fff");
  assert.deepEqual(ctx.rects.map(([x]) => x), [0, 1, 50, 99]);
});

test("a press takes hold of an edge, of the window, or of nothing; a narrow window can be moved", () => {
  const held = (x, from, to) => heldAt(x, { from, to }, 5);
  assert.deepEqual([held(100, 100, 200), held(97, 100, 200), held(200, 100, 200), held(150, 100, 200), held(50, 100, 200)], ["from", "from", "to", "window", "elsewhere"]);
  assert.deepEqual([held(103, 100, 106), held(99, 100, 106), held(107, 100, 106)], ["window", "from", "to"]);
});
