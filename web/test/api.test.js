import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { publish } from "../src/api.js";
import { State } from "../src/state.js";
import { streamInfo } from "./facts.js";

let state, calls, given, shown;

beforeEach(() => {
  calls = [];
  given = [];
  const answer = (name) => async (...args) => {
    calls.push([name, ...args]);
    if (name === "info") return { ...streamInfo(args[0]), of: name };
    return name === "engine" ? { bytes: 1, read: 2, version: "x", cache_bytes: 3, cache_limit: 4 } : { of: name };
  };
  const client = Object.fromEntries(["info", "values", "slice", "recover", "verify", "engine"].map((name) => [name, answer(name)]));
  state = new State(/** @type {any} */ (client), () => 1);
  for (const id of ["a", "b"]) state.add({ id, info: streamInfo(id), source: "", name: id + ".arrow", order: id === "a" ? 2 : 1 });
  state.select("a/AP");
  shown = () => ({ columns: state.traces.columns, info: state.entry(state.traces.id).info, window: { total: 2, shown: 1 } });
  const stage = { drawn: async () => calls.push(["drawn"]), traces: { shown: () => shown() } };
  publish(state, /** @type {any} */ (stage), async (list) => (given.push(list), ["id"]));
});

test("open takes one file or many, and gives ids", async () => {
  const file = new File([], "x.arrow");
  assert.deepEqual(await oniscope.open("x.arrow"), ["id"]);
  await oniscope.open(file);
  await oniscope.open([file, "y.arrow"]);
  assert.deepEqual(given, [["x.arrow"], [file], [file, "y.arrow"]]);
});

test("streams are in the order of their files", async () => assert.deepEqual(await oniscope.streams(), ["b", "a"]));

test("requests go to the engine with the stream's id", async () => {
  assert.equal((await oniscope.info("a")).of, "info");
  await oniscope.values("a", "Clock", 1, 5);
  await oniscope.slice("a", { start: 1, format: "csv" });
  await oniscope.slice("b");
  await oniscope.recover("a", { salvage: ["all"] });
  await oniscope.verify("b");
  assert.deepEqual(calls, [["info", "a"], ["values", "a", "Clock", 1, 5], ["slice", { start: 1, format: "csv", stream: "a" }], ["slice", { stream: "b" }], ["recover", { salvage: ["all"], stream: "a" }], ["verify", "b"], ["info", "b"]]);
  assert.equal(state.entry("b").verification.state, "done", "the page knows of it");
  assert.deepEqual(await oniscope.engine(), { bytes: 1, read: 2, cache_bytes: 3, cache_limit: 4 });
});

test("a stream that is not open is named, with those that are", async () => {
  for (const call of [oniscope.info, oniscope.slice, oniscope.recover, oniscope.verify, (id) => oniscope.values(id, 0, 0, 1), (stream) => oniscope.view({ stream })]) {
    await assert.rejects(call("c"), /no stream "c"; open are: a, b/);
  }
  assert.deepEqual(calls, []);
});

test("view moves in seconds, and says what is shown once it is drawn", async () => {
  assert.deepEqual(await oniscope.view({ from: 2, to: 3 }), { stream: "a", from: 2, to: 3, columns: ["SpikeData1", "SpikeData0"] });
  assert.deepEqual(state.view, { from: 20000, to: 30000 });
  assert.deepEqual(calls, [["drawn"]]);
  assert.equal((await oniscope.view({ stream: "b" })).stream, "b");
  await assert.rejects(oniscope.view({ from: 3, to: 3 }), /from 3 to 3 is not a span/);
});

test("view brings columns on the screen by name, index or label", async () => {
  for (const [column, want] of [["SpikeData0", 0], [1, 1], ["AP 0", 0]]) {
    await oniscope.view({ columns: [column] });
    assert.equal(state.channel.get("a/AP"), want);
  }
  await assert.rejects(oniscope.view({ columns: ["Nothing"] }), /no column "Nothing" in a/);
  await assert.rejects(oniscope.view({ columns: ["Clock"] }), /none of the columns is in/);
});

test("without a rate seconds are ticks, and without a stream there is no view", async () => {
  state.update({ ...streamInfo("a"), clock: { ...streamInfo("a").clock, hz: 0 } });
  await oniscope.view({ from: 1000, to: 5000 });
  assert.deepEqual(state.view, { from: 1000, to: 5000 });
  state.clear();
  await assert.rejects(oniscope.view(), /no stream is open/);
});
