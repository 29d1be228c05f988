/**
 * The painter: turns layers of data into pictures, so that the page's own thread only lays the newest one onto the screen. painter.js says what passes.
 */
import { Easel } from "./plots/easel.js";

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));

/** @type {Map<number, Easel>} */
const easels = new Map();

/** Pictures that go on, in the page of a recorder. @type {Promise<import("./live/rolling.js").Rolls> | null} */
let rolls = null;

/** @param {number} plot */
function easel(plot) {
  const found = easels.get(plot) ?? new Easel();
  easels.set(plot, found);
  return found;
}

/** @param {object} message @param {{ image: ImageData, gain: number | null, top: number | null }} painted @param {number} began */
async function show(message, { image, gain, top }, began) {
  const bitmap = await createImageBitmap(image);
  scope.postMessage({ ...message, bitmap, gain, top, milliseconds: performance.now() - began }, [bitmap]);
}

scope.onmessage = ({ data: message }) => handle(message).catch(({ message: why }) => scope.postMessage({ plot: message.plot, op: "failed", of: message.op, id: message.id, why }));

/** What is gone is not made again: a plot begins with its rows. @param {any} message */
async function handle(message) {
  const { plot } = message;
  switch (message.op) {
    case "feeder":
      rolls = import("./live/rolling.js").then(({ Rolls }) => new Rolls(message.port, easel, show, (told) => scope.postMessage(told)));
      break;
    case "rows":
      easel(plot).setRows(message.rows);
      break;
    case "layers":
      easel(plot).setLayers(message.ids, message.added);
      break;
    case "roll":
    case "hold":
    case "shown":
      (await rolls)?.handle(message);
      break;
    case "drop":
      (await rolls)?.drop(plot);
      easels.get(plot)?.setLayers([], []);
      easels.delete(plot);
      break;
    case "read":
      scope.postMessage({ plot, op: "read", id: message.id, reading: easels.get(plot)?.read(message.column, message.at) ?? { kind: "none" } });
      break;
    case "paint": {
      (await rolls)?.end(plot);
      const began = performance.now(), painted = easels.get(plot)?.paint(message.scene);
      if (painted) await show({ plot, op: "painted", id: message.id }, painted, began);
    }
  }
}
