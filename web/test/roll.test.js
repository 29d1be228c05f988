import assert from "node:assert/strict";
import { test } from "node:test";
import { Easel } from "../src/plots/easel.js";
import { Roll } from "../src/live/roll.js";
import { Rolling } from "../src/live/rolling.js";

/** As the browser has it. */
globalThis.ImageData ??= /** @type {any} */ (class {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    Object.assign(this, { width, height, data: new Uint8ClampedArray(4 * width * height) });
  }
});

const COLUMNS = [3, 4, 7, 9, 12], ROWS = { columns: COLUMNS, colours: Uint32Array.from(COLUMNS, (c) => 0xff008000 + 20 * c), unitsPerRaw: COLUMNS.map(() => 1), strides: COLUMNS.map(() => 1), periodTicks: 100 };
const SCENE = { width: 90, height: 60, dpr: 1, span: 90 * 1234.5, first: 0, shown: 5, rowPixels: 12, gain: 40, clip: 2, mode: /** @type {const} */ ("traces"), top: null, missing: [{ from: 150_000, to: 160_000, edge: 0xff0000ff }], ground: 0xff000000, text: 0xffffffff, line: 0xff808080, stops: [] };

/** Values of a bin, whatever message it comes in. @param {number} column @param {number} bin */
function valuesOf(column, bin) {
  const v = Math.sin(bin * 1.7 + column) * 6 + (bin % 37 === column ? 50 : 0);
  return { min: v - 3 - (bin % 5), max: v + 3 + (bin % 3), mean: v, sd: 1.5 };
}

/** Bins of a span as the receiver gives them; of the last one only a part has come. @param {number} width @param {number} first @param {number} end @param {number} tick */
function delta(width, first, end, tick) {
  const n = end - first, size = n * COLUMNS.length;
  const envelope = /** @type {any} */ ({ kind: "envelope", quality: "exact", from: first * width, to: end * width, bins: n, done: n, columns: COLUMNS, data: new Float32Array(2 * size), mean: new Float32Array(size), sd: new Float32Array(size), rows: n * 12, rows_used: n * 12, samples_per_pixel: width / 100 });
  COLUMNS.forEach((column, c) => {
    for (let b = 0; b < n; b++) {
      const { min, max, mean, sd } = valuesOf(column, first + b), part = (first + b + 1) * width > tick ? 0.5 : 1;
      envelope.data.set([min * part, max * part], 2 * (c * n + b));
      envelope.mean[c * n + b] = mean * part;
      envelope.sd[c * n + b] = sd;
    }
  });
  return { envelope, tick };
}

for (const [name, width] of /** @type {[string, number][]} */ ([["bins as wide as a column", 1234], ["bins half as wide", 617], ["bins wider than columns", 3001]])) {
  test(`what was painted piece by piece is what is painted at once: ${name}`, () => {
    const bins = Math.ceil(SCENE.span / width) + 2, source = { stream: "probe", columns: COLUMNS, width, bins };
    const easels = [new Easel(), new Easel()];
    easels.forEach((easel) => easel.setRows(ROWS));
    let clock = 0;
    const roll = new Roll(easels[0], () => clock);
    roll.set(SCENE, source);
    let tick = 0, end = 0, painted = 0;
    for (let step = 0; step < 60; step++) {
      tick += [37, 4100, 18_000, 61_000, 900][step % 5];
      clock += 90;
      const before = end;
      end = Math.floor(tick / width) + 1;
      roll.take(delta(width, Math.max(0, end - bins, step % 11 === 7 ? before - 20 : before - 1), end, tick));
      if (step % 4 === 2) continue; // the painter was slow
      const { image, view } = roll.paint();
      assert.ok(view.to >= tick && view.to - tick < SCENE.span / SCENE.width, "the right edge is the last tick that came");
      const got = Uint32Array.from(new Uint32Array(image.data.buffer));
      const whole = new Roll(easels[1], () => 0);
      whole.set(SCENE, source);
      whole.take(delta(width, Math.max(0, end - bins), end, tick));
      const want = new Uint32Array(whole.paint().image.data.buffer);
      const other = got.findIndex((pixel, i) => pixel !== want[i] && i % SCENE.width > 0); // the first column touches the one before it, where that was drawn
      assert.equal(other, -1, `step ${step}: pixel ${other % SCENE.width}, ${Math.floor(other / SCENE.width)}`);
      whole.forget();
      painted++;
    }
    assert.ok(painted > 40 && tick > 6 * SCENE.span, "it has moved on by many pictures");
    assert.equal(roll.due, false);
  });
}

for (const mode of /** @type {const} */ (["rms", "mean"])) {
  test(`a heat map that rolls leaves what was painted as it was, until a channel has drifted: ${mode}`, () => {
    const easel = new Easel(), width = 1000, bins = 92;
    easel.setRows(ROWS);
    let clock = 0, drift = 0, before = /** @type {Uint32Array | null} */ (null);
    const roll = new Roll(easel, () => clock);
    roll.set({ ...SCENE, span: 90 * width, mode, top: 200, missing: [], stops: [[0, 0, 0], [255, 255, 255]] }, { stream: "probe", columns: COLUMNS, width, bins });
    const changed = [];
    for (let end = bins; end < bins + 400; end += 10) {
      const came = delta(width, end === bins ? 0 : end - 10, end, end * width - 1);
      came.envelope.mean.forEach((/** @type {number} */ v, /** @type {number} */ i) => (came.envelope.mean[i] = v + drift));
      roll.take(came);
      clock += 400;
      if (end >= bins + 200) drift = 40;
      const pixels = Uint32Array.from(new Uint32Array(roll.paint().image.data.buffer)), was = before;
      if (was) changed.push(pixels.some((p, i) => i % SCENE.width < SCENE.width - 11 && p !== was[i + 10])); // moved by ten columns; the first of them touches what was there
      before = pixels;
    }
    assert.deepEqual([changed.slice(3, 20).some(Boolean), changed.slice(20).some(Boolean)], [false, true]);
  });
}

test("after a step of the clock nothing of before is left", () => {
  const easel = new Easel(), width = 1234, bins = 92, roll = new Roll(easel, () => 0);
  easel.setRows(ROWS);
  roll.set({ ...SCENE, missing: [] }, { stream: "probe", columns: COLUMNS, width, bins });
  roll.take(delta(width, 900, 992, 992 * width - 1));
  roll.paint();
  roll.take(delta(width, 0, 10, 10 * width - 1));
  const { image, view } = roll.paint(), pixels = new Uint32Array(image.data.buffer);
  assert.ok(Math.abs(view.to - 10 * width) < 2000);
  const lit = Array.from({ length: SCENE.width }, (_, x) => Array.from({ length: SCENE.height }, (_, y) => pixels[y * SCENE.width + x]).some((p) => p !== SCENE.ground));
  assert.equal(lit.indexOf(true), SCENE.width - 10);
});

test("a painter that is slow paints fewer pictures, each of now", async () => {
  const asked = /** @type {(object | null)[]} */ ([]), shown = /** @type {number[]} */ ([]);
  let tick = 0, due = false, n = 0, done = () => {};
  const roll = /** @type {any} */ ({ set: () => true, take: (/** @type {any} */ d) => ((tick = d.tick), (due = true)), now: () => 0, forget() {}, get due() { return due; }, paint: () => ((due = false), { tick }) });
  const rolling = new Rolling(roll, (source, number) => (asked.push(source), (n = number)), ({ tick: of }) => (shown.push(of), new Promise((resolve) => (done = resolve))), assert.ifError);
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  rolling.begin(/** @type {any} */ ({}), /** @type {any} */ ({ stream: "probe" }), 1);
  assert.deepEqual(asked, [{ stream: "probe" }]);
  for (let i = 1; i <= 50; i++) rolling.came(/** @type {any} */ ({ tick: i, n })); // while the first is painted
  assert.equal(asked.length, 51, "it goes on asking");
  assert.deepEqual(shown, [1]);
  done();
  await settle();
  assert.deepEqual(shown, [1, 50]);
  rolling.came(/** @type {any} */ ({ tick: 51, n }));
  done();
  await settle();
  assert.deepEqual(shown, [1, 50], "two are not on the screen yet");
  rolling.shown(2);
  assert.deepEqual(shown, [1, 50, 51]);
  rolling.came(/** @type {any} */ ({ tick: 99, n: n - 1 }));
  done();
  await settle();
  assert.deepEqual(shown, [1, 50, 51], "an answer to what was asked before is not taken");
  rolling.hold();
  rolling.came(/** @type {any} */ ({ tick: 52, n }));
  assert.deepEqual(shown, [1, 50, 51], "what is held stays as it is");
});

test("pictures that take long come less often", async () => {
  let clock = 0, due = false, n = 0, takes = 1;
  const began = /** @type {number[]} */ ([]), roll = /** @type {any} */ ({ set: () => true, take: () => (due = true), now: () => clock, get due() { return due; }, paint: () => ((due = false), began.push(clock), (clock += takes), {}) });
  const waits = /** @type {{ call: () => void, at: number }[]} */ ([]);
  const rolling = new Rolling(roll, (_, number) => (n = number), async () => {}, assert.ifError, (call, ms) => waits.push({ call, at: clock + ms }));
  rolling.begin(/** @type {any} */ ({}), /** @type {any} */ ({}), 1);
  /** Something comes every five milliseconds. @param {number} until */
  const run = async (until) => {
    for (; clock < until; clock += 5) {
      for (const due of waits.splice(0)) due.at <= clock ? due.call() : waits.push(due);
      rolling.came(/** @type {any} */ ({ n }));
      rolling.shown(1);
      await new Promise((resolve) => setTimeout(resolve));
    }
    return began.splice(0).length;
  };
  const quick = await run(1000);
  takes = 10;
  const slow = await run(clock + 1000);
  takes = 50;
  const slowest = await run(clock + 1000);
  assert.ok(quick > 80 && slow > 10 && slow < 25 && slowest >= 8 && slowest < 16, `${quick}, ${slow} and ${slowest} pictures in a second`);
});

test("a picture that could not be painted is said, and the next one is tried", async () => {
  let due = true, tries = 0, n = 0;
  const said = /** @type {unknown[]} */ ([]);
  const roll = /** @type {any} */ ({ set: () => true, take: () => (due = true), now: () => 0, get due() { return due; }, paint: () => { due = false; if (++tries < 4) throw new Error("no memory"); return {}; } });
  const shown = /** @type {unknown[]} */ ([]), rolling = new Rolling(roll, (_, number) => (n = number), async (rolled) => void shown.push(rolled), (error) => said.push(String(error)));
  rolling.begin(/** @type {any} */ ({}), /** @type {any} */ ({}), 1);
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve));
    rolling.came(/** @type {any} */ ({ n }));
  }
  assert.deepEqual(said, Array(3).fill("Error: no memory"));
  assert.ok(shown.length > 0);
});
