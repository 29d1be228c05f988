/**
 * The dialog that saves a part of a stream: which rows and columns, in which format, and how large that will be.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./stage.js").Stage} Stage
 * @typedef {import("../protocol.js").Compression} Compression
 * @typedef {import("../protocol.js").SliceFormat} SliceFormat
 * @typedef {import("../protocol.js").SliceReport} SliceReport
 */
import { estimate } from "../estimate.js";
import { missingText } from "../health.js";
import { isClock } from "../signals.js";
import { bytes, count, integer, span } from "../words.js";
import { choice, closeDialog, codecChoice, dialog, progressLine, showFailure } from "./dialogs.js";
import { download, el, fill, say } from "./dom.js";
import { rowsIn } from "../times.js";

/** Formats, their words, and the extension of the file. @type {[SliceFormat, string, string][]} */
const FORMATS = [["arrow", "Arrow file", "arrow"], ["stream", "Arrow stream", "arrows"], ["csv", "CSV, text", "csv"], ["npy", "NumPy array", "npy"], ["bin", "flat int16, for spike sorters", "bin"]];

/** Types of a flat binary file. */
const SIXTEEN = /^u?int16$/;

/**
 * @param {State} state
 * @param {Stage} stage
 */
export function saveDialog(state, stage) {
  const { selection, info, active: row } = state;
  if (!info || !row || document.getElementById("slice")) return;
  const all = info.columns.map((c) => c.index);
  const sets = columnSets(state, stage);
  const radio = (/** @type {[string, string, number[]]} */ [value, words], /** @type {number} */ i) =>
    el("label", null, el("input", { type: "radio", name: "slice-columns", value, checked: i === sets.length - 1 }), words);
  const format = choice("slice-format", "Format", FORMATS.map(([value, words, extension]) => [value, `${words} (.${extension})`]));
  const codec = codecChoice("slice-codec", `as in the file (${info.compression || "none"})`);
  const physical = check("slice-physical", "values in physical units"), unique = check("slice-unique", "slow signals at their own rate: a row for each value");
  const size = el("span", { id: "slice-size" }), rowsWords = el("span", { id: "slice-rows" }), out = el("div", { class: "outcome", "aria-live": "polite" });
  const abort = new AbortController();
  const save = el("button", { type: "button", class: "primary", id: "slice-save" }, "Save");
  const cancel = el("button", { type: "button", onclick: closeDialog }, "Cancel");
  /** Rows as they are known: about, until the engine has counted. @type {{ start: number, end: number } | null} */
  let exact = selection ? null : { start: 0, end: info.rows };
  const columnsNow = () => {
    const value = /** @type {HTMLInputElement | null} */ (node.querySelector("input[name=slice-columns]:checked"))?.value;
    return sets.find(([v]) => v === value)?.[2] ?? all;
  };
  const node = dialog((selection ? "Save a part of " : "Save ") + info.id, "slice",
    el("p", { class: "hint" }, rowsWords),
    el("fieldset", null, el("legend", null, "Columns"), ...sets.map(radio)),
    el("div", { class: "choices" }, format.node, codec.node, physical.node, unique.node),
    el("p", { class: "estimate" }, el("span", { class: "note" }, "Size"), size),
    out, el("p", { class: "actions" }, save, cancel));
  format.select.addEventListener("change", () => { // spike sorters want one signal
    const signal = /** @type {HTMLInputElement | null} */ (node.querySelector("input[value=signal]"));
    if (format.select.value === "bin" && signal && columnsNow().length === all.length) signal.checked = true;
    update();
  });
  const update = () => {
    const kind = /** @type {SliceFormat} */ (format.select.value), columns = kind === "bin" ? columnsNow().filter((c) => SIXTEEN.test(info.columns[c].type)) : columnsNow();
    codec.node.hidden = kind !== "arrow" && kind !== "stream";
    physical.node.hidden = !["csv", "npy"].includes(kind) || !columns.some((c) => info.columns[c].scale !== 0);
    unique.node.hidden = !columns.some((c) => info.columns[c].stride > 1);
    const words = kind === "npy" ? columns.filter((c) => info.columns[c].bytes === 0) : [];
    const impossible = kind === "bin" && columns.length === 0 ? "None of these columns has 16-bit values." : words.length > 0 ? `A NumPy array cannot hold ${info.columns[words[0]].name} (${info.columns[words[0]].type}).` : "";
    save.disabled = impossible !== "";
    const rows = exact ? exact.end - exact.start : selection ? rowsIn(info, selection) : info.rows;
    const length = selection ? (info.clock.hz > 0 ? span((selection.to - selection.from) / info.clock.hz) : count(selection.to - selection.from, info.clock.column ? "tick" : "row")) + " selected: " : "The whole stream: ";
    say(rowsWords, length + (exact && (selection || info.rows_exact) ? `${count(rows, "row")}, ${integer(exact.start)} to ${integer(exact.end)}.` : `about ${count(rows, "row")}.`));
    const guess = estimate(info, { rows, columns, format: kind, compression: /** @type {Compression} */ (codec.select.value), unique: on(unique), physical: on(physical) });
    size.className = impossible ? "bad" : "";
    say(size, impossible || (guess.sure ? "" : "about ") + bytes(guess.bytes));
  };
  /** @type {HTMLElement | null} */ (node.querySelector("input:checked"))?.focus();
  node.addEventListener("input", update);
  node.addEventListener("close", () => abort.abort());
  update();
  if (selection) {
    Promise.all([state.client.row(info.id, selection.from), state.client.row(info.id, selection.to)]).then(([start, end]) => {
      exact = { start, end };
      update();
    }, (error) => showFailure(out, error));
  }
  save.addEventListener("click", async () => {
    save.disabled = true;
    const work = progressLine("Writing…");
    fill(out, work.node);
    const kind = /** @type {SliceFormat} */ (format.select.value), columns = columnsNow();
    const chosen = kind === "bin" ? columns.filter((c) => SIXTEEN.test(info.columns[c].type)) : columns;
    try {
      const { blob, report } = await state.client.slice({
        stream: info.id, ...(selection ? { ticks: /** @type {[number, number]} */ ([selection.from, selection.to]) } : {}), columns: kind !== "bin" && chosen.length === all.length ? undefined : [...chosen].sort((a, b) => a - b),
        format: kind, compression: /** @type {Compression} */ (codec.select.value), unique: on(unique), physical: on(physical),
      }, { signal: abort.signal, onProgress: (p) => work.show(p.done, p.total) });
      const name = `${info.id}_${report.start}-${report.end}`, extension = FORMATS.find(([f]) => f === kind)?.[2];
      download(blob, `${name}.${extension}`);
      if (report.layout) download(new Blob([JSON.stringify(report.layout, null, 2) + "\n"], { type: "application/json" }), name + ".json");
      fill(out, ...saved(report));
      cancel.textContent = "Close";
    } catch (error) {
      showFailure(out, error);
    }
    update();
  });
}

/**
 * Which columns can be asked for: value, words, indices; the last is chosen at first. Clocks go along.
 * @param {State} state
 * @param {Stage} stage
 * @returns {[string, string, number[]][]}
 */
function columnSets(state, stage) {
  const info = state.info, row = state.active;
  if (!info || !row) return [];
  const clocks = info.columns.filter(isClock).map((c) => c.index);
  const withClocks = (/** @type {number[]} */ columns) => [...new Set([...columns, ...clocks])];
  const shown = stage.traces.shown(), channel = state.channel.get(row.key);
  /** @type {[string, string, number[]][]} */
  const sets = [];
  const picked = [...state.picked.get(row.key) ?? []];
  if (picked.length > 1) sets.push(["picked", `the ${count(picked.length, "channel")} selected`, withClocks(picked)]);
  if (channel !== undefined && row.all.length > 1) sets.push(["channel", `${info.columns[channel].label} only`, withClocks([channel])]);
  if (row.key === state.tracesKey && shown && shown.columns.length < row.columns.length) sets.push(["shown", `the ${count(shown.columns.length, "channel")} on the screen`, withClocks(shown.columns)]);
  if (row.columns.length < row.all.length) sets.push(["arranged", `the ${count(row.columns.length, "channel")} that ${row.columns.length === 1 ? "is" : "are"} not hidden`, withClocks(row.columns)]);
  if (withClocks(row.all).length < info.columns.length) sets.push(["signal", `all of ${row.group || row.name} (${count(row.all.length, "channel")})`, withClocks(row.all)]);
  sets.push(["all", `all ${count(info.columns.length, "column")}`, info.columns.map((c) => c.index)]);
  return sets;
}

/** @param {string} id @param {string} words */
function check(id, words) {
  const input = el("input", { type: "checkbox", id });
  return { input, node: el("label", null, input, words) };
}

/** @param {ReturnType<typeof check>} box */
function on({ input, node }) {
  return !node.hidden && input.checked;
}

/** @param {SliceReport} report */
function saved(report) {
  const lost = report.lost_rows > 0 || report.findings.length > 0;
  return [el("p", { class: "ok" }, `Saved ${count(report.rows, "row")} (${integer(report.start)} to ${integer(report.end)}), ${count(report.columns.length, "column")}, ${bytes(report.bytes)}.`),
    ...(lost ? [el("p", { class: "warn" }, `${count(report.findings.length, "batch", "batches")} could not be read and ${report.findings.length === 1 ? "is" : "are"} not in it${report.lost_rows > 0 ? `: ${count(report.lost_rows, "row")}` : ""}.`)] : []),
    ...(report.gaps.length > 0 ? [el("p", { class: "warn" }, missingText(report.gaps, report.rows))] : [])];
}
