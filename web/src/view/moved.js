/**
 * Where something that was drawn for a view, with some beyond its edges, lies in another view. Pure.
 * @typedef {import("./scale.js").Span} Span
 * @typedef {{ view: Span, wide: Span, plot: number, width: number }} Drawn
 *   view: it was drawn for; wide: what it shows; plot, width: of both, CSS pixels
 */

/** What is drawn beyond either edge, as a part of the view. */
const SIDE = 1 / 4;

/** What is stretched or squeezed by this factor is due to be drawn anew. */
const STRETCHED = 1.25;

/** @param {Span} view @param {number} plot  CSS pixels @returns {Drawn} */
export function wider(view, plot) {
  const side = Math.round(plot * SIDE), ticks = (side / plot) * (view.to - view.from);
  return { view, wide: { from: view.from - ticks, to: view.to + ticks }, plot, width: plot + 2 * side };
}

/** As a style, on whole device pixels, and not stretched where it is less than one. @param {Drawn} drawn @param {Span} view @param {number} dpr */
export function placing({ wide, plot, width }, view, dpr) {
  const span = view.to - view.from, x = ((wide.from - view.from) / span) * plot, scale = ((wide.to - wide.from) / span) * (plot / width);
  return `translateX(${Math.round(x * dpr) / dpr}px)` + (Math.abs(scale - 1) * width * dpr < 1 ? "" : ` scaleX(${scale})`);
}

/** How far off it is: 0, not at all; from 1 on it should be drawn anew; Infinity, it does not reach both edges. @param {Drawn} drawn @param {Span} view */
export function off({ view: own, wide }, view) {
  if (own.from === view.from && own.to === view.to) return 0;
  if (view.from < wide.from || view.to > wide.to) return Infinity;
  const beyond = Math.max(own.from - view.from, view.to - own.to) / (own.from - wide.from);
  return Math.max(Number.EPSILON, beyond * 2, Math.abs(Math.log((view.to - view.from) / (own.to - own.from))) / Math.log(STRETCHED));
}
