import assert from "node:assert/strict";
import { test } from "node:test";
import { panelsOf } from "../src/panels.js";
import { levelMarks, levelsIn, mayBeLevels } from "../src/plots/levels.js";
import { streamInfo } from "./facts.js";

/** A stream of slow quantities. @param {Record<string, string>} units  by name of the column */
function slow(units) {
  const columns = Object.entries(units).map(([name, unit], index) => ({ index, name, label: name, group: name, channel: -1, type: "uint32", unit, scale: unit ? 1 : 0, offset: 0, line: [0, 1], stride: 1, plottable: true, bits: [] }));
  return streamInfo("slow", { columns, groups: columns.map((c) => ({ name: c.name, columns: [c.index], rate_hz: 10, kind: "slow", along_probe: false })) });
}

test("percent and bytes of the same thing are one panel, whichever comes first; other quantities have a panel each", () => {
  const shapes = (units) => panelsOf(slow(units)).map(({ columns, twin }) => ({ columns, twin }));
  assert.deepEqual(shapes({ BytesUsed: "B", PercentUsed: "%" }), [{ columns: [1], twin: 0 }]);
  assert.deepEqual(shapes({ PercentUsed: "%", BytesUsed: "B" }), [{ columns: [0], twin: 1 }]);
  assert.deepEqual(shapes({ BytesUsed: "B" }), [{ columns: [0], twin: undefined }]);
  assert.deepEqual(shapes({ BytesUsed: "B", BytesFree: "B", PercentUsed: "%" }).map(({ twin }) => twin), [undefined, undefined, undefined]); // nobody knows which of them
});

test("whole numbers are names where they are few and small", () => {
  const layer = (data, kind = "samples") => ({ envelope: { kind, from: 0, to: 100, bins: data.length / 2, x: Float64Array.from(data, (_, i) => 10 * i), data: Float32Array.from(data) }, index: new Map([[3, 0]]) });
  assert.deepEqual(levelsIn([layer([2, 0, 2, -1])], 3), [-1, 0, 2]);
  assert.deepEqual(levelsIn([layer([0, 2, 4, 4, NaN, NaN], "envelope")], 3), [0, 1, 2, 4]); // between extremes there may be others
  assert.equal(levelsIn([layer([24, 25, 26])], 3), null); // degrees
  assert.equal(levelsIn([layer(Array.from({ length: 14 }, (_, i) => i))], 3), null);
  assert.equal(levelsIn([layer([])], 3), null);
  const column = { type: "int16", scale: 0, unit: "", bits: [] };
  assert.ok(mayBeLevels(column));
  for (const other of [{ type: "float64" }, { unit: "uV" }, { scale: 1 }, { bits: ["Din 0"] }, { type: "uint64" }]) assert.ok(!mayBeLevels({ ...column, ...other }));
});

test("marks of a value last until the next row where rows come evenly, and are joined; of a bin, what is between its extremes is not sure", () => {
  const samples = { kind: "samples", from: 0, to: 100, bins: 4, x: Float64Array.from([0, 10, 20, 90]), data: Float32Array.from([1, 1, 0, 1]) }, view = { from: 0, to: 100 };
  assert.deepEqual(levelMarks(samples, 0, view, 100, 10), [{ from: 0, to: 20, level: 1, sure: true }, { from: 20, to: 30, level: 0, sure: true }, { from: 90, to: 100, level: 1, sure: true }]);
  assert.deepEqual(levelMarks(samples, 0, view, 100, 0).map(({ from, to }) => [from, to]), [[0, 1.5], [10, 11.5], [20, 21.5], [90, 91.5]]);
  const bins = { kind: "envelope", from: 0, to: 100, bins: 2, data: Float32Array.from([0, 2, 1, 1]) };
  assert.deepEqual(levelMarks(bins, 0, view, 100, 0).map(({ from, to, level, sure }) => [from, to, level, sure]), [[0, 50, 0, true], [0, 50, 1, false], [0, 50, 2, true], [50, 100, 1, true]]);
});
