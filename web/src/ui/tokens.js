/**
 * The tokens of theme.css as the canvases need them; read once and again when the theme changes.
 * @typedef {import("../colour.js").Triple} Triple
 */
import { contactOf } from "../channels.js";
import { hexFromCss, ramp, rgbFromHex } from "../colour.js";
import { probeOf } from "../probe.js";

const COLOURS = /** @type {const} */ (["bg", "pane", "line", "line-2", "text", "dim", "faint", "accent", "selection", "ok", "warn", "bad", "trace-a", "trace-b", "shank-1", "shank-2", "shank-3", "shank-4", "digital", "slow", "heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5"]);

/** @type {Record<string, string> | null} */
let tokens = null;

/** @type {Map<number, Triple[]>} */
const ramps = new Map();

/** Colours of columns, by row. @type {WeakMap<import("../state.js").Row, Map<number, Triple>>} */
let rowColours = new WeakMap();

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

/** Colours of the heat map, from least to most. @returns {Triple[]} */
export function heatStops() {
  return /** @type {const} */ (["heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5"]).map((name) => rgbFromHex(token(name)));
}

/** Font of labels on canvases. @param {number} [size] @param {number} [weight] */
export function canvasFont(size = 11, weight = 400) {
  return `${weight} ${size}px ${token("font")}`;
}

/** Colours of n channels from the first row to the last, cached. @param {number} n */
function channelColours(n) {
  let colours = ramps.get(n);
  if (!colours) ramps.set(n, (colours = ramp(n, rgbFromHex(token("trace-a")), rgbFromHex(token("trace-b")))));
  return colours;
}

/** Shanks with a hue of their own; further ones begin anew. */
const SHANKS = /** @type {const} */ (["shank-1", "shank-2", "shank-3", "shank-4"]);

/**
 * Colour of a channel: by its shank where there are several, else by its place among all channels of the signal, whatever is shown of them.
 * @param {import("../protocol.js").StreamInfo} info
 * @param {import("../state.js").Row} row
 * @param {number} column
 * @returns {Triple}
 */
export function colourOf(info, row, column) {
  let colours = rowColours.get(row);
  if (!colours) {
    const ramp = channelColours(row.all.length), shanks = row.alongProbe ? probeOf(info)?.shanks ?? 1 : 1;
    colours = new Map(row.all.map((c, i) => {
      const contact = shanks > 1 ? contactOf(info, row, c) : undefined;
      return [c, contact ? rgbFromHex(token(SHANKS[contact.shank % SHANKS.length])) : ramp[i]];
    }));
    rowColours.set(row, colours);
  }
  return colours.get(column) ?? rgbFromHex(token("text"));
}

/** Calls back when the system or the page changes its theme. @param {() => void} listener */
export function onThemeChange(listener) {
  const changed = () => {
    tokens = null;
    ramps.clear();
    rowColours = new WeakMap();
    listener();
  };
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", changed);
  new MutationObserver(changed).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}
