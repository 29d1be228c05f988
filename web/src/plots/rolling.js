/**
 * Keeps the picture of a roll on its way to the screen: asks for what came, paints it, and gives the picture away. Of data there is one answer on its way, of pictures
 * two, one of which may wait for its frame; what comes meanwhile is joined, so that a painter that is slow paints fewer pictures, each of now.
 *
 * @typedef {import("./roll.js").RollScene} RollScene
 * @typedef {import("./roll.js").Source} Source
 * @typedef {import("./roll.js").Delta} Delta
 * @typedef {ReturnType<import("./roll.js").Roll["paint"]> & { number: number, began: number }} Rolled  number: of the scene; began: milliseconds
 */

/** Pictures that are not on the screen yet. */
const PICTURES = 2;

export class Rolling {
  #number = 0;
  #on = false;
  #painting = false;
  #asked = false;
  #asks = 0;
  #credits = PICTURES;

  /**
   * @param {import("./roll.js").Roll} roll
   * @param {(source: Source | null, n: number) => void} ask  for what came; source: null: of the one before, what came since; n: is to come back with it
   * @param {(rolled: Rolled) => Promise<void>} show  gives the picture away; resolves when its pixels may be painted on again
   */
  constructor(roll, ask, show) {
    this.roll = roll;
    this.ask = ask;
    this.show = show;
  }

  /** @param {RollScene} scene @param {Source} source @param {number} number  of the scene */
  begin(scene, source, number) {
    const other = this.roll.set(scene, source);
    this.#number = number;
    if (other || !this.#on) {
      this.#on = this.#asked = true;
      this.ask(source, ++this.#asks);
    }
    void this.#go();
  }

  /** The picture is to stay as it is. */
  hold() {
    this.#on = this.#asked = false;
  }

  /** What was on it is not needed any more. */
  end() {
    this.hold();
    this.roll.forget();
  }

  /** @param {Delta & { n: number }} delta */
  came(delta) {
    if (!this.#on || delta.n !== this.#asks) return; // of a source before
    this.roll.take(delta);
    this.#asked = false;
    void this.#go();
  }

  /** So many pictures are on the screen, or were replaced by a newer one. @param {number} count */
  shown(count) {
    this.#credits = Math.min(PICTURES, this.#credits + count);
    void this.#go();
  }

  async #go() {
    if (!this.#on) return;
    if (!this.#asked) {
      this.#asked = true;
      this.ask(null, ++this.#asks);
    }
    if (this.#painting || this.#credits === 0 || !this.roll.due) return;
    this.#painting = true;
    this.#credits--;
    try {
      const began = this.roll.now();
      await this.show({ ...this.roll.paint(), number: this.#number, began });
    } finally {
      this.#painting = false;
    }
    void this.#go();
  }
}
