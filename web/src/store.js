// @ts-check
/// <reference lib="webworker" />
/**
 * What the engine keeps from visit to visit, in the browser's private files (OPFS): what whole runs look like, never the files themselves. Where there is no
 * such place nothing is kept.
 */

const FOLDER = "oniscope-tiles";

/** Bytes that all of it may take; what was saved longest ago goes first. */
const MOST = 256e6;

/** @returns {Promise<FileSystemDirectoryHandle>} */
async function folder() {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

/** @param {string} name @returns {Promise<ArrayBuffer | null>} */
export async function load(name) {
  try {
    return await (await (await (await folder()).getFileHandle(name)).getFile()).arrayBuffer();
  } catch {
    return null;
  }
}

/** @param {string} name @param {Uint8Array<ArrayBuffer>} bytes */
export async function save(name, bytes) {
  try {
    const files = await folder(), handle = await (await files.getFileHandle(name, { create: true })).createSyncAccessHandle();
    try {
      handle.truncate(0);
      handle.write(bytes, { at: 0 });
    } finally {
      handle.close();
    }
    await prune(files, name);
  } catch {
    // another page has it open, or there is no room: it can be made again
  }
}

/** @param {FileSystemDirectoryHandle} files @param {string} but */
async function prune(files, but) {
  const all = [];
  for await (const handle of /** @type {any} */ (files).values()) if (handle.kind === "file") all.push(await /** @type {FileSystemFileHandle} */ (handle).getFile());
  all.sort((a, b) => a.lastModified - b.lastModified);
  let total = all.reduce((sum, file) => sum + file.size, 0);
  for (const file of all) {
    if (total <= MOST) return;
    if (file.name === but) continue;
    await files.removeEntry(file.name);
    total -= file.size;
  }
}
