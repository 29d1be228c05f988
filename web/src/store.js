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

/** Bytes of a file. @param {string} name @param {number} from @param {number} to @returns {Promise<ArrayBuffer | null>} */
export async function read(name, from, to) {
  try {
    return await (await (await (await folder()).getFileHandle(name)).getFile()).slice(from, to).arrayBuffer();
  } catch {
    return null;
  }
}

/** Puts bytes at a place of a file, and ends it there. @param {string} name @param {number} at @param {Uint8Array<ArrayBuffer>} bytes */
export async function write(name, at, bytes) {
  try {
    const files = await folder(), handle = await (await files.getFileHandle(name, { create: true })).createSyncAccessHandle();
    try {
      handle.truncate(at);
      handle.write(bytes, { at });
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
