/**
 * The page's side of the painter: one worker for all plots, at most one picture of a plot on its way, and always the newest scene next.
 *
 * To the painter: rows (which channels there are), layers (data, transferred), paint (a scene), read (a value), drop (a plot is gone). From it: painted, with an
 * ImageBitmap and what had to be measured for it, read, and failed. An error of the painter is reported once; what is on the screen stays, and another scene is tried.
 *
 * A picture that goes on by itself while a recording runs: roll (a scene without its time, and from what), hold (it stays as it is), shown (pictures that are on the
 * screen: until then at most two are made); from it rolled, with the time that it shows. Its data come from the worker that is connected to the recorder (feeder).
 *
 * @typedef {import("./plots/easel.js").Rows} Rows
 * @typedef {import("./plots/easel.js").Scene} Scene
 * @typedef {import("./plots/easel.js").NewLayer} NewLayer
 * @typedef {import("./plots/easel.js").Reading} Reading
 * @typedef {{ bitmap: ImageBitmap, scene: Scene, key: string, gain: number | null, top: number | null, milliseconds: number, tick: number }} Picture
 *   key: as it was given with the scene; tick: the last that had come, of one that rolls, else NaN
 * @typedef {import("./live/roll.js").RollScene} RollScene
 * @typedef {import("./live/roll.js").Source} Source
 */
import { Turns } from "./view/turns.js";
import { worker } from "./workers.js";

export class Painter {
  /** @type {Map<number, Plot>} */
  #plots = new Map();
  #last = 0;

  /** @param {Pick<Worker, "postMessage" | "onmessage" | "onerror">} [painter]  runs painter.worker.js @param {(error: Error) => void} [onError] @param {Turns} [turns] */
  constructor(painter = worker("./painter.worker.js", "oniscope-painter"), onError = () => {}, turns = new Turns()) {
    this.worker = painter;
    this.turns = turns;
    let told = "";
    const failed = (/** @type {string} */ why) => {
      const error = new Error(`the painter failed: ${why}`);
      if (why !== told) onError(error);
      told = why;
      return error;
    };
    painter.onmessage = ({ data }) => {
      const plot = this.#plots.get(data.plot);
      if (data.op === "failed") {
        const error = failed(data.why);
        plot?.failed(data, error);
      } else if (plot) plot.receive(data);
      else data.bitmap?.close(); // of a plot that is gone
    };
    painter.onerror = (event) => {
      event.preventDefault?.();
      const error = failed(event.message || "its worker could not be loaded");
      for (const plot of this.#plots.values()) plot.failed({ of: "paint" }, error);
    };
  }

  /** Whom the painter asks for what comes. @param {MessagePort} port */
  connectFeeder(port) {
    this.worker.postMessage({ op: "feeder", port }, [port]);
  }

  /** A new plot. @param {() => void} onPicture  a picture, or a reading, came */
  plot(onPicture) {
    const plot = new Plot(this.worker, ++this.#last, onPicture, () => this.#plots.delete(plot.id), this.turns);
    this.#plots.set(plot.id, plot);
    return plot;
  }
}

export class Plot {
  /** Newest picture. @type {Picture | null} */
  picture = null;
  /** @type {{ scene: Scene, key: string } | null} */
  #next = null;
  /** @type {{ scene: Scene, key: string } | null} */
  #painting = null;
  /** The scene that was not painted last, and why. @type {{ key: string, error: Error } | null} */
  #failure = null;
  #version = 0;
  /** @type {Map<number, (reading: Reading) => void>} */
  #reads = new Map();
  #lastRead = 0;
  /** Scenes that roll, by number: the newest, and those before it of which a picture may be on its way. @type {Map<number, { scene: RollScene, key: string }>} */
  #rolls = new Map();
  #lastScene = 0;
  #rollKey = "";
  /** Pictures that came, and those that the painter does not know to be shown yet. */
  pictures = 0;
  #waiting = 0;

  /**
   * @param {Pick<Worker, "postMessage">} worker
   * @param {number} id
   * @param {() => void} onPicture
   * @param {() => void} onDrop
   * @param {Turns} turns
   */
  constructor(worker, id, onPicture, onDrop, turns) {
    this.worker = worker;
    this.id = id;
    this.onPicture = onPicture;
    this.onDrop = onDrop;
    this.turns = turns;
  }

  /** Grows with everything that the next picture may show otherwise: a key made with it is met only by a picture that shows all of it. */
  get version() {
    return this.#version;
  }

  /** @param {Rows} rows */
  rows(rows) {
    this.#version++;
    this.worker.postMessage({ plot: this.id, op: "rows", rows });
  }

  /** @param {number[]} ids  newest first @param {NewLayer[]} added  their arrays are given away */
  layers(ids, added) {
    this.#version++;
    const buffers = added.flatMap(({ envelope: { data, mean, sd, x } }) => [data, mean, sd, x].flatMap((array) => (array && array.byteLength > 0 ? [array.buffer] : [])));
    this.worker.postMessage({ plot: this.id, op: "layers", ids, added }, buffers);
  }

  /** Paints a scene, when the one before is done; of several that wait, the newest. @param {Scene} scene @param {string} key */
  paint(scene, key) {
    this.hold();
    if (this.#painting?.key === key || (!this.#painting && (this.picture?.key === key || this.#failure?.key === key))) {
      this.#next = null;
      return;
    }
    this.#next = { scene, key };
    this.#begin();
  }

  /** Paints a scene from now on whenever more comes. @param {RollScene} scene @param {Source} source @param {string} key */
  roll(scene, source, key) {
    if (this.#rollKey === key) return;
    this.#rollKey = key;
    this.#rolls.set(++this.#lastScene, { scene, key });
    this.#next = null;
    this.worker.postMessage({ plot: this.id, op: "roll", scene, source, number: this.#lastScene });
  }

  /** What rolls stays as it is. */
  hold() {
    if (this.#rollKey === "") return;
    this.#rollKey = "";
    this.#rolls.clear();
    this.worker.postMessage({ plot: this.id, op: "hold" });
  }

  /** The newest picture is on the screen. */
  shown() {
    if (this.#waiting === 0) return;
    this.worker.postMessage({ plot: this.id, op: "shown", count: this.#waiting });
    this.#waiting = 0;
  }

  #begin() {
    if (this.#painting || !this.#next || !this.turns.take(this, () => this.#begin())) return;
    this.#painting = this.#next;
    this.#next = null;
    this.worker.postMessage({ plot: this.id, op: "paint", id: 0, scene: this.#painting.scene });
  }

  /** @param {number} column @param {number} at  ticks @returns {Promise<Reading>} */
  read(column, at) {
    const id = ++this.#lastRead;
    this.worker.postMessage({ plot: this.id, op: "read", id, column, at });
    return new Promise((resolve) => this.#reads.set(id, resolve));
  }

  /** @param {any} message */
  receive(message) {
    if (message.op === "read") {
      this.#reads.get(message.id)?.(message.reading);
      this.#reads.delete(message.id);
      return;
    }
    const { bitmap, gain, top, milliseconds } = message;
    if (message.op === "rolled") {
      this.#waiting++;
      const of = this.#rolls.get(message.number);
      for (const number of this.#rolls.keys()) if (number < message.number) this.#rolls.delete(number);
      if (of) this.#take({ bitmap, scene: { ...of.scene, view: message.view }, key: of.key, gain, top, milliseconds, tick: message.tick });
      else {
        bitmap.close(); // it was to stay as it is
        this.shown();
      }
    } else {
      const painted = this.#painting;
      this.#painting = null;
      this.turns.done(this);
      if (painted && this.#rollKey === "") this.#take({ bitmap, ...painted, gain, top, milliseconds, tick: NaN });
      else bitmap.close();
      this.#begin();
    }
    this.onPicture();
  }

  /** Why a scene cannot be painted; null: it can, or nobody knows yet. @param {string} key */
  errorOf(key) {
    return this.#failure?.key === key ? this.#failure.error : null;
  }

  /** What was asked for is not done. @param {{ of: string, id?: number }} message @param {Error} error */
  failed({ of, id = 0 }, error) {
    if (of === "read") {
      this.receive({ op: "read", id, reading: { kind: "none" } });
      return;
    }
    if (of !== "paint" || !this.#painting) return;
    this.#failure = { key: this.#painting.key, error };
    this.#painting = null;
    this.turns.done(this);
    this.#begin();
    this.onPicture();
  }

  /** @param {Picture} picture */
  #take(picture) {
    this.picture?.bitmap.close(); // has been given to its canvas, or was never shown
    this.picture = picture;
    this.pictures++;
  }

  /** The plot is gone. */
  drop() {
    this.#next = null;
    this.turns.done(this);
    this.worker.postMessage({ plot: this.id, op: "drop" });
    this.picture?.bitmap.close();
    this.picture = null;
    this.onDrop();
  }
}
