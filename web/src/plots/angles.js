/**
 * A rotation as angles that people can imagine: yaw about the vertical, pitch, roll, in degrees. Pure.
 * Source: Diebel, "Representing Attitude" (2006), section 5.6, sequence z, y, x.
 */

/** Names in the order of `angles`. */
export const ANGLES = ["Yaw", "Pitch", "Roll"];

/**
 * @param {number} w
 * @param {number} x
 * @param {number} y
 * @param {number} z  of any length but 0
 * @returns {[number, number, number]} degrees; NaN of no rotation
 */
export function anglesOf(w, x, y, z) {
  const n = w * w + x * x + y * y + z * z, degrees = 180 / Math.PI;
  if (!(n > 0)) return [NaN, NaN, NaN];
  return [
    Math.atan2(2 * (w * z + x * y), w * w + x * x - y * y - z * z) * degrees,
    Math.asin(Math.max(-1, Math.min(1, (2 * (w * y - z * x)) / n))) * degrees,
    Math.atan2(2 * (w * x + y * z), w * w - x * x - y * y + z * z) * degrees,
  ];
}

/**
 * Samples of four columns as angles, one after the other.
 * @param {{ w: ArrayLike<number>, x: ArrayLike<number>, y: ArrayLike<number>, z: ArrayLike<number> }} parts
 * @param {number} n
 * @returns {Float32Array} yaw of all samples, pitch, roll
 */
export function anglesOfSamples({ w, x, y, z }, n) {
  const out = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) anglesOf(w[i], x[i], y[i], z[i]).forEach((angle, k) => (out[k * n + i] = angle));
  return out;
}
