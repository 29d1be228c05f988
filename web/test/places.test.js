import assert from "node:assert/strict";
import { test } from "node:test";
import { placeFromText } from "../src/places.js";
import { streamInfo } from "./facts.js";

const plain = (place) => ({ ...place, words: place.words.replaceAll("\u202f", " ") });
const clock = { hz: 10000, first: 0, last: 99900, column: true, start_utc: "2026-11-28T23:59:55Z", start_clock: 0 };

test("times, rows, ticks and times of day are told apart", () => {
  const info = streamInfo("a", { clock });
  const at = (text) => placeFromText(text, info);
  for (const [text, ticks] of [["2.5 s", 25000], ["2.5", 25000], ["250ms", 2500], ["0:04", 40000], ["0:00:04.5", 45000], ["tick 12 345", 12345], ["12345 ticks", 12345],
    ["23:59:58 UTC", 30000], ["at 00:00:01", 60000], ["2026-11-29 00:00:02", 70000]]) assert.deepEqual([text, at(text).ticks], [text, ticks]);
  assert.deepEqual([at("row 7").row, at("#7").row, at("row 1 000").kind], [7, 7, "none"]);
  assert.equal(plain(at("row 1000")).words, "The last of 1 000 rows is 999.");
  assert.equal(plain(at("1 h")).words, "1 h 0 min 0.000 s is outside the stream, which lies from 0.000 s to 10.000 s.");
  for (const text of ["soon", "tick x", "row -1", "25:99 UTC", "", "2026-13-45 10:00"]) assert.equal(at(text).kind, "none", text);
});

test("what a stream does not know is said", () => {
  const ticks = streamInfo("a", { clock: { ...clock, hz: 0 } }), rows = streamInfo("a", { clock: { ...clock, hz: 0, column: false, last: 999 } });
  assert.equal(placeFromText("500", ticks).ticks, 500);
  assert.equal(placeFromText("500", rows).row, 500);
  assert.match(placeFromText("14:00 UTC", streamInfo("a")).words, /^When the recording began is not known/);
});
