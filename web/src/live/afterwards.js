/**
 * What the page does when its recorder does not answer any more: it says what a person can do, looks for the files, and goes on with them where something else
 * serves them now, or a person gave them.
 * @typedef {import("./live.js").Growing} Growing
 * @typedef {{
 *   state: import("../state.js").State, page: import("./live.js").Page, engine: import("./engine.js").LiveEngine, follower: import("./follow.js").Follower,
 *   files: Growing[], shown: import("./strip.js").Shown, folder: () => string, end: () => void, show: () => void }} Recorder
 *   of the live page; end: ends the connection for good; show: shows its state
 */
import { endOfRows } from "../moves.js";
import { copy, notice } from "../ui/notices.js";
import { recoverCommand, viewCommand } from "./words.js";

/** A file that is served by something else than a recorder is looked for so often while the link is lost, in milliseconds. */
const LOOK = 1000;

/** That a recorder is gone is known so long after the first read that fails, in milliseconds. */
export const SETTLED = 500;

/** A recorder that has not answered for so long may have ended: what to do is said, in milliseconds. */
const GONE = 2500;

export class Afterwards {
  #looking = 0;
  /** While its files are opened from elsewhere. */
  moving = false;
  /** When the link was lost, and what is said of it. */
  #lostAt = 0;
  /** @type {Element | null} */
  #said = null;

  /** @param {Recorder} recorder */
  constructor({ state, page, engine, follower, files, shown, folder, end, show }) {
    this.state = state;
    this.page = page;
    this.engine = engine;
    this.follower = follower;
    this.files = files;
    this.shown = shown;
    this.folder = folder;
    this.end = end;
    this.show = show;
  }

  /** While the recorder does not answer: its files, where something else serves them now. */
  look() {
    if (this.#looking !== 0) return;
    this.#lostAt = performance.now();
    const again = async () => {
      if (this.shown.state === "lost" && performance.now() - this.#lostAt > GONE && !this.#said) this.#sayGone();
      try {
        const response = await fetch(new URL("files.json", document.baseURI));
        if (response.ok && (response.headers.get("Content-Type") ?? "").includes("json")) {
          const listed = /** @type {import("../sources.js").Listed[]} */ (await response.json());
          if (this.shown.state === "open") return; // the recorder is there again
          await this.#goOn(listed.map(({ name, url }) => ({ name, source: new URL(url, document.baseURI).href })));
          return;
        }
      } catch {
        // nobody there yet
      }
      if (this.shown.state === "open") return;
      this.#looking = window.setTimeout(again, LOOK);
    };
    this.#looking = window.setTimeout(again, LOOK);
  }

  stop() {
    clearTimeout(this.#looking);
    this.#looking = 0;
    this.#said?.remove();
    this.#said = null;
  }

  /** What a person can do while nobody answers. */
  #sayGone() {
    const folder = this.folder(), command = viewCommand(folder, location);
    const way = command ? `This shows its files here: ${command} — or drop the folder onto this page.` : `To see its files here, drop the folder onto this page, or open them with oniscope view on its machine.`;
    this.#said = notice("The recorder does not answer", Object.assign(new Error(`It may be recording still: look at it. If it has ended, all that it wrote is in ${folder}`), { next: way }),
      command ? { label: "Copy command", run: () => copy(command) } : undefined);
  }

  /**
   * Goes on with files that a person gave, if the recorder is gone and they are its.
   * @param {import("../sources.js").Source[]} sources
   * @returns {Promise<string[] | null>} ids of the streams; null: they are something else
   */
  async goOnWith(sources) {
    if (!["lost", "ended", "dead"].includes(this.shown.state) || !sources.some((s) => this.files.some((f) => f.file === s.name))) return null;
    await this.#goOn(sources);
    return this.files.filter((f) => sources.some((s) => s.name === f.file)).map((f) => f.id);
  }

  /** What came last and was not written is gone: the view goes back to what is in the file. */
  #backToRows() {
    const { state } = this, info = state.traces ? state.entry(state.traces.id).info : state.info, end = info ? endOfRows([info]) : 0;
    if (info && info.rows > 0 && state.view.to > end) state.setView({ from: end - (state.view.to - state.view.from), to: end });
  }

  /** Goes on with files of the recorder that come from elsewhere now. @param {{ name: string, source: string | File }[]} given */
  async #goOn(given) {
    this.stop();
    this.moving = true;
    const { state } = this, ended = this.shown.state === "ended";
    this.end();
    if (!ended) this.shown.state = "dead";
    this.engine.tails.clear();
    const unfinished = /** @type {Growing[]} */ ([]);
    for (const file of this.files) {
      const there = given.find((l) => l.name === file.file), entry = state.entries.get(file.id);
      if (!there || !entry) continue;
      const { source } = there;
      await state.client.close(file.id).catch(() => {});
      const info = await state.client.open({ stream: file.id, source, name: file.file });
      Object.assign(entry, { info, source, size: info.size_bytes });
      state.update(info);
      if (info.state !== "complete") unfinished.push(file);
    }
    this.page.stage.reset();
    setTimeout(() => (this.moving = false), 2 * SETTLED); // what was on its way to the one before has failed by then
    this.follower.set("pause");
    this.#backToRows();
    this.show();
    if (unfinished.length === 0) return;
    const first = unfinished[0], each = unfinished.length === 1 ? "One file has" : `${unfinished.length} files have`;
    notice("The recorder ended without closing its files", Object.assign(new Error(`${each} no end. Every batch that was written is there; the last one may be cut.`), { next: `Recover them here, one by one, or where they are, each with ${recoverCommand(this.folder(), first.file)}` }),
      { label: "Recover…", run: () => this.page.recover(state.info?.id ?? first.id) });
  }
}
