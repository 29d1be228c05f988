/**
 * What of a panel moves with the view: a canvas wider than its window, which is drawn with some beyond both edges, then moved and stretched, and drawn again at rest or
 * when it is too far off. Moving it costs the page's own thread nothing.
 * @typedef {import("../view/scale.js").Span} Span
 */
import { off, placing, wider } from "../view/moved.js";
import { el, fitCanvas } from "./dom.js";

export class Sheet {
  #canvas = el("canvas");
  node = el("div", { class: "window" }, this.#canvas);
  /** @type {import("../view/moved.js").Drawn | null} */
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
