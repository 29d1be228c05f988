/**
 * Who may work while the hand moves what is looked at. Engine and painter each fill a core; with both at work a page on two cores waits for one in every frame. So
 * while it moves they take turns, with a pause between, and what waits begins as soon as it rests. A single step, after which nothing follows, makes nobody wait.
 */

/** The hand rests when nothing has moved for so long, in milliseconds. */
const REST = 100;

/** Who has been at work for so long keeps nobody waiting any more: the picture must not fall back behind the hand. */
const LONG = 60;

/** The pause after work, as a part of what it took, and at most, in milliseconds. */
const PAUSE = { share: 0.5, most: 30 };

export class Turns {
  /** While the hand moves. */
  moving = false;
  #moved = -Infinity;
  /** Who is at work, and since when. @type {Map<object, number>} */
  #working = new Map();
  /** Who waits, and what it then does; first come first. @type {Map<object, () => void>} */
  #waiting = new Map();
  /** End of the pause. */
  #free = -Infinity;
  #resting = 0;
  #next = 0;

  /** @param {() => void} [onRest]  the hand rests */
  constructor(onRest = () => {}) {
    this.onRest = onRest;
  }

  /** The hand has moved what is looked at. */
  moved() {
    const now = performance.now();
    this.moving = now - this.#moved < REST;
    this.#moved = now;
    if (this.#resting === 0) this.#resting = setTimeout(() => this.#look(), REST);
  }

  #look() {
    const left = this.#moved + REST - performance.now();
    if (left > 0) {
      this.#resting = setTimeout(() => this.#look(), left);
      return;
    }
    this.#resting = 0;
    if (!this.moving) return;
    this.moving = false;
    this.#begin();
    this.onRest();
  }

  /**
   * Takes a turn, which ends with done; or waits for it.
   * @param {object} who
   * @param {() => void} begin  called when it may be asked for again
   * @returns {boolean} whether work may begin now
   */
  take(who, begin) {
    const wait = this.#wait();
    if (wait > 0) {
      this.#waiting.set(who, begin);
      this.#later(wait);
      return false;
    }
    this.#waiting.delete(who);
    this.#working.set(who, performance.now());
    return true;
  }

  /** The same as a promise; null: at once. @param {object} who @returns {Promise<void> | null} */
  turn(who) {
    let begin = () => {};
    const ask = () => {
      if (this.take(who, ask)) begin();
    };
    return this.take(who, ask) ? null : new Promise((resolve) => (begin = resolve));
  }

  /** The work of a turn is done, or was given up; who waits for one waits no more. @param {object} who */
  done(who) {
    this.#waiting.delete(who);
    const since = this.#working.get(who), now = performance.now();
    if (since === undefined) return;
    this.#working.delete(who);
    this.#free = now + Math.min(PAUSE.most, (now - since) * PAUSE.share);
    this.#begin();
  }

  /** How long nobody may begin, in milliseconds. */
  #wait() {
    if (!this.moving) return 0;
    const now = performance.now();
    let until = this.#free;
    for (const since of this.#working.values()) until = Math.max(until, since + LONG);
    return until - now;
  }

  /** @param {number} wait */
  #later(wait) {
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#begin(), wait);
  }

  /** Those who wait begin, as far as they may. */
  #begin() {
    for (const [who, begin] of [...this.#waiting]) {
      const wait = this.#wait();
      if (wait > 0) {
        this.#later(wait);
        return;
      }
      this.#waiting.delete(who);
      begin();
    }
  }
}
