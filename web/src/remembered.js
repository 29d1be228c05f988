/**
 * What a person said of a file that the file does not say, by the file's name and size, and how wide the sides are: numbers, kept in this browser and nowhere else.
 * @typedef {{ name: string, size?: number }} Known
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store
 */

/** @param {Known} file @param {string} group */
const gainOf = ({ name, size = 0 }, group) => `gain ${name} ${size} ${group}`;

/** Browsers may refuse to keep anything. @returns {Store | null} */
function storage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** @param {string} key @param {number} value  0: as if nothing had been said @param {Store | null} [store] */
export function remember(key, value, store = storage()) {
  try {
    if (value > 0) store?.setItem("oniscope " + key, String(value));
    else store?.removeItem("oniscope " + key);
  } catch {
    // full, or refused: it holds until the page is left
  }
}

/** What was said, or 0. @param {string} key @param {Store | null} [store] */
export function remembered(key, store = storage()) {
  const value = Number(store?.getItem("oniscope " + key) ?? 0);
  return value > 0 && Number.isFinite(value) ? value : 0;
}

/** @param {Known} file @param {string} group @param {number} gain  0: unknown again @param {Store | null} [store] */
export function rememberGain(file, group, gain, store = storage()) {
  remember(gainOf(file, group), gain, store);
}

/** The gain that was given to a signal of a file, or 0. @param {Known} file @param {string} group @param {Store | null} [store] */
export function rememberedGain(file, group, store = storage()) {
  return remembered(gainOf(file, group), store);
}
