/**
 * What is always seen of a recording: the strip under the bar, two lines a stream at the left, and what to do at the right.
 * @typedef {import("../state.js").State} State
 * @typedef {import("./protocol.js").Status} Status
 * @typedef {import("./protocol.js").StreamStatus} StreamStatus
 * @typedef {{ state: "connecting" | "open" | "lost" | "ended" | "dead", status: Status | null, behind: number, clients: number, hz: number }} Shown
 */
import { byId, el, fill, say } from "../ui/dom.js";
import { bytes, duration, moment, round } from "../words.js";
import { lossSum, lossWords, troubleWords } from "./words.js";

/** Marks on the hardware buffer, percent. */
const MARKS = [10, 50, 80];

/** @param {string} name @param {Element} value */
const fact = (name, value) => el("span", { class: "fact" }, name, " ", value);

export class Strip {
  node = byId("live");
  #state = el("b", { class: "live-state" });
  #elapsed = el("b");
  #fifo = el("b");
  #fill = el("i", { class: "level" });
  #synced = el("b");
  #rate = el("b");
  #lasts = el("b");
  #lag = el("b");
  #wrong = el("b", { class: "wrong", role: "alert" });
  #lost = el("span", { class: "lost" });

  constructor() {
    const gauge = el("span", { class: "gauge", role: "img", "aria-label": "Hardware buffer" }, this.#fill, ...MARKS.map((mark) => {
      const tick = el("i", { class: "mark" });
      tick.style.left = `${mark}%`;
      return tick;
    }));
    fill(this.node, this.#state, fact("elapsed", this.#elapsed), fact("hardware buffer", gauge), this.#fifo, fact("on disk, synced", this.#synced),
      fact("rate", this.#rate), fact("disk lasts", this.#lasts), fact("behind real time", this.#lag), this.#wrong, this.#lost);
  }

  /** @param {Shown} shown */
  show({ state, status }) {
    this.node.hidden = false;
    const words = { connecting: "connecting", open: status?.state ?? "starting", lost: "link lost", ended: "ended", dead: "recorder gone" }[state];
    say(this.#state, words);
    this.#state.dataset.grade = state === "open" ? (status?.state === "recording" ? "rec" : "ok") : state === "ended" ? "ok" : state === "connecting" ? "warn" : "bad";
    this.node.toggleAttribute("data-stale", state !== "open");
    if (!status) return;
    say(this.#elapsed, moment(status.elapsed_s, 0));
    say(this.#fifo, `${Math.round(status.fifo.percent)} %`);
    this.#fill.style.width = `${Math.min(100, Math.max(1, status.fifo.percent))}%`;
    this.#fill.dataset.level = status.fifo.level;
    say(this.#synced, bytes(status.streams.reduce((sum, s) => sum + s.durable_bytes, 0)));
    say(this.#rate, `${bytes(status.bytes_per_s)}/s`);
    say(this.#lasts, status.disk.lasts_s < 0 ? "–" : duration(status.disk.lasts_s));
    this.#lasts.dataset.grade = status.disk.lasts_s >= 0 && status.disk.lasts_s < 600 ? "bad" : "";
    say(this.#lag, `${status.lag_s.toFixed(1)} s`);
    say(this.#wrong, state === "open" ? troubleWords(status) : "");
    const lost = status.streams.filter((s) => s.lost_rows > 0);
    say(this.#lost, lossSum(status));
    this.#lost.title = lossWords(status);
    this.#lost.dataset.grade = lost.length > 0 ? "warn" : "";
  }
}

/**
 * The second line of each stream at the left; a silent one is red, in words too.
 * @param {State} state
 * @param {Map<string, string>} names  names of the recorder's streams, by id
 * @param {Status | null} status
 * @param {boolean} live  false: what is known is old
 */
export function showLines(state, names, status, live) {
  for (const item of byId("streams").querySelectorAll("li[data-key]")) {
    const row = state.rows.find((r) => r.key === item.getAttribute("data-key"));
    const of = row && status?.streams.find((s) => s.name === names.get(row.id));
    if (!row || !of) continue;
    const [note, line] = linesOf(item);
    const share = of.expected_hz > 0 ? row.rateHz / of.expected_hz : 1; // of a slower signal of the same stream
    const wrong = live && of.word !== "";
    say(note, of.age_s < 0 ? "no sample" : `${of.age_s.toFixed(1)} s`);
    say(line.children[0], of.expected_hz > 0 ? `${round(of.rate_hz * Math.min(1, share), "")} / ${round(of.expected_hz * Math.min(1, share), "Hz")}` : `${of.rate_hz < 10 ? of.rate_hz.toFixed(1) : Math.round(of.rate_hz)} events/s`);
    say(line.children[1], wrong ? of.word.toLowerCase() : `queue ${of.queue_s.toFixed(1)} s`);
    item.toggleAttribute("data-wrong", wrong);
    item.toggleAttribute("data-stale", !live);
  }
}

/** The parts of a stream's lines that change. @param {Element} item @returns {[Element, Element]} */
function linesOf(item) {
  const button = /** @type {Element} */ (item.querySelector("button.stream"));
  const note = button.querySelector(".note") ?? button.appendChild(el("span", { class: "note" }));
  const line = button.querySelector(".live-line") ?? button.appendChild(el("span", { class: "live-line" }, el("span"), el("span")));
  return [note, line];
}
