/**
 * The tokens of theme.css as the canvases need them; read once and again when the theme changes.
 * @typedef {import("../colour.js").Triple} Triple
 */
import { ramp, rgbFromHex } from "../colour.js";

const NAMES = /** @type {const} */ (["bg", "pane", "line", "line-2", "text", "dim", "faint", "accent", "selection", "ok", "warn", "bad", "trace-a", "trace-b", "digital", "slow", "font"]);

/** @type {Record<string, string> | null} */
let tokens = null;

/** @type {Map<number, Triple[]>} */
const ramps = new Map();

/** @param {(typeof NAMES)[number]} name */
export function token(name) {
  if (!tokens) {
    const style = getComputedStyle(document.documentElement);
    tokens = Object.fromEntries(NAMES.map((n) => [n, style.getPropertyValue("--" + n).trim()]));
  }
  return tokens[name];
}

/** Font of labels on canvases. @param {number} [size] @param {number} [weight] */
export function canvasFont(size = 11, weight = 400) {
  return `${weight} ${size}px ${token("font")}`;
}

/** Colours of n channels from the first row to the last, cached. @param {number} n */
export function channelColours(n) {
  let colours = ramps.get(n);
  if (!colours) ramps.set(n, (colours = ramp(n, rgbFromHex(token("trace-a")), rgbFromHex(token("trace-b")))));
  return colours;
}

/** Calls back when the system or the page changes its theme. @param {() => void} listener */
export function onThemeChange(listener) {
  const changed = () => {
    tokens = null;
    ramps.clear();
    listener();
  };
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", changed);
  new MutationObserver(changed).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}
