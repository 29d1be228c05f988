/**
 * The hand's habits: keys, wheel, dragging. Numbers here are all in CSS pixels or shares of the screen.
 * @typedef {import("../session.js").Session} Session
 * @typedef {import("./stage.js").Stage} Stage
 */
import { niceStep, ticksFromX } from "../scale.js";
import { spanOf } from "../session.js";
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
  ["click", "choose a channel"],
  ["drag ruler", "select a span of time"],
  ["Esc", "close what is open, then clear the selection"],
  ["?", "this list"],
];

/** Pointer travel that makes a press a drag. */
const DRAG = 3;

/**
 * Connects the stage and the keyboard to the session.
 * @param {Session} session
 * @param {Stage} stage
 * @param {{ help: () => void }} actions
 */
export function connectControls(session, stage, actions) {
  followView(session, stage);
  connectWheel(session, stage);
  connectPlots(session, stage);
  connectRuler(session, stage);
  document.addEventListener("keydown", (event) => onKey(event, session, stage, actions));
}

/** Keeps the cursor under the pointer when the view moves and the pointer does not. @param {Session} session @param {Stage} stage */
function followView(session, stage) {
  let x = -1;
  stage.node.addEventListener("pointermove", (event) => (x = xOf(stage, event)));
  stage.node.addEventListener("pointerleave", () => (x = -1));
  session.on(["view"], () => {
    if (x >= 0 && session.cursor !== null) session.setCursor(ticksFromX(x, session.view, stage.width), session.hover);
  });
}

/** @param {Stage} stage @param {MouseEvent} event */
function xOf(stage, event) {
  return event.clientX - stage.ruler.getBoundingClientRect().left - GUTTER;
}

/** @param {Session} session @param {Stage} stage @param {MouseEvent} event */
function ticksAt(session, stage, event) {
  return ticksFromX(Math.min(Math.max(0, xOf(stage, event)), stage.width), session.view, stage.width);
}

/** Zooms around the pointer if it is over the plots, else around the middle. @param {Session} session @param {number} factor @param {number} [at] */
function zoom(session, factor, at) {
  const centre = at ?? session.cursor ?? (session.view.from + session.view.to) / 2;
  session.setView(zoomAt(session.view, centre, factor, session.minSpan));
}

/** @param {Session} session @param {Stage} stage */
function connectWheel(session, stage) {
  let rows = 0, gain = 0;
  stage.node.addEventListener("wheel", (event) => {
    if (!session.active) return;
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? stage.traces.canvas.clientHeight : 1;
    const dx = event.deltaX * lines, dy = event.deltaY * lines;
    const span = session.view.to - session.view.from;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(session, Math.exp(Math.max(-240, Math.min(240, dy)) * 0.0025), ticksAt(session, stage, event));
    } else if (event.altKey) {
      event.preventDefault();
      const key = session.tracesKey, now = session.gain.get(key);
      gain += dy || dx;
      if (now && Math.abs(gain) >= 50) {
        session.setGain(niceStep(now, gain > 0 ? 1 : -1));
        gain = 0;
      }
    } else if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
      event.preventDefault();
      session.setView(pan(session.view, (((event.shiftKey ? dy || dx : dx) / stage.width) * span)));
    } else if (byId("lower").contains(/** @type {Node} */ (event.target)) && byId("lower").scrollHeight > byId("lower").clientHeight + 1) {
      return; // the panels scroll by themselves
    } else {
      event.preventDefault();
      rows += dy / 24;
      const whole = Math.trunc(rows);
      rows -= whole;
      scrollRows(session, stage, whole);
    }
  }, { passive: false });
}

/** @param {Session} session @param {Stage} stage @param {number} by */
function scrollRows(session, stage, by) {
  const shown = stage.traces.shown();
  if (shown && by !== 0) session.setFirstRow(Math.min(Math.max(0, shown.window.first + by), shown.window.total - shown.window.shown));
}

/** @param {Session} session @param {Stage} stage */
function connectPlots(session, stage) {
  /** @type {{ x: number, y: number, view: import("../scale.js").Span, first: number, moved: boolean } | null} */
  let press = null;
  const area = [byId("plots"), byId("lower")];
  for (const node of area) {
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !session.active) return;
      press = { x: event.clientX, y: event.clientY, view: session.view, first: stage.traces.shown()?.window.first ?? 0, moved: false };
    });
    node.addEventListener("pointermove", (event) => {
      const inside = xOf(stage, event) >= 0;
      session.setCursor(inside ? ticksAt(session, stage, event) : null, inside && node === area[0] ? columnUnder(stage, event) : null);
      if (!press || !(event.buttons & 1)) return;
      const dx = event.clientX - press.x, dy = event.clientY - press.y;
      if (!press.moved && Math.hypot(dx, dy) < DRAG) return;
      if (!press.moved) {
        press.moved = true;
        node.setPointerCapture(event.pointerId);
        stage.node.toggleAttribute("data-dragging", true);
      }
      session.setView(pan(press.view, (-dx / stage.width) * (press.view.to - press.view.from)));
      const shown = stage.traces.shown();
      if (shown && node === area[0]) scrollRows(session, stage, press.first - Math.round(dy / shown.rowPixels) - shown.window.first);
    });
    node.addEventListener("pointerup", (event) => {
      if (press && !press.moved && node === area[0]) choose(session, stage, event);
      press = null;
      stage.node.toggleAttribute("data-dragging", false);
    });
    node.addEventListener("pointercancel", () => {
      press = null;
      stage.node.toggleAttribute("data-dragging", false);
    });
    node.addEventListener("pointerleave", () => session.setCursor(null));
  }
}

/** @param {Stage} stage @param {PointerEvent} event */
function columnUnder(stage, event) {
  return stage.traces.columnAt(event.clientY - stage.traces.canvas.getBoundingClientRect().top);
}

/** @param {Session} session @param {Stage} stage @param {PointerEvent} event */
function choose(session, stage, event) {
  const column = columnUnder(stage, event);
  if (column === null || !session.traces) return;
  if (session.traces.id !== session.info?.id) session.select(session.tracesKey);
  session.setChannel(session.tracesKey, column);
}

/** @param {Session} session @param {Stage} stage */
function connectRuler(session, stage) {
  let anchor = /** @type {number | null} */ (null), startX = 0;
  stage.ruler.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !session.active) return;
    stage.ruler.setPointerCapture(event.pointerId);
    anchor = ticksAt(session, stage, event);
    startX = event.clientX;
  });
  stage.ruler.addEventListener("pointermove", (event) => {
    const at = ticksAt(session, stage, event);
    session.setCursor(at);
    if (anchor !== null && Math.abs(event.clientX - startX) >= DRAG) session.setSelection({ from: Math.min(anchor, at), to: Math.max(anchor, at) });
  });
  stage.ruler.addEventListener("pointerup", (event) => {
    if (anchor !== null && Math.abs(event.clientX - startX) < DRAG) session.setSelection(null);
    anchor = null;
  });
  stage.ruler.addEventListener("pointerleave", () => session.setCursor(null));
}

/**
 * @param {KeyboardEvent} event
 * @param {Session} session
 * @param {Stage} stage
 * @param {{ help: () => void }} actions
 */
function onKey(event, session, stage, actions) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("input, select, textarea")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?") {
    actions.help();
    event.preventDefault();
    return;
  }
  if (!session.active) return;
  const run = session.run, span = session.view.to - session.view.from;
  const page = stage.traces.shown()?.window.shown ?? 0;
  /** @type {Record<string, () => void>} */
  const does = {
    ArrowLeft: () => session.setView(pan(session.view, -span * (event.shiftKey ? 1 : 0.1))),
    ArrowRight: () => session.setView(pan(session.view, span * (event.shiftKey ? 1 : 0.1))),
    ArrowUp: () => scrollRows(session, stage, -1),
    ArrowDown: () => scrollRows(session, stage, 1),
    PageUp: () => scrollRows(session, stage, -page),
    PageDown: () => scrollRows(session, stage, page),
    Home: () => session.setView({ from: run.from, to: run.from + span }),
    End: () => session.setView({ from: run.to - span, to: run.to }),
    "+": () => zoom(session, 1 / 1.5),
    "=": () => zoom(session, 1 / 1.5),
    "-": () => zoom(session, 1.5),
    f: () => session.setView(session.selection ?? (session.info ? spanOf(session.info) : run)),
    "0": () => session.setView(run),
    Escape: () => session.setSelection(null),
  };
  const action = does[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  // the keys of a focused list or button stay its own
  if (event.key.startsWith("Arrow") && target.closest("[role=listbox]")) return;
  event.preventDefault();
  action();
}
