import assert from "node:assert/strict";
import { test } from "node:test";
import { columnOf, parseMessage } from "../src/live/arrow.js";
import { Tail } from "../src/live/engine.js";
import { firstRise } from "../src/live/follow.js";
import { Bins, Rows } from "../src/live/tails.js";
import { alarms } from "../src/live/words.js";

/**
 * A binary message as the recorder makes it: header, then an Arrow message of a record batch (a flatbuffer built by hand) and its body.
 * @param {object} header @param {number} rows @param {ArrayBufferView[]} columns
 */
function message(header, rows, columns) {
  let text = JSON.stringify({ show: 1, stream: "s", bin: 0, from: 0, skipped: 0, ...header });
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
  return parseMessage(data);
}

/** Bins of one column, each with its number as value. @param {number} from @param {number} bin @param {number[]} numbers @param {number} column */
const bins = (from, bin, numbers, column = 3) => message({ bin, from }, numbers.length, [
  Uint32Array.from(numbers), new Uint16Array(numbers.length).fill(column), new Uint32Array(numbers.length).fill(2),
  ...[0, 1, 0.5, 0.25].map((more) => Float32Array.from(numbers, (n) => from / bin + n + more)),
]);

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
  const ring = new Bins([3], 10, 64);
  ring.put(bins(100, 10, [0, 1, 2]));
  assert.deepEqual(ring.missing(80, 130, 99), { from: 80, to: 110, bins: 3 }, "bin 10 began before it was asked for");
  const e = ring.envelope(90, 140, 5, [3]);
  assert.deepEqual([...e.data], [NaN, NaN, 10, 11, 11, 12, 12, 13, NaN, NaN]);
  assert.deepEqual([...(e.mean ?? [])].slice(1, 4), [10.5, 11.5, 12.5]);
  ring.put(bins(120, 10, [0, 1])); // bin 12 comes again, with more rows
  assert.equal(ring.missing(110, 140, 99), null);
});

test("what was skipped is read from the file, in parts, the newest first", () => {
  const ring = new Bins([3], 10, 64);
  ring.put(bins(0, 10, [0, 1]));
  ring.put(bins(50, 10, [0, 1])); // bins 2 to 4 are missing, and 5 may lack rows
  assert.deepEqual(ring.missing(10, 70, 2), { from: 40, to: 60, bins: 2 });
  const data = new Float32Array([1, 2, 3, 4]), mean = new Float32Array([5, 6]), sd = new Float32Array([7, 8]);
  ring.read({ kind: "envelope", quality: "exact", from: 40, to: 60, bins: 2, done: 2, columns: [3], data, mean, sd, rows: 2, rows_used: 2, samples_per_pixel: 2 });
  assert.deepEqual(ring.missing(10, 70, 9), { from: 20, to: 40, bins: 2 });
  assert.deepEqual([...ring.envelope(40, 60, 2, [3]).data], [1, 2, 3, 4]);
});

test("a ring keeps the newest, and what is older does not take its place", () => {
  const ring = new Bins([3], 1, 8);
  ring.put(bins(0, 1, Array.from({ length: 20 }, (_, i) => i)));
  assert.deepEqual([...ring.envelope(10, 20, 10, [3]).data].filter((_, i) => i % 2 === 0), [NaN, NaN, 12, 13, 14, 15, 16, 17, 18, 19]);
  ring.read({ kind: "envelope", quality: "exact", from: 4, to: 6, bins: 2, done: 2, columns: [3], data: new Float32Array(4), rows: 1, rows_used: 1, samples_per_pixel: 1 });
  assert.equal(ring.envelope(12, 13, 1, [3]).data[0], 12);
});

test("rows that came follow those of the file, once", () => {
  const column = /** @type {any} */ ({ index: 2, type: "uint16" }), rows = new Rows([column]);
  rows.put(message({}, 3, [new BigUint64Array([110n, 120n, 130n]), new Uint16Array([1, 2, 3])]));
  const read = /** @type {any} */ ({ kind: "samples", quality: "exact", from: 100, to: 121, columns: [2, 5], x: new Float64Array([0, 10]), data: new Float32Array([8, 1, 6, 7]), rows: 2, rows_used: 2 });
  const e = rows.after(read, 110);
  assert.deepEqual([...(e.x ?? [])], [0, 10, 20, 30]);
  assert.deepEqual([...e.data], [8, 1, 2, 3, 6, 7, NaN, NaN]);
  rows.written(120);
  assert.deepEqual(rows.ticks, [130]);
  rows.written(130);
  assert.equal(rows.after(read, 130), read);
});

test("a trigger is the first rise, and not a level that was there before", () => {
  assert.equal(firstRise([1, 2, 3, 4], [2, 0, 2, 2], { id: "d", column: 0, bit: 1 }, 2), 3);
  assert.equal(firstRise([1, 2], [2, 2], { id: "d", column: 0, bit: 1 }, 2), null);
  assert.equal(firstRise([1, 2], [2, 2], { id: "d", column: 0, bit: 1 }, 0), 1);
  assert.equal(firstRise([5, 6, 7], [10, 99, 120], { id: "d", column: 0, above: 100 }, 0), 7);
});

test("alarms say what is wrong and what to do", () => {
  const stream = { name: "imu", word: "SILENT 4 s" }, status = /** @type {any} */ ({ streams: [stream, { name: "x", word: "" }], fifo: { percent: 60, level: "warning" } });
  assert.match(alarms(status, true)[0], /imu has sent nothing for 4 s.*check its cable/);
  assert.match(alarms(status, true)[1], /60 % full/);
  assert.deepEqual(alarms(status, false), []);
});

/** A tail on a file of 100 rows, 10 ticks apart, and what was read of it. */
function tailOf() {
  const info = /** @type {any} */ ({ id: "s_0", rows: 100, clock: { first: 0, last: 990, hz: 1000 }, coverage: [{ kind: "data", from: 0, to: 990, rows: 100 }], columns: [{ index: 0, type: "uint16" }, { index: 1, type: "uint16" }] });
  const asked = /** @type {any[]} */ ([]);
  const read = async (/** @type {any} */ a) => {
    asked.push(a);
    return /** @type {any} */ ({ kind: "envelope", quality: "exact", from: a.from, to: a.to, bins: a.bins, done: a.bins, columns: a.columns, data: new Float32Array(2 * a.bins * a.columns.length).fill(7), rows: 1, rows_used: 1, samples_per_pixel: 2 });
  };
  return { tail: new Tail("s", info), asked, read };
}

test("what the file has is read from it, and what it has not comes from the ring", async () => {
  const { tail, asked, read } = tailOf();
  const before = await tail.envelope({ stream: "s_0", columns: [0], from: 0, to: 900, bins: 9, quality: "exact" }, read, () => {});
  assert.equal(before.data[0], 7);
  assert.equal(tail.wanted, null, "nothing is asked of the recorder for it");
  asked.length = 0;
  let filled = 0;
  const now = { stream: "s_0", columns: [0], from: 500, to: 1500, bins: 10, quality: /** @type {const} */ ("exact") };
  await tail.envelope(now, read, () => filled++);
  assert.deepEqual(tail.wanted, { stream: "s", columns: [0], bin: 100 });
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(asked.map(({ from, to }) => [from, to]), [[500, 900]], "whole bins of the file, once");
  assert.equal(filled, 1);
  const version = tail.version;
  assert.ok(tail.put(bins(900, 100, [0, 1, 2], 0)));
  assert.ok(tail.version > version);
  const after = await tail.envelope(now, read, () => {});
  assert.deepEqual([...after.data].filter((_, i) => i % 2 === 0), [7, 7, 7, 7, 9, 10, 11, NaN, NaN, NaN]);
  assert.equal(tail.put(bins(900, 50, [0], 0)), false, "bins of another width are of a view before");
});

test("rows of a file are read once for each of its states", async () => {
  const { tail, asked, read } = tailOf();
  const args = { stream: "s_0", columns: [1], from: 0, to: 1000, bins: 200, quality: /** @type {const} */ ("exact") };
  for (let i = 0; i < 3; i++) await tail.envelope(args, read, () => {});
  assert.equal(asked.length, 1);
  assert.deepEqual(tail.wanted, { stream: "s", columns: [1], bin: 0 });
  tail.written(1090);
  await tail.envelope(args, read, () => {});
  assert.equal(asked.length, 2);
});
