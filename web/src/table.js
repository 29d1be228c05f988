/**
 * Where the rows and columns of a table lie on the screen, and which blocks of them have to be there. Pure; CSS pixels.
 * @typedef {import("./protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {{ lefts: number[], widths: number[], total: number }} Layout
 * @typedef {{ key: string, rows: [number, number], columns: [number, number] }} Block  half-open; columns by place in the table
 */
import { MEASURES } from "./measures.js";

const ROW = MEASURES.row;

/** Rows and columns that are fetched together. */
export const BLOCK_ROWS = 64, BLOCK_COLUMNS = 8;

/** Browsers do not lay out elements that are much higher; longer tables scroll in larger steps. */
const MOST_PIXELS = 4e6;

/** @param {ColumnInfo} column */
function widthOf(column) {
  const name = Math.max(column.label.length, Math.min(24, headNote(column).length)) * 7 + 24;
  return Math.max(name, column.plottable ? (/64/.test(column.type) ? 150 : 96) : /^dictionary/.test(column.type) ? 150 : 220);
}

/** The second line of a head: the type, and whether values are raw. @param {ColumnInfo} column */
export function headNote(column) {
  return column.type + (column.scale !== 0 && /int/.test(column.type) ? ", raw" : "");
}

/** Numbers are at the right, words at the left. @param {ColumnInfo} column */
export function isNumber(column) {
  return column.plottable && column.type !== "bool";
}

/** Columns side by side; the last takes what is left of the width. @param {ColumnInfo[]} columns @param {number} width @returns {Layout} */
export function layoutOf(columns, width) {
  const widths = columns.map(widthOf);
  const sum = widths.reduce((total, w) => total + w, 0);
  const last = widths.length - 1;
  if (last >= 0 && sum < width && !columns[last].plottable) widths[last] += width - sum;
  let left = 0;
  const lefts = widths.map((w) => (left += w) - w);
  return { lefts, widths, total: left };
}

/** Columns that are seen, half-open. @param {Layout} layout @param {number} scroll @param {number} width @returns {[number, number]} */
export function columnsSeen({ lefts, widths }, scroll, width) {
  let from = 0, to = lefts.length;
  while (from < to - 1 && lefts[from] + widths[from] <= scroll) from++;
  while (to > from + 1 && lefts[to - 1] >= scroll + width) to--;
  return [from, to];
}

/** Height of all rows for the scroll bar. @param {number} rows */
export function extentOf(rows) {
  return Math.min(rows * ROW, MOST_PIXELS);
}

/**
 * First row on the screen for a place of the scroll bar, and back. Short tables scroll by pixels, so that a row can be half seen.
 * @param {number} top  pixels from the top
 * @param {number} rows
 * @param {number} page  pixels of the rows that are seen
 */
export function rowFromScroll(top, rows, page) {
  const extent = extentOf(rows);
  if (extent === rows * ROW) return top / ROW;
  return extent > page ? (top / (extent - page)) * lastFirst(rows, page) : 0;
}

/** @param {number} row @param {number} rows @param {number} page */
export function scrollFromRow(row, rows, page) {
  const extent = extentOf(rows);
  if (extent === rows * ROW) return row * ROW;
  const last = lastFirst(rows, page);
  return last > 0 ? (row / last) * (extent - page) : 0;
}

/** The largest first row: the last row is then at the bottom. @param {number} rows @param {number} page */
export function lastFirst(rows, page) {
  return Math.max(0, rows - page / ROW);
}

/**
 * Blocks that cover the rows and columns that are seen.
 * @param {number} first  row, may be a fraction
 * @param {number} page  pixels
 * @param {number} rows
 * @param {[number, number]} columns
 * @param {number} count  of columns
 * @returns {Block[]}
 */
export function blocksSeen(first, page, rows, columns, count) {
  const blocks = [], last = Math.min(rows, Math.ceil(first + page / ROW));
  for (let r = Math.floor(Math.floor(first) / BLOCK_ROWS) * BLOCK_ROWS; r < last; r += BLOCK_ROWS) {
    for (let c = Math.floor(columns[0] / BLOCK_COLUMNS) * BLOCK_COLUMNS; c < columns[1]; c += BLOCK_COLUMNS) {
      blocks.push({ key: r + "/" + c, rows: /** @type {[number, number]} */ ([r, Math.min(rows, r + BLOCK_ROWS)]), columns: /** @type {[number, number]} */ ([c, Math.min(count, c + BLOCK_COLUMNS)]) });
    }
  }
  return blocks;
}
