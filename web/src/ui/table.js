/**
 * A stream that cannot be plotted, in words and as a list of its columns.
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 */
import { count } from "../words.js";
import { el } from "./dom.js";

/** @param {StreamInfo} info */
export function columnTable(info) {
  const clocks = info.columns.length > 0 && info.columns.every((c) => /clock$/i.test(c.name));
  const why = info.rows === 0
    ? "No rows yet: the stream was opened, and its device delivered nothing that is on disk."
    : clocks ? "Every row is a moment on the clock and nothing else: there is no value to plot."
    : "None of the columns holds numbers that can be drawn against time.";
  return el("div", { class: "table-plate" },
    el("h2", null, info.title || info.id),
    el("p", null, why),
    el("table", null,
      el("thead", null, el("tr", null, el("th", { scope: "col" }, "column"), el("th", { scope: "col" }, "type"), el("th", { scope: "col" }, "unit"))),
      el("tbody", null, ...info.columns.slice(0, 200).map((c) => el("tr", null, el("td", null, c.name), el("td", null, c.type), el("td", null, c.unit))))),
    info.columns.length > 200 && el("p", null, "and " + count(info.columns.length - 200, "column") + " more"));
}
