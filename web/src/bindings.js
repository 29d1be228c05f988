/**
 * The one table of what can be done by key, mouse or name: keys.js runs what is pressed, `?` lists it, the palette finds it. Pure: what an action needs is in the context.
 *
 * A chord is written "Shift+ArrowLeft", "Ctrl+k", "f": letters small, Ctrl for Cmd too. Shift is written only with keys that have a name, with letters and with digits: "?" and "+" need it
 * on some keyboards.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./ui/stage.js").Stage} Stage
 * @typedef {{ state: State, stage: Stage, actions: Actions }} Context
 * @typedef {{ help: () => void, palette: () => void, open: () => void, goTo: () => void, findChannels: () => void, verify: () => void, recover: () => void, save: () => void, close: () => void, copyReport: () => void, copyFindings: () => void }} Actions
 *   what the page does besides moving the view
 * @typedef {"stream" | "traces" | "lines" | "picked" | "depth" | "shank" | "verified" | "live" | "losses"} Need
 * @typedef {{ group: string, name: string, keys?: string[], mouse?: string, needs?: Need, run?: (context: Context) => void }} Binding
 *   keys: chords; mouse: what the hand does; needs: what must be there, a stream where there is a key and nothing is said
 */
import { lossesOf, moveCursor, scrollRows, setEdge, stepSpacing, toPlace, zoom } from "./moves.js";
import { ordersOf } from "./channels.js";
import { spanOf } from "./times.js";
import { niceStep } from "./view/scale.js";
import { short, THIN } from "./words.js";
import { pan } from "./view/viewport.js";

/** Cursor steps with Shift, in pixels. */
const STRIDE = 20;

/** @param {State} state @param {number} screens */
const move = (state, screens) => state.setView(pan(state.view, screens * (state.view.to - state.view.from)));

/** @param {Context} context @param {number} screens  of channels */
const page = ({ state, stage }, screens) => scrollRows(state, stage, screens * (stage.traces.shown()?.window.shown ?? 0));

/** @param {State} state @param {1 | -1} direction */
const stepGain = (state, direction) => {
  const scale = state.scaleOf();
  if (scale) state.setScale(niceStep(scale, direction));
};

/** @param {State} state @param {number} clip */
const cut = (state, clip) => {
  state.setClip(clip);
  state.said(`Traces are cut ${short(clip, 2)}${THIN}row heights from their row.`);
};

/** @type {Binding[]} */
export const BINDINGS = [
  { group: "Time", name: "Back a tenth of the screen", keys: ["ArrowLeft"], run: ({ state }) => move(state, -0.1) },
  { group: "Time", name: "On a tenth of the screen", keys: ["ArrowRight"], run: ({ state }) => move(state, 0.1) },
  { group: "Time", name: "Back a screen", keys: ["Shift+ArrowLeft"], run: ({ state }) => move(state, -1) },
  { group: "Time", name: "On a screen", keys: ["Shift+ArrowRight"], run: ({ state }) => move(state, 1) },
  { group: "Time", name: "Zoom in", keys: ["+", "="], run: ({ state }) => zoom(state, 1 / 1.5) },
  { group: "Time", name: "Zoom out", keys: ["-"], run: ({ state }) => zoom(state, 1.5) },
  { group: "Time", name: "Start of the run", keys: ["Home"], run: ({ state }) => state.setView({ from: state.run.from, to: state.run.from + (state.view.to - state.view.from) }) },
  { group: "Time", name: "Last rows of the run", keys: ["End"], run: ({ state }) => state.live ? state.live.follow() : state.setView({ from: state.rowsEnd - (state.view.to - state.view.from), to: state.rowsEnd }) },
  { group: "Time", name: "Follow the recording, or hold the picture", keys: ["l"], needs: "live", run: ({ state }) => state.live?.toggle() },
  { group: "Time", name: "Show everything", keys: ["0"], run: ({ state }) => state.setView(state.run) },
  { group: "Time", name: "Fit the selection, or the stream", keys: ["f"], run: ({ state }) => state.setView(state.selection ?? (state.info ? spanOf(state.info) : state.run)) },
  { group: "Time", name: "Go to a time, row, tick or time of day…", keys: ["g"], run: ({ actions }) => actions.goTo() },
  { group: "Time", name: "Next gap or event", keys: ["."], run: ({ state }) => void toPlace(state, 1) },
  { group: "Time", name: "Previous gap or event", keys: [","], run: ({ state }) => void toPlace(state, -1) },
  { group: "Time", name: "Overview of all channels, and of one again", needs: "traces", run: ({ state }) => state.setOverviewOfAll(!state.overviewOfAll) },
  { group: "Time", name: "Go there, move or size the window", mouse: "overview" },
  { group: "Time", name: "Move in time", mouse: "drag, Shift wheel" },
  { group: "Time", name: "Zoom at the pointer", mouse: "Ctrl wheel" },

  { group: "Traces", name: "Larger traces, or brighter colours", keys: ["Alt+ArrowUp"], needs: "traces", run: ({ state }) => stepGain(state, -1) },
  { group: "Traces", name: "Smaller traces, or darker colours", keys: ["Alt+ArrowDown"], needs: "traces", run: ({ state }) => stepGain(state, 1) },
  { group: "Traces", name: "Fit the gain, or the colours, to what is on the screen", keys: ["Shift+0"], needs: "traces", run: ({ state }) => state.refit() },
  { group: "Traces", name: "Higher rows", keys: ["Alt+Shift+ArrowUp"], needs: "traces", run: ({ state, stage }) => stepSpacing(state, stage, 1) },
  { group: "Traces", name: "Lower rows", keys: ["Alt+Shift+ArrowDown"], needs: "traces", run: ({ state, stage }) => stepSpacing(state, stage, -1) },
  { group: "Traces", name: "As many rows as fit", needs: "traces", run: ({ state }) => state.setSpacing(undefined) },
  { group: "Traces", name: "All channels of the stream, and back", keys: ["a"], needs: "traces", run: ({ state }) => state.toggleAllRows() },
  { group: "Traces", name: "Traces cut nearer to their row", keys: ["["], needs: "lines", run: ({ state }) => cut(state, Math.max(0.5, niceStep(state.clip, -1))) },
  { group: "Traces", name: "Traces cut further from their row", keys: ["]"], needs: "lines", run: ({ state }) => cut(state, Math.min(1000, niceStep(state.clip, 1))) },
  { group: "Traces", name: "Heat map: how strong each channel is, and traces again", keys: ["h"], needs: "traces", run: ({ state }) => state.setMode(state.mode === "traces" ? "rms" : "traces") },
  { group: "Traces", name: "Heat map of the mean, and of the RMS again", needs: "traces", run: ({ state }) => state.setMode(state.mode === "mean" ? "rms" : "mean") },
  { group: "Traces", name: "Gain, or colours", mouse: "Alt wheel" },
  { group: "Traces", name: "Height of rows", mouse: "Alt Shift wheel" },

  { group: "Channels", name: "One channel up", keys: ["ArrowUp"], needs: "traces", run: ({ state, stage }) => scrollRows(state, stage, -1) },
  { group: "Channels", name: "One channel down", keys: ["ArrowDown"], needs: "traces", run: ({ state, stage }) => scrollRows(state, stage, 1) },
  { group: "Channels", name: "A screen of channels up", keys: ["PageUp"], needs: "traces", run: (context) => page(context, -1) },
  { group: "Channels", name: "A screen of channels down", keys: ["PageDown"], needs: "traces", run: (context) => page(context, 1) },
  { group: "Channels", name: "Find and select channels…", keys: ["/"], needs: "traces", run: ({ actions }) => actions.findChannels() },
  { group: "Channels", name: "Show only the selected channels, or all again", keys: ["s"], needs: "picked", run: ({ state }) => state.toggleSolo(state.tracesKey, state.picked.get(state.tracesKey) ?? []) },
  { group: "Channels", name: "Hide the selected channels", keys: ["x"], needs: "picked", run: ({ state }) => state.hide(state.tracesKey, state.picked.get(state.tracesKey) ?? []) },
  { group: "Channels", name: "Show all channels that are hidden", keys: ["Shift+x"], needs: "traces", run: ({ state }) => state.showAll(state.tracesKey) },
  { group: "Channels", name: "Order by number", needs: "traces", run: ({ state }) => state.arrange(state.tracesKey, { order: "number" }) },
  { group: "Channels", name: "Order by depth", needs: "depth", run: ({ state }) => state.arrange(state.tracesKey, { order: "depth" }) },
  { group: "Channels", name: "Order by shank", needs: "shank", run: ({ state }) => state.arrange(state.tracesKey, { order: "shank" }) },
  { group: "Channels", name: "Select several channels", mouse: "Shift click, Ctrl click" },
  { group: "Channels", name: "Show one channel, or all again", mouse: "double click" },
  { group: "Channels", name: "Scroll the channels", mouse: "wheel, drag" },
  { group: "Channels", name: "Choose a channel, or a row of a table", mouse: "click" },

  { group: "Cursor and selection", name: "Cursor back by a pixel", keys: ["Ctrl+ArrowLeft"], run: ({ state, stage }) => moveCursor(state, stage, -1) },
  { group: "Cursor and selection", name: "Cursor on by a pixel", keys: ["Ctrl+ArrowRight"], run: ({ state, stage }) => moveCursor(state, stage, 1) },
  { group: "Cursor and selection", name: `Cursor back by ${STRIDE} pixels`, keys: ["Ctrl+Shift+ArrowLeft"], run: ({ state, stage }) => moveCursor(state, stage, -STRIDE) },
  { group: "Cursor and selection", name: `Cursor on by ${STRIDE} pixels`, keys: ["Ctrl+Shift+ArrowRight"], run: ({ state, stage }) => moveCursor(state, stage, STRIDE) },
  { group: "Cursor and selection", name: "Begin the selection at the cursor", keys: ["i"], run: ({ state }) => setEdge(state, "from") },
  { group: "Cursor and selection", name: "End the selection at the cursor", keys: ["o"], run: ({ state }) => setEdge(state, "to") },
  { group: "Cursor and selection", name: "Clear the selection", keys: ["Escape"], run: ({ state }) => state.setSelection(null) },
  { group: "Cursor and selection", name: "Select a span of time, or move an edge of it", mouse: "drag ruler" },

  { group: "Stream", name: "Show as a table, or as plots again", keys: ["t"], run: ({ state }) => state.setAsTable(!state.asTable) },
  { group: "Stream", name: "Close the plates of what is missing, or show them again", needs: "losses", run: ({ state }) => state.togglePlates() },
  { group: "Stream", name: "Verify: read and check all of it", keys: ["v"], run: ({ actions }) => actions.verify() },
  { group: "Stream", name: "Recover…", needs: "stream", run: ({ actions }) => actions.recover() },
  { group: "Stream", name: "Save the selection, or the stream…", needs: "stream", run: ({ actions }) => actions.save() },
  { group: "Stream", name: "Copy report", needs: "stream", run: ({ actions }) => actions.copyReport() },
  { group: "Stream", name: "Copy findings as JSON", needs: "verified", run: ({ actions }) => actions.copyFindings() },
  { group: "Stream", name: "Close the stream", needs: "stream", run: ({ actions }) => actions.close() },

  { group: "Page", name: "Open files…", keys: ["Ctrl+o"], run: ({ actions }) => actions.open() },
  { group: "Page", name: "Every action by name", keys: ["Ctrl+k"], run: ({ actions }) => actions.palette() },
  { group: "Page", name: "All keys", keys: ["?"], run: ({ actions }) => actions.help() },
];

/** Groups that can be used with nothing open. */
const ALWAYS = "Page";

/** Whether an action means something now. @param {Binding} binding @param {State} state */
export function available(binding, state) {
  if (!binding.run) return false;
  if (binding.group === ALWAYS) return true;
  if (!state.active || !state.info) return false;
  const traces = state.tabled ? null : state.traces;
  switch (binding.needs) {
    case "traces": return traces !== null;
    case "lines": return traces !== null && state.mode === "traces";
    case "picked": return traces !== null && (state.picked.get(traces.key)?.size ?? 0) > 0;
    case "depth":
    case "shank": return traces !== null && ordersOf(state.entry(traces.id).info, traces).includes(binding.needs);
    case "losses": return lossesOf([state.entry((traces ?? state.active).id).info]).length > 0;
    case "live": return state.live !== null;
    case "verified": return state.entry(state.info.id).verification?.state === "done";
    default: return true;
  }
}

/**
 * The chords that a key event may mean, the most exact first.
 * @param {Pick<KeyboardEvent, "key" | "code" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">} event
 * @returns {string[]}
 */
function chordsOf({ key, code, shiftKey, ctrlKey, metaKey, altKey }) {
  const held = (ctrlKey || metaKey ? "Ctrl+" : "") + (altKey ? "Alt+" : "");
  const name = key.length === 1 ? key.toLowerCase() : key;
  if (ctrlKey && altKey && /^[^\p{L}\p{N}]$/u.test(key)) return [held + name, name]; // AltGr: where [ and ] are on many keyboards
  if (!shiftKey) return [held + name];
  if (key.length > 1) return [held + "Shift+" + name];
  const digit = /^Digit(\d)$/.exec(code)?.[1];
  if (digit === key) return [held + name]; // this keyboard needs Shift for its digits
  return digit ? [`${held}Shift+${digit}`, held + name] : [`${held}Shift+${name}`, held + name];
}

/** The action of a key event, or undefined. @param {Parameters<typeof chordsOf>[0]} event */
export function bindingOf(event) {
  for (const chord of chordsOf(event)) {
    const found = BINDINGS.find(({ keys }) => keys?.includes(chord));
    if (found) return found;
  }
}

/** @type {Record<string, string>} */
const NAMES = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", "-": "−" };

/** A chord as the keys that a person presses: ["Shift", "←"]. @param {string} chord @returns {string[]} */
export function keysOf(chord) {
  return chord.split(/\+(?=.)/).map((key) => NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}

/** A chord as words for the palette. @param {string[] | undefined} keys */
export function shortcut(keys) {
  return keys ? keysOf(keys[0]).join(" ") : "";
}

/** The table by group, in its order. @returns {[string, Binding[]][]} */
export function groupsOfBindings() {
  const names = [...new Set(BINDINGS.map((b) => b.group))];
  return names.map((name) => [name, BINDINGS.filter((b) => b.group === name && (b.keys || b.mouse))]);
}
