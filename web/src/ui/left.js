/**
 * Left side, above: the open streams with their coverage.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Row} Row
 */
import { drawCoverage } from "../plots/hatch.js";
import { findingCounts } from "../health.js";
import { count, percent, rate } from "../words.js";
import { byId, el, fill, hint, say, showShare, sign } from "./dom.js";
import { token } from "./tokens.js";
import { openingWords } from "../sources.js";
import { periodOf, spanOf } from "../times.js";

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
    state.on(["grown"], () => this.#drawStrips());
    new ResizeObserver(() => this.render()).observe(this.#node);
  }

  render() {
    const { state } = this;
    const focused = document.activeElement?.closest("li")?.getAttribute("data-key");
    say(this.#clock, state.info ? (state.info.clock.column ? (state.hz > 0 ? "acquisition clock" : "clock, rate unknown") : "counted in rows") : "");
    document.body.toggleAttribute("data-streams", state.rows.length > 0 || state.opening.size > 0);
    fill(this.#list, ...(state.runs.length > 1 ? state.runs.flatMap((run) => this.#run(run)) : state.rows.map((row) => this.#line(row))), ...this.#openings());
    if (focused) /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-key="${CSS.escape(focused)}"] button`))?.focus();
  }

  /** Of several runs one is looked at; the others are a line each. @param {import("../state.js").Run} run */
  #run(run) {
    const { state } = this, current = state.currentRun?.key === run.key, ids = run.entries.map((e) => e.id), key = "run " + run.key;
    const item = el("li", { class: current ? "run current" : "run", "data-key": key },
      el("button", { type: "button", "aria-expanded": current, title: current ? "The run that is looked at" : "Look at this run: it has a clock of its own", onclick: () => state.selectRun(run.key) },
        el("span", { class: "name" }, run.name), el("span", { class: "note" }, count(ids.length, "stream"))));
    return [item, ...(current ? state.rows.filter((row) => ids.includes(row.id)).map((row) => this.#line(row)) : [])];
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
      this.#drawStrip(row.id, strip);
    });
    return item;
  }

  /** Where a stream has data. @param {string} id @param {HTMLCanvasElement} strip */
  #drawStrip(id, strip) {
    const { state } = this, info = state.entries.get(id)?.info, ctx = strip.getContext("2d");
    if (!info || !ctx) return; // closed meanwhile
    const run = state.isCompanion(id) ? state.run : spanOf(info);
    drawCoverage(ctx, info.coverage, run, strip.width, strip.height, { data: token("faint"), bad: token("bad"), warn: token("warn") }, periodOf(info));
  }

  #drawStrips() {
    for (const item of this.#list.querySelectorAll("li[data-key]")) {
      const row = this.state.rows.find((r) => r.key === item.getAttribute("data-key")), strip = item.querySelector("canvas");
      if (row && strip) this.#drawStrip(row.id, strip);
    }
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
