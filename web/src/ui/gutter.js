/**
 * Names beside the rows of traces, as many as have room.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Row} Row
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("./traces.js").Shown} Shown
 */
import { placeWords } from "../channels.js";
import { MEASURES } from "../measures.js";
import { briefly } from "../signals.js";
import { labelStride } from "../view/viewport.js";
import { DrawnFrom, el, fitCanvas, fitted } from "./dom.js";
import { canvasFont, token } from "./tokens.js";

/** Rows below this height are labelled by depth where it is known, and name what the pointer is on. CSS pixels. */
export const LOW_ROWS = 9;

/** Least distance of two labels. CSS pixels. */
const LABEL = 12;

export class Gutter {
  node = el("canvas", { class: "gutter" });
  #drawnFrom = new DrawnFrom();
  /** Of the active channel under -1 - column. @type {Map<number, string>} */
  #names = new Map();
  #namedOf = new DrawnFrom();
  /** The longest name has no room. */
  #brief = false;

  /** @param {State} state */
  constructor(state) {
    this.state = state;
  }

  /** The gutter, when it is not as it was. @param {Shown} shown @param {number} height */
  draw({ row, info, window, rowPixels, columns }, height) {
    const stride = labelStride(rowPixels), active = this.state.channel.get(row.key);
    if (!this.#drawnFrom.differs(globalThis.devicePixelRatio, height, rowPixels, window.first, columns.length, row.columns, active, token("dim"), info)) return;
    const { ctx } = fitCanvas(this.node, { width: MEASURES.gutter, height });
    ctx.clearRect(0, 0, MEASURES.gutter, height);
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.font = canvasFont(10.5);
    const nameOf = this.#namesOf(ctx, row, info, rowPixels);
    let last = -Infinity;
    for (let i = 0; i < columns.length; i++) {
      const column = info.columns[columns[i]];
      const number = column.channel >= 0 ? column.channel : window.first + i;
      const isActive = columns[i] === active;
      if (!isActive && (number % stride !== 0 || this.#besideActive(columns, i, active, stride))) continue;
      const y = Math.min(height - 7, Math.max(7, (i + 0.5) * rowPixels));
      if (y - last < LABEL && !isActive) continue; // the lowest is moved up into the plot
      last = y;
      if (isActive) ctx.font = canvasFont(10.5, 600);
      ctx.fillStyle = isActive ? token("accent") : token("dim");
      ctx.fillText(nameOf(column, isActive), 10, y, MEASURES.gutter - 14);
      if (isActive) ctx.font = canvasFont(10.5);
    }
  }

  /** What names a channel in the gutter; fitted once, not in each frame. @param {CanvasRenderingContext2D} ctx @param {Row} row @param {StreamInfo} info @param {number} rowPixels */
  #namesOf(ctx, row, info, rowPixels) {
    const room = (MEASURES.gutter - 14) * 1.3, low = rowPixels < LOW_ROWS;
    if (this.#namedOf.differs(info, row.columns, low)) {
      const longest = row.columns.reduce((most, c) => (info.columns[c].label.length > most.length ? info.columns[c].label : most), "");
      this.#names.clear();
      this.#brief = fitted(ctx, longest, room) !== longest;
    }
    return (/** @type {import("../protocol.js").ColumnInfo} */ column, /** @type {boolean} */ active) => {
      const key = active ? -1 - column.index : column.index;
      let name = this.#names.get(key);
      if (name === undefined) {
        const place = low && !active ? placeWords(info, row, column.index) : "";
        name = fitted(ctx, place || (this.#brief ? briefly(column) : column.label), room);
        this.#names.set(key, name);
      }
      return name;
    };
  }

  /** A label is left out when the active channel's is less than a stride away. @param {number[]} columns @param {number} i @param {number | undefined} active @param {number} stride */
  #besideActive(columns, i, active, stride) {
    if (active === undefined || stride === 1) return false;
    for (let k = Math.max(0, i - stride + 1); k < i + stride && k < columns.length; k++) if (columns[k] === active) return true;
    return false;
  }
}
