/**
 * The hand's habits: keys, wheel, dragging. Numbers here are all in CSS pixels or shares of the screen.
 * @typedef {import("../recording.js").Recording} Recording
 * @typedef {import("./stage.js").Stage} Stage
 */
import { niceStep, ticksFromX } from "../scale.js";
import { spanOf } from "../recording.js";
import { pan, zoomAt } from "../viewport.js";
import { byId } from "./dom.js";
import { GUTTER } from "./plot.js";

/** Every binding, for the overlay. @type {[string, string][]} */
export const BINDINGS = [
  ["drag", "move in time; up and down through the channels"],
  ["← →", "a tenth of the screen in time"],
  ["Shift ← →", "a whole screen in time"],
  ["Shift wheel", "move in time"],
  ["wheel", "scroll the channels"],
  ["↑ ↓", "one channel up or down"],
  ["PageUp PageDown", "a screen of channels"],
  ["Ctrl wheel", "zoom time at the pointer"],
  ["+ −", "zoom time at the pointer, or at the middle"],
  ["Alt wheel", "gain"],
  ["Home End", "start and end of the run"],
  ["F", "fit the selection, or the stream"],
  ["0", "show everything"],
  ["T", "the stream as a table, and back"],
  ["V", "verify the stream: read and check all of it"],
  ["click", "choose a channel, or a row of a table"],
  ["drag ruler", "select a span of time"],
  ["Ctrl K", "every action by name"],
  ["Esc", "close what is open, then clear the selection"],
  ["?", "this list"],
];

/** Pointer travel that makes a press a drag. */
const DRAG = 3;

/**
 * Connects the stage and the keyboard to the recording.
 * @param {Recording} recording
 * @param {Stage} stage
 * @param {{ help: () => void, verify: () => void, palette: () => void }} actions
 */
export function connectControls(recording, stage, actions) {
  followView(recording, stage);
  connectWheel(recording, stage);
  connectPlots(recording, stage);
  connectRuler(recording, stage);
  document.addEventListener("keydown", (event) => onKey(event, recording, stage, actions));
}

/** Keeps the cursor under the pointer when the view moves and the pointer does not. @param {Recording} recording @param {Stage} stage */
function followView(recording, stage) {
  let x = -1;
  stage.node.addEventListener("pointermove", (event) => (x = xOf(stage, event)));
  stage.node.addEventListener("pointerleave", () => (x = -1));
  recording.on(["view"], () => {
    if (x >= 0 && recording.cursor !== null) recording.setCursor(ticksFromX(x, recording.view, stage.width), recording.hover);
  });
}

/** @param {Stage} stage @param {MouseEvent} event */
function xOf(stage, event) {
  return event.clientX - stage.ruler.getBoundingClientRect().left - GUTTER;
}

/** @param {Recording} recording @param {Stage} stage @param {MouseEvent} event */
function ticksAt(recording, stage, event) {
  return ticksFromX(Math.min(Math.max(0, xOf(stage, event)), stage.width), recording.view, stage.width);
}

/** Zooms around the pointer if it is over the plots, else around the middle. @param {Recording} recording @param {number} factor @param {number} [at] */
function zoom(recording, factor, at) {
  const centre = at ?? recording.cursor ?? (recording.view.from + recording.view.to) / 2;
  recording.setView(zoomAt(recording.view, centre, factor, recording.minSpan));
}

/** @param {Recording} recording @param {Stage} stage */
function connectWheel(recording, stage) {
  let rows = 0, gain = 0;
  stage.node.addEventListener("wheel", (event) => {
    if (!recording.active) return;
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? stage.traces.canvas.clientHeight : 1;
    const dx = event.deltaX * lines, dy = event.deltaY * lines;
    const span = recording.view.to - recording.view.from;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(recording, Math.exp(Math.max(-240, Math.min(240, dy)) * 0.0025), ticksAt(recording, stage, event));
    } else if (event.altKey) {
      event.preventDefault();
      const key = recording.tracesKey, now = recording.gain.get(key);
      gain += dy || dx;
      if (now && Math.abs(gain) >= 50) {
        recording.setGain(niceStep(now, gain > 0 ? 1 : -1));
        gain = 0;
      }
    } else if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
      event.preventDefault();
      recording.setView(pan(recording.view, (((event.shiftKey ? dy || dx : dx) / stage.width) * span)));
    } else if (byId("lower").contains(/** @type {Node} */ (event.target)) && byId("lower").scrollHeight > byId("lower").clientHeight + 1) {
      return; // the panels scroll by themselves
    } else {
      event.preventDefault();
      rows += dy / 24;
      const whole = Math.trunc(rows);
      rows -= whole;
      scrollRows(recording, stage, whole);
    }
  }, { passive: false });
}

/** @param {Recording} recording @param {Stage} stage @param {number} by */
function scrollRows(recording, stage, by) {
  const shown = stage.traces.shown();
  if (shown && by !== 0) recording.setFirstRow(Math.min(Math.max(0, shown.window.first + by), shown.window.total - shown.window.shown));
}

/** @param {Recording} recording @param {Stage} stage */
function connectPlots(recording, stage) {
  /** @type {{ x: number, y: number, view: import("../scale.js").Span, first: number, moved: boolean } | null} */
  let press = null;
  const area = [byId("plots"), byId("lower")];
  for (const node of area) {
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !recording.active) return;
      press = { x: event.clientX, y: event.clientY, view: recording.view, first: stage.traces.shown()?.window.first ?? 0, moved: false };
    });
    node.addEventListener("pointermove", (event) => {
      const inside = xOf(stage, event) >= 0;
      recording.setCursor(inside ? ticksAt(recording, stage, event) : null, inside && node === area[0] ? columnUnder(stage, event) : null);
      if (!press || !(event.buttons & 1)) return;
      const dx = event.clientX - press.x, dy = event.clientY - press.y;
      if (!press.moved && Math.hypot(dx, dy) < DRAG) return;
      if (!press.moved) {
        press.moved = true;
        node.setPointerCapture(event.pointerId);
        stage.node.toggleAttribute("data-dragging", true);
      }
      recording.setView(pan(press.view, (-dx / stage.width) * (press.view.to - press.view.from)));
      const shown = stage.traces.shown();
      if (shown && node === area[0]) scrollRows(recording, stage, press.first - Math.round(dy / shown.rowPixels) - shown.window.first);
    });
    node.addEventListener("pointerup", (event) => {
      if (press && !press.moved && node === area[0]) choose(recording, stage, event);
      press = null;
      stage.node.toggleAttribute("data-dragging", false);
    });
    node.addEventListener("pointercancel", () => {
      press = null;
      stage.node.toggleAttribute("data-dragging", false);
    });
    node.addEventListener("pointerleave", () => stage.table.node.hidden && recording.setCursor(null)); // a table's cursor stays on the row that was chosen
  }
}

/** @param {Stage} stage @param {PointerEvent} event */
function columnUnder(stage, event) {
  return stage.traces.columnAt(event.clientY - stage.traces.canvas.getBoundingClientRect().top);
}

/** @param {Recording} recording @param {Stage} stage @param {PointerEvent} event */
function choose(recording, stage, event) {
  const column = columnUnder(stage, event);
  if (column === null || !recording.traces) return;
  if (recording.traces.id !== recording.info?.id) recording.select(recording.tracesKey);
  recording.setChannel(recording.tracesKey, column);
}

/** @param {Recording} recording @param {Stage} stage */
function connectRuler(recording, stage) {
  let anchor = /** @type {number | null} */ (null), startX = 0;
  stage.ruler.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !recording.active) return;
    stage.ruler.setPointerCapture(event.pointerId);
    anchor = ticksAt(recording, stage, event);
    startX = event.clientX;
  });
  stage.ruler.addEventListener("pointermove", (event) => {
    const at = ticksAt(recording, stage, event);
    recording.setCursor(at);
    if (anchor !== null && Math.abs(event.clientX - startX) >= DRAG) recording.setSelection({ from: Math.min(anchor, at), to: Math.max(anchor, at) });
  });
  stage.ruler.addEventListener("pointerup", (event) => {
    if (anchor !== null && Math.abs(event.clientX - startX) < DRAG) recording.setSelection(null);
    anchor = null;
  });
  stage.ruler.addEventListener("pointerleave", () => recording.setCursor(null));
}

/**
 * @param {KeyboardEvent} event
 * @param {Recording} recording
 * @param {Stage} stage
 * @param {{ help: () => void, verify: () => void, palette: () => void }} actions
 */
function onKey(event, recording, stage, actions) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("input, select, textarea")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !document.querySelector("dialog[open]")) {
    actions.palette();
    event.preventDefault();
    return;
  }
  if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?") {
    actions.help();
    event.preventDefault();
    return;
  }
  if (!recording.active) return;
  const run = recording.run, span = recording.view.to - recording.view.from;
  const page = stage.traces.shown()?.window.shown ?? 0;
  /** @type {Record<string, () => void>} */
  const does = {
    ArrowLeft: () => recording.setView(pan(recording.view, -span * (event.shiftKey ? 1 : 0.1))),
    ArrowRight: () => recording.setView(pan(recording.view, span * (event.shiftKey ? 1 : 0.1))),
    ArrowUp: () => scrollRows(recording, stage, -1),
    ArrowDown: () => scrollRows(recording, stage, 1),
    PageUp: () => scrollRows(recording, stage, -page),
    PageDown: () => scrollRows(recording, stage, page),
    Home: () => recording.setView({ from: run.from, to: run.from + span }),
    End: () => recording.setView({ from: run.to - span, to: run.to }),
    "+": () => zoom(recording, 1 / 1.5),
    "=": () => zoom(recording, 1 / 1.5),
    "-": () => zoom(recording, 1.5),
    f: () => recording.setView(recording.selection ?? (recording.info ? spanOf(recording.info) : run)),
    "0": () => recording.setView(run),
    t: () => recording.setAsTable(!recording.asTable),
    v: () => actions.verify(),
    Escape: () => recording.setSelection(null),
  };
  const action = does[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  // the keys of a focused list or button stay its own
  if (event.key.startsWith("Arrow") && target.closest("[role=listbox]")) return;
  event.preventDefault();
  action();
}
