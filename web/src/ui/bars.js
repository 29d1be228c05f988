/**
 * Top bar and status bar.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./stage.js").Stage} Stage
 */
import { pill } from "../health.js";
import { unitOf } from "../signals.js";
import { bytes, count, parseQuantity, parseSpan, round, short, span, THIN, visible } from "../words.js";
import { byId, el, fill, hint, say, sign } from "./dom.js";
import { openingWords } from "../sources.js";
import { channelWords, drawnWords, readWords, truthWords } from "../status.js";
import { runLength, tickWord } from "../times.js";

/** How long a passing word stays, in milliseconds. */
const MENTIONED = 4000;

/** While the view moves the field with its span says how wide it is so often, in milliseconds: each time costs a layout. */
const TOLD = 400;

export class TopBar {
  #name = el("h1", { class: "run-name" });
  #streams = el("span", { class: "note" });
  #length = el("span", { class: "note" });
  #size = el("span", { class: "note" });
  #pill = el("span", { class: "pill", id: "state" });
  #span = el("input", { type: "text", class: "field", id: "span", size: "9", "aria-label": "Time across the screen", title: "Time across the screen: 1 s, 200 ms, 2 min" });
  #traces = el("button", { type: "button", title: "Traces: A shows all channels at once; H", onclick: () => this.state.setMode("traces") }, "Traces");
  #heat = el("button", { type: "button", title: "How strong each channel is, by time; H", onclick: () => this.state.setMode("rms") }, "Heat map");
  #plots = el("div", { class: "switch", role: "group", "aria-label": "How channels are drawn" }, this.#traces, this.#heat);
  #spacing = el("input", { type: "text", class: "field", id: "spacing", size: "6", "aria-label": "Height of a row of traces", title: "Height of a row: 9 px, or auto for as many as fit; Alt + Shift + wheel" });
  #telling = 0;
  #gain = el("input", { type: "text", class: "field", id: "gain", size: "9", "aria-label": "Gain: what the scale bar, or the last colour, means" });

  /**
   * @param {State} state
   * @param {Stage} stage
   * @param {{ choose: () => void, help: () => void, palette: () => void }} actions
   */
  constructor(state, stage, actions) {
    this.state = state;
    this.stage = stage;
    const side = (/** @type {"left" | "right"} */ which) => {
      const button = el("button", { type: "button", class: "icon fold fold-" + which, "aria-label": which === "left" ? "Streams and channels" : "Cursor, selection, stream, health", "aria-expanded": "false", onclick: () => {
        const open = document.body.toggleAttribute("data-" + which);
        button.setAttribute("aria-expanded", String(open));
      } }, sign(which === "left" ? "list" : "panel"));
      return button;
    };
    fill(byId("tools"), side("left"), this.#plots, this.#span, this.#gain, this.#spacing,
      el("button", { type: "button", id: "find", title: "Every action by name", onclick: actions.palette }, "Find", el("kbd", null, "Ctrl K")),
      el("button", { type: "button", id: "add", onclick: actions.choose }, "Open…"), side("right"),
      el("button", { type: "button", class: "key", id: "help-button", "aria-label": "All keys", onclick: actions.help }, "?"));
    this.#span.addEventListener("change", () => this.#typedSpan());
    this.#gain.addEventListener("change", () => this.#typedGain());
    this.#spacing.addEventListener("change", () => this.#typedSpacing());
    for (const field of [this.#span, this.#gain, this.#spacing]) {
      field.addEventListener("input", () => field.removeAttribute("aria-invalid")); // until it is left it may be right
      field.addEventListener("blur", () => { // what is shown is true again, whatever was typed
        field.removeAttribute("aria-invalid");
        clearTimeout(this.#telling);
        this.#telling = 0;
        this.#fields();
      });
    }
    state.on(["streams", "grown", "active"], () => this.#facts());
    state.onSeldom(["view", "gain", "active", "rows"], () => this.#fields());
  }

  #facts() {
    const { state } = this;
    const current = state.currentRun, infos = (current?.entries ?? []).map((e) => e.info);
    const info = state.info;
    document.title = info ? visible(`${current?.name ?? info.id} · Oniscope`) : "Oniscope";
    fill(byId("run"), ...(info ? [this.#name, this.#streams, this.#length, this.#size, this.#pill] : []));
    if (!info) return;
    const run = state.run;
    say(this.#name, current?.name ?? info.id);
    hint(this.#name, info.path);
    say(this.#streams, count(infos.length, "stream"));
    say(this.#length, info.rows > 0 ? runLength(run.to - run.from, state.hz, info) : "no rows");
    say(this.#size, bytes(infos.reduce((sum, i) => sum + i.size_bytes, 0)));
    const verdict = pill(infos);
    say(this.#pill, verdict.text);
    this.#pill.className = "pill " + verdict.grade;
  }

  #fields() {
    const { state } = this;
    this.#span.hidden = !state.active;
    if (this.#telling === 0) this.#tellSpan();
    const shown = this.stage.traces.shown();
    this.#spacing.hidden = !shown || this.stage.traces.hidden;
    this.#plots.hidden = !shown || this.stage.traces.hidden;
    this.#traces.setAttribute("aria-pressed", String(state.mode === "traces"));
    this.#heat.setAttribute("aria-pressed", String(state.mode !== "traces"));
    if (document.activeElement !== this.#spacing && shown) write(this.#spacing, `${short(shown.rowPixels, 3)}${THIN}px`);
    const scale = state.scaleOf();
    this.#gain.hidden = !shown || this.stage.traces.hidden || scale === undefined;
    hint(this.#gain, state.mode === "traces" ? "What the 40 px scale bar means; Alt + wheel" : "What the last colour means; Alt + wheel");
    if (document.activeElement !== this.#gain && scale) write(this.#gain, round(scale, this.#unit()));
  }

  #tellSpan() {
    const { view, hz, info } = this.state, words = hz > 0 ? span((view.to - view.from) / hz) : count(Math.round(view.to - view.from), info ? tickWord(info) : "tick");
    if (document.activeElement === this.#span || this.#span.value === words) return;
    this.#span.value = words;
    this.#telling = setTimeout(() => {
      this.#telling = 0;
      this.#tellSpan();
    }, TOLD);
  }

  #typedSpacing() {
    const pixels = parseQuantity(this.#spacing.value.replace(/px$/, ""), ""), auto = /^\s*auto\s*$/i.test(this.#spacing.value);
    this.#spacing.toggleAttribute("aria-invalid", !auto && !(pixels > 0));
    if (!auto && !(pixels > 0)) return;
    this.state.setSpacing(auto ? undefined : pixels);
    this.#spacing.blur();
  }

  #unit() {
    const traces = this.state.traces;
    return traces ? unitOf(this.state.entry(traces.id).info.columns[traces.columns[0]]) : "";
  }

  #typedSpan() {
    const { state } = this, { view, hz } = state;
    const text = this.#span.value.replace(/ticks?|rows?/i, "");
    const ticks = hz > 0 ? parseSpan(text) * hz : parseQuantity(text, "");
    this.#span.toggleAttribute("aria-invalid", !(ticks > 0));
    if (!(ticks > 0)) return;
    const middle = (view.from + view.to) / 2;
    state.setView({ from: middle - ticks / 2, to: middle + ticks / 2 });
    this.#span.blur();
    state.changed("view");
  }

  #typedGain() {
    const gain = parseQuantity(this.#gain.value, this.#unit());
    this.#gain.toggleAttribute("aria-invalid", !(gain > 0));
    if (!(gain > 0)) return;
    this.state.setScale(gain);
    this.#gain.blur();
  }
}

/** Sets what a field shows, where it differs: setting costs a layout. @param {HTMLInputElement} field @param {string} words */
function write(field, words) {
  if (field.value !== words) field.value = words;
}

export class StatusBar {
  #opening = el("span", { id: "status-opening" });
  #openingWords = el("span");
  #openingCancel = el("button", { type: "button", class: "plain", id: "opening-cancel", onclick: () => this.state.opening.forEach((o) => o.cancel()) }, "Cancel");
  #drawn = el("span", { id: "status-drawn" });
  #channels = el("span");
  #read = el("span", { id: "status-read" });
  #engine = el("span", { id: "status-engine" });
  #whole = el("span", { id: "status-overview" });
  #exact = el("span", { id: "status-exact" });
  #version = el("span", { id: "status-version" });
  #mentioned = el("span", { id: "status-mentioned" });
  #forget = 0;
  #asking = false;
  #lastAsked = 0;

  /** @param {State} state @param {Stage} stage @param {{ words: string }} overview */
  constructor(state, stage, overview) {
    this.state = state;
    this.stage = stage;
    this.overview = overview;
    byId("status").append(this.#version, this.#opening, this.#mentioned, this.#drawn, this.#channels, this.#read, this.#engine, el("span", { class: "end" }), this.#whole, this.#exact);
    state.onSeldom(["data", "view", "rows", "active", "streams", "progress"], () => this.#show());
    state.on(["opening", "health"], () => this.#showWork());
    state.on(["progress", "streams", "grown", "health"], () => void this.refresh());
  }

  /** Says something for a few seconds. @param {string} words */
  mention(words) {
    say(this.#mentioned, words);
    clearTimeout(this.#forget);
    this.#forget = setTimeout(() => say(this.#mentioned, ""), MENTIONED);
  }

  /** What is being opened or verified, first in the bar. */
  #showWork() {
    const opening = [...this.state.opening.values()].sort((a, b) => a.order - b.order);
    const others = opening.length > 1 ? ` (and ${count(opening.length - 1, "other")})` : "";
    say(this.#openingWords, opening.length > 0 ? `${opening[0].name}${others}: ${openingWords(opening[0].progress).words}` : "");
    if (opening.length === 0) fill(this.#opening);
    else if (!this.#opening.firstChild) fill(this.#opening, this.#openingWords, this.#openingCancel);
    this.#show();
  }

  #show() {
    const open = this.state.entries.size > 0, asTable = this.state.tabled;
    const shown = this.stage.traces.hidden ? null : this.stage.traces.shown();
    const layer = asTable ? undefined : shown ? this.stage.traces.active?.newest : this.stage.lower.panels[0]?.loader.layers[0];
    const stride = shown ? Math.min(...shown.columns.map((c) => shown.info.columns[c].stride)) : 1; // of a slower signal most rows repeat a value
    say(this.#version, open || this.state.opening.size > 0 ? "" : "nothing is uploaded, files stay on your disk");
    say(this.#drawn, !open ? "" : asTable ? "table" : layer ? drawnWords(shown ? this.state.mode : "traces", layer.envelope, stride, shown ? this.#binPixels(layer.envelope) : 1) : "");
    say(this.#channels, open && shown && !asTable ? channelWords(this.stage.traces.all.map((pane) => pane.shown()?.columns.length ?? 0)) : "");
    say(this.#whole, this.overview.words);
    const { calm, error, tableError, tableSettled, traces } = this.stage, main = tableError ?? traces.error;
    say(this.#exact, open ? truthWords({ traces: main, others: error, settled: calm && tableSettled, coarse: layer?.envelope.quality === "coarse" }) : "");
  }

  /** How wide a bin is on the screen, device pixels; 1 where a picture goes on by itself. @param {Partial<import("../protocol.js").Envelope>} envelope */
  #binPixels({ from, to, bins }) {
    const { view } = this.state;
    if (from === undefined || to === undefined || !bins) return 1;
    return ((to - from) / bins / (view.to - view.from)) * this.stage.width * (globalThis.devicePixelRatio || 1);
  }

  /** Asks the engine for its counters, a few times a second at most. */
  async refresh() {
    const wait = this.#lastAsked + 250 - performance.now();
    if (this.#asking) return;
    this.#asking = true;
    try {
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      this.#lastAsked = performance.now();
      const engine = await this.state.client.engine();
      document.documentElement.dataset.bytesRead = String(engine.read);
      const total = [...this.state.entries.values()].reduce((sum, e) => sum + e.info.size_bytes, 0);
      say(this.#read, readWords(engine.read, total, engine.cache_bytes));
      say(this.#engine, total > 0 ? `engine ${bytes(engine.bytes)}` : "");
    } catch {
      say(this.#engine, ""); // a dead engine is announced by its own notice
    } finally {
      this.#asking = false;
    }
  }
}
