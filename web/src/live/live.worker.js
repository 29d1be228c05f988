/**
 * The worker that is connected to a recorder: takes in what comes, so that the page's own thread does not.
 */
import { Receiver } from "./receiver.js";

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));
const receiver = new Receiver((message, transfer = []) => scope.postMessage(message, transfer));
scope.onmessage = ({ data }) => receiver.handle(data);
