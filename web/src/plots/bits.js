/**
 * Digital ports as lanes, one a bit.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 */

/**
 * Bits that are not the same everywhere in the data.
 * @param {Envelope} envelope
 * @param {number} c
 * @returns {number} mask; of an envelope also bits that only may have changed
 */
export function changingBits(envelope, c) {
  const n = envelope.kind === "samples" ? envelope.x?.length ?? 0 : envelope.bins * 2;
  let mask = 0, first = NaN;
  for (let i = 0; i < n; i++) {
    const v = envelope.data[c * n + i];
    if (Number.isNaN(v)) continue;
    if (Number.isNaN(first)) first = v;
    else if (v !== first) mask |= envelope.kind === "samples" ? v ^ first : uncertain(v, first);
  }
  return mask >>> 0;
}

/** Every bit from the highest in which a and b differ downwards: between two extremes any of them may have changed. @param {number} a @param {number} b */
export function uncertain(a, b) {
  const differ = (a ^ b) >>> 0;
  return differ === 0 ? 0 : 2 ** (32 - Math.clz32(differ)) - 1;
}

/**
 * Draws one bit: high and low lines with edges; a bin in which it may have changed becomes a bar over the lane's height.
 * @param {CanvasRenderingContext2D} ctx  in CSS pixels, origin at the left of the plot
 * @param {Envelope} envelope
 * @param {number} c
 * @param {number} bit
 * @param {Span} view
 * @param {number} width
 * @param {number} yHigh
 * @param {number} yLow
 * @param {number} endTicks  where the last value ends
 */
export function strokeBit(ctx, envelope, c, bit, view, width, yHigh, yLow, endTicks) {
  const scale = width / (view.to - view.from);
  ctx.beginPath();
  if (envelope.kind === "samples") strokeEvents(ctx, envelope, c, bit, view, scale, width, yHigh, yLow, endTicks);
  else strokeBins(ctx, envelope, c, bit, view, scale, width, yHigh, yLow);
  ctx.stroke();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Envelope} e
 * @param {number} c
 * @param {number} bit
 * @param {Span} view
 * @param {number} scale
 * @param {number} width
 * @param {number} yHigh
 * @param {number} yLow
 * @param {number} endTicks
 */
function strokeEvents(ctx, e, c, bit, view, scale, width, yHigh, yLow, endTicks) {
  const x = /** @type {Float64Array} */ (e.x);
  const origin = (e.from - view.from) * scale;
  let level = -1, px = 0, drawn = -Infinity;
  for (let i = 0; i < x.length; i++) {
    const v = e.data[c * x.length + i];
    if (Number.isNaN(v)) continue;
    const next = (v >>> bit) & 1;
    if (next === level) continue;
    px = Math.max(-2, origin + x[i] * scale);
    if (px > width + 2) break;
    const y = next ? yHigh : yLow;
    if (level < 0) ctx.moveTo(px, y);
    else if (px - drawn >= 0.25 || next !== level) {
      ctx.lineTo(px, next ? yLow : yHigh);
      ctx.lineTo(px, y);
    }
    drawn = px;
    level = next;
  }
  if (level >= 0) ctx.lineTo(Math.min(width + 2, (endTicks - view.from) * scale), level ? yHigh : yLow);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Envelope} e
 * @param {number} c
 * @param {number} bit
 * @param {Span} view
 * @param {number} scale
 * @param {number} width
 * @param {number} yHigh
 * @param {number} yLow
 */
function strokeBins(ctx, e, c, bit, view, scale, width, yHigh, yLow) {
  const binPx = ((e.to - e.from) / e.bins) * scale, origin = (e.from - view.from) * scale;
  let y = NaN;
  for (let b = 0; b < e.bins; b++) {
    const x = origin + b * binPx;
    if (x + binPx < -2 || x > width + 2) continue;
    const min = e.data[(c * e.bins + b) * 2], max = e.data[(c * e.bins + b) * 2 + 1];
    if (Number.isNaN(min)) continue; // an event stream has nothing between two events; the level stays
    const both = (uncertain(min, max) >>> bit) & 1;
    const next = (max >>> bit) & 1 ? yHigh : yLow;
    if (Number.isNaN(y)) ctx.moveTo(x, next);
    else ctx.lineTo(x, y);
    if (both) {
      ctx.lineTo(x, yHigh);
      ctx.lineTo(x, yLow);
    }
    ctx.lineTo(x, next);
    y = next;
  }
  if (!Number.isNaN(y)) ctx.lineTo(Math.min(width + 2, origin + e.bins * binPx), y);
}
