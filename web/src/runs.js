/**
 * Which streams were recorded together: those of one run share a clock, and those of two runs never do. Pure.
 * @typedef {{ id: string, name: string, folder: string, drop: number, started: string }} Given
 *   name: of the file; folder: "" unknown; drop: number of the gesture that brought it; started: when the run began, as the file says it, "" unknown
 */

/** Files of one run whose names end in times are opened within so many milliseconds. */
const TOGETHER = 60_000;

/** A time as both writers have it at the end of a name. */
const TIME = /^(.*?)_?(\d{4})-?(\d{2})-?(\d{2})[T_](\d{2})[-_]?(\d{2})[-_]?(\d{2})[-_.\d]*$/;

/**
 * A file's name: the stream, what tells the run apart, and the number of a part of a stream that was rolled over.
 * @param {string} name
 * @returns {{ stream: string, suffix: string, part: string, time: number }}  time: of the suffix, milliseconds; NaN where it is none
 */
export function partsOf(name) {
  const base = name.replace(/(.)\.[^.]*$/, "$1"), [, whole, part] = /^(.+_[^_]+)_(\d{3})$/.exec(base) ?? ["", base, ""];
  const timed = TIME.exec(base);
  if (timed) {
    const [, stream, y, m, d, h, min, s] = timed;
    return { stream, suffix: base.slice(stream.length + 1), part: "", time: Date.UTC(+y, +m - 1, +d, +h, +min, +s) };
  }
  const cut = whole.lastIndexOf("_");
  return cut < 0 ? { stream: base, suffix: "", part: "", time: NaN } : { stream: whole.slice(0, cut), suffix: whole.slice(cut + 1), part, time: NaN };
}

/**
 * The run of each stream, by its id. Together are: what the files themselves say began at one moment; else what has one suffix, or suffixes that are times close to each other, in one
 * folder. No run has a stream twice.
 * @param {Given[]} given
 * @returns {Map<string, string>}
 */
export function runsOf(given) {
  /** @type {Map<string, Given[]>} */
  const groups = new Map();
  const add = (/** @type {string} */ key, /** @type {Given} */ g) => groups.set(key, [...groups.get(key) ?? [], g]);
  for (const g of given) if (g.started) add("t:" + g.started, g);
  const stated = new Map(groups);
  for (const g of given) {
    if (g.started) continue;
    const { suffix, time } = partsOf(g.name);
    const beside = [...stated].filter(([, members]) => members.some((m) => partsOf(m.name).suffix === suffix && (!m.folder || !g.folder || m.folder === g.folder)));
    if (beside.length === 1) add(beside[0][0], g);
    else add(Number.isNaN(time) ? "s:" + suffix : "s:" + momentOf(time, given), g);
  }
  /** @type {Map<string, string>} */
  const runs = new Map();
  for (const [key, members] of groups) {
    const byFolder = key.startsWith("s:") && new Set(members.map((m) => m.folder).filter(Boolean)).size > 1;
    for (const [more, list] of split(members, (m) => (byFolder ? m.folder : ""))) {
      for (const [again, some] of hasTwice(list) ? split(list, (m) => (m.folder || m.drop) + "") : [["", list]]) {
        /** @type {Map<string, number>} */
        const seen = new Map();
        for (const m of /** @type {Given[]} */ (some)) {
          const { stream, part } = partsOf(m.name), n = seen.get(stream + "/" + part) ?? 0;
          seen.set(stream + "/" + part, n + 1);
          runs.set(m.id, [key, more, again, n || ""].join("|"));
        }
      }
    }
  }
  return runs;
}

/** The earliest time among suffixes that are close to this one, step by step. @param {number} time @param {Given[]} given */
function momentOf(time, given) {
  const times = given.map((g) => partsOf(g.name).time).filter((t) => t <= time).sort((a, b) => b - a);
  return times.reduce((first, t) => (first - t <= TOGETHER ? t : first), time);
}

/** @param {Given[]} list */
function hasTwice(list) {
  const names = list.map((g) => { const { stream, part } = partsOf(g.name); return stream + "/" + part; });
  return new Set(names).size < names.length;
}

/** @param {Given[]} list @param {(g: Given) => string} by @returns {[string, Given[]][]} */
function split(list, by) {
  const keys = [...new Set(list.map(by))];
  return keys.map((key) => [key, list.filter((g) => by(g) === key)]);
}

/**
 * What a run is called: its folder, the only file, or what its files have in common. Runs that would have one name get their start or a number beside it.
 * @param {Given[][]} runs
 * @returns {string[]}
 */
export function runNames(runs) {
  const names = runs.map((members) => {
    const folder = members.find((m) => m.folder)?.folder.split("/").filter(Boolean).at(-1);
    if (folder) return folder;
    const suffixes = new Set(members.map((m) => partsOf(m.name).suffix)), [suffix] = suffixes;
    return members.length > 1 && suffixes.size === 1 && suffix ? "*_" + suffix : members[0]?.name ?? "";
  });
  return names.map((name, i) => {
    const same = names.flatMap((other, k) => (other === name ? [k] : []));
    if (same.length < 2) return name;
    const starts = same.map((k) => runs[k].find((m) => m.started)?.started ?? ""), own = runs[i].find((m) => m.started)?.started;
    return own && new Set(starts).size === same.length ? `${name}, ${own.slice(0, 19).replace("T", " ")}` : `${name}, run ${same.indexOf(i) + 1}`;
  });
}
