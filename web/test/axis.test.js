import assert from "node:assert/strict";
import { test } from "node:test";
import { bordersIn, clockAt, moved, partsOf, placeOf, placeOfText, secondsAt, textOfPlace } from "../src/axis.js";
import { axisMarks } from "../src/plots/ruler.js";
import { findingText, ticksOf } from "../src/health.js";
import { streamInfo } from "./facts.js";

const clock = { hz: 10000, first: 5000, last: 99900, column: true, start_utc: "", start_clock: 0, period: 100 };
// Rows 0 to 500 from tick 5000, then again from tick 5000.
const restarted = streamInfo("a", { clock, axis: [{ start: 0, end: 500, from: 5000, to: 54900, first: "5000", last: "54900" }, { start: 500, end: 1000, from: 55000, to: 104900, first: "5000", last: "54900" }] });

test("a place after the clock began anew has the clock of its segment", () => {
  assert.equal(clockAt(restarted, 6000), 6000n);
  assert.equal(clockAt(restarted, 56000), 6000n);
  assert.equal(secondsAt(restarted, 56000), 0.6);
  assert.equal(placeOf(restarted, 6000), 6000);
  assert.equal(placeOf(restarted, 6000, 700), 56000);
  assert.deepEqual(bordersIn(restarted, { from: 50000, to: 60000 }), [{ place: 55000, before: 54900 }]);
  assert.deepEqual(bordersIn(restarted, { from: 0, to: 50000 }), []);
  assert.deepEqual(partsOf(restarted, { from: 54000, to: 56000 }), [{ view: { from: 54000, to: 55000 }, clock: { from: 54000, to: 55000 } }, { view: { from: 55000, to: 56000 }, clock: { from: 5000, to: 6000 } }]);
});

test("where places are ticks nothing is moved", () => {
  const info = streamInfo("a", { clock });
  assert.deepEqual([clockAt(info, 7000.5), secondsAt(info, 7000), placeOf(info, 7000), bordersIn(info, { from: 0, to: 1e9 })], [7000.5, 0.7, 7000, []]);
  assert.equal(moved(info.axis, restarted.axis), true);
  assert.equal(moved(restarted.axis, structuredClone(restarted.axis)), false);
});

test("ticks above 2^53 are right to the tick", () => {
  const info = streamInfo("a", { clock: { ...clock, hz: 1e9 }, axis: [{ start: 0, end: 1200, from: 2 ** 51, to: 2 ** 51 + 1199 * 33332, first: "1774745998123456789", last: "1774745998163421857" }] });
  assert.equal(clockAt(info, 2 ** 51 + 33332), 1774745998123490121n);
  assert.ok(Math.abs(secondsAt(info, 2 ** 51 + 1e6) - 1774745998.124456789) < 3e-7);
  assert.ok(Math.abs(placeOf(info, 1774745998.124456789 * 1e9) - (2 ** 51 + 1e6)) < 512);
});

test("the ruler counts by the segment, and writes the times on both sides of a border", () => {
  const { labels, borders } = axisMarks(restarted, { from: 45000, to: 65000 }, 1000);
  assert.deepEqual(borders.map(({ x, end, begin }) => [Math.round(x), end, begin]), [[500, "5.49", "0.50"]]);
  const at = (text) => labels.filter((l) => l.text === text).map((l) => Math.round(l.x));
  assert.deepEqual([at("5.0"), at("1.0")], [[250], [750]]);
  assert.ok(labels.every((l) => Math.abs(l.x - 500) > 60), "no label lies under those of the border");
});

test("findings lie in the segment of their row, and say its time", () => {
  const finding = { offset: 1, length: 0, batch: 5, severity: "warning", reason: "suspect: x", before_row: 600, lost_rows: 0, clock_before: 14900, clock_after: 15000, count: 1, last_offset: 1 };
  assert.equal(ticksOf(finding, restarted), 65000);
  assert.match(findingText(finding, 10000), /after 1\.490/);
});

test("an address names the segment of a place, and has every tick of it", () => {
  const of = (hz, axis) => streamInfo("a", { clock: { ...clock, hz }, axis });
  const twice = of(10_000, [{ start: 0, end: 600, from: 1000, to: 6000, first: "1000", last: "6000" }, { start: 600, end: 900, from: 6010, to: 9010, first: "500", last: "3500" }]);
  for (const [place, text] of [[1000, "1:0.1"], [6000, "1:0.6"], [6010, "2:0.05"], [7000, "2:0.149"], [9010, "2:0.35"]]) {
    assert.equal(textOfPlace(twice, place), text);
    assert.equal(placeOfText(twice, text, "s"), place);
  }
  assert.equal(placeOfText(twice, "0.2", "s"), 2000); // of an address without segments: the first that has it
  const epoch = of(1e9, [{ start: 0, end: 600, from: 2 ** 51, to: 2 ** 51 + 1e10, first: "1774745998000000001", last: "1774746008000000001" }]);
  for (const place of [2 ** 51, 2 ** 51 + 1, 2 ** 51 + 123456789, 2 ** 51 - 1e9]) assert.equal(placeOfText(epoch, textOfPlace(epoch, place), "s"), place);
  assert.equal(textOfPlace(epoch, 2 ** 51 + 1), "1774745998.000000002");
  assert.equal(placeOf(epoch, "1774745998000000123"), 2 ** 51 + 122);
  const unknown = of(0, twice.axis);
  assert.equal(placeOfText(unknown, textOfPlace(unknown, 7001), "ticks"), 7001);
  for (const text of ["", "x", "1:", ":1", "1e5", "2:-"]) assert.ok(Number.isNaN(placeOfText(twice, text, "s")), text);
});
