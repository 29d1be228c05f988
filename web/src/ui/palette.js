/**
 * Every action by name: Ctrl+K, some letters, Enter.
 * @typedef {{ name: string, keys?: string, run: () => void }} Command
 */
import { dialog } from "./dialogs.js";
import { el, fill } from "./dom.js";

/**
 * Commands with all the words typed, best first: those that begin with them. Pure.
 * @param {Command[]} commands
 * @param {string} typed
 */
function matching(commands, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = commands.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const rank = (/** @type {Command} */ { name }) => (words.length > 0 && name.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** @param {Command[]} commands */
export function paletteDialog(commands) {
  if (document.getElementById("palette")) return;
  const field = el("input", { type: "text", class: "field", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-label": "Find an action", placeholder: "Find an action", autocomplete: "off", spellcheck: "false" });
  const list = el("ul", { id: "palette-list", role: "listbox", "aria-label": "Actions" });
  const node = dialog("Actions", "palette", field, list);
  let at = 0, found = commands;
  const run = (/** @type {number} */ i) => {
    node.close();
    found[i]?.run();
  };
  const show = () => {
    found = matching(commands, field.value);
    at = Math.max(0, Math.min(at, found.length - 1));
    fill(list, ...found.map(({ name, keys }, i) => el("li", { role: "option", id: "palette-" + i, "aria-selected": String(i === at), onclick: () => run(i) }, el("span", null, name), keys && el("kbd", null, keys))),
      found.length === 0 && el("li", { class: "hint" }, "No action has this name."));
    field.setAttribute("aria-activedescendant", found.length > 0 ? "palette-" + at : "");
    list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  };
  field.addEventListener("input", () => {
    at = 0;
    show();
  });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) at = (at + step + found.length) % Math.max(1, found.length);
    else if (event.key === "Enter") run(at);
    else return;
    event.preventDefault();
    if (step) show();
  });
  show();
  field.focus();
}
