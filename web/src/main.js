/**
 * The page: puts its parts together and connects them to the engine. State is in session.js, drawing in plots/, elements in ui/.
 * @typedef {import("./session.js").Row} Row
 */
import { publish } from "./api.js";
import { startEngine } from "./format.js";
import { openSources, sourcesOf } from "./opening.js";
import { Session } from "./session.js";
import { StatusBar, TopBar } from "./ui/bars.js";
import { helpDialog, recoverDialog, sliceDialog } from "./ui/dialogs.js";
import { byId } from "./ui/dom.js";
import { connectControls } from "./ui/keys.js";
import { ChannelList, StreamList } from "./ui/left.js";
import { announce, asError, clearNotices, copy, notice } from "./ui/notices.js";
import { Inspector } from "./ui/right.js";
import { Stage } from "./ui/stage.js";
import { onThemeChange } from "./ui/tokens.js";
import { connectWelcome, showProgress } from "./ui/welcome.js";
import { count } from "./words.js";

byId("file-notice").remove(); // modules load here, so the sentence does not hold

const root = document.documentElement;
const session = new Session(startEngine());
const stage = new Stage(session);
const choose = () => byId("files").click();

new StreamList(session, (id) => void close(id));
new ChannelList(session, stage.traces);
new Inspector(session, stage, { save: () => sliceDialog(session, stage), recover: (id) => recoverDialog(session, id), setClock: (hz) => void setClock(hz), copy });
new TopBar(session, stage, { choose, help: helpDialog });
const status = new StatusBar(session, stage);
connectControls(session, stage, { help: helpDialog });
connectWelcome((given) => void open(given).catch(() => {})); // open() has shown what failed
onThemeChange(() => session.changed("theme", "active"));

session.report = (/** @type {unknown} */ error, /** @type {string | undefined} */ stream) => notice(stream ? `${stream} could not be drawn` : "Something went wrong", error);
watch();

/** Listens for the engine's end. */
function watch() {
  session.client.onCrash = (message) => {
    setState("error");
    notice("The engine stopped", Object.assign(new Error(message), { next: "Nothing on disk was touched. Restart opens the same files again." }), { label: "Restart", run: () => void restart() });
  };
}

/** A new engine, with what was open in the old one. */
async function restart() {
  const sources = [...session.entries.values()].map(({ source, name, size }) => ({ source, name, size: size ?? 0 }));
  const { view, activeKey, tracesKey } = session;
  session.client = startEngine();
  watch();
  session.entries.clear();
  session.clear();
  stage.reset();
  clearNotices();
  await load(sources);
  if (!session.rows.some((row) => row.key === activeKey)) return;
  if (session.rows.some((row) => row.key === tracesKey)) session.select(tracesKey);
  session.select(activeKey);
  session.setView(view);
}

/** @param {"empty" | "opening" | "ready" | "error"} state */
function setState(state) {
  root.dataset.state = state;
}

/**
 * Opens files and URLs and shows what could not be opened.
 * @param {(File | string | import("./opening.js").Listed)[]} given
 * @returns {Promise<string[]>} ids of the streams
 */
async function open(given) {
  clearNotices();
  return load(sourcesOf(given, document.baseURI));
}

/** @param {import("./opening.js").Source[]} sources */
async function load(sources) {
  if (sources.length === 0) return [];
  setState("opening");
  const { ids, failures } = await openSources(session, sources, (progress) => showProgress(progress, session.entries.size > 0));
  for (const { name, error } of failures) notice(`${name} could not be opened`, error);
  setState(session.entries.size > 0 ? "ready" : failures.length > 0 ? "error" : "empty");
  session.changed("streams", "view", "progress");
  if (ids.length > 0) announce(`Opened ${count(ids.length, "stream")}.`);
  void indexAll(ids);
  if (failures.length > 0 && ids.length === 0) throw asError(failures[0].error);
  return ids;
}

/** Makes row counts and coverage exact in the background, once the first traces are there. @param {string[]} ids */
async function indexAll(ids) {
  if (session.active) await stage.drawn().catch(() => {}); // what failed is shown already
  for (const id of ids) {
    const entry = session.entries.get(id);
    if (!entry || entry.info.rows_exact) continue;
    try {
      session.update(await session.client.index(id));
    } catch (error) {
      if (asError(error).name !== "AbortError" && session.entries.has(id)) session.report(error, id);
    }
  }
}

/** @param {string} id */
async function close(id) {
  const wasTraces = session.traces?.id === id;
  session.remove(id);
  if (wasTraces) stage.traces.reset();
  if (session.entries.size === 0) {
    session.clear();
    stage.reset();
    setState("empty");
  }
  await session.client.close(id).catch((error) => session.report(error));
}

/** The typed rate holds for every stream on this clock that does not know its own. @param {number} hz */
async function setClock(hz) {
  for (const info of session.companions) {
    if (info.clock.hz > 0) continue;
    try {
      session.update(await session.client.setClock(info.id, hz));
    } catch (error) {
      session.report(error, info.id);
    }
  }
  session.resetView();
  session.changed("view", "active", "cursor", "selection");
}

publish(session, stage, open);

const list = new URLSearchParams(location.search).get("files");
if (list !== null) {
  const url = new URL(list, document.baseURI);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    const listed = /** @type {import("./opening.js").Listed[]} */ (await response.json());
    await load(sourcesOf(listed, url.href));
  } catch (error) {
    if (session.entries.size === 0) setState("error");
    if (byId("notices").childElementCount === 0) notice(`The list ${list} could not be read`, error);
  }
}
void status.refresh();
