/**
 * Where files come in: the drop zone, the button, the drop on the whole page, and what is said while they open.
 * @typedef {import("../opening.js").Progress} Progress
 */
import { bytes, integer } from "../words.js";
import { byId, el, fill } from "./dom.js";

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

/**
 * What is read so far, with Cancel; gone with null.
 * @param {Progress | null} progress
 * @param {boolean} beside  true when other streams are on the screen already
 */
export function showProgress(progress, beside) {
  const box = byId("progress");
  box.hidden = progress === null;
  if (!progress) {
    fill(box);
    return;
  }
  box.toggleAttribute("data-beside", beside);
  const now = progress.names[progress.done] ?? "";
  if (!box.firstChild) {
    fill(box, el("b"), el("p"), el("p", { class: "actions" }, el("button", { type: "button", onclick: progress.cancel }, "Cancel")));
  }
  const [title, line] = box.children;
  title.textContent = now ? `Opening ${now}` : "Opening";
  line.textContent = [progress.names.length > 1 ? `${integer(Math.min(progress.done + 1, progress.names.length))} of ${integer(progress.names.length)}` : "", progress.bytes > 0 ? `${bytes(progress.bytes)} read` : ""].filter(Boolean).join(", ");
}
