/**
 * A stream as a table: rows x columns of text, of which only what is seen exists and is fetched. Its first row is the one at the left edge of the view, and
 * scrolling it moves the view; a row that is chosen moves the cursor.
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("../protocol.js").Table} Table
 * @typedef {import("../state.js").State} State
 */
import { secondsAt } from "../axis.js";
import { MEASURES } from "../measures.js";
import { BLOCK_COLUMNS, BLOCK_ROWS, blocksSeen, columnsSeen, extentOf, headNote, isNumber, lastFirst, layoutOf, rowFromScroll, scrollFromRow } from "../table.js";
import { grouped, integer, regrouped, short } from "../words.js";
import { byId, el, fill, hint, say } from "./dom.js";

/** Blocks kept; the oldest goes first. */
const MOST_BLOCKS = 160;

/** Width of the column with the row number, and of that with the time. */
const ROW_WIDTH = 84, TIME_WIDTH = 104;

/** Numbers that are grouped by thousands; others have an exponent. */
const PLAIN = /^-?\d+(\.\d+)?$/;

/** Rows from one end of a line to another for PageUp and PageDown overlap by one. */
const OVERLAP = 1;

export class TableView {
  node = byId("table");
  #head = el("div", { class: "head", role: "row" });
  #body = el("div", { class: "body", role: "presentation" });
  #window = el("div", { class: "window", role: "presentation" }, this.#head, this.#body);
  #extent = el("div", { class: "extent", role: "presentation" }, this.#window);
  #scroller = el("div", { class: "cells", tabindex: "0", role: "grid", "aria-label": "Rows of the stream" }, this.#extent);
  /** @type {HTMLElement[]} */
  #pool = [];
  /** Blocks by key, in the order they came. @type {Map<string, Table>} */
  #blocks = new Map();
  /** What the blocks are of. */
  #of = "";
  /** @type {ColumnInfo[]} */
  #columns = [];
  #id = "";
  #rows = 0;
  /** First row on the screen; may be a fraction. */
  #first = 0;
  /** Chosen row, or -1. */
  #row = -1;
  /** The view that this table set or has followed. @type {{ from: number, to: number } | null} */
  #followed = null;
  #loading = false;
  #following = false;
  #generation = 0;
  /** Ticks of rows, by the first row of their block. @type {Map<number, (number | null)[]>} */
  #ticks = new Map();
  /** Why the last request failed; null when it did not. @type {unknown} */
  error = null;

  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.node.append(this.#scroller);
    this.#scroller.addEventListener("scroll", () => this.#scrolled());
    this.#scroller.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#scroller.addEventListener("keydown", (event) => this.key(event));
    this.#scroller.addEventListener("click", (event) => this.#click(event));
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointerleave"]) this.node.addEventListener(kind, (event) => event.stopPropagation()); // the plots below drag the view
    new ResizeObserver(() => !this.node.hidden && this.draw()).observe(this.#scroller);
  }

  get settled() {
    return this.node.hidden || this.error !== null || (!this.#loading && !this.#following && this.#wanted().length === 0);
  }

  /** What is chosen, for the inspector. @returns {{ row: number, ticks: number | null, cells: [ColumnInfo, string | null][] } | null} */
  get chosen() {
    if (this.node.hidden || this.#row < 0) return null;
    const ticks = this.#ticksOf(this.#row) ?? null;
    const cells = this.#columns.map((column, c) => /** @type {[ColumnInfo, string | null | undefined]} */ ([column, this.#cell(this.#row, c)])).filter(([, text]) => text !== undefined);
    return { row: this.#row, ticks, cells: /** @type {[ColumnInfo, string | null][]} */ (cells) };
  }

  /** Forgets everything, as when streams close or the engine restarts. */
  reset() {
    this.#of = "";
    this.#generation++;
    this.#loading = false;
    this.#following = false;
    this.#blocks.clear();
    this.#ticks.clear();
    this.#row = -1;
    this.#followed = null;
    this.error = null;
  }

  /**
   * Shows columns of a stream, or nothing.
   * @param {StreamInfo | null} info
   * @param {number[]} columns
   */
  show(info, columns) {
    this.node.hidden = !info;
    if (!info) return;
    const of = info.id + ":" + columns.join();
    if (of !== this.#of) {
      const other = this.#id !== info.id;
      this.reset();
      this.#of = of;
      this.#id = info.id;
      this.#columns = columns.map((c) => info.columns[c]);
      if (other) this.#first = 0;
      this.#rows = info.rows;
    }
    if (info.rows_exact || this.#blocks.size === 0) this.#rows = info.rows;
    void this.#follow();
    this.draw();
  }

  /** Scrolls to the time at the left edge, when the view was moved by others. */
  async #follow() {
    const { view } = this.state, generation = this.#generation;
    if (this.#followed && this.#followed.from === view.from && this.#followed.to === view.to) return;
    this.#followed = view;
    this.#following = true;
    try {
      const row = await this.state.client.row(this.#id, view.from);
      if (generation !== this.#generation || this.#followed !== view) return;
      this.#first = Math.min(row, lastFirst(this.#rows, this.#page));
      this.#placeScroller();
      this.state.changed("data");
    } catch (error) {
      if (generation === this.#generation) this.state.report(error, this.#id);
    } finally {
      if (generation === this.#generation && this.#followed === view) {
        this.#following = false;
        this.state.changed("data");
      }
    }
  }

  /** Pixels of rows that are seen. */
  get #page() {
    return Math.max(MEASURES.row, this.#scroller.clientHeight - MEASURES.head);
  }

  get #fixed() {
    return ROW_WIDTH + (this.#timed ? TIME_WIDTH : 0);
  }

  get #timed() {
    const { clock } = this.state.entry(this.#id).info;
    return clock.column && clock.hz > 0;
  }

  #layout() {
    return layoutOf(this.#columns, this.#scroller.clientWidth - this.#fixed);
  }

  #seen() {
    return columnsSeen(this.#layout(), this.#scroller.scrollLeft, this.#scroller.clientWidth - this.#fixed);
  }

  /** Blocks that are seen and not there. */
  #wanted() {
    if (!this.state.entries.has(this.#id) || this.#scroller.clientHeight === 0) return [];
    return blocksSeen(this.#first, this.#page, this.#rows, this.#seen(), this.#columns.length).filter((b) => !this.#blocks.has(b.key));
  }

  /** @param {number} row @param {number} c  place of the column */
  #block(row, c) {
    return this.#blocks.get(Math.floor(row / BLOCK_ROWS) * BLOCK_ROWS + "/" + Math.floor(c / BLOCK_COLUMNS) * BLOCK_COLUMNS);
  }

  /** @param {number} row @returns {number | null | undefined} */
  #ticksOf(row) {
    return this.#ticks.get(Math.floor(row / BLOCK_ROWS) * BLOCK_ROWS)?.[row % BLOCK_ROWS];
  }

  /** Text of a cell; null where there is no value, undefined where it is not known yet. @param {number} row @param {number} c */
  #cell(row, c) {
    return this.#block(row, c)?.cells[c % BLOCK_COLUMNS]?.[row % BLOCK_ROWS];
  }

  async #load() {
    if (this.#loading || this.error !== null) return;
    const generation = this.#generation;
    this.#loading = true;
    for (let [block] = this.#wanted(); block && generation === this.#generation; [block] = this.#wanted()) {
      try {
        const columns = this.#columns.slice(...block.columns).map((c) => c.index);
        const table = await this.state.client.table({ stream: this.#id, columns, start: block.rows[0], end: block.rows[1] });
        if (generation !== this.#generation) return;
        this.#blocks.set(block.key, table);
        this.#ticks.set(block.rows[0], table.ticks);
        this.#rows = table.rows;
        for (const key of this.#blocks.keys()) {
          if (this.#blocks.size <= MOST_BLOCKS) break;
          this.#blocks.delete(key);
        }
      } catch (error) {
        if (generation !== this.#generation) return;
        this.error = error;
        this.state.report(error, this.#id);
      }
      this.state.changed("data", "cursor");
      if (this.error !== null) break;
    }
    this.#loading = false;
    this.state.changed("data");
  }

  draw() {
    // Its stream may be closed before the frame that hides the table.
    if (this.node.hidden || this.#scroller.clientHeight === 0 || !this.state.entries.has(this.#id)) return;
    const layout = this.#layout(), [from, to] = this.#seen(), scroll = this.#scroller.scrollLeft;
    const height = extentOf(this.#rows) + MEASURES.head;
    this.#extent.style.width = this.#fixed + layout.total + "px";
    this.#extent.style.height = height + "px";
    this.#window.style.width = this.#scroller.clientWidth + "px";
    this.#window.style.height = Math.min(this.#scroller.clientHeight, Math.max(height, MEASURES.head)) + "px";
    this.#scroller.setAttribute("aria-rowcount", String(this.#rows + 1));
    this.#scroller.setAttribute("aria-colcount", String(this.#columns.length));
    this.#first = Math.min(this.#first, lastFirst(this.#rows, this.#page));
    this.#drawHead(layout, from, to, scroll);
    const top = Math.floor(this.#first), count = Math.min(this.#rows - top, Math.ceil(this.#page / MEASURES.row) + 1);
    while (this.#pool.length < count) {
      const line = el("div", { class: "line", role: "row" });
      this.#pool.push(line);
      this.#body.append(line);
    }
    this.#body.style.transform = `translateY(${-Math.round((this.#first - top) * MEASURES.row)}px)`;
    this.#pool.forEach((line, i) => {
      line.hidden = i >= count;
      if (i < count) this.#drawLine(line, top + i, layout, from, to, scroll);
    });
    void this.#load();
  }

  /** @param {import("../table.js").Layout} layout @param {number} from @param {number} to @param {number} scroll */
  #drawHead(layout, from, to, scroll) {
    this.#scroller.toggleAttribute("data-timeless", !this.#timed);
    const cells = [el("span", { class: "row", role: "columnheader" }, "row")];
    if (this.#timed) cells.push(el("span", { class: "time", role: "columnheader" }, "time", el("i", null, "s")));
    const rest = el("div", { class: "rest", role: "presentation" });
    for (let c = from; c < to; c++) {
      const column = this.#columns[c];
      const cell = el("span", { class: isNumber(column) ? "number" : undefined, role: "columnheader", title: `${column.name}, ${column.type}${column.scale !== 0 ? `; ${short(column.scale, 6)} ${column.unit} × (value − ${short(column.offset, 6)})` : ""}` }, column.label, el("i", null, headNote(column)));
      place(cell, layout, c, scroll);
      rest.append(cell);
    }
    fill(this.#head, ...cells, rest);
  }

  /** @param {HTMLElement} line @param {number} row @param {import("../table.js").Layout} layout @param {number} from @param {number} to @param {number} scroll */
  #drawLine(line, row, layout, from, to, scroll) {
    const { info } = this.state.entry(this.#id);
    if (!line.firstChild) line.append(el("span", { class: "row", role: "rowheader" }), el("span", { class: "time", role: "gridcell" }), el("div", { class: "rest", role: "presentation" }));
    const [number, time, rest] = /** @type {HTMLElement[]} */ ([...line.children]);
    line.dataset.row = String(row);
    line.setAttribute("aria-rowindex", String(row + 2));
    line.setAttribute("aria-selected", String(row === this.#row));
    line.id = "row-" + row;
    say(number, integer(row));
    time.hidden = !this.#timed;
    const ticks = this.#ticksOf(row);
    say(time, ticks === undefined || ticks === null ? "" : grouped(secondsAt(info, ticks).toFixed(6)));
    while (rest.children.length < to - from) rest.append(el("span", { role: "gridcell" }));
    while (rest.children.length > to - from) rest.lastElementChild?.remove();
    for (let c = from; c < to; c++) {
      const cell = /** @type {HTMLElement} */ (rest.children[c - from]), text = this.#cell(row, c);
      const shown = text && isNumber(this.#columns[c]) && PLAIN.test(text) ? grouped(text) : text;
      const broken = text === null ? this.#block(row, c)?.broken.find((b) => row >= b.start && row < b.end) : undefined;
      const missing = text === null ? (broken ? "cannot be read" : "no value") : "";
      cell.className = [isNumber(this.#columns[c]) ? "number" : "", missing ? (broken ? "broken" : "none") : ""].join(" ").trim();
      say(cell, shown === null ? (broken ? "✕" : "–") : shown ?? "");
      hint(cell, missing ? (broken ? `${missing}: ${regrouped(broken.reason)}` : missing) : text && text.length > 24 ? text : "");
      place(cell, layout, c, scroll);
    }
  }

  #placeScroller() {
    const top = scrollFromRow(this.#first, this.#rows, this.#page);
    if (Math.abs(this.#scroller.scrollTop - top) >= 1) this.#scroller.scrollTop = top;
  }

  /** The scroll bar was moved, by the person or by ourselves. */
  #scrolled() {
    const own = Math.abs(this.#scroller.scrollTop - scrollFromRow(this.#first, this.#rows, this.#page)) < 2;
    if (!own) this.#scrollTo(rowFromScroll(this.#scroller.scrollTop, this.#rows, this.#page), false);
    this.draw();
  }

  /** Makes a row the first on the screen and moves the view with it. @param {number} row @param {boolean} [bar]  moves the scroll bar too */
  #scrollTo(row, bar = true) {
    this.#first = Math.min(Math.max(0, row), lastFirst(this.#rows, this.#page));
    if (bar) this.#placeScroller();
    this.draw();
    const ticks = this.#ticksOf(Math.floor(this.#first));
    if (ticks === undefined || ticks === null) return;
    const { from, to } = this.state.view;
    this.state.setView({ from: ticks, to: ticks + (to - from) });
    this.#followed = this.state.view;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return; // sideways is the browser's
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? MEASURES.row : event.deltaMode === 2 ? this.#page : 1);
    this.#scrollTo(this.#first + pixels / MEASURES.row);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const line = /** @type {HTMLElement} */ (event.target).closest("[data-row]");
    if (line) this.#choose(Number(line.getAttribute("data-row")));
  }

  /** Chooses a row: the cursor goes to its time. @param {number} row */
  #choose(row) {
    this.#row = Math.min(Math.max(0, row), this.#rows - 1);
    const bottom = Math.max(1, Math.floor(this.#page / MEASURES.row));
    if (this.#row < this.#first) this.#scrollTo(this.#row);
    else if (this.#row + 1 > this.#first + bottom) this.#scrollTo(this.#row + 1 - bottom);
    this.state.setCursor(this.#ticksOf(this.#row) ?? null);
    this.state.changed("cursor");
    this.#scroller.setAttribute("aria-activedescendant", "row-" + this.#row);
    this.draw();
  }

  /** Chooses another row: keys that the table has while it is focused, and that nothing else has while it is shown. @param {KeyboardEvent} event */
  key(event) {
    const page = Math.max(1, Math.floor(this.#page / MEASURES.row) - OVERLAP), at = this.#row < 0 ? Math.ceil(this.#first) - 1 : this.#row;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.max(at, 0) + page, PageUp: at - page, Home: 0, End: this.#rows - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.#choose(to);
  }
}

/** @param {HTMLElement} cell @param {import("../table.js").Layout} layout @param {number} c @param {number} scroll */
function place(cell, layout, c, scroll) {
  cell.style.left = layout.lefts[c] - scroll + "px";
  cell.style.width = layout.widths[c] + "px";
}
