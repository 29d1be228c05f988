/**
 * The hand's habits: wheel, dragging, and the keys of bindings.js. Numbers here are all in CSS pixels or shares of the screen.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./stage.js").Stage} Stage
 */
import { available, bindingOf } from "../bindings.js";
import { rangeOf } from "../channels.js";
import { scrollRows, stepSpacing, zoom } from "../moves.js";
import { niceStep, ticksFromX, xFromTicks } from "../view/scale.js";
import { pan } from "../view/viewport.js";
import { byId } from "./dom.js";
import { closeSides } from "./sides.js";

/** Pointer travel that makes a press a drag. */
const DRAG = 3;

/** The pointer is on an edge of the selection when it is this near. */
const EDGE = 5;

/**
 * Connects the stage and the keyboard to the state.
 * @param {State} state
 * @param {Stage} stage
 * @param {import("../bindings.js").Actions} actions
 */
export function connectControls(state, stage, actions) {
  followView(state, stage);
  keepReachable(byId("lower"));
  connectWheel(state, stage);
  connectPlots(state, stage);
  connectRuler(state, stage);
  document.addEventListener("keydown", (event) => onKey(event, state, stage, actions));
}

/** What scrolls can be focused, so that keys scroll it; what does not is no stop on the way. @param {HTMLElement} node */
function keepReachable(node) {
  const look = () => {
    if (node.scrollHeight > node.clientHeight + 1) node.tabIndex = 0;
    else node.removeAttribute("tabindex");
  };
  new ResizeObserver(look).observe(node);
  new MutationObserver(look).observe(node, { childList: true });
}

/** Keeps the cursor under the pointer when the view moves and the pointer does not. @param {State} state @param {Stage} stage */
function followView(state, stage) {
  let x = -1;
  stage.node.addEventListener("pointermove", (event) => (x = xOf(stage, event)));
  stage.node.addEventListener("pointerleave", () => (x = -1));
  state.on(["view"], () => {
    if (x >= 0 && state.cursor !== null) state.setCursor(ticksFromX(x, state.view, stage.width), state.hover);
  });
}

/** @param {Stage} stage @param {MouseEvent} event */
function xOf(stage, event) {
  return event.clientX - stage.left;
}

/** @param {State} state @param {Stage} stage @param {MouseEvent} event */
function ticksAt(state, stage, event) {
  return ticksFromX(Math.min(Math.max(0, xOf(stage, event)), stage.width), state.view, stage.width);
}

/** @param {State} state @param {Stage} stage */
function connectWheel(state, stage) {
  let rows = 0, gain = 0;
  stage.node.addEventListener("wheel", (event) => {
    if (!state.active) return;
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? stage.traces.node.clientHeight : 1;
    const dx = event.deltaX * lines, dy = event.deltaY * lines;
    const span = state.view.to - state.view.from;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(state, Math.exp(Math.max(-240, Math.min(240, dy)) * 0.0025), ticksAt(state, stage, event));
    } else if (event.altKey) {
      event.preventDefault();
      const key = stage.traces.at(event.clientY)?.pane.key ?? state.tracesKey, now = state.scaleOf(key);
      gain += dy || dx;
      if (event.shiftKey) {
        if (Math.abs(gain) >= 50) {
          stepSpacing(state, stage, gain > 0 ? -1 : 1);
          gain = 0;
        }
        return;
      }
      if (now && Math.abs(gain) >= 50) {
        state.setScale(niceStep(now, gain > 0 ? 1 : -1), key);
        gain = 0;
      }
    } else if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
      event.preventDefault();
      state.setView(pan(state.view, (((event.shiftKey ? dy || dx : dx) / stage.width) * span)));
    } else if (byId("lower").contains(/** @type {Node} */ (event.target)) && byId("lower").scrollHeight > byId("lower").clientHeight + 1) {
      return; // the panels scroll by themselves
    } else {
      event.preventDefault();
      const traces = stage.traces.at(event.clientY)?.pane ?? stage.traces;
      rows += dy / Math.min(24, Math.max(1, traces.shown()?.rowPixels ?? 24) * 4);
      const whole = Math.trunc(rows);
      rows -= whole;
      scrollRows(state, { traces }, whole);
    }
  }, { passive: false });
}

/** @param {State} state @param {Stage} stage */
function connectPlots(state, stage) {
  /** @type {{ x: number, y: number, view: import("../view/scale.js").Span, pane: import("./panes.js").Pane | null, first: number, moved: boolean } | null} */
  let press = null;
  const area = [byId("plots"), byId("lower")];
  for (const node of area) {
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !state.active) return;
      const pane = stage.traces.at(event.clientY)?.pane ?? null;
      press = { x: event.clientX, y: event.clientY, view: state.view, pane, first: pane?.shown()?.window.first ?? 0, moved: false };
    });
    node.addEventListener("pointermove", (event) => {
      const inside = xOf(stage, event) >= 0;
      const under = inside && node === area[0] ? stage.traces.at(event.clientY) : null;
      state.setCursor(inside ? ticksAt(state, stage, event) : null, under?.pane.columnAt(under.y) ?? null, under?.pane.key ?? panelUnder(event));
      if (!press || !(event.buttons & 1)) return;
      const dx = event.clientX - press.x, dy = event.clientY - press.y;
      if (!press.moved && Math.hypot(dx, dy) < DRAG) return;
      if (!press.moved) {
        press.moved = true;
        node.setPointerCapture(event.pointerId);
        stage.node.toggleAttribute("data-dragging", true);
      }
      state.setView(pan(press.view, (-dx / stage.width) * (press.view.to - press.view.from)));
      const shown = press.pane?.shown();
      if (press.pane && shown && node === area[0]) scrollRows(state, { traces: press.pane }, press.first - Math.round(dy / shown.rowPixels) - shown.window.first);
    });
    node.addEventListener("pointerup", (event) => {
      if (press && !press.moved && node === area[0]) choose(state, stage, event);
      press = null;
      stage.node.toggleAttribute("data-dragging", false);
    });
    if (node === area[0]) node.addEventListener("dblclick", (event) => solo(state, stage, event));
    node.addEventListener("pointercancel", () => {
      press = null;
      stage.node.toggleAttribute("data-dragging", false);
    });
    node.addEventListener("pointerleave", () => !state.tabled && state.setCursor(null)); // a table's cursor stays on the row that was chosen
  }
}

/** Key of the panel below the traces that the pointer is on. @param {PointerEvent} event */
function panelUnder({ target }) {
  return /** @type {HTMLElement} */ (target).closest("[data-panel]")?.getAttribute("data-panel") ?? undefined;
}

/** Chooses a channel; with Ctrl besides those that are selected, with Shift all from the chosen one. @param {State} state @param {Stage} stage @param {PointerEvent} event */
function choose(state, stage, event) {
  const under = stage.traces.at(event.clientY), column = under?.pane.columnAt(under.y) ?? null;
  if (!under || column === null || !state.traces) return;
  const { key } = under.pane;
  if (state.traces.id !== state.info?.id || state.tracesKey !== key) state.select(key);
  const before = state.channel.get(key);
  if (event.shiftKey && before !== undefined) state.pick(key, rangeOf(state.traces.columns, before, column), column);
  else if (event.ctrlKey || event.metaKey) state.pick(key, [...state.picked.get(key) ?? [], column], column);
  else state.setChannel(key, column);
}

/** Shows one channel alone, or all again. @param {State} state @param {Stage} stage @param {MouseEvent} event */
function solo(state, stage, event) {
  const under = stage.traces.at(event.clientY), column = under?.pane.columnAt(under.y) ?? null;
  if (!under || stage.traces.hidden) return;
  const { key } = under.pane;
  if (state.arrangement(key).solo) state.arrange(key, { solo: null });
  else if (column !== null) state.toggleSolo(key, [column]);
}

/** @param {State} state @param {Stage} stage */
function connectRuler(state, stage) {
  let anchor = /** @type {number | null} */ (null), startX = 0;
  stage.ruler.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !state.active) return;
    stage.ruler.setPointerCapture(event.pointerId);
    anchor = edgeBeside(state, stage, event) ?? ticksAt(state, stage, event);
    startX = event.clientX;
  });
  stage.ruler.addEventListener("pointermove", (event) => {
    const at = ticksAt(state, stage, event);
    stage.ruler.toggleAttribute("data-edge", anchor === null && edgeBeside(state, stage, event) !== null);
    state.setCursor(at);
    if (anchor !== null && Math.abs(event.clientX - startX) >= DRAG) state.setSelection({ from: Math.min(anchor, at), to: Math.max(anchor, at) });
  });
  stage.ruler.addEventListener("pointerup", (event) => {
    if (anchor !== null && Math.abs(event.clientX - startX) < DRAG) state.setSelection(null);
    anchor = null;
  });
  stage.ruler.addEventListener("pointerleave", () => state.setCursor(null));
}

/** The other edge of the selection, where the pointer is on one of them. @param {State} state @param {Stage} stage @param {PointerEvent} event */
function edgeBeside({ selection, view }, stage, event) {
  if (!selection) return null;
  const x = xOf(stage, event);
  if (Math.abs(x - xFromTicks(selection.from, view, stage.width)) <= EDGE) return selection.to;
  return Math.abs(x - xFromTicks(selection.to, view, stage.width)) <= EDGE ? selection.from : null;
}

/**
 * Runs what bindings.js has for a key. Fields, and what is focused and has keys of its own, keep theirs.
 * @param {KeyboardEvent} event
 * @param {State} state
 * @param {Stage} stage
 * @param {import("../bindings.js").Actions} actions
 */
function onKey(event, state, stage, actions) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("input, select, textarea")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (document.querySelector("dialog[open]") || (event.key === "Escape" && closeSides())) return;
  const binding = bindingOf(event);
  if (event.key.startsWith("Arrow") && target.closest("[role=listbox]")) return;
  if (!binding || !available(binding, state)) {
    if (state.tabled) stage.table?.key(event);
    return;
  }
  event.preventDefault();
  binding.run?.({ state, stage, actions });
}
