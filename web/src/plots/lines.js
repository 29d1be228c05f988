/**
 * Lines through single samples, for views with about one sample a pixel or less.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 */

/** Samples further apart than this, in pixels, get a dot each. */
const DOT_SPACING = 7;

/** Canvas coordinates beyond this are cut: a value far outside must not slow the path down. */
const FAR = 1e5;

/**
 * Draws one channel as a line. A row without a value is passed over; the line breaks where rows are missing, and only there.
 * With a stride, a run of equal values is one sample: the line goes from the first row of a run to the first of the next.
 *
 * @param {CanvasRenderingContext2D} ctx  in CSS pixels, origin at the left of the plot
 * @param {Envelope} samples  of kind "samples"
 * @param {number} c  index in samples.columns
 * @param {Span} view
 * @param {number} width  CSS pixels
 * @param {(raw: number) => number} yFromRaw
 * @param {{ stride?: number, periodTicks?: number, steps?: boolean }} how  periodTicks 0: rows come when they come, no breaks; steps: a value lasts until the next
 */
export function strokeSamples(ctx, samples, c, view, width, yFromRaw, { stride = 1, periodTicks = 0, steps = false } = {}) {
  const x = samples.x;
  if (!x || x.length === 0) return;
  const data = samples.data, offset = c * x.length;
  const scale = width / (view.to - view.from), origin = (samples.from - view.from) * scale;
  const breakTicks = periodTicks > 0 ? periodTicks * (stride + 1.5) : Infinity;
  const dots = periodTicks > 0 && periodTicks * stride * scale > DOT_SPACING;
  let lastX = NaN, lastY = 0, lastRaw = NaN, lastIndex = -Infinity, count = 0;
  ctx.beginPath();
  for (let i = 0; i < x.length; i++) {
    const raw = data[offset + i];
    if (Number.isNaN(raw)) continue;
    if (stride > 1 && raw === lastRaw && (periodTicks > 0 ? x[i] - lastX < periodTicks * (stride - 0.5) : i - lastIndex < stride)) continue;
    const px = origin + x[i] * scale;
    const y = Math.max(-FAR, Math.min(FAR, yFromRaw(raw)));
    const joined = x[i] - lastX <= breakTicks;
    if (count > 0 && joined) {
      if (steps) ctx.lineTo(px, lastY);
      ctx.lineTo(px, y);
    } else {
      ctx.moveTo(px, y);
      if (!dots) ctx.lineTo(px + 0.01, y);
    }
    if (dots && px > -5 && px < width + 5) {
      ctx.rect(px - 1.25, y - 1.25, 2.5, 2.5);
      ctx.moveTo(px, y);
    }
    lastX = x[i];
    lastY = y;
    lastRaw = raw;
    lastIndex = i;
    count++;
  }
  ctx.stroke();
}

/**
 * Draws one channel of an envelope as a closed shape from its maxima to its minima and back; for the small panels, where the raster is not worth its buffer.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Envelope} envelope  of kind "envelope"
 * @param {number} c
 * @param {Span} view
 * @param {number} width
 * @param {(raw: number) => number} yFromRaw
 */
export function strokeEnvelope(ctx, envelope, c, view, width, yFromRaw) {
  const { data, bins } = envelope;
  const scale = width / (view.to - view.from);
  const origin = (envelope.from - view.from) * scale, bin = ((envelope.to - envelope.from) / bins) * scale;
  ctx.beginPath();
  let open = false;
  for (let b = 0; b < bins; b++) {
    const min = data[(c * bins + b) * 2], max = data[(c * bins + b) * 2 + 1];
    const x = origin + (b + 0.5) * bin;
    if (Number.isNaN(min)) continue;
    if (x < -bin || x > width + bin) {
      open = false;
      continue;
    }
    const top = yFromRaw(max), bottom = yFromRaw(min);
    if (open) ctx.lineTo(x, top);
    else ctx.moveTo(x, top);
    ctx.lineTo(x, Math.abs(bottom - top) < 0.5 ? top + 0.01 : bottom);
    open = true;
  }
  ctx.stroke();
}
