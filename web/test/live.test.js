import assert from "node:assert/strict";
import { test } from "node:test";
import { columnOf, parseMessage } from "../src/live/arrow.js";
import { Tail } from "../src/live/engine.js";
import { firstRise, withSilence } from "../src/live/follow.js";
import { Link } from "../src/live/link.js";
import { Receiver } from "../src/live/receiver.js";
import { Remote } from "../src/live/remote.js";
import { Bins } from "../src/live/bins.js";
import { Rows } from "../src/live/rows.js";
import { Bell } from "../src/live/bell.js";
import { alarms, lateWords, recoverCommand, troubles, viewCommand, lossSum, lossWords } from "../src/live/words.js";

/**
 * A binary message as the recorder makes it: header, then an Arrow message of a record batch (a flatbuffer built by hand) and its body.
 * @param {object} header @param {number} rows @param {ArrayBufferView[]} columns
 */
function message(header, rows, columns) {
  return parseMessage(messageBytes(header, rows, columns));
}

/** @param {object} header @param {number} rows @param {ArrayBufferView[]} columns @returns {ArrayBuffer} */
function messageBytes(header, rows, columns) {
  const { bin = 0, from = 0 } = /** @type {{ bin?: number, from?: number }} */ (header), last = Number(/** @type {any} */ (columns[0])[rows - 1]);
  let text = JSON.stringify({ show: 1, stream: "s", bin, from, to: bin > 0 ? from + (last + 1) * bin - 1 : last, skipped: 0, ...header });
  while ((4 + text.length) % 8 !== 0) text += " ";
  const bodies = [], buffers = [];
  let at = 0;
  for (const c of columns) {
    const bytes = new Uint8Array(c.buffer, c.byteOffset, c.byteLength), room = (bytes.length + 63) & ~63;
    buffers.push([at, 0], [at, bytes.length]);
    bodies.push({ at, bytes });
    at += room;
  }
  // root -> Message {version, header type, header, bodyLength} -> RecordBatch {length, nodes, buffers}
  const meta = new DataView(new ArrayBuffer(104 + 16 * buffers.length + 8));
  meta.setUint32(0, 24, true);
  meta.setUint16(8, 12, true), meta.setUint16(10, 24, true); // vtable of Message at 8: size, table size, fields
  meta.setUint16(12, 0, true), meta.setUint16(14, 0, true), meta.setUint16(16, 4, true), meta.setUint16(18, 0, true);
  meta.setInt32(24, 24 - 8, true);
  meta.setUint32(28, 56 - 28, true);
  meta.setUint16(40, 10, true), meta.setUint16(42, 24, true), meta.setUint16(44, 8, true), meta.setUint16(46, 0, true), meta.setUint16(48, 4, true);
  meta.setInt32(56, 56 - 40, true);
  meta.setUint32(60, 92 - 60, true);
  meta.setBigInt64(64, BigInt(rows), true);
  meta.setUint32(92, buffers.length, true);
  buffers.forEach(([from, length], i) => (meta.setBigInt64(96 + 16 * i, BigInt(from), true), meta.setBigInt64(104 + 16 * i, BigInt(length), true)));
  const start = 4 + text.length, data = new ArrayBuffer(start + 8 + meta.byteLength + at), view = new DataView(data), out = new Uint8Array(data);
  view.setUint32(0, text.length, true);
  out.set(new TextEncoder().encode(text), 4);
  view.setUint32(start, 0xffffffff, true);
  view.setUint32(start + 4, meta.byteLength, true);
  out.set(new Uint8Array(meta.buffer), start + 8);
  for (const { at, bytes } of bodies) out.set(bytes, start + 8 + meta.byteLength + at);
  return data;
}

/** Bins of one column, each with its number as value. @param {number} from @param {number} bin @param {number[]} numbers @param {number} column */
const bins = (from, bin, numbers, column = 3) => message({ bin, from }, numbers.length, binColumns(from, bin, numbers, column));

/** @param {number} from @param {number} bin @param {number[]} numbers @param {number} column */
const binColumns = (from, bin, numbers, column) => [
  Uint32Array.from(numbers), new Uint16Array(numbers.length).fill(column), new Uint32Array(numbers.length).fill(2),
  ...[0, 1, 0.5, 0.25].map((more) => Float32Array.from(numbers, (n) => from / bin + n + more)),
];

/** Columns of a stream, by index. @param {...number} indices */
const columns = (...indices) => indices.map((index) => ({ index, type: "uint16" }));

test("a message gives its header and columns of every type", () => {
  const m = message({ stream: "probe", skipped: 4 }, 3, [new BigUint64Array([1n, 2n, 3n]), new Uint16Array([7, 8, 9]), new Float64Array([0.5, -1, 2]), new Uint8Array([0b101])]);
  assert.deepEqual([m.header.stream, m.header.skipped, m.rows], ["probe", 4, 3]);
  assert.deepEqual(Array.from(columnOf(m, 0, "uint64")), [1n, 2n, 3n]);
  assert.deepEqual(Array.from(columnOf(m, 1, "uint16")), [7, 8, 9]);
  assert.deepEqual(Array.from(columnOf(m, 2, "float64")), [0.5, -1, 2]);
  assert.deepEqual(Array.from(columnOf(m, 3, "bool")), [1, 0, 1]);
  assert.throws(() => columnOf(m, 1, "utf8"), /cannot be shown/);
});

test("a bin that came is there, the first of them only once it is whole", () => {
  const ring = new Bins(columns(3), 10, 64);
  ring.put(bins(100, 10, [0, 1, 2]));
  assert.deepEqual(ring.missing(80, 130, 99), { from: 80, to: 110, bins: 3 }, "bin 10 began before it was asked for");
  const e = ring.envelope(90, 140, 5, [3], 1);
  assert.deepEqual([...e.data], [NaN, NaN, 10, 11, 11, 12, 12, 13, NaN, NaN]);
  assert.deepEqual([...(e.mean ?? [])].slice(1, 4), [10.5, 11.5, 12.5]);
  ring.put(bins(120, 10, [0, 1])); // bin 12 comes again, with more rows
  assert.equal(ring.missing(110, 140, 99), null);
});

test("what was skipped is read from the file, in parts, the newest first", () => {
  const ring = new Bins(columns(3), 10, 64);
  ring.put(bins(0, 10, [0, 1]));
  ring.put(bins(50, 10, [0, 1])); // bins 2 to 4 are missing, and 5 may lack rows
  assert.deepEqual(ring.missing(10, 70, 2), { from: 40, to: 60, bins: 2 });
  const data = new Float32Array([1, 2, 3, 4]), mean = new Float32Array([5, 6]), sd = new Float32Array([7, 8]);
  ring.read({ kind: "envelope", quality: "exact", from: 40, to: 60, bins: 2, done: 2, columns: [3], data, mean, sd, rows: 2, rows_used: 2, samples_per_pixel: 2 });
  assert.deepEqual(ring.missing(10, 70, 9), { from: 20, to: 40, bins: 2 });
  assert.deepEqual([...ring.envelope(40, 60, 2, [3], 1).data], [1, 2, 3, 4]);
});

test("wide bins stand where fine ones did not come, until those are read", () => {
  const ring = new Bins([{ index: 3, type: "int16" }], 10, 64);
  ring.put(bins(0, 10, [0, 1, 2, 3], 3));
  ring.put(bins(40, 10, [0], 3)); // bin 4 is open
  const wide = message({ bin: 40, from: 40, to: 97 }, 2, [Uint32Array.from([0, 1]), Uint16Array.from([3, 3]), Uint32Array.from([1, 1]), ...[[-100, -200], [100, 200], [0, 1], [2, 3]].map((list) => Float32Array.from(list))]);
  ring.putWide(wide);
  const { data, rows_used } = ring.envelope(0, 120, 12, [3], 1);
  assert.deepEqual([...data.subarray(8, 20)], [-100, 100, -100, 100, -100, 100, -100, 100, -200, 200, -200, 200], "bins 4 to 9, of which the last is not over");
  assert.ok(Number.isNaN(data[20]) && ring.end === 10 && rows_used === 100, "nothing is there of what has not come");
  assert.deepEqual(ring.missing(0, 100, 64), { from: 40, to: 100, bins: 6 }, "all of them are to be read");
  ring.put(bins(90, 10, [0, 1, 2], 3));
  assert.deepEqual([...ring.envelope(80, 120, 4, [3], 1).data.subarray(0, 2)], [-200, 200]);
  assert.deepEqual(ring.missing(0, 120, 64), { from: 40, to: 90, bins: 5 }, "what goes on from wide bins is whole");
});

test("a ring keeps the newest, and what is older does not take its place", () => {
  const ring = new Bins(columns(3), 1, 8);
  ring.put(bins(0, 1, Array.from({ length: 20 }, (_, i) => i)));
  assert.deepEqual([...ring.envelope(10, 20, 10, [3], 1).data].filter((_, i) => i % 2 === 0), [NaN, NaN, 12, 13, 14, 15, 16, 17, 18, 19]);
  ring.read({ kind: "envelope", quality: "exact", from: 4, to: 6, bins: 2, done: 2, columns: [3], data: new Float32Array(4), rows: 1, rows_used: 1, samples_per_pixel: 1 });
  assert.equal(ring.envelope(12, 13, 1, [3], 1).data[0], 12);
});

test("a zoom shows what came before it, until it is read or comes again", () => {
  const fine = new Bins(columns(3), 10, 64), coarse = new Bins(columns(3, 4), 20, 64), back = new Bins(columns(3), 10, 64);
  fine.put(bins(100, 10, [0, 1, 2]));
  coarse.seed(fine);
  const wide = coarse.envelope(80, 160, 4, [3, 4], 1);
  assert.deepEqual([...wide.data.subarray(0, 8)], [NaN, NaN, 10, 12, 12, 13, NaN, NaN]);
  assert.ok(wide.data.subarray(8).every(Number.isNaN), "of a channel that was not there nothing is known");
  assert.equal(wide.mean?.[1], 11);
  assert.deepEqual(coarse.missing(100, 140, 9), { from: 100, to: 140, bins: 2 }, "all of it is read");
  coarse.put(bins(120, 20, [0, 1]));
  assert.deepEqual([...coarse.envelope(120, 160, 2, [3], 1).data], [6, 7, 7, 8]);
  back.seed(coarse);
  assert.deepEqual([...back.envelope(100, 120, 2, [3], 1).data], [10, 12, 10, 12], "steps");
  const rows = new Rows(columns(3)), of = new Bins(columns(3), 10, 8), more = new Rows(columns(2, 3));
  rows.put(message({}, 3, [new BigUint64Array([100n, 105n, 110n]), new Uint16Array([4, 2, 6])]), columns(3));
  of.seed(rows);
  assert.deepEqual([...of.envelope(100, 120, 2, [3], 5).data], [2, 4, 6, 6]);
  assert.equal(of.envelope(100, 110, 1, [3], 5).mean?.[0], 3);
  more.seed(rows);
  assert.deepEqual([more.length, more.values[1][1], more.values[0][1]], [3, 2, NaN]);
});

test("rows that came follow those of the file, once", () => {
  const rows = new Rows(columns(2));
  rows.put(message({}, 3, [new BigUint64Array([110n, 120n, 130n]), new Uint16Array([4, 5, 6]), new Uint16Array([1, 2, 3])]), columns(7, 2));
  const read = /** @type {any} */ ({ kind: "samples", quality: "exact", from: 100, to: 121, columns: [2, 5], x: new Float64Array([0, 10]), data: new Float32Array([8, 1, 6, 7]), rows: 2, rows_used: 2 });
  const e = rows.after(read, 110);
  assert.deepEqual([...(e.x ?? [])], [0, 10, 20, 30]);
  assert.deepEqual([...e.data], [8, 1, 2, 3, 6, 7, NaN, NaN]);
  const later = rows.after({ ...read, from: 125, to: 140, x: new Float64Array(0), data: new Float32Array(0) }, 110);
  assert.deepEqual([...(later.x ?? [])], [-5, 5], "of those before the span only the one that the line comes from");
  rows.written(120);
  assert.deepEqual([...rows.ticks.subarray(0, rows.length)], [130]);
  rows.written(130);
  const same = rows.after(read, 130);
  assert.deepEqual(same, read);
  assert.notEqual(same.data, read.data, "what is given away is not what is kept");
});

test("a trigger is the first rise, and not a level that was there before", () => {
  assert.equal(firstRise([1, 2, 3, 4], [2, 0, 2, 2], { id: "d", column: 0, bit: 1 }, 2), 3);
  assert.equal(firstRise([1, 2], [2, 2], { id: "d", column: 0, bit: 1 }, 2), null);
  assert.equal(firstRise([1, 2], [2, 2], { id: "d", column: 0, bit: 1 }, 0), 1);
  assert.equal(firstRise([5, 6, 7], [10, 99, 120], { id: "d", column: 0, above: 100 }, 0), 7);
});

test("what a silent stream has not sent is a gap that grows until it sends", () => {
  const data = { from: 0, to: 110, kind: "data", rows: 11, reason: "" }, info = /** @type {any} */ ({ coverage: [data], clock: { last: 100, period: 10 } });
  info.coverage = withSilence(info, 200);
  info.coverage = withSilence(info, 300);
  assert.deepEqual(info.coverage, [data, { from: 100, to: 300, kind: "gap", rows: 19, reason: "silent" }]);
  assert.deepEqual(withSilence(info, null), [data]);
});

test("losses are summed in the strip, and told stream by stream", () => {
  const status = /** @type {any} */ ({ streams: [{ name: "ap", lost_rows: 3, cause: "link" }, { name: "imu", lost_rows: 4, cause: "fifo" }, { name: "x", lost_rows: 0, cause: "" }] });
  assert.equal(lossSum(status), "lost 7 rows of 2 streams (link, hardware buffer full)");
  assert.equal(lossWords(status), "lost 3 rows of ap (link), 4 rows of imu (hardware buffer full)");
  status.streams.splice(1);
  assert.equal(lossSum(status), "lost 3 rows (link)");
  assert.equal(lossSum({ ...status, streams: [] }), "lost nothing");
});

test("alarms say what is wrong and what to do", () => {
  const stream = { name: "imu", word: "SILENT 4 s" }, status = /** @type {any} */ ({ streams: [stream, { name: "x", word: "" }], fifo: { percent: 60, level: "warning" } });
  assert.match(alarms(status, true)[0], /imu has sent nothing for 4 s.*check its cable/);
  assert.match(alarms(status, true)[1], /60 % full/);
  assert.deepEqual(alarms(status, false), []);
});

test("rows make the bins that the recorder would have made, also across messages", () => {
  const ring = new Bins(columns(3, 4), 10, 8), ticks = [3, 6, 9, 12, 15, 18, 21, 24].map(BigInt), values = [5, 1, 3, 10, 20, 30, 7, 9];
  for (const [from, to] of [[0, 4], [4, 8]]) {
    ring.putRows(message({}, to - from, [BigUint64Array.from(ticks.slice(from, to)), Uint16Array.from(values.slice(from, to)), Uint16Array.from(values.slice(from, to), (v) => 100 + v)]), columns(3, 4));
  }
  const e = ring.envelope(0, 30, 3, [4, 3], 3);
  assert.deepEqual([...e.data], [101, 105, 110, 130, 107, 109, 1, 5, 10, 30, 7, 9]);
  assert.deepEqual([...(e.mean ?? [])], [103, 120, 108, 3, 20, 8]);
  assert.deepEqual([...(e.sd ?? [])].slice(3).map((v) => Math.round(v * 1000)), [1633, 8165, 1000]);
  assert.deepEqual(ring.missing(0, 30, 9), { from: 0, to: 10, bins: 1 }, "the first began before it was asked for");
  ring.putRows(message({ skipped: 5 }, 1, [new BigUint64Array([27n]), new Uint16Array([1]), new Uint16Array([1])]), columns(3, 4));
  assert.equal(ring.envelope(20, 30, 1, [3], 3).data[0], 1);
});

test("a bell rings once for what is new, and only where somebody wants it", () => {
  let tones = 0;
  const node = () => ({ connect: (/** @type {any} */ to) => to, start: () => tones++, stop: () => {}, frequency: {}, gain: {} });
  const store = new Map(), bell = () => new Bell({ getItem: (k) => store.get(k) ?? null, setItem: (k, v) => void store.set(k, v) }, () => /** @type {any} */ ({ resume: async () => {}, createOscillator: node, createGain: node, destination: node(), currentTime: 0 }));
  const off = bell();
  assert.equal(off.hear(["imu"]), false);
  assert.equal(tones, 0);
  off.set(true);
  const on = bell();
  tones = 0;
  assert.deepEqual([["imu"], ["imu"], ["imu", "link"], [], ["imu"]].map((wrong) => on.hear(wrong)), [true, false, true, false, true]);
  assert.equal(tones, 6);
  const status = /** @type {any} */ ({ streams: [{ name: "imu", word: "SILENT 4 s", lost_rows: 0 }, { name: "ap", word: "", lost_rows: 3 }], fifo: { percent: 60, level: "alarm" } });
  assert.deepEqual(troubles(status, "open"), ["imu", "rows of ap", "hardware buffer"]);
  assert.deepEqual(troubles(status, "lost"), ["link"]);
});

test("what was skipped is said beside how late the picture is", () => {
  assert.equal(lateWords(43, 0), "display 40 ms behind");
  assert.equal(lateWords(14360, 0), "display 14.4 s behind");
  assert.match(lateWords(43, 1200), /^display 40 ms behind, 1\D200 rows shown later$/);
});

test("commands for the files of a recorder that is gone", () => {
  const at = { hostname: "127.0.0.1", port: "8765", protocol: "http:" };
  assert.equal(viewCommand("/data/today", at), "oniscope view --no-browser --port 8765 /data/today");
  assert.equal(viewCommand("/data/rat 7", at), 'oniscope view --no-browser --port 8765 "/data/rat 7"');
  assert.equal(viewCommand("/data", { ...at, hostname: "rig.lab" }), null);
  assert.equal(recoverCommand("/data", "x_0.arrow"), "oniscope recover --in-place /data/x_0.arrow");
  assert.equal(recoverCommand("C:\\data", "x_0.arrow"), "oniscope recover --in-place C:\\data\\x_0.arrow");
});

/** A receiver and the page's end of it, without a worker between, and a recorder that hears what is asked. */
function connected() {
  const asked = /** @type {any[]} */ ([]), worker = /** @type {any} */ ({});
  const receiver = new Receiver((m) => queueMicrotask(() => worker.onmessage({ data: structuredClone(m) })), (_, hearer) => {
    worker.hearer = hearer;
    return { say: (ask) => asked.push(ask) > 0, end: () => {} };
  }, (call) => call());
  worker.postMessage = (/** @type {any} */ m) => receiver.handle(structuredClone(m));
  const remote = new Remote(worker), came = /** @type {any[]} */ ([]), told = /** @type {any[]} */ ([]);
  remote.listener = { told: (m) => told.push(m), came: ({ stream, last, rise, skipped }) => came.push([stream, last, rise, skipped]), state: () => {}, failed: assert.ifError };
  receiver.connect("ws://x");
  worker.hearer.state("open", "");
  let shows = 0;
  /** The recorder answers the last show. */
  const answer = () => worker.hearer.told({ type: "show", streams: asked.at(-1).streams.map((/** @type {any} */ s) => ({ show: ++shows, stream: s.stream, schema: "" })) });
  /** @param {object} header @param {number} rows @param {ArrayBufferView[]} columns */
  const send = (header, rows, columns) => worker.hearer.came(messageBytes({ show: shows, ...header }, rows, columns));
  const calm = () => new Promise((resolve) => setTimeout(resolve));
  return { remote, asked, came, told, answer, send, calm, hearer: worker.hearer };
}

/** A tail on a file of 100 rows, 10 ticks apart, and what was read of it. */
function tailOf() {
  const info = /** @type {any} */ ({ id: "s_0", rows: 100, clock: { first: 0, last: 990, hz: 1000 }, coverage: [{ kind: "data", from: 0, to: 990, rows: 100 }], columns: [0, 1, 2].map((index) => ({ index, type: "uint16" })) });
  const asked = /** @type {any[]} */ ([]), there = connected();
  const read = async (/** @type {any} */ a) => {
    asked.push(a);
    const x = a.bins > 100 ? { kind: "samples", x: new Float64Array([0, 990]), data: new Float32Array([1, 2]) } : { kind: "envelope", data: new Float32Array(2 * a.bins * a.columns.length).fill(7) };
    return /** @type {any} */ ({ ...x, quality: "exact", from: a.from, to: a.to, bins: a.bins, done: a.bins, columns: a.columns, rows: 1, rows_used: 1, samples_per_pixel: 2 });
  };
  const tail = new Tail("s", info, there.remote), want = () => there.remote.send({ op: "want", wanted: tail.wanted ? [tail.wanted] : [] });
  return { ...there, tail, read, reads: asked, want };
}

/** @param {Float32Array} data */
const minima = (data) => [...data].filter((_, i) => i % 2 === 0);

test("what the file has is read from it, and what it has not comes from the ring", async () => {
  const { tail, reads, read, want, asked, answer, send, calm } = tailOf();
  const before = await tail.envelope({ stream: "s_0", columns: [0], from: 0, to: 800, bins: 4, quality: "exact" }, read, () => {}, want);
  assert.equal(before.data[0], 7);
  assert.equal(tail.wanted, null, "nothing is asked of the recorder for it");
  reads.length = 0;
  let filled = 0;
  const now = { stream: "s_0", columns: [0], from: 400, to: 1600, bins: 6, quality: /** @type {const} */ ("exact") };
  const ask = () => tail.envelope(now, read, () => filled++, want);
  await ask();
  assert.deepEqual(asked.at(-1), { type: "show", streams: [{ stream: "s", columns: [0], bin: 200 }] });
  await calm();
  assert.deepEqual(reads.map(({ from, to }) => [from, to]), [[400, 800]], "whole bins of the file, once");
  assert.equal(filled, 1);
  answer();
  send({ stream: "s", bin: 200, from: 800 }, 3, binColumns(800, 200, [0, 1, 2], 0));
  const after = await ask();
  assert.deepEqual(minima(after.data), [7, 7, 4, 5, 6, NaN]);
  assert.equal(after.rows, 120, "rows of the span, so that it is drawn as the file is");
  const { capacity } = /** @type {any} */ (tail.wanted);
  await tail.envelope({ ...now, columns: [1] }, read, () => {}, want);
  assert.deepEqual(/** @type {any} */ (tail.wanted).columns.map((/** @type {any} */ c) => c.index), [1, 0], "what another plot of the stream shows stays");
  assert.equal(/** @type {any} */ (tail.wanted).capacity, capacity);
  tail.need(2);
  assert.equal(/** @type {any} */ (tail.wanted).columns.length, 3, "and what a trigger waits for");
});

test("bins of few rows are asked for as rows", async () => {
  const { tail, read, want, asked, answer, send, calm } = tailOf();
  const now = { stream: "s_0", columns: [0], from: 600, to: 1200, bins: 20, quality: /** @type {const} */ ("exact") };
  await tail.envelope(now, read, () => {}, want);
  assert.deepEqual(asked.at(-1).streams, [{ stream: "s", columns: [0], bin: 0 }]);
  answer();
  send({ stream: "s" }, 4, [BigUint64Array.from([1000n, 1010n, 1020n, 1030n]), Uint16Array.from([4, 3, 2, 1])]);
  await calm();
  const after = await tail.envelope(now, read, () => {}, want);
  assert.deepEqual([...after.data.subarray(2 * 13, 2 * 15)], [3, 4, 1, 2]);
});

test("rows of which the recorder has left out some are asked for as bins, some in one", async () => {
  const { tail, read, want, asked, answer, send } = tailOf();
  const binsAsked = () => asked.map(({ streams: [{ bin }] }) => bin);
  const look = (/** @type {number} */ width) => tail.envelope({ stream: "s_0", columns: [0], from: 0, to: 100 * width, bins: 100, quality: "exact" }, read, () => {}, want);
  await look(50);
  tail.left(7, want); // of before
  tail.left(7, want);
  assert.deepEqual(binsAsked(), [0]);
  tail.left(9, want);
  assert.deepEqual(binsAsked(), [0, 150], "three in one, of twelve rows at least");
  answer();
  send({ stream: "s", bin: 150, from: 4500, to: 4720 }, 2, binColumns(4500, 150, [0, 1], 0));
  assert.deepEqual(minima((await look(50)).data).slice(89, 96), [NaN, 30, 30, 30, 31, 31, NaN]);
  tail.left(30, want);
  assert.deepEqual(binsAsked(), [0, 150], "as long as these are looked at");
  await look(60);
  await look(200);
  tail.left(60, want);
  assert.deepEqual(binsAsked(), [0, 150, 0, 200]);
});

test("rows of a file are read once for each of its states, and those that came follow", async () => {
  const { tail, reads, read, want, asked, answer, send, came, calm } = tailOf();
  const args = { stream: "s_0", columns: [1], from: 0, to: 1000, bins: 200, quality: /** @type {const} */ ("exact") };
  for (let i = 0; i < 3; i++) await tail.envelope(args, read, () => {}, want);
  assert.equal(reads.length, 1);
  assert.deepEqual(asked.at(-1).streams, [{ stream: "s", columns: [1], bin: 0 }]);
  answer();
  send({ stream: "s" }, 2, [BigUint64Array.from([1000n, 1010n]), Uint16Array.from([8, 9])]);
  for (let i = 0; i < 2; i++) assert.deepEqual([...(await tail.envelope(args, read, () => {}, want)).data], [1, 2, 8, 9]);
  await calm();
  assert.deepEqual(came, [["s", 1010, null, 0]]);
  tail.written(1010);
  await tail.envelope(args, read, () => {}, want);
  assert.equal(reads.length, 2);
});

test("rows that are zoomed to come as they are once nobody sees bins any more", async () => {
  const { tail, read, want, asked, answer, send } = tailOf(), streams = () => asked.at(-1).streams.map((/** @type {any} */ { columns, bin }) => [columns, bin]);
  const bins = () => tail.envelope({ stream: "s_0", columns: [0], from: 0, to: 20_000, bins: 100, quality: "exact" }, read, () => {}, want);
  const rows = (/** @type {number[]} */ columns) => tail.envelope({ stream: "s_0", columns, from: 995, to: 1200, bins: 200, quality: "exact" }, read, () => {}, want);
  await bins();
  await rows([1]);
  assert.deepEqual(streams(), [[[0], 200]], "of a plot beside it nothing is lost");
  await new Promise((resolve) => setTimeout(resolve, 300));
  await rows([0]);
  assert.deepEqual(streams(), [[[0, 1], 0]]);
  answer();
  send({ stream: "s" }, 2, [BigUint64Array.from([1000n, 1010n]), Uint16Array.from([8, 9]), Uint16Array.from([1, 2])]);
  const { kind, x, data } = await rows([0]);
  assert.deepEqual([kind, [...(x ?? [])], [...data]], ["samples", [5, 15], [8, 9]]);
});

test("each plot of a stream reads the rows of its file once", async () => {
  const { tail, reads, read, want, answer, send, calm } = tailOf();
  const of = (/** @type {number} */ column) => ({ stream: "s_0", columns: [column], from: 0, to: 1000, bins: 200, quality: /** @type {const} */ ("exact") });
  for (const column of [0, 1]) await tail.envelope(of(column), read, () => {}, want); // from here on the recorder is asked for both
  answer(), answer();
  reads.length = 0;
  for (let i = 0; i < 5; i++) for (const column of [0, 1]) await tail.envelope(of(column), read, () => {}, want);
  assert.deepEqual(reads.map(({ columns }) => columns), [[0]], "the other's was read after both were asked for");
  send({ stream: "s" }, 1, [BigUint64Array.from([1000n]), Uint16Array.from([9]), Uint16Array.from([8])]);
  await calm();
  const last = (/** @type {{ data: Float32Array }} */ { data }) => data[2];
  const [a, b] = [await tail.envelope(of(0), read, () => {}, want), await tail.envelope(of(1), read, () => {}, want)];
  assert.deepEqual([last(a), last(b)].sort(), [8, 9], "what came follows both");
});

test("a bit that is waited for is looked for in rows: the extremes of a bin of several lines do not tell", async () => {
  const { tail, read, remote, asked, answer, send, came, calm, want } = tailOf();
  await tail.envelope({ stream: "s_0", columns: [0], from: 0, to: 2000, bins: 10, quality: "exact" }, read, () => {}, want);
  answer();
  assert.equal(asked.at(-1).streams[0].bin, 200);
  tail.need(0, true);
  want();
  assert.deepEqual(asked.at(-1).streams, [{ stream: "s", columns: [0], bin: 0 }]);
  assert.equal(/** @type {any} */ (tail.wanted).width, 200, "what is shown stays as it is");
  answer();
  remote.send({ op: "condition", condition: { stream: "s", column: 0, bit: 0 } });
  send({ stream: "s" }, 4, [BigUint64Array.from([1000n, 1010n, 1020n, 1030n]), Uint16Array.from([4, 4, 3, 4])]); // the largest is 4, in which bit 0 is low
  await calm();
  assert.equal(came.at(-1)?.[2], 1020);
});

test("a connection that is over listens for no silence", () => {
  const { setInterval: set, clearInterval: clear } = globalThis, scope = /** @type {any} */ (globalThis), running = new Set();
  const { WebSocket: before } = scope;
  scope.WebSocket = class { close() {} };
  scope.setInterval = (/** @type {() => void} */ f) => (running.add(f), f);
  scope.clearInterval = (/** @type {() => void} */ f) => running.delete(f);
  try {
    new Link("ws://x", { told() {}, came() {}, state() {} }).end();
    assert.equal(running.size, 0);
  } finally {
    Object.assign(scope, { WebSocket: before, setInterval: set, clearInterval: clear });
  }
});

test("a connection that was lost begins anew, with nothing twice and no hole unnoticed", async () => {
  const { tail, read, want, asked, answer, send, hearer, remote } = tailOf();
  const now = { stream: "s_0", columns: [0], from: 0, to: 2000, bins: 10, quality: /** @type {const} */ ("exact") };
  const ask = () => tail.envelope(now, read, () => {}, want);
  await ask();
  answer();
  send({ stream: "s", bin: 200, from: 1000 }, 2, binColumns(1000, 200, [0, 1], 0));
  assert.deepEqual(minima((await ask()).data).slice(5, 7), [5, 6]);
  hearer.state("lost", "");
  send({ stream: "s", bin: 200, from: 1400 }, 1, binColumns(1400, 200, [0], 0)); // of before: nobody asked for it
  hearer.state("open", "");
  const before = asked.length;
  hearer.told({ type: "hello", streams: [] });
  assert.deepEqual(asked.slice(before), [{ type: "show", streams: [{ stream: "s", columns: [0], bin: 200 }] }], "asked again");
  answer();
  send({ stream: "s", bin: 200, from: 1600 }, 1, binColumns(1600, 200, [0], 0));
  assert.deepEqual(minima((await ask()).data).slice(5), [5, 6, NaN, 8, NaN], "what came stays, and the hole is none of it");
  const bins = await remote.bins({ stream: "s", from: 0, to: 2000, bins: 10, columns: [0], fill: { from: 1000, to: 2000, most: 99 } });
  assert.deepEqual(bins?.missing, { from: 1000, to: 2000, bins: 5 }, "the last bin before it lacks rows, as the first after it does: all are read from the file when they are there");
});

test("a trigger fires at the first rise after it was armed, in rows and in bins", async () => {
  const { tail, read, want, remote, answer, send, came, calm } = tailOf();
  await tail.envelope({ stream: "s_0", columns: [0], from: 0, to: 2000, bins: 10, quality: "exact" }, read, () => {}, want);
  answer();
  remote.send({ op: "condition", condition: { stream: "s", column: 0, above: 6 } });
  send({ stream: "s", bin: 200, from: 1400 }, 2, binColumns(1400, 200, [0, 1], 0)); // 7 and 8, high from the beginning
  send({ stream: "s", bin: 200, from: 800 }, 2, binColumns(800, 200, [0, 1], 0)); // 4 to 6
  send({ stream: "s", bin: 200, from: 1200 }, 2, binColumns(1200, 200, [0, 1], 0)); // 6 to 8
  await calm();
  assert.deepEqual(came.map(([, , rise]) => rise), [null, null, 1200]);
});

test("a column that the recorder has not heard of yet is not there, and is read from the file", async () => {
  const rows = new Rows(columns(1, 2));
  rows.put(message({}, 2, [new BigUint64Array([110n, 120n]), new Uint16Array([4, 5])]), columns(1));
  assert.deepEqual([...rows.values[1].subarray(0, rows.length)], [NaN, NaN], "not a line of zeros");

  for (const asRows of [false, true]) {
    const { remote, send, answer, calm } = connected(), wanted = (/** @type {number[]} */ ...of) => [{ stream: "s", columns: columns(...of), bin: asRows ? 0 : 10, width: 10, capacity: 16, period: 5 }];
    const come = (/** @type {number} */ from, /** @type {number[]} */ ...of) =>
      asRows
        ? send({}, 6, [BigUint64Array.from([0, 5, 10, 15, 20, 25], (t) => BigInt(from + t)), ...of.map((c) => new Uint16Array(6).fill(c))])
        : send({ bin: 10, from }, 3 * of.length, [new Uint32Array(of.flatMap(() => [0, 1, 2])), Uint16Array.from(of.flatMap((c) => [c, c, c])), new Uint32Array(3 * of.length).fill(2), ...[0, 1, 2, 3].map(() => Float32Array.from(of.flatMap((c) => [c, c, c])))]);
    remote.send({ op: "want", wanted: wanted(3) });
    answer();
    come(100, 3);
    remote.send({ op: "want", wanted: wanted(3, 4) });
    come(130, 3); // still of the show before
    answer();
    come(160, 3, 4);
    const got = await remote.bins({ stream: "s", from: 100, to: 190, bins: 9, columns: [3, 4], fill: { from: 100, to: 190, most: 100 } });
    assert.deepEqual(got?.missing, { from: 100, to: 170, bins: 7 }, "what lacks a column is to be read");
    assert.deepEqual(minima(got?.envelope.data ?? new Float32Array()).slice(9), [NaN, NaN, NaN, NaN, NaN, NaN, 4, 4, 4]);
    await calm();
  }
});

test("what a recorder sends after another question begins anew", async () => {
  const { tail, read, want, answer, send, remote } = tailOf();
  await tail.envelope({ stream: "s_0", columns: [0], from: 0, to: 2000, bins: 10, quality: "exact" }, read, () => {}, want);
  answer();
  send({ stream: "s", bin: 200, from: 1000 }, 3, binColumns(1000, 200, [0, 1, 2], 0));
  const missing = async () => (await remote.bins({ stream: "s", from: 0, to: 2000, bins: 10, columns: [0], fill: { from: 1200, to: 1600, most: 99 } }))?.missing;
  assert.equal(await missing(), null);
  want(); // of another stream something else is wanted
  answer();
  send({ stream: "s", bin: 200, from: 1400 }, 2, binColumns(1400, 200, [0, 1], 0)); // the rest of the last bin
  assert.deepEqual(await missing(), { from: 1400, to: 1600, bins: 1 }, "it is read when the file has it");
});
