/**
 * Follow mode: now is the right edge until somebody pans away. Pause holds the picture, a trigger holds it when something happens.
 * @typedef {import("../state.js").State} State
 * @typedef {"follow" | "pause" | "trigger"} Mode
 * @typedef {{ id: string, column: number, bit: number } | { id: string, column: number, above: number }} Condition
 *   bit: of a digital port, when it rises; above: raw value that is crossed upwards
 */

/** A view whose right edge is as near to now as this, as a share of it, still follows: it was zoomed, not moved away. */
const NEAR = 0.06;

/** Where in the picture a trigger is, as a share from the left. */
const BEFORE = 0.3;

export class Follower {
  /** @type {Mode} */
  mode = "follow";
  /** The last tick that came. */
  now = 0;
  /** @type {Condition | null} */
  condition = null;
  /** When the trigger fired, ticks; null while it is armed. @type {number | null} */
  held = null;
  /** Set by this class just now, so that a view that somebody else sets is seen. */
  #own = { from: 0, to: 0 };

  /** @param {State} state @param {() => void} changed  the mode is another, or the trigger has fired */
  constructor(state, changed) {
    this.state = state;
    this.changed = changed;
    state.on(["view"], () => this.#seen());
  }

  /** Whether the right edge is now. */
  get following() {
    return this.mode === "follow" || (this.mode === "trigger" && this.held === null);
  }

  /** @param {Mode} mode */
  set(mode) {
    this.mode = mode;
    this.held = null;
    if (mode !== "pause") this.#place(this.now);
    this.changed();
  }

  /** Somebody moved the view: away from now ends following, a zoom does not. */
  #seen() {
    const { view } = this.state;
    if (!this.following || (view.from === this.#own.from && view.to === this.#own.to)) return;
    const span = view.to - view.from;
    if (Math.abs(view.to - this.now) > NEAR * span && !(view.from < this.now && view.to > this.now)) this.set("pause");
    else this.#own = { ...view };
  }

  /** More came. @param {number} now  ticks @param {boolean} [painted]  a picture of it comes, and moves the view */
  came(now, painted = false) {
    if (now <= this.now) return;
    this.#seen(); // before it is overwritten
    this.now = now;
    if (this.following) {
      if (!painted) this.#place(now);
    } else if (this.mode === "trigger" && this.held !== null && now > this.held + (1 - BEFORE) * this.#span) this.changed();
  }

  get #span() {
    return this.state.view.to - this.state.view.from;
  }

  /** A picture is there that goes up to now: the view goes with it, so that its right edge is where the traces end, however late they are. @param {number} to  ticks @param {number} tick  the last that is in it */
  painted(to, tick) {
    if (!this.following) return;
    this.#seen();
    this.now = Math.max(this.now, tick);
    if (this.following) this.#place(to);
  }

  /** @param {number} to  ticks */
  #place(to) {
    const span = this.#span;
    this.#own = { from: to - span, to };
    this.state.setView(this.#own);
    this.#own = { ...this.state.view };
  }

  /** The condition came true. @param {number} tick */
  fire(tick) {
    if (this.mode !== "trigger" || this.held !== null) return;
    const span = this.#span;
    this.held = tick;
    this.#own = { from: tick - BEFORE * span, to: tick + (1 - BEFORE) * span };
    this.state.setView(this.#own);
    this.changed();
  }
}

/**
 * The first tick at which a bit rises, or a value is crossed upwards; null if none does.
 * @param {ArrayLike<number>} ticks
 * @param {ArrayLike<number>} values
 * @param {{ bit: number } | { above: number }} condition
 * @param {number} before  the value before the first
 */
export function firstRise(ticks, values, condition, before) {
  const high = "bit" in condition ? (/** @type {number} */ v) => ((v >>> condition.bit) & 1) === 1 : (/** @type {number} */ v) => v > condition.above;
  let was = high(before);
  for (let i = 0; i < ticks.length; i++) {
    const is = high(values[i]);
    if (is && !was) return ticks[i];
    was = is;
  }
  return null;
}

/** Why a gap that is not over is one. */
const SILENCE = "silent";

/**
 * Coverage of a stream that is silent: what it has not sent until now is a gap that is not over.
 * @param {import("../protocol.js").StreamInfo} info
 * @param {number | null} now  tick; null: it sends
 */
export function withSilence({ coverage, clock }, now) {
  const known = coverage.filter((c) => c.reason !== SILENCE), rows = now === null ? 0 : Math.round((now - clock.last) / clock.period) - 1;
  return now !== null && rows > 0 ? [...known, { from: clock.last, to: now, kind: /** @type {const} */ ("gap"), rows, reason: SILENCE }] : known;
}
