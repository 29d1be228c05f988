/**
 * What dialogs share, and the list of all keys. Each is a <dialog>, so Esc closes it and the keyboard stays inside.
 */
import { groupsOfBindings, keysOf } from "../bindings.js";
import { el, fill } from "./dom.js";
import { asError, explain } from "./notices.js";

/** @param {string} title @param {string} id @param {...import("./dom.js").Child} body */
export function dialog(title, id, ...body) {
  const heading = el("h2", { id: id + "-title" }, title);
  const node = el("dialog", { id, "aria-labelledby": id + "-title" }, heading, ...body);
  node.addEventListener("close", () => node.remove());
  node.addEventListener("click", (event) => event.target === node && node.close());
  document.body.append(node);
  node.showModal();
  return node;
}

/** Shows every key, every use of the mouse, and what it does. */
export function helpDialog() {
  if (document.getElementById("help")) return;
  const combo = (/** @type {import("../bindings.js").Binding} */ { keys, mouse }) => (keys ? keysOf(keys[0]).map((key) => el("kbd", null, key)) : [el("span", { class: "hand" }, mouse ?? "")]);
  const node = dialog("All keys", "help",
    el("div", { class: "keys" }, ...groupsOfBindings().map(([group, bindings]) => el("section", null, el("h3", null, group),
      ...bindings.map((binding) => el("div", null, el("span", { class: "combo" }, ...combo(binding)), el("span", null, binding.name)))))),
    el("p", { class: "actions" }, el("button", { type: "button", class: "primary", onclick: closeDialog }, "Close")));
  node.scrollTop = 0; // the button at the end has the focus
}

/** @param {Event} event */
export function closeDialog(event) {
  /** @type {HTMLElement} */ (event.currentTarget).closest("dialog")?.close();
}

/**
 * A line with a bar, for work that takes a while.
 * @param {string} words
 */
export function progressLine(words) {
  const bar = el("progress", { max: "1", "aria-label": words });
  const text = el("span", null, words);
  const show = (/** @type {number} */ done, /** @type {number} */ total) => {
    bar.value = total > 0 ? done / total : 0;
  };
  return { node: el("div", { class: "work" }, bar, text), show };
}

/** @param {Element} out @param {unknown} cause */
export function showFailure(out, cause) {
  const error = asError(cause);
  if (error.name === "AbortError") {
    fill(out, el("p", null, "Cancelled. Nothing was saved."));
    return;
  }
  const { what, where, next } = explain(error);
  fill(out, el("p", { class: "bad" }, what, where && ` (${where})`), next && el("p", null, next));
}

/**
 * A choice among a few, with its label.
 * @param {string} id
 * @param {string} label
 * @param {[string, string][]} options  value and words
 */
export function choice(id, label, options) {
  const select = el("select", { id, "aria-label": label }, ...options.map(([value, words]) => el("option", { value }, words)));
  return { select, node: el("label", { class: "choice" }, el("span", null, label), select) };
}

/**
 * The codecs, the file's own first.
 * @param {string} id
 * @param {string} keep  words for leaving it as it is
 */
export function codecChoice(id, keep) {
  return choice(id, "Compression", [["keep", keep], ["none", "none"], ["zstd", "zstd"], ["lz4", "lz4"]]);
}
