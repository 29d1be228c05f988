/**
 * A picture in the making, by hand: columns of pixels one after the other (x-major), so that a vertical bar is one run of memory, and an opaque ground, so that
 * blending needs no alpha. A bar is a handful of array writes; the same bars as canvas paths take ten times as long. Nothing is allocated.
 */

/**
 * Lays a colour over another, both opaque, as ImageData's Uint32Array holds them.
 * @param {number} under
 * @param {number} over
 * @param {number} cover  0..128
 */
export function blended(under, over, cover) {
  const rb = under & 0xff00ff, g = under & 0xff00;
  return (0xff000000 | ((rb + ((((over & 0xff00ff) - rb) * cover) >> 7)) & 0xff00ff) | ((g + ((((over & 0xff00) - g) * cover) >> 7)) & 0xff00)) >>> 0;
}

/**
 * One bar in one column of pixels; its ends are blended by how much of a pixel they cover.
 * @param {Uint32Array} pixels  x-major
 * @param {number} column  index of the column's first pixel
 * @param {number} height  of the picture
 * @param {number} top  pixels from above, any
 * @param {number} bottom
 * @param {number} colour
 */
export function fillBar(pixels, column, height, top, bottom, colour) {
  if (top < 0) top = 0;
  if (bottom > height) bottom = height;
  if (!(top < bottom)) return;
  const first = top | 0, last = bottom | 0;
  if (first === last) {
    pixels[column + first] = blended(pixels[column + first], colour, ((bottom - top) * 128) | 0);
    return;
  }
  let i = column + first;
  const above = top - first;
  if (above > 0) {
    pixels[i] = blended(pixels[i], colour, ((1 - above) * 128) | 0);
    i++;
  }
  for (const stop = column + last; i < stop; i++) pixels[i] = colour;
  if (bottom > last) pixels[i] = blended(pixels[i], colour, ((bottom - last) * 128) | 0);
}

/** Edge of the squares that are transposed at once: two of them fit into the first cache. */
const SQUARE = 32;

/**
 * The picture as ImageData holds it, row after row.
 * @param {Uint32Array} columns  x-major
 * @param {Uint32Array} rows
 * @param {number} width
 * @param {number} height
 * @param {number} [stride]  of the rows, if they are part of a wider picture
 */
export function transpose(columns, rows, width, height, stride = width) {
  for (let x0 = 0; x0 < width; x0 += SQUARE) {
    const x1 = Math.min(width, x0 + SQUARE);
    for (let y0 = 0; y0 < height; y0 += SQUARE) {
      const y1 = Math.min(height, y0 + SQUARE);
      for (let y = y0; y < y1; y++) {
        for (let x = x0, to = y * stride + x0, from = x0 * height + y; x < x1; x++, to++, from += height) rows[to] = columns[from];
      }
    }
  }
}

/** Distance of two hatch lines and their width, device pixels per CSS pixel. */
const HATCH = { pitch: 6, line: 1.6 };

/**
 * Hatches missing spans over the full height; a span of less than two pixels becomes a line of one that lets the data through, so that no loss is invisible, and
 * many of them hide nothing. The pattern begins where the span does, and moves with it.
 * @param {Uint32Array} pixels  x-major
 * @param {number} width
 * @param {number} height
 * @param {{ x0: number, x1: number, edge: number }[]} spans  pixels; edge: colour of both borders
 * @param {{ ground: number, line: number, dpr: number }} how
 */
export function hatch(pixels, width, height, spans, { ground, line, dpr }) {
  const pitch = HATCH.pitch * dpr, thick = HATCH.line * dpr * Math.SQRT2;
  for (const { x0, x1, edge } of spans) {
    const from = Math.round(x0), to = Math.round(x1), rim = blended(ground, edge, 70);
    if (to - from < 2 * dpr) {
      for (let x = Math.max(0, from); x < Math.min(width, from + Math.round(dpr)); x++) {
        for (let i = x * height, stop = i + height; i < stop; i++) pixels[i] = blended(pixels[i], edge, 60);
      }
      continue;
    }
    for (let x = Math.max(0, from); x < Math.min(width, to); x++) {
      const column = x * height;
      if (x < from + dpr || x >= to - dpr) {
        pixels.fill(rim, column, column + height);
        continue;
      }
      pixels.fill(ground, column, column + height);
      const offset = (((from - x) % pitch) + pitch) % pitch;
      for (let y = offset - pitch; y < height; y += pitch) fillBar(pixels, column, height, y, y + thick, line);
    }
  }
}
