/**
 * The page of a recorder: opens the files while they grow, shows what comes, and says how the recording is. What is drawn, and how, is as with any file.
 * @typedef {import("../state.js").State} State
 * @typedef {import("../ui/stage.js").Stage} Stage
 * @typedef {import("./protocol.js").Told} Told
 * @typedef {import("./protocol.js").Batch} Batch
 * @typedef {{ stream: string, file: string, id: string, known: number[][], waiting: number[][], open: boolean, busy: boolean }} Growing
 *   a file of the run: batches that are open in the page, and those that came since
 * @typedef {{ state: State, stage: Stage, ready: (state: "opening" | "ready" | "error") => void, recover: (id: string) => void }} Page
 */
import { rowToShow } from "../sources.js";
import { notice } from "../ui/notices.js";
import { Afterwards, SETTLED } from "./afterwards.js";
import { LiveEngine, Tail } from "./engine.js";
import { Follower, withSilence } from "./follow.js";
import { Modes } from "./modes.js";
import { Notes } from "./notes.js";
import { showLines, Strip } from "./strip.js";
import { alarms, isSilent, lateWords, troubles } from "./words.js";
import { Bell } from "./bell.js";

export { LiveEngine };

/** That files have grown is said so long after the first of them, for all, in milliseconds. */
const GROWN = 300;

/** Samples that are kept to say how late the picture is. */
const LATE_SAMPLES = 30;

/** Now is where the traces are, unless they are silent and behind others by so many seconds. */
const LEAD = 0.5;

/** Rows that came less than so many seconds ago are of now, however slow the page is; others are of what was looked at before. */
const NOW = 2;

export class Live {
  /** @type {Growing[]} */
  #files = [];
  /** @type {import("./protocol.js").Hello | null} */
  #hello = null;
  /** @type {import("./strip.js").Shown} */
  #shown = { state: "connecting", status: null, behind: 0, clients: 0, hz: 0 };
  #strip = new Strip();
  /** How late the last pictures were, in milliseconds. @type {number[]} */
  #late = [];
  /** How much the recorder's clock is ahead of this machine's, in milliseconds; less than nothing is known to be. */
  #ahead = Infinity;
  #armed = "";
  #bell = new Bell();

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.state = page.state;
    this.engine = /** @type {LiveEngine} */ (page.state.client);
    this.follower = new Follower(this.state, () => {
      this.#arm();
      this.#modes.show();
    });
    this.#modes = new Modes(this.follower, this.state);
    this.#afterwards = new Afterwards({
      state: this.state, page, engine: this.engine, follower: this.follower, files: this.#files, shown: this.#shown,
      folder: () => this.#hello?.folder ?? "", end: () => this.#end(), show: () => this.#showState(),
    });
    this.notes = new Notes(this.state, this.#bell, (ask) => this.engine.remote.say(ask), () => this.#hello?.run ?? "");
    this.state.live = this;
    const { report } = this.state;
    this.state.report = (error, stream) => {
      const late = () => { // the strip says why, a moment after the first read that fails
        if (this.#shown.state !== "lost" && !this.#afterwards.moving) report(error, stream);
      };
      if (this.#files.some((f) => f.id === stream)) setTimeout(late, SETTLED);
      else report(error, stream);
    };
    this.engine.onFilled = () => {
      if (!this.rolls) this.#draw();
    };
    this.state.on(["streams", "active", "theme", "health"], () => this.#lines());
    this.state.on(["active", "rows"], () => this.#forgetUnseen());
    document.body.toggleAttribute("data-live", true);
    this.engine.remote.listener = {
      told: (message) => this.#told(message), came: (came) => this.#came(came), state: (state, why) => this.#linked(state, why), failed: (error) => this.state.report(error),
    };
    const { port1, port2 } = new MessageChannel(); // what comes goes to the painter without passing through here
    this.engine.remote.connectPainter(port1);
    page.stage.traces.painter.connectFeeder(port2);
    this.engine.remote.send({ op: "listen" });
  }

  #modes;
  #afterwards;

  /** Ends the connection for good. */
  #end() {
    this.engine.remote.send({ op: "end" });
  }

  /** What the recorder says of itself, and how late the picture is: for scripts and tests. */
  get facts() {
    const late = [...this.#late].sort((a, b) => a - b);
    return { state: this.#shown.state, mode: this.follower.mode, now: this.follower.now, late_ms: late.length > 0 ? late[late.length >> 1] : null, late_p95_ms: late.length > 0 ? late[Math.floor(late.length * 0.95)] : null, status: this.#shown.status };
  }

  /** Changes when a span of a stream has to be asked for anew. @param {string} id @param {number} to  ticks, its end */
  version(id, to) {
    const tail = this.engine.tails.get(id);
    return !tail || to <= tail.end ? "file" : tail.version;
  }

  /** Whether rows come. */
  get open() {
    return this.#shown.state === "open";
  }

  /** Whether rows come and now is looked at, so that nothing on the screen is ever final. */
  get following() {
    return this.open && this.follower.following;
  }

  /** What a view of now shows, ticks: up to what came last. */
  get newest() {
    const { view: { from, to } } = this.state, { now } = this.follower;
    return { from: now - (to - from), to: now };
  }

  /** Whether a row is one of now, and not what was looked at before. @param {number} tick */
  isNow(tick) {
    return this.follower.now - tick < NOW * this.#shown.hz;
  }

  /** What a picture can be painted from that goes on by itself while this is followed; null: it cannot. @param {import("../view/loader.js").Wanted} wanted */
  source(wanted) {
    const { view } = this.state;
    if (!this.following || this.#isSilent(wanted.stream)) return null; // a stream that is silent has no picture of now, but the time that it missed
    return this.engine.source(wanted, view.to - view.from);
  }

  /** A picture of now is there. What is in it has come, though this thread may not have heard of it: the view does not end before. @param {string} key  of its row @param {number} to  ticks, its right edge @param {number} tick  its last */
  painted(key, to, tick) {
    const { tracesKey, traces } = this.state, clock = traces && this.engine.tails.get(traces.id)?.info.clock;
    if (key !== tracesKey || !clock || !this.follower.following) return;
    clock.last = Math.max(clock.last, tick);
    this.follower.painted(to, tick);
  }

  /** A picture is on the screen with the next frame: measures how long that took since it was sampled. @param {string} key  of its row @param {number} tick  its last */
  shown(key, tick) {
    const hello = this.#hello;
    if (key !== this.state.tracesKey || !hello || !this.follower.following) return;
    requestAnimationFrame(() => {
      const sampled = Date.parse(hello.start_utc) + (tick / this.#shown.hz) * 1000;
      this.#late.push(Date.now() - sampled - Math.min(0, this.#ahead));
      if (this.#late.length > LATE_SAMPLES) this.#late.shift();
    });
  }

  /** Goes to now and follows. */
  follow() {
    this.follower.set("follow");
  }

  /** Follows, or holds the picture. */
  toggle() {
    this.follower.set(this.follower.following ? "pause" : "follow");
  }

  /** @param {"connecting" | "open" | "lost"} state @param {string} why */
  #linked(state, why) {
    if (["ended", "dead"].includes(this.#shown.state) && state !== "open") return;
    this.#shown.state = state;
    if (state === "lost") {
      if (why) notice("The recorder closed the connection", new Error(why));
      this.#afterwards.look();
    } else if (state === "open") {
      this.#afterwards.stop();
    }
    this.#showState();
  }

  /** @param {Told} message */
  #told(message) {
    switch (message.type) {
      case "hello": {
        const other = this.#hello !== null && this.#hello.run !== message.run;
        this.#hello = message;
        if (other) {
          notice("Another recording runs now", new Error("What is shown is the one before."), { label: "Show it", run: () => location.reload() });
          this.#end();
          return;
        }
        for (const about of message.streams) this.#file(about.name, about.file);
        this.#shown.hz = message.acq_clock_hz;
        break;
      }
      case "stream":
        this.#file(message.stream.name, message.stream.file);
        break;
      case "batch":
        this.#batch(message);
        break;
      case "status": {
        this.#shown.status = message;
        this.#shown.clients = message.clients;
        this.#ahead = Math.min(this.#ahead, Date.now() - Date.parse(message.utc));
        for (const file of this.#files) void this.#grow(file);
        this.#hatchSilence(message);
        this.#showState();
        break;
      }
      case "note":
        this.notes.taken();
        break;
      case "refused":
        this.notes.say(message.text);
        break;
      case "end":
        this.#shown.state = "ended";
        this.#end();
        this.#showState();
        this.follower.set("pause");
        this.#afterwards.look();
        break;
    }
  }

  /** @param {string} stream @param {string} name @returns {Growing} */
  #file(stream, name) {
    let file = this.#files.find((f) => f.file === name);
    if (!file) {
      file = { stream, file: name, id: "", known: [], waiting: [], open: false, busy: false };
      this.#files.push(file);
    }
    return file;
  }

  /** Batches that are new; after a new connection those that are known come again. @param {Batch} message */
  #batch({ stream, file: name, blocks }) {
    const file = this.#file(stream, name);
    const last = file.waiting.at(-1) ?? file.known.at(-1);
    file.waiting.push(...(last ? blocks.filter((b) => b[0] > last[0]) : blocks));
    if (file.open) void this.#grow(file);
  }

  /** Opens a file, or takes in what came to it. @param {Growing} file */
  async #grow(file) {
    if (file.busy || (file.open && file.waiting.length === 0) || ["ended", "dead"].includes(this.#shown.state)) return;
    file.busy = true;
    const { state } = this, blocks = file.waiting.splice(0);
    try {
      if (!file.open) {
        await this.#open(file, blocks);
        return;
      }
      const end = blocks[blocks.length - 1];
      const grown = await state.client.grow({ stream: file.id, size: end[0] + end[1], blocks });
      file.known.push(...blocks);
      const entry = state.entries.get(file.id), tail = this.engine.tails.get(file.id);
      if (!entry) return;
      const first = entry.info.rows === 0;
      const came = entry.info.clock.last;
      Object.assign(entry.info, first ? await state.client.info(file.id) : grown, { state: "open" });
      tail?.written(grown.clock.last);
      if (tail?.wanted && !first) entry.info.clock.last = Math.max(came, grown.clock.last);
      if (first) state.update(entry.info);
      else if (this.#growing === 0) this.#growing = window.setTimeout(() => {
        this.#growing = 0;
        state.changed("grown");
      }, GROWN);
      if (!this.rolls) this.#draw();
    } catch (error) {
      file.waiting.unshift(...blocks);
      if (this.#shown.state === "open") state.report(error, file.id);
    } finally {
      file.busy = false;
    }
  }

  /** What a silent stream has not sent is missing, and looks so, before its file can tell. @param {import("./protocol.js").Status} status */
  #hatchSilence(status) {
    const newest = new Map(this.#files.map((file) => [file.stream, file.id]));
    for (const { name, word } of status.streams) {
      const entry = this.state.entries.get(newest.get(name) ?? ""), silent = isSilent(word);
      if (entry && (silent || this.#silent.has(name))) entry.info.coverage = withSilence(entry.info, silent ? this.#newest : null);
      if (silent) this.#silent.add(name);
      else this.#silent.delete(name);
    }
  }

  #silent = new Set();

  /** Whether others go on without a stream: the recorder says that it is silent. One of which nothing comes because this page is slow is not. @param {string} id */
  #isSilent(id) {
    const tail = this.engine.tails.get(id), last = tail?.info.clock.last ?? this.follower.now;
    return this.#newest - last > LEAD * this.#shown.hz && (!tail || tail.info.rows === 0 || this.#silent.has(tail.stream));
  }

  /** @param {Growing} file @param {number[][]} blocks */
  async #open(file, blocks) {
    const { state } = this, id = state.claim(file.file), source = new URL(`files/${encodeURIComponent(file.file)}`, document.baseURI).href;
    if (this.#files.every((f) => !f.open)) this.page.ready("opening");
    try {
      const info = await state.client.openGrowing({ stream: id, source, name: file.file, blocks });
      info.state = "open";
      file.id = id;
      file.known = blocks;
      file.open = true;
      for (const [other, tail] of this.engine.tails) if (tail.stream === file.stream) this.engine.tails.delete(other); // a part before this one
      this.engine.tails.set(id, new Tail(file.stream, info, this.engine.remote));
      state.add({ id, info, source, name: file.file, size: info.size_bytes, order: this.#files.indexOf(file), folder: this.#hello?.folder ?? "" });
    } catch (error) {
      state.release(id);
      throw error;
    }
    if (this.#chosen || !this.#files.every((f) => f.open)) return;
    this.#chosen = true;
    const best = rowToShow(state.rows, (row) => state.entry(row.id).info.rows > 0);
    if (best) state.select(best.key, { opening: true });
    this.page.ready("ready");
    this.follow();
  }

  #chosen = false;

  /** Something came of a stream. @param {import("./remote.js").Came} came */
  #came({ stream, last, rise, skipped }) {
    this.#skipped.set(stream, skipped);
    const found = [...this.engine.tails].find(([, tail]) => tail.stream === stream);
    if (!found) return;
    const [id, tail] = found;
    tail.version++;
    tail.left(skipped, () => this.engine.want());
    tail.info.clock.last = Math.max(tail.info.clock.last, last);
    if (rise !== null) this.follower.fire(rise);
    this.#newest = Math.max(this.#newest, last);
    const leads = id === this.state.traces?.id;
    if (leads || this.#isSilent(this.state.traces?.id ?? "")) this.follower.came(leads ? last : this.#newest, leads && (this.page.stage.traces.active?.leads ?? false));
    if (!this.rolls) this.#draw();
    else if (!leads) this.page.stage.lower.want(); // so that the next picture has it
  }

  /** Whether the next picture comes by itself, and all that is drawn with it. */
  get rolls() {
    return this.following && (this.page.stage.traces.active?.rolls ?? false);
  }

  #newest = 0;
  /** Timer; 0: no file has grown since it was said. */
  #growing = 0;
  /** @type {Map<string, number>} */
  #skipped = new Map();

  /** The recorder sends nothing of what was looked at before. */
  #forgetUnseen() {
    const { traces, lower } = this.page.stage;
    this.engine.only(new Set([...traces.all.map((pane) => pane.shown()?.info.id), ...lower.panels.map((panel) => panel.id)]));
  }

  /** Says what is waited for, while the trigger is armed. */
  #arm() {
    const { condition, mode, held } = this.follower, tail = mode === "trigger" && held === null && condition ? this.engine.tails.get(condition.id) : undefined;
    const armed = tail && condition ? { ...condition, stream: tail.stream } : null, key = JSON.stringify(armed);
    if (key === this.#armed) return;
    this.#armed = key;
    for (const other of this.engine.tails.values()) other.need(other === tail && condition ? condition.column : -1, condition !== null && "bit" in condition);
    this.engine.want();
    this.engine.remote.send({ op: "condition", condition: armed });
  }

  /** Draws what came. */
  #draw() {
    this.state.changed("data", "view");
  }

  #showState() {
    this.#strip.show(this.#shown);
    this.#lines();
    this.#bell.hear(troubles(this.#shown.status, this.#shown.state));
    this.notes.alarm(alarms(this.#shown.status, this.#shown.state === "open"));
    this.notes.show(this.#hello?.control ?? false, this.#shown.state === "open" && this.#shown.status?.state === "recording");
    document.documentElement.dataset.live = this.#shown.state;
    this.#modes.show();
    const { late_ms } = this.facts;
    this.#modes.say(this.#shown.state === "open" && late_ms !== null ? lateWords(late_ms, [...this.#skipped.values()].reduce((sum, n) => sum + n, 0)) : "");
  }

  #lines() {
    showLines(this.state, new Map(this.#files.map((f) => [f.id, f.stream])), this.#shown.status, this.#shown.state === "open");
  }

  /**
   * Goes on with files that a person gave, if the recorder is gone and they are its.
   * @param {import("../sources.js").Source[]} sources
   * @returns {Promise<string[] | null>} ids of the streams; null: they are something else
   */
  goOnWith(sources) {
    return this.#afterwards.goOnWith(sources);
  }
}
