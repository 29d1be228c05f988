/**
 * What is looked at, as the fragment of the page's address, and back: a link to a view, and the view after a reload. Pure.
 * @typedef {import("./state.js").State} State
 * @typedef {import("./channels.js").Order} Order
 * @typedef {{ row: string, view?: [string, string], unit: "s" | "ticks", selection?: [string, string], channel?: string, top?: string, gain?: number, spacing?: number, mode?: "rms" | "mean", order?: Order, table: boolean }} Looked
 *   row: key; view, selection: seconds by the clock, or ticks while its rate is unknown, each with its segment where there are several (`2:0.5`); channel, top: names of columns
 */
import { placeOfText, textOfPlace } from "./axis.js";
import { ALL_ROWS } from "./view/viewport.js";

/** @param {State} state @returns {string}  without the #; empty where nothing is open */
export function fragmentOf(state) {
  const { active, info, view, selection } = state;
  if (!active || !info) return "";
  const { hz } = info.clock, traces = state.traces, of = new URLSearchParams({ stream: active.key });
  const at = (/** @type {number} */ place) => textOfPlace(info, place);
  of.set(hz > 0 ? "s" : "ticks", `${at(view.from)},${at(view.to)}`);
  if (selection) of.set("selection", `${at(selection.from)},${at(selection.to)}`);
  if (traces && traces.key === active.key) {
    const column = (/** @type {number | undefined} */ index) => (index === undefined ? "" : info.columns[index]?.name ?? "");
    const first = state.firstRow.get(traces.key);
    for (const [key, value] of [["channel", column(state.channel.get(traces.key))], ["top", first === undefined ? "" : column(traces.columns[first])], ["gain", state.gain.get(traces.key)], ["rows", state.spacing.get(traces.key) === ALL_ROWS ? "all" : state.spacing.get(traces.key)]]) {
      if (value) of.set(/** @type {string} */ (key), String(value));
    }
    const { order } = state.arrangement(traces.key);
    if (order !== "number") of.set("order", order);
  }
  if (state.mode !== "traces") of.set("plot", state.mode);
  if (state.asTable) of.set("table", "1");
  return of.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
}

/** What a fragment says; null where it says nothing of a view. @param {string} fragment @returns {Looked | null} */
export function lookedFrom(fragment) {
  const of = new URLSearchParams(fragment.replace(/^#/, "")), row = of.get("stream");
  if (!row) return null;
  const pair = (/** @type {string | null} */ text) => {
    const [a, b, ...more] = (text ?? "").split(",");
    return a && b && more.length === 0 ? /** @type {[string, string]} */ ([a, b]) : undefined;
  };
  const positive = (/** @type {string} */ key) => (Number(of.get(key)) > 0 && Number.isFinite(Number(of.get(key))) ? Number(of.get(key)) : undefined);
  const unit = of.has("s") ? "s" : "ticks", order = of.get("order"), mode = of.get("plot");
  return {
    row, view: pair(of.get(unit)), unit, selection: pair(of.get("selection")), channel: of.get("channel") ?? undefined, top: of.get("top") ?? undefined, gain: positive("gain"), spacing: of.get("rows") === "all" ? ALL_ROWS : positive("rows"), mode: mode === "rms" || mode === "mean" ? mode : undefined,
    order: order === "depth" || order === "shank" ? order : undefined, table: of.has("table"),
  };
}

/** Looks where a fragment says, as far as it is open; returns whether its stream is. @param {State} state @param {Looked} looked */
export function lookAt(state, looked) {
  const row = state.rows.find((r) => r.key === looked.row);
  if (!row) return false;
  state.select(row.key, { opening: true });
  const { info } = state.entry(row.id);
  const span = (/** @type {[string, string] | undefined} */ pair) => {
    const [from, to] = (pair ?? []).map((text) => placeOfText(info, text, looked.unit));
    return to > from ? { from, to } : null;
  };
  const index = (/** @type {string | undefined} */ name) => (name === undefined ? -1 : info.columns.find((c) => c.name === name)?.index ?? -1);
  if (looked.order) state.arrange(row.key, { order: looked.order });
  if (looked.spacing !== undefined) state.setSpacing(looked.spacing);
  state.setMode(looked.mode ?? "traces");
  if (looked.gain) state.setGain(looked.gain);
  if (row.all.includes(index(looked.channel))) state.setChannel(row.key, index(looked.channel));
  const top = state.rows.find((r) => r.key === row.key)?.columns.indexOf(index(looked.top)) ?? -1;
  if (top >= 0) state.setFirstRow(top);
  const view = span(looked.view), selection = span(looked.selection);
  if (view) state.setView(view);
  if (selection) state.setSelection(selection);
  state.setAsTable(looked.table);
  return true;
}
