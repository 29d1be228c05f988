/**
 * What the painter is given of the bins that are kept, for pictures that go on: it asks when it has room, and is answered once there is something new, with what changed
 * since the answer before. So nothing queues, however slow it is, and none of it passes through the page's own thread.
 *
 * @typedef {import("./bins.js").Bins} Bins
 * @typedef {import("./roll.js").Source} Source
 * @typedef {{ plot: number, source: Source | null, n: number, over?: boolean }} Asked  source: null: as before; n: comes back with the answer; over: nothing is wanted any more
 * @typedef {import("./roll.js").Delta & { plot: number, n: number }} Answer
 * @typedef {{ source: Source, n: number, waiting: boolean, changed: number, of: Bins | null }} Feed  changed: the first bin that it does not have as it is; of: what it has is of these
 */

export class Feeds {
  /** By plot of the painter. @type {Map<number, Feed>} */
  #feeds = new Map();

  /**
   * @param {(stream: string) => { bins: Bins | null, tick: number, period: number } | null} keeps  what is kept of a stream; tick: the last that came
   * @param {(answer: Answer, transfer: Transferable[]) => void} answer
   */
  constructor(keeps, answer) {
    this.keeps = keeps;
    this.answer = answer;
  }

  /** @param {Asked} asked */
  asked({ plot, source, n, over }) {
    if (over) this.#feeds.delete(plot);
    if (source) this.#feeds.set(plot, { source, n, waiting: true, changed: -Infinity, of: null });
    const feed = this.#feeds.get(plot);
    if (!feed) return;
    feed.n = n;
    feed.waiting = true;
    this.#feed(plot, feed);
  }

  /** Bins of a stream from one on are new, or not as they were. @param {string} stream @param {number} first */
  came(stream, first) {
    for (const [plot, feed] of this.#feeds) {
      if (feed.source.stream !== stream) continue;
      feed.changed = Math.min(feed.changed, first);
      this.#feed(plot, feed);
    }
  }

  /** @param {number} plot @param {Feed} feed */
  #feed(plot, feed) {
    const { source } = feed, kept = this.keeps(source.stream), bins = kept?.bins;
    if (!feed.waiting || !bins || bins.width !== source.width || bins.end < 0 || !source.columns.every((c) => c < bins.index.length && bins.index[c] >= 0)) return;
    if (feed.of !== bins) feed.changed = -Infinity;
    const first = Math.max(0, bins.end - source.bins, feed.changed);
    if (first >= bins.end) return;
    const envelope = bins.envelope(first * bins.width, bins.end * bins.width, bins.end - first, source.columns, kept.period);
    Object.assign(feed, { waiting: false, changed: Infinity, of: bins });
    this.answer({ plot, n: feed.n, envelope, tick: kept.tick }, [envelope.data, envelope.mean, envelope.sd].flatMap((array) => array?.buffer ?? []));
  }
}
