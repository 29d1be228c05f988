import assert from "node:assert/strict";
import { test } from "node:test";
import { belongsToRun, lacksClock, openingWords, rowToShow } from "../src/sources.js";
import { streamInfo } from "./facts.js";

const row = (key, kind, columns, group = "") => ({ key, id: key, name: key, group, kind, columns, rateHz: 0 });

test("the widest signal that has rows is shown first, AP before its equals", () => {
  const lfp = row("lfp", "traces", [1, 2], "LFP"), ap = row("ap", "traces", [3, 4], "AP"), wide = row("wide", "traces", [1, 2, 3]), lanes = row("lanes", "lanes", [1, 2, 3, 4, 5]);
  const all = () => true, none = () => false;
  assert.equal(rowToShow([lanes, lfp, ap], all), ap);
  assert.equal(rowToShow([lanes, lfp, ap, wide], all), wide);
  assert.equal(rowToShow([lanes, lfp, wide], (r) => r !== wide), lfp);
  assert.equal(rowToShow([lanes, wide], (r) => r === lanes), lanes, "what has rows before what has none");
  assert.equal(rowToShow([lanes, lfp], none), lfp);
  assert.equal(rowToShow([lanes], none), lanes);
  assert.equal(rowToShow([], all), undefined);
});

test("a start time goes to streams that lack a rate", () => {
  const start = { hz: 250e6, start_utc: "2026-11-21T00:00:00Z", note: "" };
  const clock = (more) => streamInfo("a", { clock: { ...streamInfo("a").clock, ...more } });
  assert.ok(lacksClock(clock({ hz: 0 }), start));
  assert.ok(!lacksClock(clock({ hz: 0 }), undefined) && !lacksClock(clock({ hz: 5 }), start) && !lacksClock(clock({ hz: 0, column: false }), start) && !lacksClock(clock({ hz: 0 }), { ...start, hz: 0 }));
});

test("opening says how far it is, where that is known", () => {
  const plain = (progress) => {
    const { words, share } = openingWords(progress);
    return [words.replaceAll("\u202f", " "), share];
  };
  assert.deepEqual(plain(null), ["opening…", null]);
  assert.deepEqual(plain({ batches: 50, of: 200, bytes: 0, at: 0, size: 0 }), ["reading batch headers, 50 of about 200", 0.25]);
  assert.deepEqual(plain({ batches: 0, of: 0, bytes: 0, at: 250, size: 1000 }), ["reading batch headers, 25.0 % of 1.00 kB", 0.25]);
  assert.deepEqual(plain({ batches: 0, of: 0, bytes: 0, at: 0, size: 1000 }), ["opening…", null]);
});

test("of a folder the recordings and start-time CSVs are opened", () => {
  const names = ["np_0.arrow", "x.ARROWS", "y.feather", "start-time_0.csv", "notes.csv", "recording_0.json", "._np_0.arrow", ".hidden.arrow"];
  assert.deepEqual(names.filter(belongsToRun), ["np_0.arrow", "x.ARROWS", "y.feather", "start-time_0.csv"]);
});
