import assert from "node:assert/strict";
import { test } from "node:test";
import { State } from "../src/state.js";
import { streamInfo } from "./facts.js";

/** A state whose listeners are called by frame(). */
function opened(...infos) {
  const due = [];
  const state = new State(/** @type {any} */ ({}), (callback) => due.push(callback));
  infos.forEach((info, order) => state.add({ id: info.id, info, source: "http://h/" + info.id, name: info.id + ".arrow", order }));
  return { state, due, frame: () => due.splice(0).forEach((callback) => callback()) };
}

test("listeners are called once a frame, and only for what changed", () => {
  const { state, due, frame } = opened();
  frame();
  let views = 0, gains = 0, both = 0;
  state.on(["view"], () => views++);
  state.on(["gain"], () => gains++);
  state.on(["view", "rows"], () => both++);
  state.changed("view");
  state.changed("view", "rows");
  assert.equal(due.length, 1, "one frame is asked for");
  assert.equal(views, 0, "nobody is called before it");
  frame();
  assert.deepEqual([views, gains, both], [1, 0, 1]);
  state.changed("gain");
  frame();
  assert.deepEqual([views, gains, both], [1, 1, 1]);
});

test("a listener that changes something is called in the next frame", () => {
  const { state, due, frame } = opened();
  frame();
  let calls = 0;
  state.on(["cursor"], () => {
    if (++calls === 1) state.changed("cursor");
  });
  state.changed("cursor");
  frame();
  assert.deepEqual([calls, due.length], [1, 1]);
  frame();
  assert.deepEqual([calls, due.length], [2, 0]);
});

test("ids are the names of files, each for one stream at a time", () => {
  const { state } = opened();
  assert.deepEqual(["np_0.arrow", "np_0.arrow", "np_0.feather", ".arrow", "plain"].map((name) => state.claim(name)), ["np_0", "np_0#2", "np_0#3", ".arrow", "plain"]);
  state.release("np_0#2"); // could not be opened
  assert.equal(state.claim("np_0.arrow"), "np_0#2");
  state.add({ id: "np_0", info: streamInfo("np_0"), source: "", name: "np_0.arrow" });
  state.remove("np_0");
  assert.equal(state.claim("np_0.arrow"), "np_0");
});

test("the first stream that is chosen decides the view, and closing it chooses another", () => {
  const { state } = opened(streamInfo("a"), streamInfo("b"));
  state.select("a/AP");
  assert.deepEqual([state.activeKey, state.tracesKey, state.info?.id], ["a/AP", "a/AP", "a"]);
  assert.ok(state.view.to > state.view.from && state.view.from >= 0);
  state.remove("a");
  assert.deepEqual([state.activeKey, state.rows.map((r) => r.key)], ["b/AP", ["b/AP"]]);
  assert.throws(() => state.entry("a"), /no stream "a"; open are: b/);
});

test("nothing is on the screen before a stream is chosen: what was read for the view before it would decide the gain", () => {
  const { state } = opened(streamInfo("a"), streamInfo("b"));
  assert.deepEqual([state.active, state.panes, state.view], [null, [], { from: 0, to: 1 }]);
  state.select(state.rows[0].key, { opening: true });
  assert.deepEqual(state.panes, [state.rows[0].key]);
  assert.ok(state.view.to > 1);
});

test("the view stays inside the run and is never too narrow", () => {
  const { state, frame } = opened(streamInfo("a"));
  state.select("a/AP");
  state.setView({ from: -5000, to: 2e9 });
  for (const [got, want] of [[state.view.from, -5000], [state.view.to, 105000]]) assert.ok(Math.abs(got - want) < 1e-6, `${got}, want ${want}`); // a twentieth beyond
  state.setView({ from: 500, to: 501 });
  assert.ok(Math.abs(state.view.to - state.view.from - 800) < 1e-6, "eight rows");
  frame();
  let calls = 0;
  state.on(["view"], () => calls++);
  state.setView(state.view);
  frame();
  assert.equal(calls, 0, "the same view is no change");
});

test("a stream without a clock has a view of its own, which comes back", () => {
  const own = { clock: { hz: 0, first: 0, last: 99, column: false, start_utc: "", start_clock: 0 }, rows: 100, coverage: [{ from: 0, to: 99, kind: "data", rows: 100, reason: "" }] };
  const { state } = opened(streamInfo("run"), streamInfo("rows", own));
  state.select("run/AP");
  state.setView({ from: 20000, to: 40000 });
  state.setSelection({ from: 21000, to: 22000 });
  state.select("rows/AP");
  assert.deepEqual([state.run, state.selection], [{ from: 0, to: 100 }, null]);
  assert.ok(!state.isCompanion("run"));
  state.select("run/AP");
  assert.deepEqual(state.view, { from: 20000, to: 40000 });
});

test("a selection without length is none, and a running verification ends with its stream", () => {
  const { state } = opened(streamInfo("a"));
  state.select("a/AP");
  state.setSelection({ from: 5, to: 5 });
  assert.equal(state.selection, null);
  let cancelled = 0;
  state.setVerification("a", { state: "running", done: 0, total: 1, cancel: () => cancelled++ });
  state.remove("a");
  state.setVerification("a", undefined); // closed meanwhile
  assert.deepEqual([cancelled, state.entries.size, state.info], [1, 0, null]);
});

test("what is opened stands alone; what is chosen comes under it, and can be taken away but for the last", () => {
  const { state } = opened(streamInfo("a"), streamInfo("b"), streamInfo("c"));
  state.select("b/AP", { opening: true });
  assert.deepEqual(state.panes, ["b/AP"]);
  state.select("c/AP");
  state.select("a/AP");
  assert.deepEqual(state.panes, ["b/AP", "c/AP", "a/AP"], "each under those that are there");
  state.select("b/AP", { opening: true });
  assert.equal(state.panes.length, 3, "what was chosen stays when more is opened");
  state.closePane("b/AP");
  assert.deepEqual([state.panes, state.tracesKey, state.activeKey], [["c/AP", "a/AP"], "c/AP", "c/AP"]);
  state.remove("c");
  state.closePane("a/AP");
  assert.deepEqual(state.panes, ["a/AP"]);
});

test("until somebody moves, the view begins where the traces do, whichever file was open first", () => {
  const late = streamInfo("late", { clock: { ...streamInfo("late").clock, first: 5000 } });
  const { state } = opened(late, streamInfo("early"));
  state.select("late/AP", { opening: true });
  assert.equal(state.view.from, 5000);
  state.select("early/AP", { opening: true });
  assert.equal(state.view.from, 0);
  state.setView({ from: 20_000, to: 25_000 });
  state.select("late/AP", { opening: true });
  assert.deepEqual(state.view, { from: 20_000, to: 25_000 });
});

test("all rows have a gain of their own, and the one before comes back", () => {
  const { state } = opened(streamInfo("a"));
  state.select("a/AP");
  state.setGain(50);
  state.toggleAllRows();
  assert.equal(state.gain.get("a/AP"), undefined, "measured anew");
  state.setGain(700);
  state.toggleAllRows();
  assert.deepEqual([state.gain.get("a/AP"), state.spacing.get("a/AP")], [50, undefined]);
  state.toggleAllRows();
  assert.equal(state.gain.get("a/AP"), 700);
  state.refit();
  assert.equal(state.gain.get("a/AP"), undefined);
});

test("a stream of which more is known stays where it is, though its rows are others", () => {
  const slow = streamInfo("a", { groups: [{ name: "AP", columns: [0, 1], rate_hz: 0, kind: "slow", along_probe: false }] });
  const { state } = opened(slow);
  state.select("a/");
  state.update(streamInfo("a"));
  assert.deepEqual([state.active?.key, state.traces?.key, state.info?.id, state.panes], ["a/AP", "a/AP", "a", ["a/AP"]]);
  state.update(slow);
  assert.equal(state.active?.key, "a/");
});

test("a gain that was measured while more was opened is measured again where it is looked at", () => {
  const { state } = opened(streamInfo("a"), streamInfo("b"));
  state.select("a/AP", { opening: true });
  state.setGain(50, "a/AP"); // as the painter measured it, in rows of the whole height
  state.select("b/AP", { opening: true });
  assert.equal(state.gain.get("a/AP"), undefined);
  state.setGain(70, "b/AP");
  state.select("a/AP");
  assert.deepEqual([state.panes, state.gain.get("b/AP")], [["b/AP", "a/AP"], 70]);
});

test("a gain that is typed later is also that of the colours", () => {
  const { state } = opened(streamInfo("a"));
  state.select("a/AP");
  state.setMode("rms");
  state.setScale(20);
  assert.deepEqual([state.scaleOf(), state.gain.get("a/AP")], [20, undefined]);
  state.regain(streamInfo("a"), "AP");
  assert.equal(state.scaleOf(), undefined, "measured anew");
});

test("a view that nobody moved goes to where the stream turns out to be", () => {
  const at = (first, last) => { const info = streamInfo("a"); return { ...info, clock: { ...info.clock, first, last } }; };
  const { state } = opened(at(0, 1e6));
  state.select("a/AP", { opening: true });
  state.update(at(2e9, 2e9 + 1e6)); // its first tick was garbled
  assert.ok(state.view.from < 2e9 + 1e6 && state.view.to > 2e9, `${state.view.from} to ${state.view.to}`);
  state.setView({ from: 2e9 + 100, to: 2e9 + 5000 });
  const chosen = state.view;
  state.update(at(0, 1e6));
  assert.deepEqual(state.view, chosen);
});
