/**
 * Where files come in: the drop zone, the button, the drop on the whole page.
 */
import { byId } from "./dom.js";

/** @param {(files: File[]) => void} open */
export function connectWelcome(open) {
  /** @type {HTMLInputElement} */
  const input = byId("files");
  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    open([...(input.files ?? [])]);
    input.value = "";
  });
  let inside = 0;
  const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    inside++;
    document.body.toggleAttribute("data-dropping", true);
  });
  document.addEventListener("dragleave", () => {
    inside = Math.max(0, inside - 1);
    if (inside === 0) document.body.toggleAttribute("data-dropping", false);
  });
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    document.body.toggleAttribute("data-dropping", false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) open(files);
  });
}
