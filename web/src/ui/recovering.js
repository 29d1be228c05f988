/**
 * The dialog that repairs a file: the copy and its report are downloaded, the outcome is said in words.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../protocol.js").Compression} Compression
 * @typedef {import("../protocol.js").RecoverReport} RecoverReport
 */
import { bytes, count, integer, regrouped, THIN } from "../words.js";
import { choice, closeDialog, codecChoice, dialog, progressLine, showFailure } from "./dialogs.js";
import { download, el, fill } from "./dom.js";
import { announce } from "./notices.js";

/**
 * @param {State} state
 * @param {string} id
 */
export function recoverDialog(state, id) {
  if (!state.entries.has(id) || document.getElementById("recovery")) return;
  const { info } = state.entry(id), row = state.active;
  const signal = row && row.id === id && row.columns.length < info.columns.length ? row : null;
  const codec = codecChoice("recover-codec", "as it is: bytes are copied");
  const torn = choice("recover-torn", "Torn last batch", [["", "leave out"], ["all", "keep rows that all columns have"],
    .../** @type {[string, string][]} */ (signal ? [["signal", `keep rows that ${signal.group || signal.name} has`]] : [])]);
  torn.node.hidden = info.state === "complete";
  const out = el("div", { class: "outcome", "aria-live": "polite" });
  const abort = new AbortController();
  const start = el("button", { type: "button", class: "primary", id: "recover-start" }, "Recover");
  const cancel = el("button", { type: "button", onclick: closeDialog }, "Cancel");
  const actions = el("p", { class: "actions" }, start, cancel);
  const node = dialog("Recover " + info.id, "recovery",
    el("p", { class: "hint" }, "Puts every batch that proves intact into a new file that any Arrow reader opens, checks the result, and saves it with a report of what was lost. The original is not touched."),
    el("div", { class: "choices" }, codec.node, torn.node),
    out, actions);
  node.addEventListener("close", () => abort.abort());
  start.addEventListener("click", async () => {
    start.disabled = true;
    const work = progressLine("Reading and checking…");
    fill(out, work.node);
    const salvage = torn.select.value === "all" ? ["all"] : torn.select.value === "signal" && signal ? signal.columns.map((c) => info.columns[c].name) : undefined;
    try {
      const { blob, report } = await state.client.recover({ stream: id, compression: /** @type {Compression} */ (codec.select.value), salvage }, { signal: abort.signal, onProgress: (p) => work.show(p.done, p.total) });
      const json = new Blob([JSON.stringify(report, null, 2) + "\n"], { type: "application/json" });
      const name = report.output || id + ".recovered.arrow";
      const saveFile = () => download(blob, name), saveReport = () => download(json, name.replace(/\.\w+$/, "") + ".json");
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
    suspect: `${kept} recovered: nothing is left out, but some values may not be what was written. The new file was read back.`,
    lossy: `${kept} recovered; ${count(report.batches_lost, "batch", "batches")} and ${bytes(report.bytes_skipped)} could not be. The new file was read back and is right.`,
    failed: "Nothing could be recovered: no batch in this file proves intact.",
  }[report.outcome];
  const losses = report.findings.slice(0, 8).map((d) => el("li", { class: d.length > 0 || d.lost_rows !== 0 ? "bad" : "plain" },
    `${d.batch >= 0 ? `Batch ${integer(d.batch)}, byte ` : "Byte "}${integer(d.offset)}: ${regrouped(d.reason)}${d.lost_rows > 0 ? `, ${count(d.lost_rows, "row")} lost` : ""}`));
  return [el("p", { class: report.outcome === "failed" ? "bad" : report.outcome !== "lossless" ? "warn" : "ok" }, head),
    ...(losses.length > 0 ? [el("ul", { class: "health" }, ...losses)] : []),
    ...(report.findings.length > 8 ? [el("p", null, `and ${integer(report.findings.length - 8)}${THIN}more in the report`)] : [])];
}
