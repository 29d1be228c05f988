/**
 * Elements without a framework. Attributes are set as attributes; there is no inline style and no HTML from strings. All words come in here, those of files too:
 * characters that cannot be seen or turn the words around them are written as escapes.
 * @typedef {Node | string | null | undefined | false} Child
 */
import { visible } from "../words.js";

/** Attributes that people read or hear. */
const READ = /^(title|alt|placeholder|aria-label)$/;

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown> | null} [attributes]  on* are listeners, true is an empty attribute, false and undefined are left out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === false || value === null) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else node.setAttribute(name, value === true ? "" : READ.test(name) ? visible(String(value)) : String(value));
  }
  append(node, children);
  return node;
}

/** @param {Element} node @param {Child[]} children */
function append(node, children) {
  for (const child of children) {
    if (child || child === "") node.append(typeof child === "string" ? visible(child) : child);
  }
}

/** Replaces what is in an element. @param {Element} node @param {...Child} children */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

/** Sets text only when it differs, so that unchanged words cost nothing. @param {Element} node @param {string} text */
export function say(node, text) {
  const words = visible(text);
  if (node.textContent !== words) node.textContent = words;
}

/** Sets the words that are shown where the pointer rests. @param {HTMLElement} node @param {string} text */
export function hint(node, text) {
  const words = visible(text);
  if (node.title !== words) node.title = words;
}

/** Shows how much is done; null where nobody knows. @param {HTMLProgressElement} bar @param {number | null} share */
export function showShare(bar, share) {
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}

/** @template {Element} [T=HTMLElement] @param {string} id @returns {T} */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`page: no element #${id}`);
  return /** @type {T} */ (/** @type {unknown} */ (node));
}

/** Paths of the signs, 16 x 16, strokes of 1.6 px. */
const SIGNS = {
  traces: "M1 8h2.5l1.7-4.5 2.8 8 2.5-6 1.5 2.5H15",
  lanes: "M1 12h3V4h4v8h4V4h3",
  slow: "M1 11l4-2 3 1 3-5 4 2",
  table: "M2 3.5h12v9H2zM2 7h12M6.5 3.5v9",
  ticks: "M2.5 4v8M6 4v8M9.5 4v8M13 4v8",
  fold: "M4.5 6.5 8 10l3.5-3.5",
  beat: "M8 13.5S2 10 2 5.9A3 3 0 0 1 8 5a3 3 0 0 1 6 .9C14 10 8 13.5 8 13.5z",
  file: "M4 1.8h5l3.2 3.2v9.2H4zM8.8 1.8V5.2H12.2",
  close: "M4 4l8 8M12 4l-8 8",
  add: "M8 3v10M3 8h10",
  panel: "M2 3.5h12v9H2zM10.5 3.5v9",
  list: "M2 3.5h12v9H2zM5.5 3.5v9",
};

/** Loads a style sheet. @param {string} path  below src/ @returns {Promise<unknown>} */
export function styled(path) {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new TypeError(`could not load ${path}`));
    document.head.append(el("link", { rel: "stylesheet", href: new URL("../" + path, import.meta.url).href, onload: resolve, onerror: fail }));
  });
}

/** @param {keyof typeof SIGNS} name @returns {SVGSVGElement} */
export function sign(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "sign");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SIGNS[name]);
  svg.append(path);
  return svg;
}

/**
 * A canvas's size in device pixels, brought up to date, and its context scaled to CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {{ width: number, height: number }} [size]  CSS pixels, where they are known: asking the canvas may cost a layout
 * @returns {{ ctx: CanvasRenderingContext2D, width: number, height: number, dpr: number }}  width, height: CSS pixels
 */
export function fitCanvas(canvas, { width, height } = { width: canvas.clientWidth, height: canvas.clientHeight }) {
  const dpr = globalThis.devicePixelRatio || 1;
  const w = Math.max(1, Math.round(width * dpr)), h = Math.max(1, Math.round(height * dpr));
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  return { ctx, width, height, dpr };
}

/** Offers bytes as a download under a name. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** What something was drawn from: it is drawn again only when that is not as it was. */
export class DrawnFrom {
  /** @type {unknown[]} */
  #values = [];

  /** Whether anything is not as it was the last time; it is remembered. @param {...unknown} values */
  differs(...values) {
    if (values.length === this.#values.length && values.every((value, i) => Object.is(value, this.#values[i]))) return false;
    this.#values = values;
    return true;
  }

  forget() {
    this.#values = [];
  }
}

/** @type {Map<string, string>} */
const cuts = new Map();

/** Text cut to a width, with an ellipsis before the number at its end; remembered. @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} width */
export function fitted(ctx, text, width) {
  const key = width + text;
  let cut = cuts.get(key);
  if (cut === undefined) {
    const whole = visible(text);
    const [number] = /\d{0,4}$/.exec(whole) ?? [""], dots = "…" + number;
    let kept = whole.length - number.length;
    for (cut = whole; kept > 1 && ctx.measureText(cut).width > width; cut = whole.slice(0, kept) + dots) kept--;
    cuts.set(key, cut);
  }
  return cut;
}
