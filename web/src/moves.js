/**
 * How keys move what is looked at: cursor, selection, channels, from gap to gap. The mouse does the same in ui/keys.js.
 * @typedef {import("./state.js").State} State
 * @typedef {import("./ui/stage.js").Stage} Stage
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 */
import { periodOf, spanOf } from "./times.js";
import { pan, zoomAt } from "./view/viewport.js";

/** Zooms around the given tick, else around the cursor, else around the middle. @param {State} state @param {number} factor @param {number} [at] */
export function zoom(state, factor, at) {
  const centre = at ?? state.cursor ?? (state.view.from + state.view.to) / 2;
  state.setView(zoomAt(state.view, centre, factor, state.minSpan));
}

/** @param {State} state @param {{ traces: { shown: () => import("./ui/traces.js").Shown | null } }} stage @param {number} by */
export function scrollRows(state, stage, by) {
  const shown = stage.traces.shown();
  if (shown && by !== 0) state.setFirstRow(Math.min(Math.max(0, shown.window.first + by), shown.window.total - shown.window.shown), shown.row.key);
}

/** Makes the rows of channels higher or lower by a quarter, at least a pixel, down to one; what is drawn keeps its size. @param {State} state @param {Pick<Stage, "traces">} stage @param {1 | -1} direction */
export function stepSpacing(state, stage, direction) {
  const now = stage.traces.shown()?.rowPixels;
  if (now && (direction > 0 || now > 1)) state.setSpacing(direction > 0 ? Math.max(Math.ceil(now * 1.25), now + 1) : Math.min(Math.floor(now / 1.25), now - 1));
}

/** Moves the cursor by pixels, and the view with it where it would leave the screen; where there is none, it comes to the middle. @param {State} state @param {Pick<Stage, "width">} stage @param {number} pixels */
export function moveCursor(state, stage, pixels) {
  const { view, cursor } = state, span = view.to - view.from;
  if (cursor === null || cursor < view.from || cursor > view.to) {
    state.setCursor((view.from + view.to) / 2);
    return;
  }
  const at = Math.min(Math.max(state.run.from, cursor + (pixels * span) / stage.width), state.run.to);
  if (at < view.from || at > view.to) state.setView(pan(view, at < view.from ? at - view.from - span * 0.1 : at - view.to + span * 0.1));
  state.setCursor(at);
}

/** Puts an edge of the selection to the cursor; an edge beyond the other takes the place of a new selection up to the end of the view. @param {State} state @param {"from" | "to"} edge */
export function setEdge(state, edge) {
  const at = state.cursor ?? (state.view.from + state.view.to) / 2;
  const { from, to } = state.selection ?? state.view;
  if (edge === "from") state.setSelection({ from: at, to: to > at ? to : state.view.to });
  else state.setSelection({ from: from < at ? from : state.view.from, to: at });
}

/** Where something is missing on the screen's streams: first ticks of gaps and damage, in order. @param {StreamInfo[]} infos */
export function lossesOf(infos) {
  const places = infos.flatMap((info) => info.coverage.filter((c) => c.kind !== "data").map((c) => c.from));
  return [...new Set(places)].sort((a, b) => a - b);
}

/** The place after (1) or before (-1) a tick, or undefined. @param {number[]} places  sorted @param {number} at @param {1 | -1} direction */
export function neighbour(places, at, direction) {
  return direction > 0 ? places.find((p) => p > at) : places.findLast((p) => p < at);
}

/** Whether the rows of a stream are events: they come when something happens. @param {StreamInfo} info */
export function hasEvents(info) {
  return info.rows > 0 && info.clock.column && !info.groups.some((g) => g.kind === "traces") && info.groups.some((g) => g.kind === "lanes");
}

/** The clock of the row after or before a tick, or undefined. @param {State} state @param {StreamInfo} info @param {number} at @param {1 | -1} direction @returns {Promise<number | undefined>} */
async function eventBeside(state, info, at, direction) {
  const row = direction > 0 ? await state.client.row(info.id, Math.floor(at) + 1) : (await state.client.row(info.id, Math.ceil(at))) - 1;
  return row < 0 || row >= info.rows ? undefined : state.ticksOfRow(info.id, row);
}

/**
 * Goes to the next or the previous gap of the streams on this clock, or event of the chosen stream; says so where there is none.
 * @param {State} state
 * @param {1 | -1} direction
 */
export async function toPlace(state, direction) {
  const info = state.info;
  if (!info) return;
  const { view, cursor: at, placed } = state, edge = direction > 0 ? view.from : view.to;
  const cursor = placed?.view === view ? placed.ticks : at !== null && at >= view.from && at <= view.to ? at : edge; // the pointer may have come between
  const gap = neighbour(lossesOf(state.companions), cursor, direction);
  const event = hasEvents(info) ? await eventBeside(state, info, cursor, direction) : undefined;
  const places = [gap, event].filter((p) => p !== undefined).sort((a, b) => direction * (a - b));
  if (places.length === 0) {
    const others = state.rows.find(({ id, kind }) => kind === "lanes" && state.isCompanion(id));
    state.said(`No gap ${direction > 0 ? "after" : "before"} this${hasEvents(info) ? ", and no event." : others ? `. Choose ${others.name} to go from event to event.` : "."}`);
    return;
  }
  state.centre(places[0]);
}

/** Where a stream's rows end, without the tail that a broken file may have lost. @param {StreamInfo[]} infos */
export function endOfRows(infos) {
  const ends = infos.filter((info) => info.rows > 0).map((info) => {
    const last = info.coverage.filter((c) => c.kind === "data").at(-1);
    return Math.min(spanOf(info).to, last ? last.to + periodOf(info) : Infinity);
  });
  return ends.length > 0 ? Math.max(...ends) : 1;
}
