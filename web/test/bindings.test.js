// The table of keys: one action a key, and keys that people with other keyboards have.
import assert from "node:assert/strict";
import { test } from "node:test";
import { available, BINDINGS, bindingOf, groupsOfBindings, keysOf } from "../src/bindings.js";
import { endOfRows, hasEvents, lossesOf, moveCursor, neighbour, setEdge, toPlace } from "../src/moves.js";
import { State } from "../src/state.js";
import { streamInfo } from "./facts.js";

const event = (key, over = {}) => ({ key, code: "", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...over });

/** Two streams on one clock, the second with a gap, and the clock of its rows. */
function opened(client = {}) {
  const gap = { coverage: [{ from: 0, to: 20000, kind: "data", rows: 201, reason: "" }, { from: 20000, to: 30000, kind: "gap", rows: 99, reason: "" }, { from: 30000, to: 99900, kind: "data", rows: 700, reason: "" }] };
  const said = [], state = new State(/** @type {any} */ (client), () => 1);
  [streamInfo("a"), streamInfo("b", gap)].forEach((info, order) => state.add({ id: info.id, info, source: "http://h/" + info.id, name: info.id + ".arrow", order }));
  state.select("a/AP");
  state.said = (words) => said.push(words);
  return { state, said };
}

test("a key has one action, and each action can be read", () => {
  const keys = BINDINGS.flatMap((b) => b.keys ?? []);
  assert.deepEqual(keys.filter((key, i) => keys.indexOf(key) !== i), []);
  for (const { name, keys: own, mouse, run } of BINDINGS) assert.ok(name && (run || mouse) && (!own || run), name);
  assert.equal(new Set(BINDINGS.map((b) => b.name)).size, BINDINGS.length, "names differ");
  assert.ok(groupsOfBindings().every(([, list]) => list.length > 0));
});

test("keys are found on keyboards that have them in other places", () => {
  const named = (e) => bindingOf(e)?.name;
  assert.equal(named(event("?", { shiftKey: true })), "All keys"); // English, and German Shift+ß
  assert.equal(named(event("+")), "Zoom in");
  assert.equal(named(event("+", { shiftKey: true, code: "Equal" })), "Zoom in");
  assert.equal(named(event("0", { shiftKey: true, code: "Digit0" })), "Show everything", "French keyboards have digits with Shift");
  assert.equal(named(event("F", { shiftKey: true })), "Fit the selection, or the stream");
  assert.equal(named(event("ArrowLeft", { shiftKey: true })), "Back a screen");
  assert.equal(named(event("k", { metaKey: true })), "Every action by name");
  assert.equal(named(event("[", { ctrlKey: true, altKey: true })), named(event("[")), "AltGr");
  assert.equal(bindingOf(event("f", { ctrlKey: true })), undefined, "Ctrl+F stays the browser's");
  assert.deepEqual(["Ctrl+Shift+ArrowLeft", "+", "f", "Escape"].map(keysOf), [["Ctrl", "Shift", "←"], ["+"], ["F"], ["Esc"]]);
});

test("actions are offered where they mean something", () => {
  const { state } = opened();
  const names = (s) => BINDINGS.filter((b) => available(b, s)).map((b) => b.name);
  assert.ok(names(state).includes("Zoom in") && !names(state).includes("Copy findings as JSON"));
  state.setVerification("a", { state: "done", report: { path: "", ok: true, findings: [] } });
  assert.ok(names(state).includes("Copy findings as JSON"));
  const empty = new State(/** @type {any} */ ({}), () => 1);
  assert.deepEqual(names(empty), ["Open files…", "Every action by name", "All keys"]);
});

test("in a table traces have no keys, and in a heat map nothing is cut", () => {
  const { state } = opened(), offered = (name) => available(/** @type {any} */ (BINDINGS.find((b) => b.name.startsWith(name))), state);
  assert.deepEqual(["One channel up", "Traces cut nearer", "Close the plates"].map(offered), [true, true, false]);
  state.setMode("rms");
  assert.deepEqual(["One channel up", "Traces cut nearer"].map(offered), [true, false]);
  state.setAsTable(true);
  assert.deepEqual(["One channel up", "Heat map: how", "Zoom in"].map(offered), [false, false, true]);
  state.setAsTable(false);
  state.select("b/AP");
  assert.equal(offered("Close the plates"), true);
});

test("the cursor moves by pixels and takes the view along", () => {
  const { state } = opened();
  state.setView({ from: 10000, to: 20000 });
  moveCursor(state, { width: 1000 }, 1);
  assert.equal(state.cursor, 15000, "comes to the middle");
  moveCursor(state, { width: 1000 }, -20);
  assert.equal(state.cursor, 14800);
  state.setCursor(19990);
  moveCursor(state, { width: 1000 }, 20);
  assert.equal(state.cursor, 20190);
  assert.ok(state.view.to > 20190 && state.view.from < 20190);
});

test("a selection is made of two edges", () => {
  const { state } = opened();
  state.setView({ from: 10000, to: 20000 });
  state.setCursor(12000);
  setEdge(state, "from");
  state.setCursor(14000);
  setEdge(state, "to");
  assert.deepEqual(state.selection, { from: 12000, to: 14000 });
  state.setCursor(16000);
  setEdge(state, "from");
  assert.deepEqual(state.selection, { from: 16000, to: 20000 }, "an edge beyond the other");
});

test("gaps are met one after the other, whose stream they are", async () => {
  const { state, said } = opened();
  assert.deepEqual(lossesOf(state.companions), [20000]);
  assert.deepEqual([neighbour([1, 5, 9], 5, 1), neighbour([1, 5, 9], 5, -1), neighbour([1], 1, 1)], [9, 1, undefined]);
  await toPlace(state, 1);
  assert.equal(state.cursor, 20000);
  assert.ok(state.view.from < 20000 && state.view.to > 20000);
  await toPlace(state, 1);
  assert.deepEqual([state.cursor, said], [20000, ["No gap after this."]]);
  state.rows = [...state.rows, { ...state.rows[0], key: "digital/lanes", name: "Digital inputs", kind: "lanes" }];
  await toPlace(state, 1);
  assert.equal(said.at(-1), "No gap after this. Choose Digital inputs to go from event to event.");
});

test("events of the chosen stream are met too, the nearer first", async () => {
  const clocks = [500, 60000, 70000];
  const client = { row: async (_, t) => clocks.findIndex((c) => c >= t) < 0 ? 3 : clocks.findIndex((c) => c >= t), table: async ({ start }) => ({ ticks: [clocks[start]] }) };
  const { state } = opened(client);
  const columns = [{ index: 0, name: "DigitalInputs", type: "uint8" }, { index: 1, name: "Clock", type: "uint64" }];
  const events = streamInfo("dio", { columns, rows: 3, groups: [{ name: "Digital inputs", columns: [0], rate_hz: 0, kind: "lanes", along_probe: false }] });
  assert.ok(hasEvents(events) && !hasEvents(streamInfo("a")));
  state.add({ id: "dio", info: events, source: "", name: "dio.arrow", order: 3 });
  state.select("dio/");
  state.setCursor(600);
  state.setView({ from: 0, to: 1200 });
  const seen = [];
  for (let i = 0; i < 3; i++) await toPlace(state, 1), seen.push(state.cursor);
  await toPlace(state, -1);
  assert.deepEqual([...seen, state.cursor], [20000, 60000, 70000, 60000]);
});

test("the rows end before a tail that is lost", () => {
  const lost = streamInfo("cut", { coverage: [{ from: 0, to: 49900, kind: "data", rows: 500, reason: "" }, { from: 49900, to: 99900, kind: "missing", rows: 500, reason: "" }], clock: { ...streamInfo("x").clock, last: 49900 } });
  assert.equal(endOfRows([lost]), 50000);
  assert.equal(endOfRows([streamInfo("whole")]), 100000);
});
