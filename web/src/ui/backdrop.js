/**
 * The whole run, all channels, coarse: under the picture of a plot, and seen where that does not reach while the next one is painted.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../plots/easel.js").Scene} Scene
 * @typedef {import("../view/loader.js").Layer} Layer
 * @typedef {import("./traces.js").Shown} Shown
 */
import { spanOf } from "../times.js";
import { el } from "./dom.js";
import { placed, show, transformOf } from "./pictures.js";

/** It is loaded once, in so many values; height of its picture at most, device pixels. */
const BASE = { values: 300_000, bins: 512, height: 4096 };

export class Backdrop {
  node = el("canvas", { class: "under", hidden: true });
  /** @type {import("../painter.js").Plot} */
  #plot;
  /** Asks for it. @type {AbortController | null} */
  #asks = null;
  /** @type {Layer | null} */
  layer = null;
  #shown = /** @type {import("../painter.js").Picture | null} */ (null);
  #key = "";

  /** @param {State} state @param {import("../painter.js").Painter} painter */
  constructor(state, painter) {
    this.state = state;
    this.#plot = painter.plot(() => state.changed("data"));
  }

  /** Asks for it, once there is nothing more urgent. @param {Shown} shown */
  async want({ row, info }) {
    const { from, to } = spanOf(info), { view } = this.state;
    if (this.#asks || this.layer || row.all.length > BASE.values / 16 || (view.from <= from && view.to >= to)) return;
    const control = (this.#asks = new AbortController());
    try {
      const bins = Math.min(BASE.bins, Math.floor(BASE.values / row.all.length));
      const envelope = await this.state.client.envelope({ stream: info.id, columns: row.all, from, to: Math.ceil(to), bins, quality: "coarse" }, { signal: control.signal, written: true });
      if (this.#asks !== control) return;
      if (envelope.kind === "envelope") {
        this.#plot.layers([1], [{ id: 1, envelope: { ...envelope, data: envelope.data.slice(), mean: envelope.mean?.slice(), sd: envelope.sd?.slice() } }]);
        this.layer = { envelope, index: new Map() };
      }
      this.state.changed("data");
    } catch {
      if (this.#asks !== control) return;
      this.#asks = null; // another time: of what was broken off nobody else would remember it
      if (control.signal.aborted) this.state.changed("data");
    }
  }

  /** Something is more urgent. */
  abort() {
    this.#asks?.abort();
  }

  /** Which channels there are. @param {import("../painter.js").Rows} rows */
  rows(rows) {
    this.#plot.rows(rows);
  }

  /** Paints it as a scene looks, when it is known and looks otherwise than before. @param {Scene} scene @param {number} total  rows @param {number} rowPixels  CSS pixels */
  paint(scene, total, rowPixels) {
    const base = this.layer?.envelope, { mode, gain, top, clip } = scene;
    if (!base || (mode === "traces" ? gain : top) === null || (this.state.turns.moving && this.#plot.picture)) return; // the one that is seen goes first
    const row = Math.min(scene.rowPixels, BASE.height / total);
    const key = [this.#plot.version, row, rowPixels, mode, gain, top, clip, scene.ground].join();
    if (key === this.#key) return;
    this.#key = key;
    this.#plot.paint({
      ...scene, width: base.bins, height: Math.max(1, Math.round(row * total)), dpr: row / rowPixels, view: { from: base.from, to: base.to }, first: 0, shown: total, rowPixels: row, missing: [],
    }, key);
  }

  /** Lays it where it belongs now. @param {Shown} shown @param {boolean} covered  by the picture @param {number} plot  width of the window @param {number} dpr */
  place(shown, covered, plot, dpr) {
    const { picture } = this.#plot;
    const hidden = covered || picture === null;
    if (this.node.hidden !== hidden) this.node.hidden = hidden;
    if (hidden) return;
    if (picture !== this.#shown) {
      show(this.node, picture, dpr);
      this.#shown = picture;
    }
    this.node.style.transform = transformOf(picture.scene, placed(picture.scene, shown, this.state.view, plot), dpr);
  }

  /** Forgets it. */
  reset() {
    this.abort();
    this.#asks = this.layer = null;
    this.#key = "";
  }

  /** The plot is gone. */
  drop() {
    this.#plot.drop();
  }
}
