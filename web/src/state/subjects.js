/**
 * Who is called when something changed: by subject, at most once an animation frame.
 * @typedef {"streams" | "grown" | "active" | "view" | "rows" | "gain" | "selection" | "cursor" | "theme" | "data" | "progress" | "opening" | "health" | "marks"} Subject
 *   streams: which there are, and what they are; grown: rows came to files that are open
 */

export class Subjects {
  /** @type {Map<Subject, Set<() => void>>} */
  #listeners = new Map();
  /** @type {Set<Subject>} */
  #changed = new Set();
  #frame = 0;
  /** Calls back in the next animation frame; returns a number that is not 0. @type {(callback: () => void) => number} */
  #schedule;

  /** @param {(callback: () => void) => number} schedule  when listeners are called */
  constructor(schedule) {
    this.#schedule = schedule;
  }

  /**
   * Calls back in the next animation frame after any of the subjects changed.
   * @param {Subject[]} subjects
   * @param {() => void} listener
   */
  on(subjects, listener) {
    for (const subject of subjects) {
      const set = this.#listeners.get(subject) ?? new Set();
      this.#listeners.set(subject, set.add(listener));
    }
  }

  /** @param {...Subject} subjects */
  changed(...subjects) {
    for (const subject of subjects) this.#changed.add(subject);
    if (this.#frame === 0) this.#frame = this.#schedule(() => this.tell());
  }

  /** Tells the listeners at once what changed, not with the next frame; that one then finds nothing to tell. */
  tell() {
    this.#frame = 0;
    const due = new Set([...this.#changed].flatMap((subject) => [...(this.#listeners.get(subject) ?? [])]));
    this.#changed.clear();
    for (const listener of due) listener();
  }
}
