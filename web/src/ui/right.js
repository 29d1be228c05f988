/**
 * Right side: what is under the cursor, what is selected, what the stream is, and how it is.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("./stage.js").Stage} Stage
 * @typedef {{ save: () => void, setClock: (hz: number) => void, setTimeColumn: (id: string, column: string) => void, setGain: (id: string, group: string, gain: number) => void } & import("./healthpanel.js").Actions} Actions
 */
import { clockAt, secondsAt, stretchAt } from "../axis.js";
import { decimalsOf, niceAbove } from "../view/scale.js";
import { bytes, count, integer, moment, parseQuantity, quantity, rate, round, short, shortened, span, wallTime } from "../words.js";
import { physicalFromRaw, unitOf } from "../signals.js";
import { byId, el, fill, say } from "./dom.js";
import { HealthPanel } from "./healthpanel.js";
import { slowValuesAt, valueAt } from "./readout.js";
import { hasEvents } from "../moves.js";
import { periodOf, rowsIn, tickWord } from "../times.js";

/** Cells of a chosen row that are repeated in full. */
const MOST_CELLS = 24;

/** Letters of the name of a value. */
const LETTERS = 20;

/** Characters of a value of the metadata that are shown. */
const LONGEST_FACT = 80;

/** Lines of a list of facts. @param {[string, string | Node][]} facts */
function factList(facts) {
  return el("dl", null, ...facts.filter(([, value]) => value !== "").map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
}

export class Inspector {
  #cursor = el("section", { id: "cursor-panel" });
  /** Names of the facts that are there: while they are the same, only words change. */
  #cursorNames = "";
  /** As many as there have been: what is below stays where it is while the pointer goes from one plot to another. */
  #lines = 5;
  #selection = el("section", { id: "selection-panel" });
  #selected = el("div");
  #save = el("button", { type: "button", onclick: () => this.actions.save() });
  #clear = el("button", { type: "button", onclick: () => this.state.setSelection(null) }, "Clear");
  #stream = el("section", { id: "stream-panel" });
  #metadataOpen = false;

  /** @param {State} state @param {Stage} stage @param {Actions} actions */
  constructor(state, stage, actions) {
    this.state = state;
    this.stage = stage;
    this.actions = actions;
    byId("right").append(this.#cursor, this.#selection, this.#stream, new HealthPanel(state, actions).node);
    state.on(["cursor", "active", "streams"], () => this.#showCursor());
    state.onSeldom(["data"], () => this.#showCursor());
    state.on(["selection", "active", "streams"], () => this.#showSelection());
    state.on(["active", "streams"], () => this.#showStream());
    state.on(["grown"], () => this.#showGrown());
  }

  /** Decimals that the present zoom justifies. */
  #decimals() {
    const { view, hz } = this.state;
    return Math.min(6, decimalsOf(niceAbove((view.to - view.from) / Math.max(1, hz) / this.stage.width)) + 1);
  }

  #showCursor() {
    const { state } = this;
    const at = state.cursor, info = state.traces ? state.entry(state.traces.id).info : state.info;
    if (!info || at === null) {
      const names = info ? "-" : "";
      if (names === this.#cursorNames) return;
      this.#cursorNames = names;
      fill(this.#cursor, ...(info ? [el("h2", null, "Cursor"), el("p", { class: "hint" }, "Point at the traces, or press Ctrl with ← or →, to read time and value.")] : []));
      return;
    }
    const hz = state.hz;
    /** @type {[string, string][]} */
    const facts = [];
    const chosen = this.stage.table?.chosen;
    if (hz > 0) facts.push(["time", moment(secondsAt(info, at), this.#decimals())]);
    const read = chosen ? null : valueAt(state, this.stage);
    if (chosen) facts.push(["row", integer(chosen.row)]);
    else if (read?.row !== undefined) facts.push(["row", (info.rows_exact ? "" : "about ") + integer(read.row)]);
    facts.push([info.clock.column ? "clock" : "row", integer(clockAt(info, at))]);
    const segment = (info.axis?.length ?? 0) > 1 ? 1 + info.axis.indexOf(/** @type {import("../protocol.js").Stretch} */ (stretchAt(info, at))) : 0;
    if (segment > 0) facts.push(["segment", `${integer(segment)} of ${integer(info.axis.length)}`]);
    const wall = wallClock(info, at);
    if (wall) facts.push(["wall time", wall]);
    if (read?.column) facts.push([shortened(read.column.label, LETTERS), read.words]);
    if (!chosen) facts.push(...slowValuesAt(state, this.stage).map(([name, value]) => /** @type {[string, string]} */ ([shortened(name, LETTERS), value])));
    for (const [column, text] of chosen?.cells.filter(([c]) => c.name !== "Clock").slice(0, MOST_CELLS) ?? []) facts.push([shortened(column.label, LETTERS), cellWords(column, text)]);
    const told = facts.filter(([, value]) => value !== ""), names = told.map(([name]) => name).join("\n");
    if (names !== this.#cursorNames) {
      fill(this.#cursor, el("h2", null, "Cursor"), factList(told));
      this.#lines = Math.max(this.#lines, chosen ? 0 : told.length);
      this.#cursor.style.minHeight = `calc(${this.#lines} * 18px + 50px)`;
    }
    this.#cursorNames = names;
    const values = this.#cursor.querySelectorAll("dd");
    told.forEach(([, value], i) => say(values[i], value));
  }

  #showSelection() {
    const { state } = this;
    const selection = state.selection, info = state.info;
    if (!info) {
      fill(this.#selection);
      return;
    }
    if (!this.#selection.contains(this.#save)) fill(this.#selection, el("h2", null, "Selection"), this.#selected, el("p", { class: "actions" }, this.#save, this.#clear)); // which stay, as those of Health do
    this.#save.id = selection ? "save-slice" : "save";
    this.#save.className = selection ? "primary" : "";
    say(this.#save, selection ? "Save…" : "Save stream…");
    this.#clear.hidden = !selection;
    if (!selection) {
      fill(this.#selected, el("p", { class: "hint" }, "Drag on the ruler, or press I and O at the cursor, to select a span."));
      return;
    }
    const hz = state.hz, length = selection.to - selection.from;
    const rows = rowsIn(info, selection);
    /** @type {[string, string][]} */
    const facts = hz > 0
      ? [["from", moment(secondsAt(info, selection.from), Math.max(3, this.#decimals()))], ["length", span(length / hz)], ["rows", "about " + integer(rows)], ["1/length", quantity(hz / length, "Hz")]]
      : [["from", integer(clockAt(info, selection.from))], ["length", count(Math.round(length), tickWord(info))], ["rows", "about " + integer(rows)]];
    fill(this.#selected, factList(facts));
  }

  #showStream() {
    const info = this.state.info, row = this.state.active;
    if (!info || !row) {
      fill(this.#stream);
      return;
    }
    const [rows, batches, size] = this.#grownFacts(info);
    /** @type {[string, string | Node][]} */
    const facts = [["file", el("span", { title: info.path }, info.path.split("/").pop() || info.id)], ["device", deviceOf(info)], ["probe", probeName(info)], ["rate", rateWords(info, row.rateHz, info.columns[row.columns[0]]?.stride ?? 1)], ["gain", this.#gainField(info, row) ?? gains(info)],
      rows, ["columns", integer(info.columns.length)], batches,
      ["codec", info.compression || "none"], size, ["started", started(info)],
      ["clock", info.clock.hz > 0 ? rate(info.clock.hz) : info.clock.column ? this.#rateField() : info.time_columns?.length > 0 ? "" : "none"],
      ["time", info.time_columns?.length > 1 ? this.#timeChoice(info) : info.time_column ?? ""],
      ["simulated", info.simulated ? "yes" : ""]];
    fill(this.#stream, el("h2", null, "Stream"), factList(facts), this.#metadata(info));
  }

  /** What changes of a file while rows come to it. @param {StreamInfo} info @returns {[string, string][]} */
  #grownFacts(info) {
    return [["rows", (info.rows_exact ? "" : "about ") + integer(info.rows)], ["batches", batchWords(info)], ["size", bytes(info.size_bytes)]];
  }

  #showGrown() {
    const { info } = this.state;
    if (!info) return;
    const names = [...this.#stream.querySelectorAll(":scope > dl > div > dt")];
    for (const [name, value] of this.#grownFacts(info)) {
      const place = names.find((node) => node.textContent === name)?.nextElementSibling;
      if (place) say(place, value);
    }
  }

  /** Which column of timestamps is the time. @param {StreamInfo} info */
  #timeChoice(info) {
    const choice = el("select", { id: "time-column", "aria-label": "Column of the time axis" }, ...(info.time_column ? [] : ["rows"]).concat(info.time_columns).map((name, i) => el("option", { value: i === 0 && !info.time_column ? "" : name, selected: name === info.time_column }, name)));
    choice.addEventListener("change", () => {
      if (/** @type {HTMLSelectElement} */ (choice).value) this.actions.setTimeColumn(info.id, /** @type {HTMLSelectElement} */ (choice).value);
    });
    return choice;
  }

  /** What the file says of itself, folded away; open stays open from stream to stream. @param {StreamInfo} info */
  #metadata(info) {
    const entries = Object.entries(info.metadata).sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) return null;
    const details = el("details", { id: "metadata", open: this.#metadataOpen }, el("summary", null, `Metadata, ${count(entries.length, "key")}`),
      factList(entries.map(([key, value]) => [key, value.length > LONGEST_FACT ? el("span", { title: value.slice(0, 2000) }, value.slice(0, LONGEST_FACT) + "…") : value || "empty"])));
    details.addEventListener("toggle", () => (this.#metadataOpen = details.open));
    return details;
  }

  /** A field to type the gain of the amplifier, where the file does not say it. @param {StreamInfo} info @param {import("../state.js").Row} row */
  #gainField(info, row) {
    const group = info.groups.find((g) => g.name === row.group && g.takes_gain);
    if (!group) return null;
    const known = info.columns[group.columns[0]]?.gain ?? 0;
    const field = el("input", { type: "text", id: "amplifier-gain", class: "field", placeholder: "codes", size: "6", "aria-label": `Gain of the ${group.name} amplifier, for instance 500`, title: "The file does not say the gain of its amplifier: with it values are in volts. It is remembered for this file." });
    field.value = known > 0 ? short(known, 6) : "";
    field.addEventListener("change", () => {
      const gain = field.value.trim() === "" ? 0 : parseQuantity(field.value, "");
      field.toggleAttribute("aria-invalid", !(gain >= 0));
      if (gain >= 0) this.actions.setGain(info.id, group.name, gain);
    });
    field.addEventListener("blur", () => {
      if (field.hasAttribute("aria-invalid")) field.value = known > 0 ? short(known, 6) : "";
      field.removeAttribute("aria-invalid");
    });
    return field;
  }

  /** A field to type the rate of the clock, where no file says it. */
  #rateField() {
    const field = el("input", { type: "text", id: "clock-rate", class: "field", placeholder: "250 MHz", size: "9", "aria-label": "Rate of the acquisition clock, for instance 250 MHz", title: "Rate of the acquisition clock. Drop the start-time CSV of the run, or type it." });
    field.addEventListener("change", () => {
      const hz = parseQuantity(field.value, "Hz");
      field.toggleAttribute("aria-invalid", !(hz > 0));
      if (hz > 0) this.actions.setClock(hz);
    });
    field.addEventListener("blur", () => {
      if (field.hasAttribute("aria-invalid")) field.value = "";
      field.removeAttribute("aria-invalid");
    });
    return field;
  }
}

/** @param {StreamInfo} info @param {number} ticks */
function wallClock(info, ticks) {
  const start = Date.parse(info.clock.start_utc);
  if (!info.clock.start_utc || Number.isNaN(start) || !(info.clock.hz > 0)) return "";
  if (info.axis?.length > 1 && ticks >= info.axis[1].from) return ""; // of a clock that began anew nobody knows when
  return wallTime(start / 1000 + secondsAt(info, ticks) - Number(info.clock.start_clock) / info.clock.hz);
}

/** @param {StreamInfo} info */
function deviceOf(info) {
  return info.title + (info.device_address >= 0 && info.title ? `, 0x${info.device_address.toString(16)}` : "");
}

/** @param {StreamInfo} info */
function probeName(info) {
  try {
    return String(JSON.parse(info.probe || "{}")?.probes?.[0]?.annotations?.name ?? "");
  } catch {
    return "";
  }
}

/** A cell of a table, with what it means where the scale is known. @param {ColumnInfo} column @param {string | null} text */
function cellWords(column, text) {
  if (text === null) return "no value";
  const raw = Number(text);
  return column.scale !== 0 && Number.isFinite(raw) && column.plottable && column.bytes <= 4 ? `${text} = ${quantity(physicalFromRaw(column, raw), unitOf(column))}` : text;
}

/** Batches, and how long each is where all but the last are the same. @param {StreamInfo} info */
function batchWords({ batches, rows, rows_per_batch: each }) {
  const last = rows - (batches - 1) * each;
  return each > 0 && batches > 1 && last > 0 && last <= each ? `${integer(batches)} × ${count(each, "row")}` : integer(batches);
}

/** The rate that metadata state, else as measured from the clock. @param {StreamInfo} info @param {number} stated @param {number} stride */
function rateWords(info, stated, stride) {
  if (hasEvents(info)) return "with each event";
  if (stated > 0 && info.segments.length === 0) return rate(stated); // nothing is measured before gaps were looked for
  if (info.clock.hz > 0 && info.rows > 1 && info.clock.column) {
    const measured = info.clock.hz / periodOf(info) / Math.max(1, stride);
    if (!stated) return round(measured, "Hz");
    return Math.abs(measured / stated - 1) > 0.001 ? `${round(stated, "Hz")}, measured ${round(measured, "Hz")}` : round(stated, "Hz");
  }
  return stated ? rate(stated) : info.rows > 1 && info.clock.column ? short(periodOf(info), 6) + " ticks a row" : "";
}

/** @param {StreamInfo} info */
function gains(info) {
  const seen = new Map(info.columns.filter((c) => c.gain > 0).map((c) => [c.group, c.gain]));
  return [...seen].map(([group, gain]) => (seen.size > 1 ? group + " " : "") + short(gain)).join(", ");
}

/** @param {StreamInfo} info */
function started(info) {
  const date = new Date(info.clock.start_utc);
  return info.clock.start_utc && !Number.isNaN(date.getTime()) ? date.toISOString().slice(0, 19).replace("T", " ") + " UTC" : "";
}
