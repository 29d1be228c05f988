/**
 * The page: puts its parts together and connects them to the engine. State is in state.js, drawing in plots/, elements in ui/.
 * @typedef {import("./state.js").Row} Row
 */
import { moved } from "./axis.js";
import { publish } from "./api.js";
import { available, BINDINGS, shortcut } from "./bindings.js";
import { startEngine } from "./engine.js";
import { fragmentOf, lookAt, lookedFrom } from "./fragment.js";
import { reportText } from "./health.js";
import { lendMeasures } from "./measures.js";
import { openSources } from "./opening.js";
import { rememberGain } from "./remembered.js";
import { State } from "./state.js";
import { StatusBar, TopBar } from "./ui/bars.js";
import { ChannelList } from "./ui/channels.js";
import { helpDialog } from "./ui/dialogs.js";
import { byId, styled } from "./ui/dom.js";
import { keepFocus } from "./ui/focus.js";
import { connectControls } from "./ui/keys.js";
import { StreamList } from "./ui/left.js";
import { announce, asError, clearNotices, copy, notice, passing, remark } from "./ui/notices.js";
import { paletteDialog } from "./ui/palette.js";
import { Inspector } from "./ui/right.js";
import { Overview } from "./ui/overview.js";
import { connectSides, openSide } from "./ui/sides.js";
import { Stage } from "./ui/stage.js";
import { onThemeChange } from "./ui/tokens.js";
import { connectWelcome } from "./ui/welcome.js";
import { jump, verify } from "./verifying.js";
import { count } from "./words.js";
import { cameFrom, hasChanged, sourcesOf } from "./sources.js";

byId("file-notice").remove(); // modules load here, so the sentence is not true
lendMeasures(document.documentElement.style);

const root = document.documentElement;
/** A recorder says in its address that it is one. */
const [live] = new URLSearchParams(location.search).has("live") ? await Promise.all([import("./live/live.js"), styled("live/live.css")]) : [null];
const state = new State(startEngine(live?.LiveEngine));
const stage = new Stage(state);
const overview = new Overview(state, stage);
const choose = () => byId("files").click();
const id = () => state.info?.id ?? "";
/** What is asked for seldom is loaded then. */
const save = () => void import("./ui/saving.js").then(({ saveDialog }) => saveDialog(state, stage)).catch((error) => state.report(error));
const recover = (/** @type {string} */ id) => void import("./ui/recovering.js").then(({ recoverDialog }) => recoverDialog(state, id)).catch((error) => state.report(error));

new StreamList(state, (id) => void close(id));
new ChannelList(state, stage.traces);
new Inspector(state, stage, { save, recover, verify: (id) => void verify(state, id), jump: (id, finding) => jump(state, id, finding), setClock: (hz) => void setClock(hz), setTimeColumn: (stream, column) => void setTimeColumn(stream, column), setGain: (stream, group, gain) => void setGain(stream, group, gain), copy });
new TopBar(state, stage, { choose, help: helpDialog, palette: () => paletteDialog(commands()) });
const status = new StatusBar(state, stage, overview);
/** What the page does besides moving the view; of a stream only where there is one. @type {import("./bindings.js").Actions} */
const actions = {
  help: helpDialog, palette: () => paletteDialog(commands()), open: choose, goTo: () => void import("./ui/goto.js").then(({ goToDialog }) => goToDialog(state)).catch((error) => state.report(error)), findChannels: () => {
    openSide("left");
    byId("channel-find").focus();
  },
  verify: () => void verify(state, id()), recover: () => recover(id()), save, close: () => void close(id()),
  copyReport: () => copy(reportText(state.entry(id()).info)),
  copyFindings: () => {
    const { verification } = state.entry(id());
    if (verification?.state === "done") copy(JSON.stringify(verification.report, null, 2) + "\n");
  },
};
connectControls(state, stage, actions);
connectSides();
keepFocus(state);
connectWelcome((given) => void open(given).catch(() => {})); // open() has shown what failed
onThemeChange(() => state.changed("theme", "active"));

const failed = (/** @type {unknown} */ error, /** @type {string | undefined} */ stream) => notice(stream ? `${stream} could not be drawn` : "Something went wrong", error);
state.report = (/** @type {unknown} */ error, /** @type {string | undefined} */ stream) => {
  if (stream && state.reopening.has(stream)) return; // it is being read again
  if (!stream || !cameFrom(state.entries.get(stream)?.source) || !hasChanged(error)) {
    failed(error, stream);
    return;
  }
  const done = import("./grown.js").then(({ reopen }) => reopen(state, stream)).then((changed) => changed || failed(error, stream), (why) => failed(why, stream)).finally(() => state.reopening.delete(stream));
  state.reopening.set(stream, done);
};
state.said = passing.say = (/** @type {string} */ words) => {
  announce(words);
  status.mention(words);
};
watch();

/** What can be done now, for the palette. @returns {import("./ui/palette.js").Command[]} */
function commands() {
  const bound = BINDINGS.filter((binding) => available(binding, state) && binding.run !== undefined && !binding.keys?.includes("Ctrl+k"));
  return [...bound.map(({ name, keys, run }) => ({ name, keys: shortcut(keys), run: () => run?.({ state, stage, actions }) })), ...state.rows.map((row) => ({ name: `Show ${row.name}`, run: () => state.select(row.key) }))];
}

/** Listens for the engine's end. */
function watch() {
  state.client.onCrash = (message) => {
    setState("error");
    notice("The engine stopped", Object.assign(new Error(message), { next: "Nothing on disk was touched. Restart opens the same files again." }), { label: "Restart", run: () => void restart() });
  };
}

/** A new engine, with what was open in the old one. */
async function restart() {
  if (state.live) {
    location.reload(); // the recorder says what there is
    return;
  }
  const sources = state.ordered.map(({ source, name, size, folder }) => ({ source, name, size: size ?? 0, folder }));
  const { view, activeKey, tracesKey } = state;
  state.client = startEngine();
  watch();
  state.clear();
  stage.reset();
  clearNotices();
  await load(sources);
  if (!state.rows.some((row) => row.key === activeKey)) return;
  if (state.rows.some((row) => row.key === tracesKey)) state.select(tracesKey);
  state.select(activeKey);
  state.setView(view);
}

/** @param {"empty" | "opening" | "ready" | "error"} state */
function setState(state) {
  root.dataset.state = state;
}

/**
 * Opens files and URLs and shows what could not be opened.
 * @param {(File | string | import("./sources.js").Listed)[]} given
 * @returns {Promise<string[]>} ids of the streams
 */
async function open(given) {
  clearNotices();
  const sources = sourcesOf(given, document.baseURI);
  return (await state.live?.goOnWith(sources)) ?? load(sources);
}

/** The view is written into the address when it has stood still so long, in milliseconds. */
const SETTLED = 400;

/** What the address says, until it was looked at. */
let addressed = lookedFrom(location.hash);

/** What the address said when a stream was opened, and the view that this gave: until its clock was followed nobody knew whether it begins anew. @type {{ looked: import("./fragment.js").Looked, view: import("./view/scale.js").Span } | null} */
let arrived = null;

/** Calls of load that are under way. */
let loading = 0;

/** @param {import("./sources.js").Source[]} sources */
async function load(sources) {
  if (sources.length === 0) return [];
  setState("opening");
  loading++;
  const { ids, failures, said } = await openSources(state, sources).finally(() => loading--);
  for (const { name, error } of failures) notice(`${name} could not be opened`, error);
  for (const words of new Set(said.map((s) => s.words))) { // once, whatever the number of files that it is about
    const [first, ...others] = said.filter((s) => s.words === words).map((s) => s.name);
    remark(others.length > 0 ? `${first} and ${count(others.length, "other")}` : first, words);
  }
  lookWhereAddressed();
  state.changed("streams", "view", "progress");
  state.tell(); // what data-state says is on the page
  setState(loading > 0 ? "opening" : state.entries.size > 0 ? "ready" : failures.length > 0 ? "error" : "empty");
  if (ids.length > 0) announce(`Opened ${count(ids.length, "stream")}.`);
  if (ids.some((id) => cameFrom(state.entry(id).source) && state.entry(id).info.state === "unfinished")) void import("./grown.js").then(({ follow }) => follow(state, failed)).catch((error) => failed(error, undefined));
  void indexAll(ids);
  if (failures.length > 0 && ids.length === 0) throw asError(failures[0].error);
  return ids;
}

/** Looks at every batch of every stream in the background, once the first traces are there: rows are counted, gaps found. @param {string[]} ids */
async function indexAll(ids) {
  if (state.active) await stage.drawn().catch(() => {}); // what failed is shown already
  for (const id of ids) {
    const entry = state.entries.get(id);
    if (!entry || entry.info.rows === 0) continue;
    try {
      const info = await state.client.index(id), elsewhere = moved(entry.info.axis, info.axis);
      state.update(info);
      if (elsewhere) { // its clock begins anew
        stage.reset();
        if (state.isCompanion(id)) {
          const there = arrived !== null && arrived.view.from === state.view.from && arrived.view.to === state.view.to ? arrived.looked : null;
          state.resetView();
          if (there) lookAt(state, there);
        }
      }
    } catch (error) {
      if (asError(error).name !== "AbortError" && state.entries.has(id)) state.report(error, id);
    }
  }
}

/** @param {string} id */
async function close(id) {
  if (!state.entries.has(id)) return; // closed by the click before
  const wasTraces = state.traces?.id === id;
  state.remove(id);
  if (wasTraces) stage.traces.reset();
  if (state.entries.size === 0) {
    state.clear();
    stage.reset();
    setState(loading > 0 ? "opening" : "empty");
  }
  await state.client.close(id).catch((error) => state.report(error));
}

/** The gain of an amplifier that a person knows; remembered for the file. @param {string} stream @param {string} group @param {number} gain */
async function setGain(stream, group, gain) {
  try {
    state.regain(await state.client.setGain(stream, group, gain), group);
    rememberGain(state.entry(stream), group, gain);
  } catch (error) {
    state.report(error, stream);
  }
}

/** Draws a stream by a column of timestamps. @param {string} stream @param {string} column */
async function setTimeColumn(stream, column) {
  try {
    state.update(await state.client.setTimeColumn(stream, column));
    state.update(await state.client.index(stream));
    stage.reset();
    state.resetView();
  } catch (error) {
    state.report(error, stream);
  }
}

/** The typed rate is for every stream on this clock that does not know its own. @param {number} hz */
async function setClock(hz) {
  for (const info of state.companions) {
    if (info.clock.hz > 0) continue;
    try {
      state.update(await state.client.setClock(info.id, hz));
    } catch (error) {
      state.report(error, info.id);
    }
  }
  state.resetView();
  state.changed("view", "active", "cursor", "selection");
}

publish(state, stage, open);
if (live) new live.Live({ state, stage, ready: setState, recover });
followFragment();

/** Looks where the address says, once; nothing where no such stream was opened. */
function lookWhereAddressed() {
  const looked = addressed;
  addressed = null;
  arrived = looked && lookAt(state, looked) ? { looked, view: { ...state.view } } : null;
}

/** Keeps the view in the address, so that it is there after a reload and in a link. */
function followFragment() {
  let due = 0;
  state.on(["view", "active", "rows", "gain", "selection"], () => {
    clearTimeout(due);
    due = setTimeout(() => {
      const fragment = fragmentOf(state);
      if (!fragment || addressed || "#" + fragment === location.hash) return;
      try {
        history.replaceState(null, "", "#" + fragment);
      } catch {
        // a page inside another one may have no address of its own
      }
    }, SETTLED);
  });
  addEventListener("hashchange", () => {
    addressed = lookedFrom(location.hash);
    if (loading === 0 && state.entries.size > 0) lookWhereAddressed();
  });
}

const list = new URLSearchParams(location.search).get("files");
if (list !== null) {
  const url = new URL(list, document.baseURI);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    const listed = /** @type {import("./sources.js").Listed[]} */ (await response.json());
    await load(sourcesOf(listed, url.href));
  } catch (error) {
    if (state.entries.size === 0) setState("error");
    if (byId("notices").childElementCount === 0) notice(`The list ${list} could not be read`, error);
  }
}
void status.refresh();
