/**
 * Go to a moment by typing it: says what is understood before it goes there.
 * @typedef {import("../state.js").State} State
 */
import { placeFromText } from "../places.js";
import { closeDialog, dialog, showFailure } from "./dialogs.js";
import { el, say } from "./dom.js";

/** @param {State} state */
export function goToDialog(state) {
  const info = state.info;
  if (!info || document.getElementById("goto")) return;
  const field = el("input", { type: "text", class: "field", id: "goto-field", "aria-label": "Time, row, tick or time of day", "aria-describedby": "goto-words", autocomplete: "off", spellcheck: "false" });
  const words = el("p", { class: "hint", id: "goto-words", "aria-live": "polite" }), out = el("div", { class: "outcome" });
  const go = el("button", { type: "button", class: "primary", id: "goto-go" }, "Go");
  const node = dialog("Go to", "goto", field, words, out, el("p", { class: "actions" }, go, el("button", { type: "button", onclick: closeDialog }, "Cancel")));
  const read = () => placeFromText(field.value, info);
  const show = () => {
    const place = read();
    say(words, place.words);
    go.disabled = place.kind === "none";
    field.toggleAttribute("aria-invalid", place.kind === "none" && field.value.trim() !== "");
  };
  const run = async () => {
    const place = read();
    if (place.kind === "none") return;
    try {
      const ticks = place.kind === "row" ? await state.ticksOfRow(info.id, place.row) : place.ticks;
      node.close();
      state.centre(ticks);
    } catch (error) {
      showFailure(out, error);
    }
  };
  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => event.key === "Enter" && void run());
  go.addEventListener("click", () => void run());
  show();
  field.focus();
}
