import assert from "node:assert/strict";
import { test } from "node:test";
import { wantedInView, wantedWhole } from "../src/ui/plot.js";
import { streamInfo } from "./facts.js";

test("what is asked for lies within the engine's limits, on each side of each", () => {
  const { limits } = streamInfo("a");
  for (const rows of [1, 4096, 4097, 8192, 8193, limits.bins / 2 - 1, limits.bins / 2, limits.bins / 2 + 1, 1e9]) {
    for (const width of [1, 1024, 1025, limits.columns - 1, limits.columns, limits.columns + 1, 100000]) {
      const info = streamInfo("a", { rows, clock: { hz: 10000, first: 0, last: 100 * (rows - 1), column: true, period: 100 }, coverage: [] });
      const columns = Array.from({ length: width }, (_, i) => i), state = { view: { from: 0, to: 100 * rows } };
      for (const wanted of [wantedWhole(state, info, columns), wantedInView(state, info, columns, 3840 * 3), wantedInView({ view: { from: 0, to: 13000 } }, info, columns, 8191)]) {
        const at = `${rows} rows, ${width} columns: ${wanted.bins} bins of ${wanted.columns.length}`;
        assert.ok(wanted.columns.length === Math.min(width, limits.columns), at);
        assert.ok(wanted.bins >= 1 && wanted.bins <= limits.bins && wanted.bins * wanted.columns.length <= limits.values, at);
      }
      const whole = wantedWhole(state, info, columns);
      if (width === 1) assert.equal(whole.bins === Math.max(16, rows * 2), rows <= limits.bins / 2, `${rows} rows are asked for row by row where they may`);
    }
  }
});

test("of very many channels bins are wider, so that a picture takes no more memory than of a probe's", () => {
  const info = streamInfo("a", { rows: 1e9, clock: { hz: 250e6, first: 0, last: 1e13, column: true, period: 8333 }, coverage: [] }), second = { view: { from: 0, to: 250e6 } };
  const of = (/** @type {number} */ n) => wantedInView(second, info, Array.from({ length: n }, (_, i) => i), 2300).bins;
  assert.equal(of(384), 2301);
  for (const n of [1000, 1536, 4096]) assert.ok(of(n) * n <= 1.41e6 && of(n) * n > 1.3e6, `${n} channels, ${of(n)} bins`);
});
