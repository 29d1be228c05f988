/**
 * The connection to a recorder: made again by itself when it breaks off.
 * It is in a worker (receiver.js).
 * @typedef {import("./protocol.js").Told} Told
 * @typedef {import("./protocol.js").Ask} Ask
 * @typedef {{ told: (message: Told) => void, came: (data: ArrayBuffer) => void, state: (state: "connecting" | "open" | "lost", why: string) => void }} Hearer
 */

/** How long is waited before the next try, in milliseconds. */
const AGAIN = [300, 1000, 2000, 4000];

/** A recorder that says nothing for so long is lost, in milliseconds: its state comes four times a second. */
const SILENT = 3000;

export class Link {
  /** @type {WebSocket | null} */
  #socket = null;
  #tries = 0;
  #over = false;
  #heard = 0;
  #watch;

  /** @param {string} url @param {Hearer} hearer */
  constructor(url, hearer) {
    this.url = url;
    this.hearer = hearer;
    this.#connect();
    this.#watch = setInterval(() => {
      if (this.#socket?.readyState === WebSocket.OPEN && performance.now() - this.#heard > SILENT) this.#silent(this.#socket);
    }, SILENT / 3);
  }

  #connect() {
    const socket = (this.#socket = new WebSocket(this.url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#heard = performance.now();
      this.hearer.state("open", "");
    };
    socket.onmessage = ({ data }) => {
      this.#tries = 0;
      this.#heard = performance.now();
      if (typeof data === "string") {
        this.hearer.told(JSON.parse(data));
        return;
      }
      try {
        this.hearer.came(data);
      } finally {
        this.say({ type: "ack", count: 1 });
      }
    };
    socket.onclose = ({ reason }) => {
      if (socket === this.#socket && !this.#over) this.#lost(reason);
    };
  }

  /** A recorder that stands still does not answer a goodbye either, and the browser waits long for it. @param {WebSocket} socket */
  #silent(socket) {
    socket.onmessage = socket.onclose = null;
    socket.close(4000, "nothing was heard");
    this.#lost("");
  }

  /** @param {string} reason */
  #lost(reason) {
    this.#socket = null;
    this.hearer.state("lost", reason);
    setTimeout(() => !this.#over && this.#connect(), AGAIN[Math.min(this.#tries++, AGAIN.length - 1)]);
  }

  /** @param {Ask} ask @returns {boolean} whether somebody hears it */
  say(ask) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(ask));
    return true;
  }

  /** Ends the connection for good. */
  end() {
    this.#over = true;
    clearInterval(this.#watch);
    this.#socket?.close();
  }
}
