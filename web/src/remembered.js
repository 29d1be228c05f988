/**
 * What a person said of a file that the file does not say, kept in this browser: by the file's name and size, and nowhere else.
 * @typedef {{ name: string, size?: number }} Known
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store
 */

/** @param {Known} file @param {string} group */
const keyOf = ({ name, size = 0 }, group) => `oniscope gain ${name} ${size} ${group}`;

/** Browsers may refuse to keep anything. @returns {Store | null} */
function storage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** @param {Known} file @param {string} group @param {number} gain  0: unknown again @param {Store | null} [store] */
export function rememberGain(file, group, gain, store = storage()) {
  try {
    if (gain > 0) store?.setItem(keyOf(file, group), String(gain));
    else store?.removeItem(keyOf(file, group));
  } catch {
    // full, or refused: it holds until the page is left
  }
}

/** The gain that was given to a signal of a file, or 0. @param {Known} file @param {string} group @param {Store | null} [store] */
export function rememberedGain(file, group, store = storage()) {
  const gain = Number(store?.getItem(keyOf(file, group)) ?? 0);
  return gain > 0 && Number.isFinite(gain) ? gain : 0;
}
