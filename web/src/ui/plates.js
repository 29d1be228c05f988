/**
 * What floats above the plots: scale bars, the scale of colours, plates of losses, and a plate for the channel under the pointer where rows are low.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./stage.js").Stage} Stage
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 */
import { bordersIn } from "../axis.js";
import { lossSize, lossTitle } from "../health.js";
import { missingIn } from "../plots/hatch.js";
import { unitOf } from "../signals.js";
import { tickWord } from "../times.js";
import { BAR_PIXELS } from "../view/gain.js";
import { niceAbove, xFromTicks } from "../view/scale.js";
import { round, short } from "../words.js";
import { byId, el, fill, hint, say, sign } from "./dom.js";
import { LOW_ROWS } from "./gutter.js";
import { hoveredWords } from "./readout.js";

/** Plates of losses shown at once. */
const MOST_PLATES = 3;

/** Half of the width of a plate: losses nearer to each other share one, that of the longest. CSS pixels. */
const PLATE_HALF = 120;

/** Widest plate of the channel under the pointer, as in plates.css. CSS pixels. */
const HOVER = 210;

/** Lines of borders shown at once, and of notes. */
const MOST_BORDERS = 200, MOST_MARKS = 60;

export class Plates {
  #losses = byId("losses");
  #bar = byId("scalebar");
  #line = el("i", { class: "bars" });
  #high = el("span", { class: "high" });
  #wide = el("span", { class: "wide" });
  #heat = byId("heatscale");
  #heatLow = el("span");
  #heatMiddle = el("span");
  #heatHigh = el("span");
  #hover = byId("hover");
  #hoverName = el("b");
  #hoverValue = el("span");
  /** Plates by what they are about. @type {Map<string, HTMLElement>} */
  #plates = new Map();
  /** @type {HTMLElement[]} */
  #borders = [];
  /** @type {HTMLElement[]} */
  #marks = [];

  /** @param {State} state @param {Stage} stage */
  constructor(state, stage) {
    this.state = state;
    this.stage = stage;
    fill(this.#bar, this.#line, this.#high, this.#wide);
    fill(this.#heat, el("i", { class: "shades" }), el("div", null, this.#heatLow, this.#heatMiddle, this.#heatHigh));
    fill(this.#hover, this.#hoverName, this.#hoverValue);
    state.on(["view", "streams", "active"], () => {
      this.#placeLosses();
      this.#placeBorders();
    });
    state.on(["view", "active", "marks"], () => this.#placeMarks());
    state.onSeldom(["view", "gain", "active", "rows", "data"], () => this.#placeBars());
    state.on(["cursor", "view", "rows"], () => this.#placeHover());
  }

  #placeLosses() {
    const { state } = this, row = state.traces ?? state.active, info = row ? state.entry(row.id).info : null, { width } = this.stage;
    const placed = /** @type {number[]} */ ([]), seen = new Map();
    for (const span of info && !state.platesClosed.has(info.id) ? missingIn(info.coverage, state.view).sort((a, b) => b.to - b.from - (a.to - a.from)) : []) {
      const middle = (Math.max(0, xFromTicks(span.from, state.view, width)) + Math.min(width, xFromTicks(span.to, state.view, width))) / 2;
      const x = Math.round(Math.max(PLATE_HALF, Math.min(width - PLATE_HALF, middle))), key = `${info?.id} ${span.kind} ${span.from}`; // inside the plots
      if (placed.some((p) => Math.abs(p - x) < 2 * PLATE_HALF)) continue;
      if (placed.push(x) > MOST_PLATES) break;
      seen.set(key, { span, x });
    }
    for (const [key, plate] of this.#plates) {
      if (seen.has(key)) continue;
      plate.remove();
      this.#plates.delete(key);
    }
    for (const [key, { span, x }] of seen) {
      const plate = this.#plates.get(key) ?? this.#loss(key, span.kind, /** @type {StreamInfo} */ (info).id), [title, size] = plate.children;
      say(title, lossTitle(span, /** @type {StreamInfo} */ (info)));
      say(size, lossSize(span, /** @type {StreamInfo} */ (info)));
      plate.style.transform = `translate(calc(${x}px - 50%), -50%)`;
    }
  }

  /** Lines where the clock begins anew; the ruler has the times. */
  #placeBorders() {
    const { state, stage } = this, row = state.traces ?? state.active;
    const places = row ? bordersIn(state.entry(row.id).info, state.view).slice(0, MOST_BORDERS) : [];
    while (this.#borders.length < places.length) this.#borders.push(this.#losses.appendChild(el("i", { class: "anew" })));
    this.#borders.forEach((line, i) => {
      line.hidden = i >= places.length;
      if (!line.hidden) line.style.left = Math.round(xFromTicks(places[i].place, state.view, stage.width)) + "px";
    });
  }

  /** Notes: a line each, with its words. */
  #placeMarks() {
    const { state, stage } = this, { view, marks } = state;
    const seen = marks.list.filter(({ at }) => at >= view.from && at < view.to).slice(0, MOST_MARKS);
    while (this.#marks.length < seen.length) this.#marks.push(this.#losses.appendChild(el("div", { class: "taken" }, el("span"))));
    this.#marks.forEach((line, i) => {
      line.hidden = i >= seen.length;
      if (line.hidden) return;
      say(/** @type {Element} */ (line.firstElementChild), seen[i].text);
      line.style.transform = `translateX(${Math.round(xFromTicks(seen[i].at, view, stage.width))}px)`;
    });
  }

  /** @param {string} key @param {string} kind @param {string} stream */
  #loss(key, kind, stream) {
    const plate = el("div", { class: "loss " + kind }, el("b"), el("span"), el("button", { type: "button", class: "close", "aria-label": "Close the plates of this stream", title: "Close the plates of this stream; Health has them all", tabindex: "-1", onclick: () => this.state.togglePlates(stream) }, sign("close")));
    this.#plates.set(key, plate);
    this.#losses.append(plate);
    return plate;
  }

  #placeBars() {
    const { state, stage } = this, shown = stage.traces.hidden ? null : stage.traces.shown(), heat = state.mode !== "traces";
    const seen = shown !== null && shown.columns.length > 0 && shown.info.rows > 0;
    this.#bar.hidden = !seen || heat || !state.gain.has(shown.row.key);
    this.#placeHeat(seen && heat ? shown : null);
    if (this.#bar.hidden || !shown) return;
    const hz = state.hz || 1, perPixel = (state.view.to - state.view.from) / hz / stage.width;
    const time = niceAbove(perPixel * 40) * (niceAbove(perPixel * 40) / perPixel > 90 ? 0.5 : 1);
    this.#line.style.width = Math.round(Math.max(8, time / perPixel)) + "px";
    this.#line.style.height = BAR_PIXELS + "px";
    say(this.#high, round(/** @type {number} */ (state.gain.get(shown.row.key)), unitOf(shown.info.columns[shown.columns[0]])));
    say(this.#wide, state.hz > 0 ? round(time, "s") : `${short(time)} ${tickWord(shown.info)}${time === 1 ? "" : "s"}`);
  }

  /** @param {import("./traces.js").Shown | null} shown */
  #placeHeat(shown) {
    const { state } = this, top = shown ? state.heatTop.get(shown.row.key + state.mode) : undefined;
    this.#heat.hidden = !shown || top === undefined;
    if (!shown || top === undefined) return;
    const unit = unitOf(shown.info.columns[shown.columns[0]]), low = state.mode === "mean" ? -top : 0;
    say(this.#heatLow, low === 0 ? "0" : round(low, unit));
    say(this.#heatMiddle, low === 0 ? round(top / 2, unit) : "0");
    say(this.#heatHigh, `${round(top, unit)} ${state.mode === "mean" ? "mean" : "RMS"}`);
    hint(this.#heat, "Shift+0 fits the scale to what is on the screen");
  }

  #placeHover() {
    const { state, stage } = this, pane = stage.traces.all.find(({ key }) => key === state.hoverKey), shown = pane?.shown();
    const low = state.cursor !== null && state.hover !== null && shown && (shown.rowPixels < LOW_ROWS || state.mode !== "traces");
    this.#hover.hidden = !low;
    if (!low || state.cursor === null || !pane) return;
    const { name, value } = hoveredWords(state, pane);
    say(this.#hoverName, name);
    say(this.#hoverValue, value);
    const x = xFromTicks(state.cursor, state.view, stage.width), y = stage.traces.topOf(pane) + (shown.columns.indexOf(/** @type {number} */ (state.hover)) + 0.5) * shown.rowPixels;
    const left = x + 14 + HOVER > stage.width ? x - 14 - HOVER : x + 14;
    this.#hover.style.transform = `translate(${Math.round(left)}px, ${Math.round(Math.max(4, y - 52))}px)`;
  }
}
