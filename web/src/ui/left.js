/**
 * Left side: the open streams with their coverage, and the channels of the chosen one.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Row} Row
 * @typedef {import("./traces.js").TracesPlot} TracesPlot
 */
import { MEASURES } from "../measures.js";
import { cssFromRgb } from "../colour.js";
import { drawCoverage } from "../plots/hatch.js";
import { findingCounts } from "../health.js";
import { integer, percent, rate, THIN } from "../words.js";
import { byId, el, fill, hint, say, showShare, sign } from "./dom.js";
import { channelColours, token } from "./tokens.js";
import { openingWords } from "../sources.js";

const LINE = MEASURES.channel;

export class StreamList {
  #node = byId("streams");
  #list = el("ul", { class: "streams" });
  #clock = el("span", { class: "note" });
  /** @type {Map<number, ReturnType<typeof openingLine>>} */
  #pending = new Map();

  /**
   * @param {State} state
   * @param {(id: string) => void} close
   */
  constructor(state, close) {
    this.state = state;
    this.close = close;
    this.#node.append(el("h2", null, "Streams", this.#clock), this.#list);
    state.on(["streams", "active", "theme", "health", "opening"], () => this.render());
    new ResizeObserver(() => this.render()).observe(this.#node);
  }

  render() {
    const { state } = this;
    const focused = document.activeElement?.closest("li")?.getAttribute("data-key");
    say(this.#clock, state.info ? (state.info.clock.column ? (state.hz > 0 ? "acquisition clock" : "clock, rate unknown") : "counted in rows") : "");
    fill(this.#list, ...state.rows.map((row) => this.#line(row)), ...this.#openings());
    if (focused) /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-key="${CSS.escape(focused)}"] button`))?.focus();
  }

  /** Lines of the files that are being opened; a line stays the same element, so that its button can be met. */
  #openings() {
    const before = this.#pending;
    this.#pending = new Map();
    for (const opening of [...this.state.opening.values()].sort((a, b) => a.order - b.order)) {
      const line = before.get(opening.order) ?? openingLine(opening);
      const { words, share } = openingWords(opening.progress);
      say(line.words, share === null ? "opening…" : percent(share));
      hint(line.node, `${opening.name}: ${words}`);
      showShare(line.bar, share);
      this.#pending.set(opening.order, line);
    }
    return [...this.#pending.values()].map((line) => line.node);
  }

  /** @param {Row} row */
  #line(row) {
    const { state } = this;
    const { info } = state.entry(row.id);
    const strip = el("canvas", { class: "strip", "aria-hidden": "true" });
    const note = info.state === "damaged" ? ", damaged" : info.state === "unfinished" ? ", unfinished" : "";
    const beat = /heartbeat/i.test(row.name);
    const item = el("li", { "data-key": row.key, class: row.key === state.activeKey ? "active" : undefined },
      el("button", { type: "button", class: "stream", "aria-pressed": row.key === state.activeKey, title: `${info.path || row.id}${note}`, onclick: () => state.select(row.key) },
        sign(beat ? "beat" : row.kind), el("span", { class: "name" }, row.name), noteOf(row, state.entry(row.id)), strip),
      el("button", { type: "button", class: "close", "aria-label": "Close " + row.name, title: "Close " + row.id, onclick: () => this.close(row.id) }, sign("close")));
    requestAnimationFrame(() => {
      const dpr = globalThis.devicePixelRatio || 1;
      strip.width = Math.max(1, Math.round(strip.clientWidth * dpr));
      strip.height = Math.max(1, Math.round(3 * dpr));
      const ctx = strip.getContext("2d");
      const run = state.isCompanion(row.id) ? state.run : { from: info.clock.first, to: info.clock.last };
      if (ctx) drawCoverage(ctx, info.coverage, run, strip.width, strip.height, { data: token("faint"), bad: token("bad"), warn: token("warn") });
    });
    return item;
  }
}

/** @param {import("../state.js").Opening} opening */
function openingLine(opening) {
  const words = el("span", { class: "note" }), bar = el("progress", { class: "strip", "aria-label": "Opening " + opening.name });
  const node = el("li", { class: "opening", "data-opening": opening.name },
    el("div", { class: "stream" }, sign("file"), el("span", { class: "name" }, opening.name), words, bar),
    el("button", { type: "button", class: "close", "aria-label": "Cancel opening " + opening.name, title: "Cancel", onclick: opening.cancel }, sign("close")));
  return { node, words, bar };
}

/** What is at the end of a line: how far verification is, what it found, or the rate. @param {Row} row @param {import("../state.js").Entry} entry */
function noteOf(row, { verification }) {
  if (verification?.state === "running" && verification.total > 0) return el("span", { class: "note" }, percent(verification.done / verification.total));
  if (verification?.state === "done") {
    const found = findingCounts(verification.report.findings).find((c) => c.severity !== "info");
    if (found) return el("span", { class: "note " + found.grade }, found.words);
  }
  return el("span", { class: "note" }, rateOf(row));
}

/** @param {Row} row */
function rateOf(row) {
  return row.kind === "lanes" ? "events" : rate(row.rateHz);
}

export class ChannelList {
  #node = byId("channels");
  #count = el("span", { class: "note" });
  #scroll = el("div", { class: "scroll", tabindex: "0", role: "listbox", "aria-label": "Channels" });
  #space = el("div", { class: "space" });
  #probe = el("canvas", { class: "probe", "aria-hidden": "true" });
  #body = el("div", { class: "body" }, this.#probe, this.#scroll);
  #shownKey = "";
  /** @type {HTMLElement[]} */
  #pool = [];

  /** @param {State} state @param {TracesPlot} traces */
  constructor(state, traces) {
    this.state = state;
    this.traces = traces;
    this.#scroll.append(this.#space);
    this.#node.append(el("h2", null, "Channels", this.#count), this.#body);
    this.#scroll.addEventListener("scroll", () => this.#lines());
    this.#scroll.addEventListener("click", (event) => this.#click(event));
    this.#scroll.addEventListener("keydown", (event) => this.#key(event));
    this.#probe.addEventListener("pointerdown", (event) => this.#drag(event));
    this.#probe.addEventListener("pointermove", (event) => event.buttons & 1 && this.#drag(event));
    state.on(["rows", "active", "streams", "theme"], () => this.render());
    new ResizeObserver(() => this.render()).observe(this.#scroll);
  }

  render() {
    const row = this.state.traces, shown = this.traces.shown();
    this.#node.hidden = !row || !shown || this.traces.canvas.hidden; // a table, or ticks without traces
    if (!row || !shown || this.#node.hidden) return;
    const n = row.columns.length;
    say(this.#count, shown.window.shown < n ? `${integer(shown.window.shown)} of ${integer(n)} shown` : integer(n) + THIN + "shown");
    this.#space.style.height = n * LINE + "px";
    this.#body.toggleAttribute("data-all", shown.window.shown >= n);
    const key = row.key + ":" + shown.window.first + ":" + shown.window.shown;
    if (key !== this.#shownKey) {
      this.#shownKey = key;
      const active = row.columns.indexOf(this.state.channel.get(row.key) ?? -1) * LINE, { scrollTop, clientHeight } = this.#scroll;
      const keeps = active >= shown.window.first * LINE && active < (shown.window.first + shown.window.shown) * LINE && active >= scrollTop && active < scrollTop + clientHeight;
      if (!keeps) this.#scroll.scrollTop = shown.window.first * LINE; // the list begins where the traces do, unless that hides the chosen channel
    }
    this.#lines();
    this.#drawProbe(n, shown.window);
  }

  /** Only the lines that are seen exist, whatever the number of channels; they are filled anew and never replaced, so that a click meets the line it began on. */
  #lines() {
    const row = this.state.traces;
    if (!row) return;
    const { info } = this.state.entry(row.id);
    const first = Math.max(0, Math.floor(this.#scroll.scrollTop / LINE) - 2);
    const last = Math.min(row.columns.length, first + Math.ceil(this.#scroll.clientHeight / LINE) + 4);
    const colours = channelColours(row.columns.length), active = this.state.channel.get(row.key);
    const depths = depthsOf(info.probe);
    while (this.#pool.length < last - first) {
      const line = el("div", { class: "channel", role: "option" }, el("i", { class: "swatch" }), el("span", { class: "name" }), el("span", { class: "note" }));
      this.#pool.push(line);
      this.#space.append(line);
    }
    this.#pool.forEach((line, k) => {
      const i = first + k, column = info.columns[row.columns[i]];
      line.hidden = i >= last;
      if (i >= last) return;
      const [swatch, name, note] = /** @type {HTMLElement[]} */ ([...line.children]);
      const depth = depths?.get(column.channel);
      line.style.top = i * LINE + "px";
      line.id = "channel-" + i;
      line.dataset.row = String(i);
      hint(line, `${column.name}, ${column.type}`);
      line.setAttribute("aria-selected", String(row.columns[i] === active));
      swatch.style.backgroundColor = cssFromRgb(colours[i]);
      say(name, column.label);
      say(note, depth === undefined ? "" : integer(depth) + THIN + "µm");
    });
    const at = active === undefined ? -1 : row.columns.indexOf(active);
    if (at >= first && at < last) this.#scroll.setAttribute("aria-activedescendant", "channel-" + at);
    else this.#scroll.removeAttribute("aria-activedescendant");
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const line = /** @type {HTMLElement} */ (event.target).closest("[data-row]");
    if (line) this.#choose(Number(line.getAttribute("data-row")));
  }

  /** @param {number} i */
  #choose(i) {
    const row = this.state.traces, shown = this.traces.shown();
    if (!row || !shown || i < 0 || i >= row.columns.length) return;
    this.state.setChannel(row.key, row.columns[i]);
    const { first, shown: n } = shown.window;
    if (i < first || i >= first + n) this.state.setFirstRow(Math.max(0, i - Math.floor(n / 2)));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const row = this.state.traces;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key];
    if (!row || !step) return;
    const at = row.columns.indexOf(this.state.channel.get(row.key) ?? -1);
    this.#choose(Math.max(0, Math.min(row.columns.length - 1, at < 0 ? this.traces.shown()?.window.first ?? 0 : at + step)));
    this.#scroll.scrollTop = Math.max(0, Math.min(this.#scroll.scrollTop, (row.columns.indexOf(this.state.channel.get(row.key) ?? 0)) * LINE));
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
   * All channels as small marks, the shown window outlined.
   * @param {number} n
   * @param {import("../view/viewport.js").RowWindow} window
   */
  #drawProbe(n, window) {
    const dpr = globalThis.devicePixelRatio || 1;
    const canvas = this.#probe, width = canvas.clientWidth, height = canvas.clientHeight;
    if (width === 0 || height === 0) return;
    canvas.width = Math.round(width * dpr);
    canvas.height = Math.round(height * dpr);
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    ctx.scale(dpr, dpr);
    const colours = channelColours(n), pitch = height / n;
    for (let i = 0; i < n; i++) {
      ctx.fillStyle = i >= window.first && i < window.first + window.shown ? cssFromRgb(colours[i]) : token("line-2");
      ctx.fillRect(i % 2 ? 18 : 11, Math.floor(i / 2) * 2 * pitch + pitch * 0.4, 5, Math.max(0.6, pitch * 1.2));
    }
    ctx.strokeStyle = token("accent");
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.roundRect(7.5, Math.max(0.5, window.first * pitch - 1.5), 19, Math.min(height - 1, window.shown * pitch + 3), 3);
    ctx.stroke();
  }
}

/** @type {Map<string, Map<number, number> | null>} */
const probes = new Map();

/**
 * Depths of channels, µm, from probe-interface JSON.
 * @param {string | undefined} json
 * @returns {Map<number, number> | null}
 */
function depthsOf(json) {
  if (!json) return null;
  let depths = probes.get(json);
  if (depths !== undefined) return depths;
  depths = null;
  try {
    const probe = JSON.parse(json)?.probes?.[0];
    const places = probe?.contact_positions, channels = probe?.device_channel_indices;
    if (Array.isArray(places)) depths = new Map(places.map((p, i) => [Number(channels?.[i] ?? i), Number(p[1])]));
  } catch {
    depths = null; // not JSON: a probe we know nothing of
  }
  probes.set(json, depths);
  return depths;
}
