/**
 * Colours: hex in, mixtures in oklab, packed pixels for the raster.
 * Source of the oklab matrices: Björn Ottosson, "A perceptual color space for image processing" (2020), public domain.
 * @typedef {[number, number, number]} Triple
 */

/** @param {string} hex "#rrggbb" @returns {Triple} 0..255 */
export function rgbFromHex(hex) {
  const m = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex.trim());
  if (!m) throw new Error(`colour: "${hex}" is not #rrggbb`);
  return [parseInt(m[1], 16), parseInt(m[2], 16), parseInt(m[3], 16)];
}

/** A colour as browsers compute it, "rgb(14, 19, 22)", as hex; one that can be seen through stays as it is. @param {string} css */
export function hexFromCss(css) {
  const m = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(css);
  return m ? cssFromRgb([Number(m[1]), Number(m[2]), Number(m[3])]) : css;
}

/** @param {Triple} rgb */
export function cssFromRgb([r, g, b]) {
  return "#" + [r, g, b].map((v) => Math.round(v).toString(16).padStart(2, "0")).join("");
}

/** Opaque pixel as an ImageData's Uint32Array holds it on a little-endian machine. @param {Triple} rgb */
export function pixelFromRgb([r, g, b]) {
  return (0xff000000 | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
}

/** @param {number} v 0..255 */
const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);

/** @param {number} v 0..1 */
const gamma = (v) => 255 * Math.min(1, Math.max(0, v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));

/** @param {Triple} rgb @returns {Triple} */
export function oklabFromRgb(rgb) {
  const [r, g, b] = rgb.map(linear);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** @param {Triple} lab @returns {Triple} */
export function rgbFromOklab([L, a, b]) {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** @param {Triple} a @param {Triple} b @param {number} t 0 gives a, 1 gives b @returns {Triple} */
export function mix(a, b, t) {
  const x = oklabFromRgb(a), y = oklabFromRgb(b);
  return rgbFromOklab([x[0] + (y[0] - x[0]) * t, x[1] + (y[1] - x[1]) * t, x[2] + (y[2] - x[2]) * t]);
}

/** Channels of one sweep from a to b: about what a screen shows, so that neighbours can be distinguished on a long probe too. */
const SWEEP = 96;

/**
 * Colours of n channels in display order, the last one b. A long list goes back and forth, so a channel keeps its colour while the list scrolls.
 * @param {number} n
 * @param {Triple} a
 * @param {Triple} b
 * @returns {Triple[]}
 */
export function ramp(n, a, b) {
  const sweeps = Math.max(1, Math.round(n / SWEEP));
  return Array.from({ length: n }, (_, i) => {
    const fromLast = n < 2 ? 1 : ((n - 1 - i) / (n - 1)) * sweeps;
    const phase = fromLast % 2;
    return mix(b, a, phase <= 1 ? phase : 2 - phase);
  });
}
