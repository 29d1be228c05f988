/**
 * Errors in the page: what, where, what next, and the details to copy. Nothing that fails is silent.
 * @typedef {Error & { offset?: number, next?: string }} Positioned
 */
import { hasChanged } from "../sources.js";
import { integer, THIN } from "../words.js";
import { byId, el, sign } from "./dom.js";

/** Notices shown at once; the oldest makes room. */
const MOST = 3;

/** @param {unknown} error @returns {Positioned} */
export function asError(error) {
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * What happened and what to do, in words.
 * @param {Positioned} error
 * @returns {{ what: string, where: string, next: string }}
 */
export function explain(error) {
  const where = error.offset === undefined ? "" : `at byte ${integer(error.offset)}`;
  if (hasChanged(error)) return { what: "The file changed on disk.", where, next: "Drop it again." };
  const message = error.message.replace(/^\w+: /, "");
  return { what: message.charAt(0).toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? "" : "."), where, next: error.next ?? "" };
}

/**
 * Shows an error until it is dismissed. The same words are shown once.
 * @param {string} title
 * @param {unknown} cause
 * @param {{ label: string, run: () => void }} [action]
 * @returns {Element}  of the notice
 */
export function notice(title, cause, action) {
  const error = asError(cause), { what, where, next } = explain(error);
  const details = `${title}\n${error.name}: ${error.message}${where ? `\n${where}` : ""}${next ? `\n${next}` : ""}\n${navigator.userAgent}\n`;
  const box = byId("notices");
  for (const old of box.children) {
    if (old.getAttribute("data-words") === title + what) return old;
  }
  const node = el("div", { class: "notice", "data-words": title + what },
    el("b", null, title),
    el("p", null, what, where && ` ${where[0].toUpperCase()}${where.slice(1)}.`),
    next && el("p", { class: "next" }, next),
    el("p", { class: "actions" },
      action && el("button", { type: "button", class: "primary", onclick: () => { node.remove(); action.run(); } }, action.label),
      el("button", { type: "button", onclick: () => copy(details) }, "Copy details")),
    el("button", { type: "button", class: "icon close", "aria-label": "Dismiss", onclick: () => node.remove() }, sign("close")));
  box.append(node);
  while (box.children.length > MOST) box.firstElementChild?.remove();
  return node;
}

/** Says what is worth knowing and no error, until it is dismissed. @param {string} title @param {string} words */
export function remark(title, words) {
  const box = byId("notices");
  for (const old of box.children) {
    if (old.getAttribute("data-words") === title + words) return;
  }
  const node = el("div", { class: "notice remark", "data-words": title + words }, el("b", null, title), el("p", null, words),
    el("button", { type: "button", class: "icon close", "aria-label": "Dismiss", onclick: () => node.remove() }, sign("close")));
  box.append(node);
  while (box.children.length > MOST) box.firstElementChild?.remove();
}

/** Takes all notices away. */
export function clearNotices() {
  byId("notices").replaceChildren();
}

/** Says something to people that use a screen reader. @param {string} text */
export function announce(text) {
  byId("said").textContent = text.replaceAll(THIN, " ");
}

/** How the page says something in passing; set by it. */
export const passing = { say: announce };

/** @param {string} text */
export function copy(text) {
  const selected = () => passing.say(copyBySelection(text) ? "Copied." : "The browser did not let this be copied.");
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => passing.say("Copied."), selected);
  else selected();
}

/** For pages without a secure origin. @param {string} text */
function copyBySelection(text) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const area = el("textarea", { class: "offscreen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}
