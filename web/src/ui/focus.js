/**
 * Keeps the keyboard's place: when what has the focus goes away, as a button that was pressed or a stream that was closed, what stands in its place gets it. Who
 * works with the mouse, and who leaves a place by himself, is left alone.
 * @typedef {{ node: HTMLElement, within: { around: Element, at: number }[], before: Held | null, stands?: Held }} Held  which it is of all in each element around it; before: what had the focus when a dialog was opened; stands: for what is gone, until that comes again
 */

/** What may get the focus; in a field keys would be text. */
const FOCUSABLE = "button, select, summary, [tabindex]";

/** @type {Held | null} */
let held = null;

/** @param {Element} node */
const lives = (node) => node.isConnected && node.checkVisibility({ visibilityProperty: true }) && !node.matches(":disabled, [tabindex='-1']");

/** @param {Element} around @returns {HTMLElement[]} */
const allIn = (around) => [.../** @type {NodeListOf<HTMLElement>} */ (around.querySelectorAll(FOCUSABLE))];

/** @param {Element} node */
const inDialog = (node) => node.closest("dialog") !== null;

/** @param {import("../state.js").State} state */
export function keepFocus(state) {
  document.addEventListener("focusin", ({ target }) => {
    const node = /** @type {HTMLElement} */ (target), within = [];
    for (let around = node.parentElement; around && around !== document.body; around = around.parentElement) within.push({ around, at: allIn(around).indexOf(node) });
    const before = inDialog(node) ? (held && inDialog(held.node) ? held.before : held) : null;
    held = node.matches(":focus-visible") ? { node, within, before } : null;
  });
  document.addEventListener("focusout", ({ target }) => {
    const left = held;
    if (left?.node === target && lives(left.node)) setTimeout(() => held === left && lives(left.node) && document.activeElement === document.body && (held = null));
  });
  const later = () => setTimeout(look);
  for (const event of ["click", "close"]) document.addEventListener(event, later, true);
  state.on(["streams", "active", "rows", "selection", "health", "opening"], later);
}

/** Gives the focus to what is in the place of what had it and is gone. */
function look() {
  const now = document.activeElement;
  if (!held || (now !== document.body && now !== held.node)) return;
  const back = held.stands && now === held.node && again(held.stands);
  if (back) back.focus();
  if (back || lives(held.node)) return;
  const chain = [];
  for (let at = /** @type {Held | null | undefined} */ (held); at; at = at.stands ?? at.before) chain.push(at);
  const next = chain.map(again).find(Boolean) ?? chain.map(nearest).find(Boolean), gone = held;
  held = null;
  next?.focus();
  if (next && held) /** @type {Held} */ (held).stands = gone;
}

/** The same, or what has its id now. @param {Held} gone */
function again({ node }) {
  const same = node.isConnected ? node : node.id ? document.getElementById(node.id) : null;
  return same && lives(same) ? same : undefined;
}

/** @param {Held} gone */
function nearest({ within }) {
  for (const { around, at } of within) {
    const all = around.isConnected ? allIn(around) : [];
    const found = all.slice(0, at + 1).findLast(lives) ?? all.find(lives);
    if (found) return found;
  }
}
