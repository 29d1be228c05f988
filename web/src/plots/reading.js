/**
 * What is known of a channel at a tick, from data that are there. Pure.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {{ kind: "value", raw: number } | { kind: "bin", min: number, max: number, mean: number, sd: number } | { kind: "none" }} Reading  raw units
 */

/**
 * @param {Envelope} envelope
 * @param {number} c  index in envelope.columns
 * @param {number} at  ticks
 * @param {number} stride  rows that may be without a value of their own
 * @returns {Reading}
 */
export function readingAt(envelope, c, at, stride) {
  if (envelope.kind === "envelope") {
    const bin = Math.floor(((at - envelope.from) / (envelope.to - envelope.from)) * envelope.bins), i = c * envelope.bins + bin;
    if (bin < 0 || bin >= envelope.bins || Number.isNaN(envelope.data[2 * i])) return { kind: "none" };
    return { kind: "bin", min: envelope.data[2 * i], max: envelope.data[2 * i + 1], mean: envelope.mean?.[i] ?? NaN, sd: envelope.sd?.[i] ?? NaN };
  }
  const x = envelope.x ?? new Float64Array(0);
  let low = 0, high = x.length;
  while (low < high) { // first sample after the tick
    const middle = (low + high) >> 1;
    if (x[middle] <= at - envelope.from) low = middle + 1;
    else high = middle;
  }
  for (let i = low - 1; i >= 0 && i > low - 1 - Math.max(1, stride); i--) {
    const raw = envelope.data[c * x.length + i];
    if (!Number.isNaN(raw)) return { kind: "value", raw };
  }
  return { kind: "none" };
}
