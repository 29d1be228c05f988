/**
 * Pure scales: ticks of the acquisition clock to pixels and back, and the round numbers of axes.
 * A span is half-open, `from <= t < to`, in ticks.
 * @typedef {{ from: number, to: number }} Span
 */

/** @param {number} ticks @param {Span} view @param {number} width pixels */
export function xFromTicks(ticks, view, width) {
  return ((ticks - view.from) / (view.to - view.from)) * width;
}

/** @param {number} x pixels @param {Span} view @param {number} width pixels */
export function ticksFromX(x, view, width) {
  return view.from + (x / width) * (view.to - view.from);
}

/** Smallest of 1, 2, 5 x 10^k that is at least x. @param {number} x */
export function niceAbove(x) {
  if (!(x > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(x));
  for (const m of [1, 2, 5, 10]) {
    if (m * power >= x * (1 - 1e-9)) return m * power;
  }
  return 10 * power;
}

/** The next step of 1, 2, 5 x 10^k up (direction 1) or down (-1) from x. @param {number} x @param {1 | -1} direction */
export function niceStep(x, direction) {
  if (direction > 0) return niceAbove(x * 1.0001);
  const power = 10 ** Math.floor(Math.log10(x));
  for (const m of [10, 5, 2, 1, 0.5]) {
    if (m * power < x * 0.9999) return m * power;
  }
  return power / 2;
}

const CLOCK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** Step between labels of a time axis: 1, 2, 5 below a second, clock steps above. @param {number} atLeast seconds */
export function timeStep(atLeast) {
  if (atLeast <= 0.5) return niceAbove(atLeast);
  return CLOCK_STEPS.find((s) => s >= atLeast * (1 - 1e-9)) ?? niceAbove(atLeast / 86400) * 86400;
}

/** Decimals that a multiple of step needs. @param {number} step */
export function decimalsOf(step) {
  return step >= 1 ? 0 : Math.min(9, Math.ceil(-Math.log10(step) - 1e-9));
}

/**
 * Multiples of step in a closed range, made from integers, so that no error adds up.
 * @param {number} from
 * @param {number} to
 * @param {number} step
 * @returns {number[]}
 */
export function multiples(from, to, step) {
  const out = [];
  const first = Math.ceil(from / step - 1e-9), last = Math.floor(to / step + 1e-9);
  for (let i = first; i <= last && out.length < 1000; i++) out.push(i * step);
  return out;
}

/**
 * A value axis: range widened to round numbers, with at most `most` steps.
 * @param {number} min
 * @param {number} max
 * @param {number} most
 * @returns {{ min: number, max: number, step: number }}
 */
export function valueAxis(min, max, most) {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return { min: 0, max: 1, step: 1 };
  if (min === max) {
    const pad = min === 0 ? 1 : Math.abs(min) * 0.1;
    min -= pad;
    max += pad;
  }
  const step = niceAbove((max - min) / most);
  return { min: Math.floor(min / step + 1e-9) * step, max: Math.ceil(max / step - 1e-9) * step, step };
}

/**
 * The bins of a request: whole ticks wide and aligned to multiples of their width, so that the same samples fall into the same bin while the view pans.
 * @param {Span} view
 * @param {number} pixels
 * @returns {{ from: number, to: number, bins: number }}
 */
export function alignedBins(view, pixels) {
  const width = Math.max(1, Math.floor((view.to - view.from) / Math.max(1, pixels)));
  const from = Math.max(0, Math.floor(view.from / width) * width);
  const bins = Math.max(1, Math.ceil((view.to - from) / width));
  return { from, to: from + bins * width, bins };
}
