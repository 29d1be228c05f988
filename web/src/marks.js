/**
 * Notes that a person took during a recording, as marks in time: those of the stream `notes` of the run that is looked at, while it is recorded and afterwards.
 * @typedef {import("./state.js").State} State
 * @typedef {{ at: number, text: string, author: string }} Mark  at: ticks
 */

/** Name of the stream. */
const NOTES = "notes";

export class Marks {
  /** Of the run that is looked at, by time. @type {Mark[]} */
  list = [];
  /** What was read, by stream: how many rows, and the marks. @type {Map<string, { rows: number, list: Mark[] }>} */
  #read = new Map();

  /** @param {State} state */
  constructor(state) {
    this.state = state;
    state.on(["streams", "grown", "active"], () => void this.#refresh());
  }

  async #refresh() {
    const { state } = this, notes = state.companions.find((info) => isNotes(info));
    for (const id of this.#read.keys()) if (!state.entries.has(id)) this.#read.delete(id);
    if (notes && notes.rows > 0 && this.#read.get(notes.id)?.rows !== notes.rows) {
      const { id, rows } = notes;
      this.#read.set(id, { rows, list: this.#read.get(id)?.list ?? [] });
      try {
        const [moments, texts, authors] = await Promise.all(["About", "Text", "Author"].map((column) => state.client.values(id, column, 0, rows)));
        this.#read.set(id, { rows, list: Array.from({ length: rows }, (_, i) => ({ at: Number(moments.values[i]), text: String(texts.values[i]), author: String(authors.values[i]) })).sort((a, b) => a.at - b.at) });
      } catch (error) {
        this.#read.delete(id);
        if (state.entries.has(id)) state.report(error, id);
        return;
      }
    }
    const list = notes ? this.#read.get(notes.id)?.list ?? [] : [];
    if (list === this.list || (list.length === 0 && this.list.length === 0)) return;
    this.list = list;
    state.changed("marks");
  }
}

/** @param {import("./protocol.js").StreamInfo} info */
function isNotes({ metadata, columns }) {
  return metadata?.stream === NOTES && ["About", "Text", "Author"].every((name) => columns.some((c) => c.name === name));
}
