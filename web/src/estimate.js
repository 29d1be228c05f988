/**
 * How large a saved part will be. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("./protocol.js").SliceFormat} SliceFormat
 * @typedef {import("./protocol.js").Compression} Compression
 */

/** Characters of a number as text with its comma, by the bytes of the type. @type {Record<number, number>} */
const CHARACTERS = { 1: 4, 2: 5, 4: 11, 8: 14, 16: 30 };

/** Bytes of an Arrow file that describe a column, in a batch. */
const HEADER = 48;

/** Bytes that a column has in a row, uncompressed; of text and lists what the file suggests. @param {StreamInfo} info @param {ColumnInfo} column */
function bytesOf(info, column) {
  return column.bytes > 0 ? column.bytes : wordsBytes(info);
}

/** Bytes of a value without a fixed width, from what the file has besides its numbers. @param {StreamInfo} info */
function wordsBytes(info) {
  const words = info.columns.filter((c) => c.bytes === 0).length;
  const fixed = info.columns.reduce((sum, c) => sum + c.bytes, 0);
  const left = info.rows > 0 ? info.size_bytes / info.rows - fixed : 0;
  return Math.max(8, left / Math.max(1, words));
}

/**
 * Bytes of a file of some rows of some columns. sure is false where compression may make it smaller, or text or headers differ.
 * @param {StreamInfo} info
 * @param {{ rows: number, columns: number[], format: SliceFormat, compression: Compression, unique: boolean, physical: boolean }} o
 * @returns {{ bytes: number, sure: boolean }}
 */
export function estimate(info, { rows, columns, format, compression, unique, physical }) {
  const list = columns.map((c) => info.columns[c]);
  const stride = unique ? Math.max(1, ...list.map((c) => c.stride)) : 1;
  const kept = rows / stride;
  const values = list.reduce((sum, c) => sum + bytesOf(info, c), 0) * kept;
  if (format === "csv") return { bytes: list.reduce((sum, c) => sum + (physical && c.scale !== 0 ? 18 : c.bytes > 0 ? CHARACTERS[c.bytes] ?? 2.5 * c.bytes : wordsBytes(info)), 0) * kept, sure: false };
  if (format === "npy") return { bytes: list.reduce((sum, c) => sum + (physical && c.scale !== 0 ? 8 : c.bytes), 0) * kept, sure: true };
  if (format === "bin") return { bytes: values, sure: true };
  const plain = values + list.length * HEADER * (2 + (info.rows > 0 ? (info.batches * rows) / info.rows : 0)); // schema, footer, batches
  const used = compression === "keep" ? info.compression : compression;
  if (!used || used === "none") return { bytes: plain, sure: false };
  const all = info.columns.reduce((sum, c) => sum + bytesOf(info, c), 0) * info.rows;
  const known = info.compression && info.compression !== "none" && all > 0; // the file itself says how well its values compress
  return { bytes: known ? plain * Math.min(1, info.size_bytes / all) : plain, sure: false };
}
