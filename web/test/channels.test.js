// Channels: where they lie, in which order, which are shown and how they are found.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { arranged, contactOf, matching, ordersOf, rangeOf } from "../src/channels.js";
import { probeOf } from "../src/probe.js";
import { rowsFromInfo } from "../src/signals.js";
import { State } from "../src/state.js";
import { streamInfo } from "./facts.js";

/** A stream of n channels along a probe. */
function probeInfo(n, more = {}) {
  const column = (index) => ({ index, name: "SpikeData" + index, label: "AP " + index, group: "AP", channel: index, type: "uint16", unit: "", scale: 0, offset: 0, line: [0, 1], stride: 1, plottable: true, bits: [] });
  return streamInfo("p", { columns: Array.from({ length: n }, (_, i) => column(i)), groups: [{ name: "AP", columns: Array.from({ length: n }, (_, i) => i), rate_hz: 30000, kind: "traces", along_probe: true }], ...more });
}

/** Four channels on two shanks, channel 3 the deepest. */
const twoShanks = { probe: JSON.stringify({ probes: [{ contact_positions: [[0, 100], [250, 100], [0, 300], [250, 20], [0, 0]], device_channel_indices: [0, 1, 2, 3, -1], shank_ids: ["0", "1", "0", "1", "0"] }] }) };
const rowOf = (info) => rowsFromInfo(info)[0];

test("devices lie as probeinterface says, from another origin", () => {
  for (const [title, file] of [["Neuropixels 1.0", "NP1010"], ["Neuropixels 2.0", "NP2014"]]) {
    const theirs = JSON.parse(readFileSync(new URL(`../../testdata/probes/${file}.json`, import.meta.url), "utf8")).probes[0];
    const probe = probeOf(probeInfo(384, { title })), { contacts } = probe, origin = contacts.get(theirs.device_channel_indices[0]), [x0, y0] = theirs.contact_positions[0];
    assert.ok(probe.assumed && probe.shanks === 1 && contacts.size === 384, title);
    theirs.device_channel_indices.forEach((channel, i) => {
      const [x, y] = theirs.contact_positions[i], ours = contacts.get(channel);
      assert.deepEqual([ours.y - origin.y], [y - y0], `${title}, channel ${channel}`);
      if (file === "NP2014") assert.equal(ours.x - origin.x, x - x0); // of 1.0 probes theirs are 16 and 48, 0 and 32
    });
  }
  for (const other of [probeInfo(64, { title: "Neuropixels 1.0" }), probeInfo(384, { title: "RHD2000" }), probeInfo(4, { probe: "{not json" })]) assert.equal(probeOf(other), null);
});

test("what the file says of its probe goes before", () => {
  const info = probeInfo(4, { title: "Neuropixels 1.0", ...twoShanks }), probe = probeOf(info);
  assert.deepEqual([probe.assumed, probe.shanks, probe.contacts.size], [false, 2, 4]);
  assert.deepEqual(contactOf(info, rowOf(info), 3), { x: 250, y: 20, shank: 1 });
});

test("channels are ordered by number, depth or shank, the highest on top", () => {
  const info = probeInfo(5, twoShanks), row = rowOf(info), of = (order, more = {}) => arranged(info, row, { order, hidden: new Set(), solo: null, ...more });
  assert.deepEqual(ordersOf(info, row), ["number", "depth", "shank"]);
  assert.deepEqual(of("number"), [4, 3, 2, 1, 0]);
  assert.deepEqual(of("depth"), [2, 0, 1, 3, 4], "channel 4 has no place: last");
  assert.deepEqual(of("shank"), [2, 0, 1, 3, 4]);
  assert.deepEqual(of("depth", { hidden: new Set([0]) }), [2, 1, 3, 4]);
  assert.deepEqual(of("number", { solo: new Set([1, 3]), hidden: new Set([3]) }), [1]);
  const plain = probeInfo(4);
  assert.deepEqual([ordersOf(plain, rowOf(plain)), arranged(plain, rowOf(plain), { order: "depth", hidden: new Set(), solo: null })], [["number"], [3, 2, 1, 0]]);
});

test("channels are found by number, range, name and glob", () => {
  const info = probeInfo(200), all = rowOf(info).all, of = (typed) => matching(info, all, typed).sort((a, b) => a - b);
  assert.deepEqual(of("117"), [117]);
  assert.deepEqual(of("10-12, 5"), [5, 10, 11, 12]);
  assert.deepEqual(of("12 – 10"), [10, 11, 12]);
  assert.deepEqual(of("AP 1?0"), [100, 110, 120, 130, 140, 150, 160, 170, 180, 190]);
  assert.deepEqual(of("*99"), [99, 199]);
  assert.deepEqual(of("data19").length, 11); // 19, 190 to 199
  assert.deepEqual([of(""), of(" , "), of("nothing"), of("a.b(")], [[], [], [], []]);
  assert.deepEqual([rangeOf([9, 7, 5, 3], 5, 9), rangeOf([9, 7], 4, 7)], [[9, 7, 5], [7]]);
});

test("solo and hide keep what is on top, and never hide all", () => {
  const state = new State(/** @type {any} */ ({}), () => 1), said = [];
  state.said = (words) => said.push(words);
  state.add({ id: "p", info: probeInfo(5, twoShanks), source: "", name: "p.arrow" });
  state.select("p/AP");
  state.pick("p/AP", [3, 1]);
  assert.deepEqual([state.channel.get("p/AP"), [...state.picked.get("p/AP")]], [3, [3, 1]]);
  state.setFirstRow(2); // channel 2 on top
  state.hide("p/AP", [4, 3]);
  assert.deepEqual([state.traces.columns, state.traces.all, state.firstRow.get("p/AP")], [[2, 1, 0], [4, 3, 2, 1, 0], 0]);
  state.toggleSolo("p/AP", [1]);
  assert.deepEqual(state.traces.columns, [1]);
  state.toggleSolo("p/AP", [1]);
  assert.deepEqual(state.traces.columns, [2, 1, 0]);
  state.hide("p/AP", [0, 1, 2]);
  assert.deepEqual([state.traces.columns, said], [[2, 1, 0], ["At least one channel stays."]]);
  state.arrange("p/AP", { order: "depth" });
  state.showAll("p/AP");
  assert.deepEqual(state.traces.columns, [2, 0, 1, 3, 4]);
  state.update(probeInfo(5, twoShanks));
  assert.deepEqual(state.traces.columns, [2, 0, 1, 3, 4], "new facts keep the arrangement");
});
