import assert from "node:assert/strict";
import { test } from "node:test";
import { findingText, pill, readable, sentences } from "../src/health.js";
import { Loader } from "../src/view/loader.js";
import { bitLabel, physicalFromRaw, rowsFromInfo, unitOf } from "../src/signals.js";
import { isStartTime, sourcesOf } from "../src/sources.js";

const column = (index, name, group, channel, more = {}) => ({ index, name, label: name, group, channel, type: "uint16", nullable: false, unit: "", scale: 0, offset: 0, gain: 0, rate_hz: 0, subsample: "none", stride: 1, plottable: true, bits: [], line: [0, 1], ...more });
const info = (more = {}) => ({
  id: "np_0", path: "np_0.arrow", size_bytes: 1000, format: "file", state: "complete", rows: 100, rows_exact: true, batches: 4, rows_per_batch: 25, compression: "", start: 0, duration_s: 1, columns: [], metadata: {}, findings: [],
  title: "Neuropixels 1.0", groups: [], clock: { hz: 250e6, first: 0, last: 1, column: true, start_utc: "" }, coverage: [], body_bytes_read: 0, metadata_bytes_read: 0, ...more,
});
const plain = (text) => text.replaceAll("\u202f", " ");

test("a device with two signals has a row for each, the highest channel on top", () => {
  const columns = [column(0, "LfpData0", "LFP", 0), column(1, "LfpData1", "LFP", 1), column(2, "SpikeData0", "AP", 0), column(3, "SpikeData1", "AP", 1)];
  const rows = rowsFromInfo(info({ columns, groups: [{ name: "AP", columns: [2, 3], rate_hz: 30000, kind: "traces", along_probe: true }, { name: "LFP", columns: [0, 1], rate_hz: 2500, kind: "traces", along_probe: true }] }));
  assert.deepEqual(rows.map((r) => [r.name, r.columns]), [["Neuropixels 1.0 AP", [3, 2]], ["Neuropixels 1.0 LFP", [1, 0]]]);
  const analog = rowsFromInfo(info({ columns, groups: [{ name: "Analog", columns: [0, 1], rate_hz: 30000, kind: "traces", along_probe: false }] }));
  assert.deepEqual(analog[0].columns, [0, 1]);
});

test("a stream of lanes, of slow values or of nothing to plot has one row", () => {
  const columns = [column(0, "Buttons", "Buttons", -1), column(1, "Clock", "Clock", -1)];
  assert.deepEqual(rowsFromInfo(info({ columns, groups: [{ name: "Buttons", columns: [0], rate_hz: 0, kind: "lanes" }] })).map((r) => r.kind), ["lanes"]);
  assert.deepEqual(rowsFromInfo(info({ columns, groups: [{ name: "Clock", columns: [1], rate_hz: 0, kind: "table" }] })).map((r) => r.kind), ["table"]);
  assert.deepEqual(rowsFromInfo(info()).map((r) => [r.kind, r.columns]), [["table", []]]);
});

test("values are physical where the scale is known and codes where it is not", () => {
  assert.equal(physicalFromRaw(column(0, "a", "", 0, { scale: 0.5, offset: 512, line: [-256, 0.5] }), 514), 1);
  assert.equal(physicalFromRaw(column(0, "a", "", 0), 514), 514);
  assert.equal(unitOf(column(0, "a", "", 0)), "codes");
  assert.equal(unitOf(column(0, "a", "", 0, { type: "float32" })), "");
  assert.equal(unitOf(column(0, "a", "", 0, { unit: "V" })), "V");
  assert.equal(unitOf(column(0, "a", "", 0, { unit: "m/s^2" })), "m/s²");
});

test("a bit is called what the engine's table of signals calls it", () => {
  const buttons = column(0, "Buttons", "Buttons", -1, { bits: ["Moon", "Triangle", ""] });
  assert.deepEqual([0, 1, 2, 9].map((bit) => bitLabel(buttons, bit)), ["Moon", "Triangle", "bit 2", "bit 9"]);
  assert.equal(bitLabel(column(0, "Flag", "Flag", -1, { type: "bool" }), 0), "Flag");
});

test("the pill says the worst of all streams, and how much can be read", () => {
  const damage = { offset: 0, length: 100, batch: 1, severity: "error", reason: "x", before_row: 0, lost_rows: 25, clock_before: 0, clock_after: 0 };
  assert.deepEqual(pill([info()]), { grade: "ok", text: "complete" });
  assert.equal(pill([info(), info({ state: "unfinished" })]).text, "1 of 2 unfinished");
  assert.equal(plain(pill([info(), info({ state: "damaged", findings: [damage] })]).text), "damaged, 90.0 % readable");
  assert.equal(readable(info({ size_bytes: 0 })), 1);
});

test("health says what happened, where and how much", () => {
  const finding = { offset: 33104220, length: 500, batch: 1458, severity: "error", reason: "checksum differs", before_row: 0, lost_rows: 30000, clock_before: 250e6 * 90, clock_after: 0 };
  assert.equal(plain(findingText(finding, 250e6)), "Batch 1 458 at byte 33 104 220, after 1 min 30.000 s: checksum differs; 30 000 rows lost.");
  assert.deepEqual(sentences(info()).map((s) => plain(s.text)), ["Complete. 100 rows in 4 batches."]);
  const told = sentences(info({ state: "damaged", findings: [{ ...finding, batch: 1 }], clock: { ...info().clock, hz: 0 } }));
  assert.deepEqual(told.map((s) => s.grade), ["bad", "ok", "plain"]);
  assert.match(plain(told[1].text), /3 of 4 batches intact|^3 of 4/);
  assert.deepEqual(sentences(info({ rows: 0, batches: 0 })).map((s) => s.grade), ["warn"]);
});

test("files, addresses and listed files become sources; start times are told apart", () => {
  const sources = sourcesOf(["rec/np_0.arrow", { name: "a.arrow", url: "/x/a%20b.arrow", size: 5 }], "http://h/sub/index.html");
  assert.deepEqual(sources, [{ source: "http://h/sub/rec/np_0.arrow", folder: "http://h/sub/rec", name: "np_0.arrow", size: 0 }, { source: "http://h/x/a%20b.arrow", folder: "", name: "a.arrow", size: 5 }]);
  assert.ok(isStartTime({ name: "start-time_0.csv" }) && !isStartTime(sources[0]));
});

/** An engine that answers when it is told to. */
function slowEngine() {
  const calls = [];
  return { calls, envelope(args, { signal, onProgress }) {
    return new Promise((resolve, reject) => {
      const of = (/** @type {number[]} */ columns) => ({ ...args, columns, kind: "envelope", data: new Float32Array(2), rows: 1, rows_used: 1, samples_per_pixel: 1 });
      calls.push({ args, signal, answer: () => resolve(of(args.columns)), tell: (/** @type {number} */ columns) => onProgress(of(args.columns.slice(0, columns))) });
      signal.addEventListener("abort", () => reject(Object.assign(new Error("cancelled"), { name: "AbortError" })));
    });
  } };
}
const wanted = (from, samples = 10) => ({ stream: "s", columns: [0], from, to: from + 10, bins: 1, samples });
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("earlier views are kept while they are small, and of many channels not", async () => {
  for (const [bins, kept] of [[2000, 3], [1_500_000, 1]]) {
    const engine = slowEngine(), loader = new Loader(() => engine, () => {}, () => {});
    for (let i = 0; i < 4; i++) {
      loader.want({ ...wanted(100 * i), bins });
      engine.calls[i].answer();
      await turn();
    }
    assert.equal(loader.layers.length, kept, `${bins} values each`);
    assert.equal(loader.layers[0].envelope.from, 300);
  }
});

test("of very many channels those that came are there at once, and the view before until all are", async () => {
  const engine = slowEngine(), loader = new Loader(() => engine, () => {}, () => {}), columns = [0, 1, 2, 3];
  const layers = () => loader.layers.map(({ envelope: { from, columns } }) => [from, columns.length]);
  loader.want({ ...wanted(0), columns, bins: 1_000_000 });
  engine.calls[0].answer();
  await turn();
  loader.want({ ...wanted(100, 1e9), columns, bins: 1_000_000 });
  assert.equal(engine.calls[1].args.quality, "coarse");
  for (const n of [1, 3]) {
    engine.calls[1].tell(n);
    assert.deepEqual(layers(), [[100, n], [0, 4]]);
  }
  engine.calls[1].answer();
  await turn();
  assert.deepEqual(layers(), [[100, 4]]);
});

test("a small view is asked for exactly at once, a large one coarse first", async () => {
  const engine = slowEngine(), errors = [];
  const loader = new Loader(() => engine, () => {}, (e) => errors.push(e));
  loader.want(wanted(0));
  assert.deepEqual(engine.calls.map((c) => c.args.quality), ["exact"]);
  engine.calls[0].answer();
  await turn();
  assert.ok(loader.settled && loader.exact);
  loader.want(wanted(100, 1e9));
  assert.equal(engine.calls[1].args.quality, "coarse");
  engine.calls[1].answer();
  await turn();
  assert.ok(!loader.settled && loader.layers[0].envelope.quality === "coarse");
  assert.equal(engine.calls[2].args.quality, "exact");
  engine.calls[2].answer();
  await turn();
  assert.ok(loader.settled);
  assert.equal(errors.length, 0);
});

test("an overtaken request is cancelled and the newest view is loaded next, without an error", async () => {
  const engine = slowEngine(), errors = [];
  const loader = new Loader(() => engine, () => {}, (e) => errors.push(e));
  for (const from of [0, 100, 200]) loader.want(wanted(from));
  assert.equal(engine.calls.length, 1);
  await new Promise((resolve) => setTimeout(resolve, 180));
  assert.ok(engine.calls[0].signal.aborted);
  assert.equal(engine.calls[1].args.from, 200);
  engine.calls[1].answer();
  await turn();
  assert.ok(loader.settled);
  assert.deepEqual(errors, []);
});

test("the same view is asked for once", async () => {
  const engine = slowEngine();
  const loader = new Loader(() => engine, () => {}, () => {});
  loader.want(wanted(0));
  loader.want(wanted(0));
  engine.calls[0].answer();
  await turn();
  loader.want(wanted(0));
  assert.equal(engine.calls.length, 1);
});
