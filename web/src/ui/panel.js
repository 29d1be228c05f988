/**
 * What is in a panel below the traces that has no axis: digital ports as lanes, a tick a row, and the name of one that is folded.
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {import("./lower.js").Panel} Panel
 */
import { MEASURES } from "../measures.js";
import { changingBits, strokeBit } from "../plots/bits.js";
import { drawHatch, missingIn } from "../plots/hatch.js";
import { tickMarks } from "../plots/ticks.js";
import { bitLabel } from "../signals.js";
import { spanOf } from "../times.js";
import { bestLayer } from "../view/loader.js";
import { fitCanvas, fitted } from "./dom.js";
import { canvasFont, token } from "./tokens.js";

/** Height of each bit, where that is more than the panel has. */
const LANE_HEIGHT = 12;

/** Height of a panel that is folded. */
const FOLDED_HEIGHT = 19;

/** Bits shown while none is known to change. */
const QUIET_BITS = 4;

/** An empty panel to draw on: what stays where it is, above what moves with the view. @param {Panel} panel @param {number} [height]  of the panel, CSS pixels; else as the style sheet says */
export function blank(panel, height) {
  const wanted = height === undefined ? "" : height + "px";
  if (panel.node.style.height !== wanted) panel.node.style.height = wanted;
  const { ctx, width, height: high } = fitCanvas(panel.canvas, height === undefined ? panel.size : { ...panel.size, height });
  ctx.clearRect(0, 0, width, high);
  ctx.textAlign = "left";
  return { ctx, width, height: high, plot: width - MEASURES.gutter };
}

/** @param {CanvasRenderingContext2D} ctx @param {StreamInfo} info @param {Span} view @param {number} width @param {number} height */
export function hatchMissing(ctx, info, view, width, height) {
  drawHatch(ctx, missingIn(info.coverage, view), view, width, height, { bg: token("bg"), bad: token("bad"), warn: token("warn"), line: token("line-2") });
}

/** A name in the gutter, a little narrower where it has no room, else cut. @param {CanvasRenderingContext2D} ctx @param {string} name @param {number} y */
function nameIn(ctx, name, y) {
  ctx.fillText(fitted(ctx, name, (MEASURES.gutter - 14) * 1.3), 10, y, MEASURES.gutter - 14);
}

/** The name alone. @param {Panel} panel */
export function drawFolded(panel) {
  const { ctx, width, height } = blank(panel, FOLDED_HEIGHT);
  ctx.font = canvasFont(10.5);
  ctx.textBaseline = "middle";
  ctx.fillStyle = token("dim");
  ctx.fillText(fitted(ctx, panel.name, width / 2), 22, height / 2);
}

/** A short line at the time of each row. @param {Panel} panel @param {StreamInfo} info @param {Span} view */
export function drawTicks(panel, info, view) {
  const { ctx, height, plot } = blank(panel);
  ctx.font = canvasFont(10.5);
  ctx.textBaseline = "middle";
  ctx.fillStyle = token("dim");
  nameIn(ctx, panel.name, height / 2);
  panel.sheet.draw(view, plot, height, (ctx, wide, width) => {
    const layer = bestLayer(panel.loader.layers, panel.columns[0], view) ?? panel.loader.layers[0];
    ctx.fillStyle = token("slow");
    for (const mark of layer ? tickMarks(layer.envelope, wide, width) : []) {
      ctx.globalAlpha = mark.width > 1 ? 0.55 : 1; // many
      ctx.fillRect(mark.x, 5, mark.width, height - 10);
    }
    ctx.globalAlpha = 1;
    hatchMissing(ctx, info, wide, width, height);
  });
}

/** @param {Panel} panel @param {StreamInfo} info @param {Span} view */
export function drawLanes(panel, info, view) {
  const lanes = lanesOf(panel);
  const { ctx, height, plot } = blank(panel, Math.max(MEASURES.lanes, lanes.length * LANE_HEIGHT + 8));
  const lane = (height - 6) / lanes.length;
  ctx.textBaseline = "middle";
  ctx.font = canvasFont(10.5);
  ctx.fillStyle = token("dim");
  lanes.forEach(({ column, bit }, i) => nameIn(ctx, bitLabel(info.columns[column], bit), 3 + (i + 0.5) * lane));
  panel.sheet.draw(view, plot, height, (ctx, wide, width) => {
    ctx.strokeStyle = token("digital");
    ctx.lineWidth = 1.2;
    lanes.forEach(({ column, bit }, i) => {
      const layer = bestLayer(panel.loader.layers, column, view) ?? panel.loader.layers[0];
      if (!layer?.index.has(column)) return;
      const high = Math.round(3 + i * lane + lane * 0.2) + 0.5, low = Math.round(3 + (i + 1) * lane - lane * 0.2) + 0.5;
      strokeBit(ctx, layer.envelope, /** @type {number} */ (layer.index.get(column)), bit, wide, width, high, low, spanOf(info).to);
    });
    hatchMissing(ctx, info, wide, width, height);
  });
}

/** Bits of a panel from its first port to its last. @param {Panel} panel */
function lanesOf(panel) {
  const layer = panel.loader.layers[0];
  for (const column of panel.columns) {
    const c = layer?.index.get(column);
    if (layer && c !== undefined) panel.bits.set(column, (panel.bits.get(column) ?? 0) | changingBits(layer.envelope, c));
  }
  const lanes = panel.columns.flatMap((column) => bitsOf(panel.bits.get(column) ?? 0).map((bit) => ({ column, bit })));
  return lanes.length > 0 ? lanes : Array.from({ length: QUIET_BITS }, (_, bit) => ({ column: panel.columns[0], bit }));
}

/** @param {number} mask */
function bitsOf(mask) {
  return Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (mask >>> bit) & 1);
}
