// What was recorded together, and the address of a view.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fragmentOf, lookAt, lookedFrom } from "../src/fragment.js";
import { partsOf, runNames, runsOf } from "../src/runs.js";
import { State } from "../src/state.js";
import { streamInfo } from "./facts.js";

/** Ids of each run, in order. Files are written "folder/name@drop!started". */
function runs(...files) {
  const given = files.map((text, i) => {
    const [, folder = "", name, drop = "1", started = ""] = /^(?:(.*)\/)?([^/@!]+)(?:@(\d+))?(?:!(.+))?$/.exec(text);
    return { id: "abcdefgh"[i], name, folder, drop: Number(drop), started };
  });
  const keys = runsOf(given);
  return [...new Set(keys.values())].map((key) => given.filter((g) => keys.get(g.id) === key).map((g) => g.id).join(""));
}

test("names of files are stream, suffix and part", () => {
  const of = (name) => { const { stream, suffix, part } = partsOf(name); return [stream, suffix, part]; };
  assert.deepEqual(of("port-a_np_0.arrow"), ["port-a_np", "0", ""]);
  assert.deepEqual(of("np_0_001.arrow"), ["np", "0", "001"]);
  assert.deepEqual(of("np_2026-05-18T21_50_05.arrow"), ["np", "2026-05-18T21_50_05", ""]);
  assert.deepEqual(of("np_2026-05-18T21-50-05.1234567.arrow"), ["np", "2026-05-18T21-50-05.1234567", ""]);
  assert.deepEqual(of("plain.arrow"), ["plain", "", ""]);
});

test("files with one suffix are a run, whatever way they came", () => {
  assert.deepEqual(runs("np_0.arrow", "dio_0.arrow"), ["ab"]);
  assert.deepEqual(runs("np_0.arrow@1", "dio_0.arrow@2"), ["ab"], "dropped one after the other");
  assert.deepEqual(runs("np_0.arrow", "dio_0.arrow", "np_1.arrow", "dio_1.arrow"), ["ab", "cd"]);
  assert.deepEqual(runs("np_2026-05-18T21_50_05.arrow", "dio_2026-05-18T21_50_07.arrow", "np_2026-05-18T22_10_00.arrow"), ["ab", "c"]);
  assert.deepEqual(runs("np_2026-05-18T21_50_05.arrow", "np_2026-05-18T21_50_40.arrow"), ["a", "b"], "begun again within a minute");
  assert.deepEqual(runs("np_0_000.arrow", "np_0_001.arrow", "dio_0.arrow"), ["abc"], "parts of a stream");
});

test("no run has a stream twice", () => {
  assert.deepEqual(runs("mon/np_0.arrow", "mon/dio_0.arrow", "tue/np_0.arrow", "tue/dio_0.arrow"), ["ab", "cd"]);
  assert.deepEqual(runs("mon/np_0.arrow", "tue/dio_0.arrow"), ["a", "b"], "folders tell apart what is no double");
  assert.deepEqual(runs("np_0.arrow@1", "dio_0.arrow@1", "np_0.arrow@2", "aio_0.arrow@2"), ["ab", "cd"], "a drop each");
  assert.deepEqual(runs("np_0.arrow", "np_0.arrow"), ["a", "b"]);
});

test("what the files say of their start goes before their names", () => {
  assert.deepEqual(runs("np_0.arrow!10:00", "dio_0.arrow!10:00", "np_0.arrow!11:00"), ["ab", "c"]);
  assert.deepEqual(runs("x/np_0.arrow!10:00", "y/dio_7.arrow!10:00"), ["ab"]);
  assert.deepEqual(runs("np_0.arrow!10:00", "notes_0.arrow"), ["ab"], "a file without metadata beside it");
  assert.deepEqual(runs("np_0.arrow!10:00", "np_0.arrow!11:00", "notes_0.arrow"), ["a", "b", "c"], "which of two nobody knows");
});

test("runs have names that differ", () => {
  const of = (name, folder = "", started = "") => ({ id: "", name, folder, drop: 1, started });
  assert.deepEqual(runNames([[of("np_0.arrow", "/data/monday"), of("dio_0.arrow")]]), ["monday"]);
  assert.deepEqual(runNames([[of("np_0.arrow"), of("dio_0.arrow")], [of("x.arrow")]]), ["*_0", "x.arrow"]);
  assert.deepEqual(runNames([[of("np_0.arrow", "", "2026-11-28T10:00:00Z")], [of("np_0.arrow", "", "2026-11-29T10:00:00Z")]]), ["np_0.arrow, 2026-11-28 10:00:00", "np_0.arrow, 2026-11-29 10:00:00"]);
  assert.deepEqual(runNames([[of("np_0.arrow")], [of("np_0.arrow")]]), ["np_0.arrow, run 1", "np_0.arrow, run 2"]);
});

function opened(...names) {
  const state = new State(/** @type {any} */ ({}), () => 1);
  names.forEach((name, order) => {
    const id = state.claim(name);
    state.add({ id, info: streamInfo(id), source: "", name, order, drop: order });
  });
  return state;
}

test("two runs have two clocks, and each is found as it was left", () => {
  const state = opened("np_0.arrow", "np_1.arrow", "dio_1.arrow");
  state.select("np_0/AP");
  assert.deepEqual([state.runs.map((r) => r.name), state.currentRun.name, state.companions.map((i) => i.id)], [["np_0.arrow", "*_1"], "np_0.arrow", ["np_0"]]);
  state.setView({ from: 20000, to: 40000 });
  state.selectRun(state.runs[1].key);
  assert.deepEqual([state.info.id, state.companions.map((i) => i.id)], ["np_1", ["np_1", "dio_1"]]);
  assert.ok(!state.isCompanion("np_0") && state.view.from !== 20000);
  state.select("dio_1/AP");
  state.selectRun(state.runs[0].key);
  assert.deepEqual([state.info.id, state.view], ["np_0", { from: 20000, to: 40000 }]);
  state.selectRun(state.runs[1].key);
  assert.equal(state.info.id, "dio_1", "where it was left");
});

test("streams of one name are told apart", () => {
  const state = opened("np_0.arrow", "other_0.arrow");
  for (const id of ["np_0", "other_0"]) state.update(streamInfo(id, { title: "Neuropixels 1.0" }));
  assert.deepEqual(state.rows.map((row) => row.name), ["Neuropixels 1.0 · np_0", "Neuropixels 1.0 · other_0"]);
  state.remove("other_0");
  assert.deepEqual(state.rows.map((row) => row.name), ["Neuropixels 1.0"]);
});

test("an address brings the view back", () => {
  const state = opened("np_0.arrow"), other = opened("np_0.arrow");
  state.select("np_0/AP");
  state.setView({ from: 12345, to: 23456 });
  state.setSelection({ from: 13000, to: 14000 });
  state.setGain(50);
  state.setSpacing(12);
  state.setChannel("np_0/AP", 1);
  state.setFirstRow(1);
  const fragment = fragmentOf(state);
  assert.equal(fragment, "stream=np_0/AP&s=1.2345,2.3456&selection=1.3,1.4&channel=SpikeData1&top=SpikeData0&gain=50&rows=12");
  assert.ok(lookAt(other, lookedFrom("#" + fragment)));
  assert.equal(fragmentOf(other), fragment);
  assert.deepEqual([other.view, other.selection], [state.view, state.selection]);
});

test("all channels and the heat map are in the address", () => {
  const state = opened("np_0.arrow"), other = opened("np_0.arrow");
  state.select("np_0/AP");
  state.toggleAllRows();
  state.setMode("rms");
  const fragment = fragmentOf(state);
  assert.match(fragment, /&rows=all&plot=rms$/);
  assert.ok(lookAt(other, lookedFrom("#" + fragment)));
  assert.deepEqual([other.mode, fragmentOf(other)], ["rms", fragment]);
});

test("an address with nonsense does no harm", () => {
  const state = opened("np_0.arrow");
  state.select("np_0/AP");
  const before = state.view;
  for (const text of ["", "#", "#help", "#stream=", "#stream=nobody&s=1,2"]) assert.ok(!lookedFrom(text) || !lookAt(state, lookedFrom(text)), text);
  assert.ok(lookAt(state, lookedFrom("#stream=np_0/AP&s=5,1&selection=x&gain=-1&rows=NaN&channel=Nobody&order=magic&top=%00")));
  assert.deepEqual([state.view, state.selection, state.gain.size], [before, null, 0]);
});
