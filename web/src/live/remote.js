/**
 * The page's end of the receiver (receiver.js), which is in a worker: one promise a question.
 * @typedef {import("../protocol.js").Envelope} Envelope
 * @typedef {import("./protocol.js").Told} Told
 * @typedef {import("./protocol.js").Ask} Ask
 * @typedef {{ stream: string, columns: { index: number, type: string }[], bin: number, width: number, capacity: number, period: number }} Wanted
 *   what is kept of a stream: bins of a width in ticks, so many, or (0) rows; bin: what the recorder sends of it, 0 rows; period: ticks from row to row
 * @typedef {{ stream: string, column: number } & ({ bit: number } | { above: number })} Condition
 * @typedef {{ from: number, to: number, bins: number }} Missing
 * @typedef {{ op: "listen" } | { op: "painter", port: MessagePort } | { op: "say", id: number, ask: Ask } | { op: "end" } | { op: "want", wanted: Wanted[] } | { op: "condition", condition: Condition | null }
 *   | { op: "written", stream: string, last: number } | { op: "filled", stream: string, width: number, envelope: Envelope }
 *   | { op: "bins", id: number, stream: string, from: number, to: number, bins: number, columns: number[], fill: { from: number, to: number, most: number } }
 *   | { op: "missing", id: number, stream: string, fill: { from: number, to: number, most: number } }
 *   | { op: "rows", id: number, stream: string, plot: string, read: Envelope | null, last: number }} ToReceiver
 *   listen: what comes is heard from now on, and what came before; filled: bins that were read from the file, given away; fill: what the file has of the span, and how many bins are read at most;
 *   read: what the file gave, given away, null: as before for this plot
 * @typedef {{ stream: string, last: number, rise: number | null, skipped: number }} Came  rise: tick of what is waited for; skipped: rows that were not shown as they came, so far
 * @typedef {{ op: "state", state: "connecting" | "open" | "lost", why: string } | { op: "told", told: Told } | { op: "came", streams: Came[] }
 *   | { op: "reply", id: number, value: any }} FromReceiver
 * @typedef {{ told: (told: Told) => void, came: (came: Came) => void, state: (state: "connecting" | "open" | "lost", why: string) => void, failed: (error: Error) => void }} Listener
 */
import { worker } from "../workers.js";

export class Remote {
  /** @type {Listener | null} */
  listener = null;
  /** @type {Map<number, (value: any) => void>} */
  #waiting = new Map();
  #last = 0;

  /** @param {Pick<Worker, "postMessage"> & { onmessage: any, onerror: any }} [receiver]  runs live.worker.js */
  constructor(receiver = worker("./live/live.worker.js", "oniscope-live")) {
    this.worker = receiver;
    receiver.onmessage = (/** @type {MessageEvent<FromReceiver>} */ { data }) => this.#receive(data);
    receiver.onerror = (/** @type {ErrorEvent} */ event) => {
      event.preventDefault?.();
      this.listener?.failed(new Error(`what follows the recorder failed: ${event.message || "its worker could not be loaded"}`));
    };
  }

  /** @param {FromReceiver} message */
  #receive(message) {
    switch (message.op) {
      case "reply":
        this.#waiting.get(message.id)?.(message.value);
        this.#waiting.delete(message.id);
        break;
      case "state":
        this.listener?.state(message.state, message.why);
        break;
      case "told":
        this.listener?.told(message.told);
        break;
      case "came":
        for (const came of message.streams) this.listener?.came(came);
    }
  }

  /** @param {ToReceiver} message @param {Envelope | null} [given]  whose arrays are given away */
  send(message, given = null) {
    this.worker.postMessage(message, given ? [given.data, given.mean, given.sd, given.x].flatMap((array) => (array && array.byteLength > 0 ? [array.buffer] : [])) : []);
  }

  /** @param {(id: number) => ToReceiver} make @param {Envelope | null} [given] @returns {Promise<any>} */
  #ask(make, given = null) {
    const id = ++this.#last;
    this.send(make(id), given);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** @param {Ask} ask @returns {Promise<boolean>} whether somebody hears it */
  say(ask) {
    return this.#ask((id) => ({ op: "say", id, ask }));
  }

  /** What there is of a span in bins, and what is to be read from the file; null: nothing is kept of the stream. @param {Omit<Extract<ToReceiver, { op: "bins" }>, "op" | "id">} args @returns {Promise<{ envelope: Envelope, missing: Missing | null } | null>} */
  bins(args) {
    return this.#ask((id) => ({ op: "bins", id, ...args }));
  }

  /** What is to be read from the file of a span; null: nothing. @param {string} stream @param {{ from: number, to: number, most: number }} fill @returns {Promise<Missing | null>} */
  missing(stream, fill) {
    return this.#ask((id) => ({ op: "missing", id, stream, fill }));
  }

  /** The painter asks the receiver itself, by this port. @param {MessagePort} port */
  connectPainter(port) {
    this.worker.postMessage(/** @type {ToReceiver} */ ({ op: "painter", port }), [port]);
  }

  /** What the file gave with the rows that follow; null: nothing is kept of the stream, or of the plot. @param {string} stream @param {string} plot @param {Envelope | null} read @param {number} last @returns {Promise<Envelope | null>} */
  rows(stream, plot, read, last) {
    return this.#ask((id) => ({ op: "rows", id, stream, plot, read, last }), read);
  }
}
