/**
 * Keeps the picture of a roll on its way to the screen: asks for what came, paints it, and gives the picture away. Of data there is one answer on its way, of pictures
 * two, one of which may wait for its frame; what comes meanwhile is joined, so that a painter that is slow paints fewer pictures, each of now.
 *
 * @typedef {import("./roll.js").RollScene} RollScene
 * @typedef {import("./roll.js").Source} Source
 * @typedef {import("./roll.js").Delta} Delta
 * @typedef {ReturnType<import("./roll.js").Roll["paint"]> & { number: number, began: number }} Rolled  number: of the scene; began: milliseconds
 */

import { Roll } from "./roll.js";

/** Pictures that are not on the screen yet. */
const PICTURES = 2;

/** A picture is begun so many times as long after the one before as that took, and at most so many milliseconds: painting leaves the processor to those who show it. */
const PACE = 5, MOST_WAIT = 70;

export class Rolling {
  #number = 0;
  #on = false;
  #painting = false;
  #asked = false;
  #asks = 0;
  #credits = PICTURES;
  /** When the next picture may be begun, and whether that is waited for. */
  #due = 0;
  #resting = false;

  /**
   * @param {import("./roll.js").Roll} roll
   * @param {(source: Source | null, n: number) => void} ask  for what came; source: null: of the one before, what came since; n: is to come back with it
   * @param {(rolled: Rolled) => Promise<void>} show  gives the picture away; resolves when its pixels may be painted on again
   * @param {(error: unknown) => void} failed  a picture could not be painted; the next one is tried
   * @param {(call: () => void, milliseconds: number) => void} [later]
   */
  constructor(roll, ask, show, failed, later = (call, milliseconds) => setTimeout(call, milliseconds)) {
    this.roll = roll;
    this.ask = ask;
    this.show = show;
    this.failed = failed;
    this.later = later;
  }

  /** @param {RollScene} scene @param {Source} source @param {number} number  of the scene */
  begin(scene, source, number) {
    const other = this.roll.set(scene, source);
    this.#number = number;
    this.#due = 0; // a person waits for it
    this.#resting = false;
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
    if (this.#painting || this.#resting || this.#credits === 0 || !this.roll.due) return;
    const wait = this.#due - this.roll.now();
    if (wait > 1) {
      this.#resting = true;
      this.later(() => {
        this.#resting = false;
        void this.#go();
      }, wait);
      return;
    }
    this.#painting = true;
    this.#credits--;
    const began = this.roll.now();
    try {
      await this.show({ ...this.roll.paint(), number: this.#number, began });
    } catch (error) {
      this.#painting = false;
      this.#credits++;
      this.failed(error);
      return;
    }
    this.#painting = false;
    this.#due = began + Math.min(MOST_WAIT, PACE * (this.roll.now() - began));
    void this.#go();
  }
}

/** All that rolls in the painter, by plot. */
export class Rolls {
  /** @type {Map<number, Rolling>} */
  #all = new Map();

  /**
   * @param {MessagePort} feeder  to the worker that is connected to the recorder; feeds.js is its other end
   * @param {(plot: number) => import("../plots/easel.js").Easel} easel
   * @param {(message: object, painted: Rolled, began: number) => Promise<void>} show
   * @param {(message: object) => void} post  to the page
   */
  constructor(feeder, easel, show, post) {
    this.feeder = feeder;
    this.easel = easel;
    this.show = show;
    this.post = post;
    feeder.onmessage = ({ data }) => this.#all.get(data.plot)?.came(data);
  }

  /** @param {any} message  to the painter, see painter.js */
  handle(message) {
    const { plot } = message;
    if (message.op === "roll") this.#of(plot).begin(message.scene, message.source, message.number);
    else if (message.op === "shown") this.#all.get(plot)?.shown(message.count);
    else this.#over(plot, (rolling) => rolling.hold());
  }

  /** What rolls is painted otherwise now. @param {number} plot */
  end(plot) {
    this.#over(plot, (rolling) => rolling.end());
  }

  /** @param {number} plot */
  drop(plot) {
    this.end(plot);
    this.#all.delete(plot);
  }

  /** @param {number} plot @param {(rolling: Rolling) => void} how */
  #over(plot, how) {
    const rolling = this.#all.get(plot);
    if (!rolling) return;
    how(rolling);
    this.feeder.postMessage({ plot, source: null, n: 0, over: true });
  }

  /** @param {number} plot */
  #of(plot) {
    const rolling = this.#all.get(plot) ?? new Rolling(new Roll(this.easel(plot)), (source, n) => this.feeder.postMessage({ plot, source, n }),
      (rolled) => this.show({ plot, op: "rolled", number: rolled.number, view: rolled.view, tick: rolled.tick }, rolled, rolled.began),
      (error) => this.post({ plot, op: "failed", of: "roll", why: error instanceof Error ? error.message : String(error) }));
    this.#all.set(plot, rolling);
    return rolling;
  }
}
