/**
 * The painter: turns layers of data into pictures, so that the page's own thread only lays the newest one onto the screen. painter.js says what passes. What comes
 * from a recorder it gets from the worker that is connected to it (live/feeds.js says how), and not through the page.
 */
import { Easel } from "./plots/easel.js";
import { Roll } from "./plots/roll.js";
import { Rolling } from "./plots/rolling.js";

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));

/** @type {Map<number, Easel>} */
const easels = new Map();

/** @type {Map<number, Rolling>} */
const rollings = new Map();

/** To the worker that is connected to a recorder. @type {MessagePort | null} */
let feeder = null;

/** @param {number} plot */
function easel(plot) {
  const found = easels.get(plot) ?? new Easel();
  easels.set(plot, found);
  return found;
}

/** @param {number} plot */
function rolling(plot) {
  const found = rollings.get(plot) ?? new Rolling(new Roll(easel(plot)), (source, n) => feeder?.postMessage({ plot, source, n }),
    (rolled) => show({ plot, op: "rolled", number: rolled.number, view: rolled.view, tick: rolled.tick }, rolled, rolled.began));
  rollings.set(plot, found);
  return found;
}

/** @param {object} message @param {{ image: ImageData, gain: number | null, top: number | null }} painted @param {number} start */
async function show(message, { image, gain, top }, start) {
  const bitmap = await createImageBitmap(image);
  scope.postMessage({ ...message, bitmap, gain, top, milliseconds: performance.now() - start }, [bitmap]);
}

scope.onmessage = async ({ data: message }) => {
  const { plot } = message;
  switch (message.op) {
    case "feeder":
      feeder = /** @type {MessagePort} */ (message.port);
      feeder.onmessage = ({ data }) => rollings.get(data.plot)?.came(data);
      break;
    case "rows":
      easel(plot).setRows(message.rows);
      break;
    case "layers":
      easel(plot).setLayers(message.ids, message.added);
      break;
    case "roll":
      rolling(plot).begin(message.scene, message.source, message.number);
      break;
    case "hold":
      rollings.get(plot)?.hold();
      feeder?.postMessage({ plot, source: null, n: 0, over: true });
      break;
    case "shown":
      rollings.get(plot)?.shown(message.count);
      break;
    case "drop":
      rollings.get(plot)?.end();
      rollings.delete(plot);
      easel(plot).setLayers([], []);
      easels.delete(plot);
      feeder?.postMessage({ plot, source: null, n: 0, over: true });
      break;
    case "read":
      scope.postMessage({ plot, op: "read", id: message.id, reading: easel(plot).read(message.column, message.at) });
      break;
    case "paint": {
      rollings.get(plot)?.end();
      const start = performance.now();
      await show({ plot, op: "painted", id: message.id }, easel(plot).paint(message.scene), start);
    }
  }
};
