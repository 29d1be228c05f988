/**
 * The page: puts its parts together and connects them to the engine. State is in recording.js, drawing in plots/, elements in ui/.
 * @typedef {import("./recording.js").Row} Row
 */
import { publish } from "./api.js";
import { startEngine } from "./format.js";
import { reportText } from "./health.js";
import { openSources, sourcesOf } from "./opening.js";
import { Recording } from "./recording.js";
import { StatusBar, TopBar } from "./ui/bars.js";
import { helpDialog } from "./ui/dialogs.js";
import { byId } from "./ui/dom.js";
import { connectControls } from "./ui/keys.js";
import { ChannelList, StreamList } from "./ui/left.js";
import { announce, asError, clearNotices, copy, notice } from "./ui/notices.js";
import { paletteDialog } from "./ui/palette.js";
import { recoverDialog } from "./ui/recovering.js";
import { Inspector } from "./ui/right.js";
import { saveDialog } from "./ui/saving.js";
import { Stage } from "./ui/stage.js";
import { onThemeChange } from "./ui/tokens.js";
import { connectWelcome } from "./ui/welcome.js";
import { jump, verify } from "./verifying.js";
import { count } from "./words.js";

byId("file-notice").remove(); // modules load here, so the sentence does not hold

const root = document.documentElement;
const recording = new Recording(startEngine());
const stage = new Stage(recording);
const choose = () => byId("files").click();

new StreamList(recording, (id) => void close(id));
new ChannelList(recording, stage.traces);
new Inspector(recording, stage, { save: () => saveDialog(recording, stage), recover: (id) => recoverDialog(recording, id), verify: (id) => void verify(recording, id), jump: (id, finding) => jump(recording, id, finding), setClock: (hz) => void setClock(hz), copy });
new TopBar(recording, stage, { choose, help: helpDialog });
const status = new StatusBar(recording, stage);
connectControls(recording, stage, { help: helpDialog, verify: () => recording.info && void verify(recording, recording.info.id), palette: () => paletteDialog(commands()) });
connectWelcome((given) => void open(given).catch(() => {})); // open() has shown what failed
onThemeChange(() => recording.changed("theme", "active"));

recording.report = (/** @type {unknown} */ error, /** @type {string | undefined} */ stream) => notice(stream ? `${stream} could not be drawn` : "Something went wrong", error);
watch();

/** What can be done now, for the palette. @returns {import("./ui/palette.js").Command[]} */
function commands() {
  const info = recording.info, verification = info && recording.entry(info.id).verification;
  const ofStream = info === null ? [] : [
    { name: "Verify: read and check all of it", keys: "V", run: () => void verify(recording, info.id) },
    { name: "Recover…", run: () => recoverDialog(recording, info.id) },
    { name: recording.selection ? "Save the selection…" : "Save the stream…", run: () => saveDialog(recording, stage) },
    { name: "Show as a table, or as plots again", keys: "T", run: () => recording.setAsTable(!recording.asTable) },
    { name: "Show everything", keys: "0", run: () => recording.setView(recording.run) },
    { name: "Copy report", run: () => copy(reportText(info)) },
    ...(verification?.state === "done" ? [{ name: "Copy findings as JSON", run: () => copy(JSON.stringify(verification.report, null, 2) + "\n") }] : []),
    { name: `Close ${info.id}`, run: () => void close(info.id) },
  ];
  return [{ name: "Open files…", run: choose }, ...ofStream, ...recording.rows.map((row) => ({ name: `Show ${row.name}`, run: () => recording.select(row.key) })), { name: "All keys", keys: "?", run: helpDialog }];
}

/** Listens for the engine's end. */
function watch() {
  recording.client.onCrash = (message) => {
    setState("error");
    notice("The engine stopped", Object.assign(new Error(message), { next: "Nothing on disk was touched. Restart opens the same files again." }), { label: "Restart", run: () => void restart() });
  };
}

/** A new engine, with what was open in the old one. */
async function restart() {
  const sources = recording.ordered.map(({ source, name, size }) => ({ source, name, size: size ?? 0 }));
  const { view, activeKey, tracesKey } = recording;
  recording.client = startEngine();
  watch();
  recording.clear();
  stage.reset();
  clearNotices();
  await load(sources);
  if (!recording.rows.some((row) => row.key === activeKey)) return;
  if (recording.rows.some((row) => row.key === tracesKey)) recording.select(tracesKey);
  recording.select(activeKey);
  recording.setView(view);
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

/** Calls of load that are under way. */
let loading = 0;

/** @param {import("./opening.js").Source[]} sources */
async function load(sources) {
  if (sources.length === 0) return [];
  setState("opening");
  loading++;
  const { ids, failures } = await openSources(recording, sources).finally(() => loading--);
  for (const { name, error } of failures) notice(`${name} could not be opened`, error);
  setState(loading > 0 ? "opening" : recording.entries.size > 0 ? "ready" : failures.length > 0 ? "error" : "empty");
  recording.changed("streams", "view", "progress");
  if (ids.length > 0) announce(`Opened ${count(ids.length, "stream")}.`);
  void indexAll(ids);
  if (failures.length > 0 && ids.length === 0) throw asError(failures[0].error);
  return ids;
}

/** Makes row counts and coverage exact in the background, once the first traces are there. @param {string[]} ids */
async function indexAll(ids) {
  if (recording.active) await stage.drawn().catch(() => {}); // what failed is shown already
  for (const id of ids) {
    const entry = recording.entries.get(id);
    if (!entry || entry.info.rows_exact) continue;
    try {
      recording.update(await recording.client.index(id));
    } catch (error) {
      if (asError(error).name !== "AbortError" && recording.entries.has(id)) recording.report(error, id);
    }
  }
}

/** @param {string} id */
async function close(id) {
  if (!recording.entries.has(id)) return; // closed by the click before
  const wasTraces = recording.traces?.id === id;
  recording.remove(id);
  if (wasTraces) stage.traces.reset();
  if (recording.entries.size === 0) {
    recording.clear();
    stage.reset();
    setState(loading > 0 ? "opening" : "empty");
  }
  await recording.client.close(id).catch((error) => recording.report(error));
}

/** The typed rate holds for every stream on this clock that does not know its own. @param {number} hz */
async function setClock(hz) {
  for (const info of recording.companions) {
    if (info.clock.hz > 0) continue;
    try {
      recording.update(await recording.client.setClock(info.id, hz));
    } catch (error) {
      recording.report(error, info.id);
    }
  }
  recording.resetView();
  recording.changed("view", "active", "cursor", "selection");
}

publish(recording, stage, open);

const list = new URLSearchParams(location.search).get("files");
if (list !== null) {
  const url = new URL(list, document.baseURI);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    const listed = /** @type {import("./opening.js").Listed[]} */ (await response.json());
    await load(sourcesOf(listed, url.href));
  } catch (error) {
    if (recording.entries.size === 0) setState("error");
    if (byId("notices").childElementCount === 0) notice(`The list ${list} could not be read`, error);
  }
}
void status.refresh();
