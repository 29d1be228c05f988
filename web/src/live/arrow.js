/**
 * The binary messages of a recorder: a header in JSON, and an Arrow IPC record batch of columns of fixed width without nulls. Pure.
 * @typedef {import("./protocol.js").Header} Header
 * @typedef {{ header: Header, rows: number, buffers: { at: number, bytes: number }[], data: ArrayBuffer }} Message  buffers: two a column, the second has the values
 * @typedef {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array | Float32Array | Float64Array} Numbers
 */

/** Field of a flatbuffers table: where it is, 0 if it has none. @param {DataView} view @param {number} table @param {number} field */
function fieldAt(view, table, field) {
  const vtable = table - view.getInt32(table, true), at = 4 + 2 * field;
  const offset = at < view.getUint16(vtable, true) ? view.getUint16(vtable + at, true) : 0;
  return offset === 0 ? 0 : table + offset;
}

/** What a field refers to. @param {DataView} view @param {number} at */
const followed = (view, at) => at + view.getUint32(at, true);

/**
 * @param {ArrayBuffer} data
 * @returns {Message}
 */
export function parseMessage(data) {
  const view = new DataView(data);
  const length = view.getUint32(0, true), start = 4 + length;
  const header = /** @type {Header} */ (JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))));
  if (view.getUint32(start, true) !== 0xffffffff) throw new Error("the message has no batch");
  const meta = start + 8, body = meta + view.getUint32(start + 4, true);
  const message = followed(view, meta);
  const batch = followed(view, fieldAt(view, message, 2));
  const rowsAt = fieldAt(view, batch, 0), list = followed(view, fieldAt(view, batch, 2));
  const buffers = Array.from({ length: view.getUint32(list, true) }, (_, i) => {
    const at = body + Number(view.getBigInt64(list + 4 + 16 * i, true)), bytes = Number(view.getBigInt64(list + 12 + 16 * i, true));
    if (at < body || bytes < 0 || at + bytes > data.byteLength) throw new Error("a buffer of the message is outside of it");
    return { at, bytes };
  });
  return { header, rows: rowsAt === 0 ? 0 : Number(view.getBigInt64(rowsAt, true)), buffers, data };
}

/** @type {Record<string, (data: ArrayBuffer, at: number, rows: number) => Numbers>} */
const TYPES = {
  int8: (d, at, n) => new Int8Array(d, at, n), uint8: (d, at, n) => new Uint8Array(d, at, n), int16: (d, at, n) => new Int16Array(d, at, n), uint16: (d, at, n) => new Uint16Array(d, at, n),
  int32: (d, at, n) => new Int32Array(d, at, n), uint32: (d, at, n) => new Uint32Array(d, at, n), int64: (d, at, n) => new BigInt64Array(d, at, n), uint64: (d, at, n) => new BigUint64Array(d, at, n),
  float32: (d, at, n) => new Float32Array(d, at, n), float64: (d, at, n) => new Float64Array(d, at, n),
};

/**
 * The values of a column.
 * @param {Message} message
 * @param {number} column
 * @param {string} type  as Arrow names it
 * @returns {Numbers}
 */
export function columnOf({ buffers, rows, data }, column, type) {
  const { at, bytes } = buffers[2 * column + 1];
  if (type === "bool") {
    const bits = new Uint8Array(data, at, bytes);
    return Uint8Array.from({ length: rows }, (_, i) => (bits[i >> 3] >> (i & 7)) & 1);
  }
  const make = TYPES[type];
  if (!make) throw new Error(`values of type ${type} cannot be shown as they come`);
  return make(data, at, rows);
}

/** Numbers that can be reckoned with. @param {Numbers} values */
export function floatable(values) {
  return values instanceof BigInt64Array || values instanceof BigUint64Array ? Float64Array.from(values, Number) : values;
}
