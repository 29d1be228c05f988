/**
 * From data to columns of pixels: for one channel, where in every column its bar begins and ends. Pixels are device pixels, y grows downwards; a column without
 * data is NaN. Bins are mapped to columns by time, so data of another view (while the right ones are on their way) land where they belong.
 *
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {{ tops: Float32Array, bottoms: Float32Array }} Bars  by column of pixels
 * @typedef {{ from: number, to: number }} Range  columns of pixels, half-open
 * @typedef {{ offset: number, perRaw: number }} Placing  y = offset - raw * perRaw
 */

/**
 * How bins lie under pixels.
 * @param {Envelope} envelope
 * @param {Span} view
 * @param {number} width
 */
export function binsUnder(envelope, view, width) {
  const binTicks = (envelope.to - envelope.from) / envelope.bins;
  return { start: (view.from - envelope.from) / binTicks, step: (view.to - view.from) / width / binTicks };
}

/**
 * Columns of pixels that data of a span can say something of.
 * @param {Span} data
 * @param {Span} view
 * @param {number} width
 * @returns {Range}
 */
export function columnsUnder(data, view, width) {
  const scale = width / (view.to - view.from);
  return { from: Math.max(0, Math.floor((data.from - view.from) * scale + 1e-6)), to: Math.min(width, Math.ceil((data.to - view.from) * scale - 1e-6)) };
}

/**
 * From minimum to maximum.
 * @param {Bars} bars
 * @param {Envelope} envelope  of kind "envelope"
 * @param {number} c  index in envelope.columns
 * @param {{ start: number, step: number }} under
 * @param {Range} range
 * @param {Placing} placing
 */
export function extremes({ tops, bottoms }, { data, bins }, c, { start, step }, range, { offset, perRaw }) {
  const first = c * bins * 2;
  for (let x = range.from; x < range.to; x++) {
    let b = Math.floor(start + x * step + 1e-6), end = Math.floor(start + (x + 1) * step + 1e-6);
    if (end <= b) end = b + 1;
    if (b < 0) b = 0;
    if (end > bins) end = bins;
    let min = Infinity, max = -Infinity;
    for (let i = first + 2 * b; b < end; b++, i += 2) {
      if (data[i] < min) min = data[i];
      if (data[i + 1] > max) max = data[i + 1];
    }
    if (!(min <= max)) tops[x] = bottoms[x] = NaN;
    else if (perRaw >= 0) {
      tops[x] = offset - max * perRaw;
      bottoms[x] = offset - min * perRaw;
    } else {
      tops[x] = offset - min * perRaw;
      bottoms[x] = offset - max * perRaw;
    }
  }
}

/**
 * From mean - standard deviation to mean + standard deviation.
 * @param {Bars} bars
 * @param {Envelope} envelope  of kind "envelope", with mean and sd
 * @param {number} c
 * @param {{ start: number, step: number }} under
 * @param {Range} range
 * @param {Placing} placing
 */
export function spreads({ tops, bottoms }, envelope, c, { start, step }, range, { offset, perRaw }) {
  const { bins } = envelope, first = c * bins;
  const mean = /** @type {Float32Array} */ (envelope.mean), sd = /** @type {Float32Array} */ (envelope.sd);
  const scale = Math.abs(perRaw);
  for (let x = range.from; x < range.to; x++) {
    let b = Math.floor(start + x * step + 1e-6), end = Math.floor(start + (x + 1) * step + 1e-6);
    if (end <= b) end = b + 1;
    if (b < 0) b = 0;
    if (end > bins) end = bins;
    let m = NaN, s = NaN;
    if (end === b + 1) {
      m = mean[first + b];
      s = sd[first + b];
    } else {
      let n = 0, sum = 0, squares = 0;
      for (; b < end; b++) {
        const value = mean[first + b];
        if (value !== value) continue;
        n++;
        sum += value;
        squares += value * value + sd[first + b] * sd[first + b];
      }
      if (n > 0) {
        m = sum / n;
        s = Math.sqrt(Math.max(0, squares / n - m * m));
      }
    }
    tops[x] = offset - m * perRaw - s * scale;
    bottoms[x] = offset - m * perRaw + s * scale;
  }
}

/**
 * A line through single samples: in every column the stretch of it that crosses the column. A row without a value is passed over; the line breaks where rows are
 * missing, and only there. With a stride, a run of equal values is one sample: the line goes from the first row of a run to the first of the next.
 * @param {Bars} bars
 * @param {Envelope} samples  of kind "samples"
 * @param {number} c
 * @param {{ view: Span, width: number }} on
 * @param {Range} range
 * @param {Placing & { top: number, bottom: number }} placing  the line stays between top and bottom
 * @param {{ stride: number, periodTicks: number }} rows
 * @param {(x: number, y: number) => void} [dot]  called for every sample in range
 */
export function lines({ tops, bottoms }, samples, c, { view, width }, range, { offset, perRaw, top, bottom }, { stride, periodTicks }, dot) {
  const x = samples.x ?? new Float64Array(0), { data } = samples, first = c * x.length;
  const scale = width / (view.to - view.from), origin = (samples.from - view.from) * scale;
  const breakTicks = periodTicks * (stride + 1.5), runTicks = periodTicks * (stride - 0.5); // the next value of its own may be the same
  for (let k = range.from; k < range.to; k++) tops[k] = bottoms[k] = NaN;
  const reach = (/** @type {number} */ k, /** @type {number} */ a, /** @type {number} */ b) => {
    const low = a < b ? a : b, high = a < b ? b : a;
    if (!(tops[k] <= low)) tops[k] = low;
    if (!(bottoms[k] >= high)) bottoms[k] = high;
  };
  let lastTicks = NaN, lastX = 0, lastY = 0, lastRaw = NaN;
  for (let i = 0; i < x.length; i++) {
    const raw = data[first + i];
    if (raw !== raw) continue;
    if (stride > 1 && raw === lastRaw && x[i] - lastTicks < runTicks) continue;
    const px = origin + x[i] * scale, y = Math.min(bottom, Math.max(top, offset - raw * perRaw));
    if (x[i] - lastTicks <= breakTicks) {
      const from = Math.max(range.from, Math.floor(lastX)), to = Math.min(range.to - 1, Math.floor(px)), slope = (y - lastY) / (px - lastX || 1);
      for (let k = from; k <= to; k++) reach(k, k > lastX ? lastY + (k - lastX) * slope : lastY, k + 1 < px ? lastY + (k + 1 - lastX) * slope : y);
    } else if (px >= range.from && px < range.to) reach(Math.floor(px), y, y);
    if (dot && px >= range.from && px < range.to) dot(px, y);
    lastTicks = x[i];
    lastX = px;
    lastY = y;
    lastRaw = raw;
  }
}
