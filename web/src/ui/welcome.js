/**
 * Where files come in: the drop zone, the button, an address, the drop on the whole page.
 */
import { belongsToRun, dropFrom, droppedFrom } from "../sources.js";
import { byId } from "./dom.js";

/** @param {(given: (File | string)[]) => void} open */
export function connectWelcome(open) {
  /** @type {HTMLInputElement} */
  const input = byId("files");
  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    open([...(input.files ?? [])]);
    input.value = "";
  });
  const address = /** @type {HTMLFormElement} */ (byId("address")), field = /** @type {HTMLInputElement} */ (address.elements.namedItem("url"));
  address.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = field.value.trim(), good = typed !== "" && URL.canParse(typed, document.baseURI);
    field.toggleAttribute("aria-invalid", !good);
    if (good) open([typed]);
  });
  field.addEventListener("input", () => field.removeAttribute("aria-invalid"));
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
    if (event.dataTransfer) void dropped(event.dataTransfer).then((files) => files.length > 0 && open(files));
  });
}

/**
 * The files of a drop; of a folder its recordings and start-time CSVs. What is dropped must be asked for before anything is waited for.
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
async function dropped(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = [...transfer.files].map((file, i) => (entries[i]?.isFile ? droppedFrom(file, /** @type {FileSystemFileEntry} */ (entries[i])) : file));
  if (!entries.some((entry) => entry?.isDirectory)) return files;
  /** @type {File[]} */
  const all = [];
  for (const [i, entry] of entries.entries()) {
    if (!entry?.isDirectory) all.push(files[i]);
    else all.push(...await filesIn(/** @type {FileSystemDirectoryEntry} */ (entry)));
  }
  return all;
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<File[]>} */
async function filesIn(folder) {
  const reader = folder.createReader(), found = /** @type {FileSystemFileEntry[]} */ ([]);
  for (;;) { // some hundred at a time
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) break;
    found.push(...part.filter((/** @type {FileSystemEntry} */ e) => e.isFile && belongsToRun(e.name)));
  }
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  return Promise.all(found.map(dropFrom));
}
