/**
 * Left side, below: the channels of the traces. They are chosen by click, range and name, put in order, and shown or not.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Row} Row
 * @typedef {import("./panes.js").Panes} Panes
 */
import { contactOf, matching, ordersOf, placeWords, rangeOf } from "../channels.js";
import { cssFromRgb } from "../colour.js";
import { MEASURES } from "../measures.js";
import { probeOf } from "../probe.js";
import { count, integer, shortened, THIN } from "../words.js";
import { byId, DrawnFrom, el, fill, fitCanvas, hint, say } from "./dom.js";
import { colourOf, token } from "./tokens.js";

const LINE = MEASURES.channel;

/** The list follows the traces when they have stood still so long, in milliseconds: its lines cost more than they do. */
const RESTED = 100;

/** Lines that PageUp and PageDown move. */
const PAGE = 20;

/** Letters of a name that have room. */
const LETTERS = 24;

const ORDERS = { number: "by number", depth: "by depth", shank: "by shank" };

export class ChannelList {
  #node = byId("channels");
  #count = el("span", { class: "note" });
  #order = el("select", { id: "channel-order", "aria-label": "Order of the channels" });
  #find = el("input", { type: "text", class: "field", id: "channel-find", placeholder: "AP 1?0, 10-20", "aria-label": "Select channels by name or number", title: "Select channels by name or number: 117, 10-20, AP 1?0, *7. Enter shows only these.", spellcheck: "false", autocomplete: "off" });
  #actions = el("p", { class: "actions" });
  #scroll = el("div", { class: "scroll", tabindex: "0", role: "listbox", "aria-label": "Channels", "aria-multiselectable": "true" });
  #space = el("div", { class: "space", role: "presentation" });
  #probe = el("canvas", { class: "probe", "aria-hidden": "true" });
  #body = el("div", { class: "body" }, this.#probe, this.#scroll);
  #shownKey = "";
  #orderKey = "";
  #actionsKey = "";
  /** Where a range begins. */
  #anchor = -1;
  #probeSize = { width: 0, height: 0 };
  #probeOf = new DrawnFrom();
  /** Where the list is scrolled to, and its height: kept, for asking the browser makes it lay out the page in the middle of a frame. */
  #top = 0;
  #height = 0;
  #due = 0;
  #resting = 0;
  #linesOf = new DrawnFrom();
  /** Line i of the list is shown by element i modulo their number, so that scrolling fills only those that come in. @type {HTMLElement[]} */
  #pool = [];
  /** What each element shows. @type {string[]} */
  #filled = [];

  /** @param {State} state @param {Panes} traces */
  constructor(state, traces) {
    this.state = state;
    this.traces = traces;
    this.#scroll.append(this.#space);
    this.#node.append(el("h2", null, "Channels", this.#count), el("div", { class: "find" }, this.#find, this.#order), this.#actions, this.#body);
    this.#scroll.addEventListener("scroll", () => {
      if (this.#due !== 0 || Math.abs(this.#scroll.scrollTop - this.#top) < 1) return; // it was scrolled to there, or will be
      this.#top = this.#scroll.scrollTop;
      this.#lines();
    });
    this.#scroll.addEventListener("click", (event) => this.#click(event));
    this.#scroll.addEventListener("dblclick", () => this.#solo());
    this.#scroll.addEventListener("keydown", (event) => this.#key(event));
    this.#order.addEventListener("change", () => state.arrange(state.tracesKey, { order: /** @type {import("../channels.js").Order} */ (this.#order.value) }));
    this.#find.addEventListener("input", () => this.#findChannels());
    this.#find.addEventListener("keydown", (event) => event.key === "Enter" && this.#solo());
    this.#probe.addEventListener("pointerdown", (event) => this.#drag(event));
    this.#probe.addEventListener("pointermove", (event) => event.buttons & 1 && this.#drag(event));
    state.on(["theme"], () => (this.#filled = []));
    state.on(["rows", "active", "streams", "theme"], () => this.render());
    state.on(["gain"], () => this.#windowKey() !== this.#shownKey && this.render());
    new ResizeObserver(([{ contentRect }]) => {
      this.#height = contentRect.height;
      this.render();
    }).observe(this.#scroll);
    new ResizeObserver(([{ contentRect: { width, height } }]) => { // as it was observed: asking now may give a size that nobody will hear of when it has changed back
      this.#probeSize = { width, height };
      this.render();
    }).observe(this.#probe);
  }

  render() {
    const row = this.state.traces, shown = this.traces.shown();
    this.#node.hidden = !row || !shown || this.traces.hidden; // a table, or ticks without traces
    if (!row || !shown || this.#node.hidden) return;
    const n = row.columns.length;
    say(this.#count, shown.window.shown < row.all.length ? `${integer(shown.window.shown)} of ${integer(row.all.length)} shown` : integer(n) + THIN + "shown");
    this.#space.style.height = n * LINE + "px";
    this.#body.toggleAttribute("data-all", shown.window.shown >= n);
    this.#showOrders(row);
    this.#showActions(row);
    const key = this.#windowKey();
    if (key !== this.#shownKey) {
      this.#shownKey = key;
      clearTimeout(this.#resting);
      this.#resting = setTimeout(() => this.#follow(), RESTED);
    }
    if (this.#due === 0) this.#lines();
    this.#drawProbe(row, shown.window);
  }

  /** The list begins where the traces do, unless that hides the chosen channel. */
  #follow() {
    const row = this.state.traces, window = this.traces.shown()?.window;
    if (!row || !window) return;
    const active = row.columns.indexOf(this.state.channel.get(row.key) ?? -1), top = active * LINE;
    const keeps = active >= window.first && active < window.first + window.shown && top >= this.#top && top < this.#top + this.#height;
    if (!keeps) this.#scrollTo(window.first * LINE);
  }

  /** @param {number} top */
  #scrollTo(top) {
    const rows = this.state.traces?.columns.length ?? 0;
    this.#top = Math.max(0, Math.min(top, rows * LINE - this.#height));
    if (this.#due === 0) this.#due = requestAnimationFrame(() => { // first in the next frame: when nothing has changed yet, the browser needs no layout for it
      this.#due = 0;
      this.#scroll.scrollTop = this.#top;
      this.#lines();
    });
  }

  /** Which channels are on the screen. */
  #windowKey() {
    const row = this.state.traces, shown = this.traces.shown();
    return row && shown ? row.key + ":" + shown.window.first + ":" + shown.window.shown : "";
  }

  /** @param {Row} row */
  #showOrders(row) {
    const { info } = this.state.entry(row.id), orders = ordersOf(info, row), assumed = probeOf(info)?.assumed ?? false;
    const key = row.key + orders.join() + assumed;
    if (key !== this.#orderKey) {
      this.#orderKey = key;
      fill(this.#order, ...orders.map((order) => el("option", { value: order }, ORDERS[order])));
      hint(this.#order, assumed ? "The file does not say which electrodes were connected: depths are those of bank A." : "Order of the channels");
    }
    this.#order.hidden = orders.length < 2;
    const { order } = this.state.arrangement(row.key);
    if (this.#order.value !== order) this.#order.value = order;
  }

  /** What can be done with the selected channels, where there is something to do. @param {Row} row */
  #showActions(row) {
    const { state } = this, picked = state.picked.get(row.key) ?? new Set(), { solo, hidden } = state.arrangement(row.key), partial = row.columns.length < row.all.length;
    const alone = solo !== null && row.columns.length === picked.size && row.columns.every((c) => picked.has(c));
    const key = [row.key, picked.size, solo?.size, hidden.size, partial, alone].join();
    if (key === this.#actionsKey) return; // a button that is pressed must stay
    this.#actionsKey = key;
    this.#actions.hidden = picked.size < 2 && !partial;
    const button = (/** @type {string} */ id, /** @type {string} */ words, /** @type {() => void} */ run) => el("button", { type: "button", class: "plain", id, onclick: run }, words);
    fill(this.#actions,
      picked.size > 1 && !alone && button("channels-solo", `Only these ${integer(picked.size)}`, () => state.toggleSolo(row.key, picked)),
      picked.size > 1 && button("channels-hide", "Hide", () => state.hide(row.key, picked)),
      partial && button("channels-all", `Show all ${integer(row.all.length)}`, () => state.showAll(row.key)));
  }

  /** Only the lines that are seen exist, whatever the number of channels; they are filled anew and never replaced, so that a click meets the line it began on. */
  #lines() {
    const row = this.state.traces;
    if (!row) return;
    const { info } = this.state.entry(row.id);
    const first = Math.max(0, Math.floor(this.#top / LINE) - 2);
    const last = Math.min(row.columns.length, first + Math.ceil(this.#height / LINE) + 4);
    const active = this.state.channel.get(row.key), picked = this.state.picked.get(row.key);
    if (!this.#linesOf.differs(first, last, row, info, active, picked, token("bg"))) return;
    while (this.#pool.length < last - first) {
      const line = el("div", { class: "channel", role: "option" }, el("i", { class: "swatch" }), el("span", { class: "name" }), el("span", { class: "note" }));
      this.#pool.push(line);
      this.#space.append(line);
    }
    const seen = new Set();
    for (let i = first; i < last; i++) {
      const k = i % this.#pool.length, column = info.columns[row.columns[i]];
      const selected = picked?.has(column.index) ?? false, chosen = column.index === active;
      const depth = placeWords(info, row, column.index);
      const key = [row.key, i, column.index, column.label, depth, selected, chosen, row.columns.length].join();
      seen.add(k);
      if (this.#filled[k] === key) continue;
      this.#filled[k] = key;
      const line = this.#pool[k], [swatch, name, note] = /** @type {HTMLElement[]} */ ([...line.children]);
      line.hidden = false;
      line.style.top = i * LINE + "px"; // no transform: each would be a layer of its own to the compositor
      line.id = "channel-" + i;
      line.dataset.row = String(i);
      hint(line, `${column.name}, ${column.type}`);
      line.setAttribute("aria-selected", String(selected));
      line.setAttribute("aria-setsize", String(row.columns.length));
      line.setAttribute("aria-posinset", String(i + 1));
      line.toggleAttribute("data-chosen", chosen);
      swatch.style.backgroundColor = cssFromRgb(colourOf(info, row, column.index));
      say(name, shortened(column.label, LETTERS));
      say(note, depth);
    }
    this.#pool.forEach((line, k) => {
      if (seen.has(k) || line.hidden) return;
      line.hidden = true;
      line.removeAttribute("id");
      this.#filled[k] = "";
    });
    const at = active === undefined ? -1 : row.columns.indexOf(active);
    if (at >= first && at < last) this.#scroll.setAttribute("aria-activedescendant", "channel-" + at);
    else this.#scroll.removeAttribute("aria-activedescendant");
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const line = /** @type {HTMLElement} */ (event.target).closest("[data-row]");
    if (line) this.#choose(Number(line.getAttribute("data-row")), event.shiftKey, event.ctrlKey || event.metaKey);
  }

  /**
   * @param {number} i  line
   * @param {boolean} range  from the line chosen before to this one
   * @param {boolean} [toggle]  this one besides the others
   */
  #choose(i, range, toggle = false) {
    const { state } = this, row = state.traces, shown = this.traces.shown();
    if (!row || !shown || i < 0 || i >= row.columns.length) return;
    const column = row.columns[i], before = state.picked.get(row.key) ?? new Set();
    if (range) state.pick(row.key, rangeOf(row.columns, this.#anchor < 0 ? column : this.#anchor, column), column);
    else if (toggle) {
      const next = new Set(before);
      if (!next.delete(column)) next.add(column);
      state.pick(row.key, next, next.has(column) ? column : undefined);
    } else state.setChannel(row.key, column);
    if (!range) this.#anchor = column;
    const { first, shown: n } = shown.window;
    if (i < first || i >= first + n) state.setFirstRow(Math.max(0, i - Math.floor(n / 2)));
  }

  /** Selects what was typed, and brings the first of it on the screen. */
  #findChannels() {
    const { state } = this, row = state.traces, shown = this.traces.shown();
    if (!row || !shown) return;
    const found = matching(state.entry(row.id).info, row.columns, this.#find.value);
    this.#find.toggleAttribute("aria-invalid", found.length === 0 && this.#find.value.trim() !== "");
    state.pick(row.key, found);
    if (found.length === 0) return;
    const i = row.columns.indexOf(found[0]), { first, shown: n } = shown.window;
    if (i < first || i >= first + n) state.setFirstRow(Math.max(0, Math.min(i - 2, row.columns.length - n)));
    this.#scrollTo((i - 2) * LINE);
    state.said(`${count(found.length, "channel")} selected.`);
  }

  #solo() {
    const { state } = this, picked = state.picked.get(state.tracesKey);
    if (picked?.size) state.toggleSolo(state.tracesKey, picked);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { state } = this, row = state.traces;
    if (!row || event.altKey) return;
    const at = row.columns.indexOf(state.channel.get(row.key) ?? -1), last = row.columns.length - 1;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -last, End: last }[event.key];
    const held = event.ctrlKey || event.metaKey;
    if (step && !held) {
      this.#choose(Math.max(0, Math.min(last, at < 0 ? this.traces.shown()?.window.first ?? 0 : at + step)), event.shiftKey);
      const line = row.columns.indexOf(state.channel.get(row.key) ?? 0) * LINE;
      if (line < this.#top || line + LINE > this.#top + this.#height) this.#scrollTo(line - this.#height / 2);
    } else if (event.key === "Enter") this.#solo();
    else if (event.key === "Delete") state.hide(row.key, state.picked.get(row.key) ?? []);
    else if (held && event.key.toLowerCase() === "a") state.pick(row.key, row.columns, at < 0 ? undefined : row.columns[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const shown = this.traces.shown();
    if (!shown) return;
    this.#probe.setPointerCapture(event.pointerId);
    const share = event.offsetY / this.#probe.clientHeight;
    this.state.setFirstRow(Math.round(Math.min(Math.max(0, share * shown.window.total - shown.window.shown / 2), shown.window.total - shown.window.shown)));
  }

  /**
   * All channels that are not hidden as small marks, in two columns or a column a shank, the shown window outlined.
   * @param {Row} row
   * @param {import("../view/viewport.js").RowWindow} window
   */
  #drawProbe(row, window) {
    const { info } = this.state.entry(row.id);
    if (this.#probeSize.width === 0 || this.#probeSize.height === 0 || !this.#probeOf.differs(this.#probeSize, info, row.columns, window.first, window.shown, globalThis.devicePixelRatio, token("accent"))) return;
    const { ctx, width, height } = fitCanvas(this.#probe, this.#probeSize);
    ctx.clearRect(0, 0, width, height);
    const n = row.columns.length, pitch = height / n;
    const shanks = row.alongProbe ? probeOf(info)?.shanks ?? 1 : 1, lanes = Math.max(2, shanks), lane = 14 / lanes;
    row.columns.forEach((column, i) => {
      const contact = shanks > 1 ? contactOf(info, row, column) : undefined, x = contact ? contact.shank % lanes : i % 2;
      ctx.fillStyle = i >= window.first && i < window.first + window.shown ? cssFromRgb(colourOf(info, row, column)) : token("line-2");
      ctx.fillRect(10.5 + x * lane, (shanks > 1 ? i : Math.floor(i / 2) * 2 + 0.4) * pitch, lane - 1.5, Math.max(0.6, pitch * (shanks > 1 ? 1 : 1.2)));
    });
    ctx.strokeStyle = token("accent");
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.roundRect(7.5, Math.max(0.5, window.first * pitch - 1.5), 19, Math.min(height - 1, window.shown * pitch + 3), 3);
    ctx.stroke();
  }
}
