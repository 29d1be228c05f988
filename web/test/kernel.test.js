// The kernel that sums with SIMD gives the same bits as Go does: testdata/kernel/sums.json has Go's answers.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { loadKernel } from "../src/kernel.js";

const file = new URL("../gen/sums.wasm", import.meta.url);
const KINDS = { uint16: 1, int16: 2, int32: 3, float32: 4 }, WIDTHS = { uint16: 2, int16: 2, int32: 4, float32: 4 };

async function kernel() {
  assert.ok(existsSync(file), 'web/gen/sums.wasm is missing: build it first with "go tool mage build"');
  const loaded = await loadKernel(readFileSync(file));
  assert.ok(loaded);
  return loaded;
}

/** Values as the vectors' seeds make them, after so many bytes of something else. */
function valuesOf({ type, seed, rows }, before) {
  const width = WIDTHS[type], data = new DataView(new ArrayBuffer(before + rows * width));
  for (let i = 0, x = seed; i < rows; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    if (type === "int32") data.setInt32(before + 4 * i, x | 0, true);
    else if (type === "float32") data.setFloat32(before + 4 * i, Math.fround(x | 0) / 1000, true);
    else data.setUint16(before + 2 * i, x >>> 16, true);
  }
  return data.buffer;
}

/** What the kernel gives for some calls. @param {import("../src/kernel.js").Kernel} k @param {ArrayBuffer | null} bytes @param {number[]} calls @param {number} size  of the results of all */
function run(k, bytes, calls, size) {
  const there = new Uint8Array(24 + size);
  k.sums(bytes && new Uint8Array(bytes), Int32Array.from(calls), there.buffer, 16);
  return there.slice(16, 24 + size);
}

/** [least, most, mean, squares] as Go's NarrowBin and WideBin make them. */
function binOf(results, at, n, narrow) {
  if (narrow) {
    const [least, most, sum, squares] = [0, 8, 16, 24].map((o) => Number(results.getBigInt64(at + o, true)));
    return [least, most, sum / n, Math.max(0, squares - sum * (sum / n))];
  }
  const [least, most, first, ...sums] = Array.from({ length: 11 }, (_, i) => results.getFloat64(at + 8 * i, true));
  const fold = (i) => sums[i] + sums[i + 1] + (sums[i + 2] + sums[i + 3]), shift = fold(0) / n;
  return [Math.fround(least), Math.fround(most), first + shift, Math.max(0, fold(4) - fold(0) * shift)];
}

function bits(x) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

test("gives the bits that Go gives", async () => {
  const vectors = JSON.parse(readFileSync(new URL("../../testdata/kernel/sums.json", import.meta.url), "utf8"));
  assert.equal(vectors.length, 28);
  const loaded = await kernel(), memory = new WebAssembly.Memory({ initial: 2 });
  loaded.goTo(memory);
  for (const v of vectors) {
    for (const before of [0, 3]) { // the values need not be aligned
      const narrow = v.type.endsWith("16"), size = narrow ? 32 : 88, call = [KINDS[v.type], before, v.rows, v.level, -1];
      const out = run(loaded, valuesOf(v, before), call, size * v.bins.length);
      assert.equal(out[0], 1);
      assert.deepEqual(run(loaded, null, call, size * v.bins.length), out); // once more, of what is there
      const results = new DataView(out.buffer), values = new Uint8Array(valuesOf(v, 0)), at = 70_000 + values.length;
      memory.grow(Math.ceil((at + out.length) / 65536)); // as Go's does
      const there = new Uint8Array(memory.buffer);
      there.set(values, 70_000);
      loaded.sumThere(KINDS[v.type], 70_000, v.rows, v.level, at);
      assert.deepEqual(there.slice(at, at + out.length - 8), out.slice(8));
      v.bins.forEach(([min, max, mean, squares], i) => {
        const n = Math.min(2 ** v.level, v.rows - i * 2 ** v.level), bin = binOf(results, 8 + i * size, n, narrow);
        assert.deepEqual([bin[0], bin[1], bits(bin[2]), bits(bin[3])], [Math.fround(Number(min)), Math.fround(Number(max)), mean, squares], `${v.type} x ${v.rows}, bin ${i}`);
      });
    }
  }
});

test("sees extremes, and squares that fill 32 bits", async () => {
  const values = new Uint16Array(64);
  values.fill(65535, 32);
  const out = new DataView(run(await kernel(), values.buffer, [1, 0, 64, 5, -1, 2, 0, 64, 6, -1], 3 * 32).buffer);
  const numbers = Array.from({ length: 12 }, (_, i) => Number(out.getBigInt64(8 + 8 * i, true)));
  assert.deepEqual(numbers, [0, 0, 0, 0, 65535, 65535, 32 * 65535, 32 * 65535 ** 2, -1, 0, -32, 32]);
});

test("says whether all validity bits are 1, and passes NaN on", async () => {
  const k = await kernel(), bytes = new Uint8Array(8 + 2 * 13);
  bytes.set([255, 0b00011111]);
  const valid = (rows) => run(k, bytes.buffer, [1, 8, rows, 4, 0], 32)[0];
  assert.deepEqual([valid(13), valid(8)], [1, 1]);
  bytes[1] = 0b00101111;
  assert.deepEqual([valid(13), valid(12)], [0, 1]);
  bytes[0] = 254;
  assert.deepEqual([valid(13), valid(3)], [0, 0]);
  for (const at of [0, 5, 8]) {
    const floats = new Float32Array(9).fill(1);
    floats[at] = NaN;
    assert.ok(Number.isNaN(new DataView(run(k, floats.buffer, [4, 0, 9, 4, -1], 88).buffer).getFloat64(8, true)), `value ${at}`);
  }
});

test("is not there where it cannot run", async () => {
  assert.equal(await loadKernel(Uint8Array.of(0, 97, 115, 109, 9)), null);
  assert.equal(await loadKernel(Promise.reject(new Error("404"))), null);
});
