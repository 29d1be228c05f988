/**
 * The painter: turns layers of data into pictures, so that the page's own thread only lays the newest one onto the screen. painter.js says what passes.
 */
import { Easel } from "./plots/easel.js";

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));

/** @type {Map<number, Easel>} */
const easels = new Map();

/** @param {number} plot */
function easel(plot) {
  const found = easels.get(plot) ?? new Easel();
  easels.set(plot, found);
  return found;
}

scope.onmessage = async ({ data: message }) => {
  const { plot } = message;
  switch (message.op) {
    case "rows":
      easel(plot).setRows(message.rows);
      break;
    case "layers":
      easel(plot).setLayers(message.ids, message.added);
      break;
    case "drop":
      easel(plot).setLayers([], []);
      easels.delete(plot);
      break;
    case "read":
      scope.postMessage({ plot, op: "read", id: message.id, reading: easel(plot).read(message.column, message.at) });
      break;
    case "paint": {
      const start = performance.now();
      const { image, gain, top } = easel(plot).paint(message.scene);
      const bitmap = await createImageBitmap(image);
      scope.postMessage({ plot, op: "painted", id: message.id, bitmap, gain, top, milliseconds: performance.now() - start }, [bitmap]);
    }
  }
};
