/**
 * The tokens of theme.css as the canvases need them; read once and again when the theme changes.
 * @typedef {import("../colour.js").Triple} Triple
 */
import { hexFromCss, ramp, rgbFromHex } from "../colour.js";

const COLOURS = /** @type {const} */ (["bg", "pane", "line", "line-2", "text", "dim", "faint", "accent", "selection", "ok", "warn", "bad", "trace-a", "trace-b", "digital", "slow"]);

/** @type {Record<string, string> | null} */
let tokens = null;

/** @type {Map<number, Triple[]>} */
const ramps = new Map();

/** @param {(typeof COLOURS)[number] | "font"} name */
export function token(name) {
  if (!tokens) {
    const probe = document.documentElement.appendChild(document.createElement("i")), style = getComputedStyle(probe);
    tokens = Object.fromEntries(COLOURS.map((n) => {
      probe.style.color = `var(--${n})`;
      return [n, hexFromCss(style.color)];
    }));
    tokens.font = style.getPropertyValue("--font").trim();
    probe.remove();
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
