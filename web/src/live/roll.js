/**
 * A picture of a recording that goes on, as on a roll of paper: what was painted moves to the left by whole columns of pixels, and only what came since is painted.
 * Pure but for what it keeps: the newest bins, whose memory it gives back, and the pixels.
 *
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {import("../plots/easel.js").Easel} Easel
 * @typedef {import("../plots/easel.js").Scene} Scene
 * @typedef {Omit<Scene, "view"> & { span: number }} RollScene  span: ticks of the whole width
 * @typedef {{ stream: string, columns: number[], width: number, bins: number }} Source  what it is painted from: bins of a width in ticks, so many
 * @typedef {{ envelope: Envelope, tick: number }} Delta  bins that are new or not as they were, up to the last, as the engine gives them; tick: the last that came
 */
import { free } from "../free.js";
import { transpose } from "../plots/raster.js";

/** How often it is looked where channels have drifted to, in milliseconds: that looks at all bins. */
const SETTLE = 1000;

export class Roll {
  /** @type {RollScene | null} */
  #scene = null;
  /** @type {Source | null} */
  #source = null;
  /** Bins in a row, room for more at the end. @type {Envelope | null} */
  #kept = null;
  /** Bin after the last. */
  #end = 0;
  /** Last tick that came. */
  #tick = 0;
  /** The first bin that is not painted as it is now; Infinity: all are. */
  #changed = Infinity;
  /** The picture. @type {ImageData | null} */
  #image = null;
  /** Its columns that are drawn, x-major. */
  #strip = new Uint32Array(0);
  /** Number of the column of pixels after the last, counted from tick 0; NaN: nothing is painted. */
  #column = NaN;
  #settled = -Infinity;

  /** @param {Easel} easel @param {() => number} [now]  milliseconds */
  constructor(easel, now = () => performance.now()) {
    this.easel = easel;
    this.now = now;
  }

  /** Whether there is something to paint. */
  get due() {
    return this.#scene !== null && this.#kept !== null && (Number.isNaN(this.#column) || this.#changed !== Infinity);
  }

  /** What is painted, and from what; all is painted anew. @param {RollScene} scene @param {Source} source @returns {boolean} whether it is another source */
  set(scene, source) {
    const other = !this.#source || JSON.stringify(source) !== JSON.stringify(this.#source);
    if (other) this.forget();
    this.#scene = scene;
    this.#source = source;
    this.#column = NaN;
    return other;
  }

  /** Forgets its data. */
  forget() {
    if (this.#kept) for (const array of [this.#kept.data, this.#kept.mean, this.#kept.sd]) if (array) free(/** @type {ArrayBuffer} */ (array.buffer));
    if (this.#image) free(this.#image.data.buffer);
    this.#kept = this.#source = this.#image = null;
    this.#column = NaN;
    this.#changed = Infinity;
    this.#settled = -Infinity;
    this.easel.setRolling(null);
  }

  /** Takes in what came. @param {Delta} delta  of the source that is painted */
  take({ envelope, tick }) {
    if (!this.#source) return;
    const { width, bins: most } = this.#source, first = Math.round(envelope.from / width), n = envelope.bins, end = first + n;
    let kept = this.#kept, start = kept ? Math.round(kept.from / width) : 0;
    if (!kept || first > this.#end || first < start || end < this.#end) { // it does not go on: the clock stepped, or all comes anew
      kept = this.#kept ?? emptyOf(envelope.columns, Math.max(n, 2 * most));
      for (const array of [kept.data, kept.mean, kept.sd]) array?.fill(NaN);
      start = first;
      this.#column = NaN;
    } else if (end - start > kept.bins) {
      const next = end - most;
      for (const [array, values] of /** @type {[Float32Array, number][]} */ ([[kept.data, 2], [kept.mean, 1], [kept.sd, 1]])) shift(array, kept.bins * values, (next - start) * values);
      start = next;
    }
    const skip = Math.max(0, end - start - kept.bins, start - first); // more than there is room for: the newest
    if (first + skip > start + kept.bins) return;
    if (end - start > kept.bins) start = end - kept.bins;
    for (let c = 0; c < envelope.columns.length; c++) {
      const to = c * kept.bins + first + skip - start, from = c * n + skip;
      kept.data.set(envelope.data.subarray(2 * from, 2 * (c + 1) * n), 2 * to);
      if (envelope.mean) kept.mean?.set(envelope.mean.subarray(from, (c + 1) * n), to);
      if (envelope.sd) kept.sd?.set(envelope.sd.subarray(from, (c + 1) * n), to);
    }
    kept.from = start * width;
    kept.to = kept.from + kept.bins * width;
    kept.samples_per_pixel = envelope.samples_per_pixel;
    kept.rows = kept.rows_used = Math.round(kept.bins * envelope.samples_per_pixel);
    this.#kept = kept;
    this.#end = end;
    this.#tick = tick;
    this.#changed = Math.min(this.#changed, first);
    this.easel.setRolling(kept);
  }

  /**
   * Paints what is not painted yet.
   * @returns {{ image: ImageData, view: Span, tick: number, gain: number | null, top: number | null }}  image: until the next picture
   */
  paint() {
    const scene = /** @type {RollScene} */ (this.#scene), { width: bin } = /** @type {Source} */ (this.#source), { width, height, span } = scene;
    const perColumn = span / width, last = Math.ceil(this.#tick / perColumn - 1e-6), first = last - width;
    if (this.#image?.width !== width || this.#image.height !== height) {
      if (this.#image) free(this.#image.data.buffer);
      this.#image = new ImageData(width, height);
      this.#column = NaN;
    }
    const image = this.#image, pixels = new Uint32Array(image.data.buffer);
    let begin = 0;
    const by = last - this.#column;
    if (by >= 0 && by < width) {
      pixels.copyWithin(0, by); // what comes into each row from the next is painted over
      begin = Math.max(0, Math.min(width - by, Math.floor((this.#changed * bin) / perColumn + 1e-6) - first));
    }
    const settle = this.now() - this.#settled >= SETTLE;
    if (settle) {
      this.#settled = this.now();
      this.easel.lookAnew();
    }
    let drawn = this.#draw(pixels, scene, first, last, begin);
    if (drawn.moved && begin > 0) drawn = this.#draw(pixels, scene, first, last, 0);
    if (drawn.lacking) this.#settled = -Infinity;
    this.#column = last;
    this.#changed = Infinity;
    return { image, view: { from: first * perColumn, to: last * perColumn }, tick: this.#tick, gain: drawn.gain, top: drawn.top };
  }

  /** Paints columns from one on; that one touches the one before it, which is drawn for that. @param {Uint32Array} pixels @param {RollScene} scene @param {number} first @param {number} last @param {number} begin */
  #draw(pixels, scene, first, last, begin) {
    const { width, height, span } = scene, perColumn = span / width, from = Math.max(0, begin - 1), size = (width - from) * height;
    if (this.#strip.length < size) this.#strip = new Uint32Array(size);
    const drawn = this.easel.draw(this.#strip.subarray(0, size), { ...scene, width: width - from, view: { from: (first + from) * perColumn, to: last * perColumn } });
    transpose(this.#strip.subarray((begin - from) * height, size), pixels.subarray(begin), width - begin, height, width);
    return drawn;
  }
}

/** @param {number[]} columns @param {number} bins @returns {Envelope} */
function emptyOf(columns, bins) {
  const n = columns.length * bins;
  return { kind: "envelope", quality: "exact", from: 0, to: 0, bins, done: bins, columns, data: new Float32Array(2 * n), mean: new Float32Array(n), sd: new Float32Array(n), rows: 0, rows_used: 0, samples_per_pixel: 1 };
}

/** Moves each channel's values to its beginning. @param {Float32Array} array @param {number} each  values of a channel @param {number} by */
function shift(array, each, by) {
  const drop = Math.min(each, by);
  for (let at = 0; at < array.length; at += each) {
    array.copyWithin(at, at + drop, at + each);
    array.fill(NaN, at + each - drop, at + each);
  }
}
