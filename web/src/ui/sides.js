/**
 * The inner edges of both sides: dragged, or moved by arrow keys, they make a side wider; double click or Home gives its own width back. Remembered in this browser.
 */
import { remember, remembered } from "../remembered.js";
import { byId, el } from "./dom.js";

/** Narrowest and widest side, and the step of a key. CSS pixels. */
const WIDTH = { least: 160, most: 520, step: 16 };

/** What both sides leave to the plots at least. CSS pixels. */
const MIDDLE = 320;

export function connectSides() {
  connectSide("left", 1, "Width of streams and channels");
  connectSide("right", -1, "Width of cursor, selection, stream and health");
}

/** In a small window a side lies over the plots until its button, or Esc, closes it. Opens one. @param {"left" | "right"} side */
export function openSide(side) {
  const button = foldOf(side);
  if (button?.checkVisibility() && button.getAttribute("aria-expanded") === "false") button.click();
}

/** Closes those that lie over the plots; false where none does. */
export function closeSides() {
  const open = /** @type {const} */ (["left", "right"]).map(foldOf).filter((button) => button?.checkVisibility() && button.getAttribute("aria-expanded") === "true");
  for (const button of open) {
    button?.click();
    button?.focus();
  }
  return open.length > 0;
}

/** @param {"left" | "right"} side @returns {HTMLElement | null} */
function foldOf(side) {
  return document.querySelector(".fold-" + side);
}

/** @param {"left" | "right"} side @param {1 | -1} outwards  which way makes it wider @param {string} name */
function connectSide(side, outwards, name) {
  const panel = byId(side), style = document.documentElement.style, key = `width of ${side}`;
  const edge = el("div", { class: "side-edge " + side, role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": name, title: "Drag, or arrow keys; double click for the usual width", "aria-valuemin": String(WIDTH.least), "aria-valuemax": String(WIDTH.most) });
  let width = 0;
  const set = (/** @type {number} */ wanted) => {
    width = wanted > 0 ? Math.round(Math.max(WIDTH.least, Math.min(WIDTH.most, Math.max(WIDTH.least, innerWidth - MIDDLE), wanted))) : 0;
    if (width > 0) style.setProperty("--" + side, width + "px");
    else style.removeProperty("--" + side);
    edge.setAttribute("aria-valuenow", String(width || parseInt(getComputedStyle(document.documentElement).getPropertyValue("--" + side), 10)));
  };
  const keep = () => remember(key, width);
  set(remembered(key));
  let held = /** @type {{ x: number, width: number } | null} */ (null);
  edge.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = { x: event.clientX, width: panel.offsetWidth };
    edge.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  edge.addEventListener("pointermove", (event) => held && set(held.width + outwards * (event.clientX - held.x)));
  for (const end of ["pointerup", "pointercancel"]) {
    edge.addEventListener(end, () => {
      if (held) keep();
      held = null;
    });
  }
  edge.addEventListener("dblclick", () => {
    set(0);
    keep();
  });
  edge.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -outwards, ArrowRight: outwards }[event.key];
    if (by === undefined && event.key !== "Home") return;
    set(by === undefined ? 0 : panel.offsetWidth + by * WIDTH.step);
    keep();
    event.preventDefault();
    event.stopPropagation();
  });
  panel.append(edge);
}
