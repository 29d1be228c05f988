/**
 * Dialogs: save a slice, recover a file, all keys. Each is a <dialog>, so Esc closes it and the keyboard stays inside.
 * @typedef {import("../recording.js").Recording} Recording
 * @typedef {import("./stage.js").Stage} Stage
 * @typedef {import("../protocol.js").SliceArgs} SliceArgs
 * @typedef {import("../protocol.js").RecoverReport} RecoverReport
 */
import { bytes, count, integer, regrouped, span, THIN } from "../words.js";
import { download, el, fill } from "./dom.js";
import { BINDINGS } from "./keys.js";
import { announce, asError, explain } from "./notices.js";
import { rowsIn } from "./right.js";

/** @param {string} title @param {string} id @param {...import("./dom.js").Child} body */
function dialog(title, id, ...body) {
  const heading = el("h2", { id: id + "-title" }, title);
  const node = el("dialog", { id, "aria-labelledby": id + "-title" }, heading, ...body);
  node.addEventListener("close", () => node.remove());
  node.addEventListener("click", (event) => event.target === node && node.close());
  document.body.append(node);
  node.showModal();
  return node;
}

/** Shows every key and what it does. */
export function helpDialog() {
  if (document.getElementById("help")) return;
  dialog("All keys", "help",
    el("div", { class: "keys" }, ...BINDINGS.map(([keys, does]) => el("div", null, el("span", { class: "combo" }, ...keys.split(" ").map((k) => el("kbd", null, k))), el("span", null, does)))),
    el("p", { class: "actions" }, el("button", { type: "button", class: "primary", onclick: closeDialog }, "Close")));
}

/** @param {Event} event */
function closeDialog(event) {
  /** @type {HTMLElement} */ (event.currentTarget).closest("dialog")?.close();
}

/**
 * A line with a bar, for work that takes a while.
 * @param {string} words
 */
function progressLine(words) {
  const bar = el("progress", { max: "1", "aria-label": words });
  const text = el("span", null, words);
  const show = (/** @type {number} */ done, /** @type {number} */ total) => {
    bar.value = total > 0 ? done / total : 0;
  };
  return { node: el("div", { class: "work" }, bar, text), show };
}

/**
 * Saves the selected span as an .arrow file.
 * @param {Recording} recording
 * @param {Stage} stage
 */
export function sliceDialog(recording, stage) {
  const selection = recording.selection, info = recording.info, row = recording.active;
  if (!selection || !info || !row) return;
  const shown = stage.traces.shown(), beside = row.key === recording.tracesKey && shown && shown.columns.length < row.columns.length;
  const clocks = info.columns.filter((c) => /clock$/i.test(c.name)).map((c) => c.index);
  const channel = recording.channel.get(row.key);
  /** @type {[string, string, number[] | null][]} */
  const choices = [];
  if (channel !== undefined && row.columns.length > 1) choices.push(["channel", `${info.columns[channel].label} only`, [channel, ...clocks]]);
  if (beside) choices.push(["shown", `the ${count(shown.columns.length, "channel")} on the screen`, [...shown.columns, ...clocks]]);
  if (row.columns.length + clocks.length < info.columns.length) choices.push(["signal", `all of ${row.group} (${count(row.columns.length, "channel")})`, [...row.columns, ...clocks]]);
  choices.push(["all", `all ${count(info.columns.length, "column")}`, null]);
  const radio = (/** @type {[string, string, number[] | null]} */ [value, words], /** @type {number} */ i) =>
    el("label", null, el("input", { type: "radio", name: "slice-columns", value, checked: i === choices.length - 1 }), words);
  const codec = el("select", { id: "slice-codec", "aria-label": "Compression" },
    el("option", { value: "keep" }, `as in the file (${info.compression || "none"})`), el("option", { value: "none" }, "none"), el("option", { value: "zstd" }, "zstd"));
  const out = el("div", { class: "outcome", "aria-live": "polite" });
  const abort = new AbortController();
  const save = el("button", { type: "button", class: "primary", id: "slice-save" }, "Save .arrow");
  const cancel = el("button", { type: "button", onclick: closeDialog }, "Cancel");
  const length = recording.hz > 0 ? span((selection.to - selection.from) / recording.hz) : count(selection.to - selection.from, "tick");
  const node = dialog("Save slice", "slice",
    el("p", { class: "hint" }, `${length} of ${info.id}: about ${count(rowsIn(info, selection), "row")}. Clock columns always go along; types, units and metadata stay as they are.`),
    el("fieldset", null, el("legend", null, "Columns"), ...choices.map(radio)),
    el("fieldset", null, el("legend", null, "Compression"), codec),
    out, el("p", { class: "actions" }, save, cancel));
  node.addEventListener("close", () => abort.abort());
  save.addEventListener("click", async () => {
    save.disabled = true;
    const work = progressLine("Cutting…");
    fill(out, work.node);
    const value = /** @type {HTMLInputElement | null} */ (node.querySelector("input[name=slice-columns]:checked"))?.value;
    const columns = choices.find(([v]) => v === value)?.[2];
    try {
      const { blob, report } = await recording.client.slice(
        { stream: info.id, ...sliceRange(selection, info, recording), columns: columns ? [...columns].sort((a, b) => a - b) : undefined, compression: /** @type {SliceArgs["compression"]} */ (codec.value) },
        { signal: abort.signal, onProgress: (p) => work.show(p.done, p.total) });
      download(blob, `${info.id}_${report.start}-${report.end}.arrow`);
      fill(out, el("p", { class: "ok" }, `Saved ${count(report.rows, "row")} (${integer(report.start)} to ${integer(report.end)}), ${count(report.columns.length, "column")}, ${bytes(report.bytes)}.`));
      cancel.textContent = "Close";
    } catch (error) {
      showFailure(out, error);
    }
    save.disabled = false;
  });
}

/**
 * The selection as the engine takes it: seconds where the clock rate is known, else rows.
 * @param {import("../scale.js").Span} selection
 * @param {import("../protocol.js").StreamInfo} info
 * @param {Recording} recording
 * @returns {{ from: number, to: number } | { start: number, end: number }}
 */
function sliceRange(selection, info, recording) {
  if (info.clock.hz > 0) return { from: selection.from / recording.hz, to: selection.to / recording.hz };
  const before = rowsIn(info, { from: info.clock.first, to: selection.from });
  return { start: before, end: before + rowsIn(info, selection) };
}

/** @param {Element} out @param {unknown} cause */
function showFailure(out, cause) {
  const error = asError(cause);
  if (error.name === "AbortError") {
    fill(out, el("p", null, "Cancelled. Nothing was saved."));
    return;
  }
  const { what, where, next } = explain(error);
  fill(out, el("p", { class: "bad" }, what, where && ` (${where})`), next && el("p", null, next));
}

/**
 * Repairs a file: the copy and its report are downloaded, the outcome is told in words.
 * @param {Recording} recording
 * @param {string} id
 */
export function recoverDialog(recording, id) {
  const { info } = recording.entry(id);
  const out = el("div", { class: "outcome", "aria-live": "polite" });
  const abort = new AbortController();
  const start = el("button", { type: "button", class: "primary", id: "recover-start" }, "Recover");
  const cancel = el("button", { type: "button", onclick: closeDialog }, "Cancel");
  const actions = el("p", { class: "actions" }, start, cancel);
  const node = dialog("Recover " + info.id, "recovery",
    el("p", { class: "hint" }, "Copies every batch that proves intact into a new file that any Arrow reader opens, checks the result, and saves it with a report of what was lost. The original is not touched."),
    out, actions);
  node.addEventListener("close", () => abort.abort());
  start.addEventListener("click", async () => {
    start.disabled = true;
    const work = progressLine("Reading and checking…");
    fill(out, work.node);
    try {
      const { blob, report } = await recording.client.recover({ stream: id }, { signal: abort.signal, onProgress: (p) => work.show(p.done, p.total) });
      const json = new Blob([JSON.stringify(report, null, 2) + "\n"], { type: "application/json" });
      const name = report.output || id + "_recovered.arrow";
      const saveFile = () => download(blob, name), saveReport = () => download(json, name.replace(/\.arrow$/, "") + ".json");
      fill(out, ...outcome(report));
      if (report.outcome !== "failed") saveFile();
      saveReport();
      fill(actions, report.outcome !== "failed" && el("button", { type: "button", onclick: saveFile }, "Save file again"), el("button", { type: "button", onclick: saveReport }, "Save report again"), el("button", { type: "button", class: "primary", onclick: closeDialog }, "Close"));
      announce("Recovery: " + report.outcome);
    } catch (error) {
      showFailure(out, error);
      start.disabled = false;
    }
  });
}

/** What a recovery came to. @param {RecoverReport} report @returns {HTMLElement[]} */
export function outcome(report) {
  const kept = `${count(report.batches_recovered, "batch", "batches")} with ${count(report.rows_recovered, "row")}`;
  const head = {
    lossless: `Nothing lost. ${kept} recovered; the new file was read back and is right.`,
    lossy: `${kept} recovered; ${count(report.batches_lost, "batch", "batches")} and ${bytes(report.bytes_skipped)} could not be. The new file was read back and is right.`,
    failed: "Nothing could be recovered: no batch in this file proves intact.",
  }[report.outcome];
  const losses = report.damage.slice(0, 8).map((d) => el("li", { class: d.length > 0 || d.lost_rows !== 0 ? "bad" : "plain" },
    `${d.batch >= 0 ? `Batch ${integer(d.batch)}, byte ` : "Byte "}${integer(d.offset)}: ${regrouped(d.reason)}${d.lost_rows > 0 ? `, ${count(d.lost_rows, "row")} lost` : ""}`));
  return [el("p", { class: report.outcome === "failed" ? "bad" : report.outcome === "lossy" ? "warn" : "ok" }, head),
    ...(losses.length > 0 ? [el("ul", { class: "health" }, ...losses)] : []),
    ...(report.damage.length > 8 ? [el("p", null, `and ${integer(report.damage.length - 8)}${THIN}more in the report`)] : [])];
}
