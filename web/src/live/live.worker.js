/**
 * The worker that is connected to a recorder: takes in what comes, so that the page's own thread does not. It connects at once; what it has to say waits until the
 * page listens.
 */
import { Receiver } from "./receiver.js";

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));

/** What the page has not heard yet; null: it listens. @type {Parameters<typeof post>[] | null} */
let held = [];

/** @param {import("./remote.js").FromReceiver} message @param {Transferable[]} [transfer] */
function post(message, transfer = []) {
  if (held) held.push([message, transfer]);
  else scope.postMessage(message, transfer);
}

const receiver = new Receiver(post);
receiver.connect(new URL("../../socket", import.meta.url).href.replace(/^http/, "ws"));

scope.onmessage = ({ data }) => {
  if (data.op !== "listen") {
    receiver.handle(data);
    return;
  }
  const before = held ?? [];
  held = null;
  for (const [message, transfer] of before) post(message, transfer);
};
