/**
 * The painter's raster by itself: what it looks like, and how long a redraw takes here. Same seed, same picture.
 */
import { pixelFromRgb, ramp, rgbFromHex } from "../src/colour.js";
import { transpose } from "../src/plots/raster.js";
import { drawStack } from "../src/plots/stack.js";

const CHANNELS = 100, ROW = 9, REDRAWS = 100;

/** Numbers in 0..1 from a seed (mulberry32). @param {number} seed */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("plot"));
const { width, height } = canvas;
const next = random(1);
const data = new Float32Array(CHANNELS * width * 2), mean = new Float32Array(CHANNELS * width), sd = new Float32Array(CHANNELS * width).fill(1.2);
for (let c = 0; c < CHANNELS; c++) {
  for (let b = 0; b < width; b++) {
    const slow = 2 * Math.sin(b / 60 + c / 9), spike = next() < 0.002 ? 18 : 0;
    data[(c * width + b) * 2] = slow - 1 - 2 * next() - spike;
    data[(c * width + b) * 2 + 1] = slow + 1 + 2 * next();
    mean[c * width + b] = slow;
  }
}
/** @type {import("../src/protocol.js").Envelope} */
const envelope = { kind: "envelope", quality: "exact", from: 0, to: width, bins: width, done: width, columns: [], data, mean, sd, rows: 26 * width, rows_used: 26 * width, samples_per_pixel: 26 };

const style = getComputedStyle(document.documentElement);
const colours = ramp(CHANNELS, rgbFromHex(style.getPropertyValue("--trace-a")), rgbFromHex(style.getPropertyValue("--trace-b"))).map(pixelFromRgb);
const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
const image = new ImageData(width, height), pixels = new Uint32Array(width * height);
const ground = pixelFromRgb(rgbFromHex(style.getPropertyValue("--bg"))), text = pixelFromRgb(rgbFromHex(style.getPropertyValue("--text")));
const index = new Map(colours.map((_, c) => [c, c]));
const channels = colours.map((colour, column) => ({ column, stride: 1, perRaw: 1, middle: 0, colour }));
const times = [];
for (let i = 0; i < REDRAWS; i++) {
  const start = performance.now();
  pixels.fill(ground);
  drawStack(pixels, { width, height, view: { from: 0, to: width }, top: 0, rowPixels: ROW, clip: 3, dpr: 1, periodTicks: 1, ground, text }, channels, [{ envelope, index }]);
  transpose(pixels, new Uint32Array(image.data.buffer), width, height);
  context.putImageData(image, 0, 0);
  times.push(performance.now() - start);
}
const average = times.reduce((sum, t) => sum + t, 0) / REDRAWS;
const deviation = Math.sqrt(times.reduce((sum, t) => sum + (t - average) ** 2, 0) / REDRAWS);
/** @type {HTMLElement} */ (document.getElementById("timing")).textContent =
  `A redraw took ${Math.min(...times).toFixed(1)} ms at least, ${average.toFixed(1)} ± ${deviation.toFixed(1)} ms in the mean.`;
