/**
 * Min-max envelopes into pixels, by hand: one vertical bar a pixel column, its ends blended. A bar is a handful of array writes, so a hundred channels on a
 * wide screen take a few milliseconds; the same bars as canvas paths take ten times as long. Nothing is allocated.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 */

/**
 * Draws one channel. Bins are mapped to pixel columns by time, so an envelope of another view (while the right one is on its way) lands where it belongs.
 * A column without data stays empty.
 *
 * @param {Uint32Array} pixels  width * height, as in ImageData; 0 is transparent
 * @param {number} width  device pixels
 * @param {number} height  device pixels
 * @param {Envelope} envelope  of kind "envelope"
 * @param {number} c  index in envelope.columns
 * @param {Span} view  ticks over the whole width
 * @param {number} yZero  device pixels; where `baseline` is drawn
 * @param {number} pixelsPerRaw  device pixels a raw unit, negative for an inverted channel
 * @param {number} baseline  raw units
 * @param {number} colour  packed, opaque
 * @param {number} thickness  least height of a bar, device pixels
 * @param {number} [tallerThan]  draws only bars taller than this, device pixels: spikes, in a second pass above all traces
 */
export function rasterEnvelope(pixels, width, height, envelope, c, view, yZero, pixelsPerRaw, baseline, colour, thickness, tallerThan = -1) {
  const { data, bins } = envelope;
  const binTicks = (envelope.to - envelope.from) / bins;
  const step = (view.to - view.from) / width / binTicks;
  const start = (view.from - envelope.from) / binTicks;
  const offset = c * bins * 2;
  const firstX = Math.max(0, Math.ceil(-start / step - 1));
  const lastX = Math.min(width, Math.ceil((bins - start) / step));
  let lastTop = NaN, lastBottom = NaN;
  for (let x = firstX; x < lastX; x++) {
    let b = Math.floor(start + x * step + 1e-6);
    let end = Math.floor(start + (x + 1) * step + 1e-6);
    if (end <= b) end = b + 1;
    if (b < 0) b = 0;
    if (end > bins) end = bins;
    let min = Infinity, max = -Infinity;
    for (; b < end; b++) {
      const lo = data[offset + 2 * b], hi = data[offset + 2 * b + 1];
      if (lo < min) min = lo;
      if (hi > max) max = hi;
    }
    if (!(min <= max)) {
      lastTop = lastBottom = NaN;
      continue;
    }
    let top = yZero - (max - baseline) * pixelsPerRaw;
    let bottom = yZero - (min - baseline) * pixelsPerRaw;
    if (top > bottom) {
      const t = top;
      top = bottom;
      bottom = t;
    }
    const ownTop = top, ownBottom = bottom;
    // touches the bar before it, as the line between the two samples would
    if (top > lastBottom) top = lastBottom;
    else if (bottom < lastTop) bottom = lastTop;
    lastTop = ownTop;
    lastBottom = ownBottom;
    if (bottom - top <= tallerThan) continue;
    if (bottom - top < thickness) {
      const middle = (top + bottom) / 2;
      top = middle - thickness / 2;
      bottom = middle + thickness / 2;
    }
    if (bottom <= 0 || top >= height) continue;
    if (top < 0) top = 0;
    if (bottom > height) bottom = height;
    const y0 = Math.floor(top), y1 = Math.floor(bottom);
    let i = y0 * width + x;
    if (y0 === y1) {
      blend(pixels, i, colour, bottom - top);
      continue;
    }
    if (top > y0) {
      blend(pixels, i, colour, 1 - (top - y0));
      i += width;
    }
    for (const stop = y1 * width; i < stop; i += width) pixels[i] = colour;
    if (bottom > y1 && y1 < height) blend(pixels, y1 * width + x, colour, bottom - y1);
  }
}

/**
 * Lays a colour over a pixel with a coverage of 0..1.
 * @param {Uint32Array} pixels
 * @param {number} i
 * @param {number} colour
 * @param {number} cover
 */
function blend(pixels, i, colour, cover) {
  const under = pixels[i];
  const alpha = under >>> 24;
  if (alpha === 0) {
    pixels[i] = ((Math.round(cover * 255) << 24) | (colour & 0xffffff)) >>> 0;
    return;
  }
  const keep = (1 - cover) * (alpha / 255);
  const total = cover + keep;
  const r = ((colour & 255) * cover + (under & 255) * keep) / total;
  const g = (((colour >> 8) & 255) * cover + ((under >> 8) & 255) * keep) / total;
  const b = (((colour >> 16) & 255) * cover + ((under >> 16) & 255) * keep) / total;
  pixels[i] = ((Math.round(total * 255) << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
}
