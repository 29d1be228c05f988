/**
 * What of a panel moves with the view: a canvas wider than its window, which is drawn with some beyond both edges, then moved and stretched, and drawn again at rest or
 * when it is too far off. Moving it costs the page's own thread nothing.
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {{ view: Span, wide: Span, plot: number, width: number }} Drawn
 *   view: it was drawn for; wide: what it shows; plot, width: of both, CSS pixels
 */
import { el, fitCanvas } from "./dom.js";

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

export class Sheet {
  #canvas = el("canvas");
  node = el("div", { class: "window" }, this.#canvas);
  /** @type {Drawn | null} */
  #drawn = null;

  /**
   * Draws anew, exactly where it belongs.
   * @param {Span} view
   * @param {number} plot  width of the window, CSS pixels
   * @param {number} height  CSS pixels
   * @param {(ctx: CanvasRenderingContext2D, view: Span, width: number) => void} paint  view, width: of the canvas
   */
  draw(view, plot, height, paint) {
    const drawn = (this.#drawn = wider(view, Math.max(1, plot))), { style } = this.#canvas;
    const { ctx } = fitCanvas(this.#canvas, { width: drawn.width, height });
    style.width = drawn.width + "px";
    style.height = height + "px";
    ctx.clearRect(0, 0, drawn.width, height);
    ctx.save();
    paint(ctx, drawn.wide, drawn.width);
    ctx.restore();
    this.place(view);
  }

  /** Moves what is drawn to where it belongs now. @param {Span} view */
  place(view) {
    if (this.#drawn) this.#canvas.style.transform = placing(this.#drawn, view, globalThis.devicePixelRatio || 1);
  }

  /** @see off @param {Span} view */
  off(view) {
    return this.#drawn ? off(this.#drawn, view) : Infinity;
  }
}
