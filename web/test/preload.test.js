import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const web = new URL("../", import.meta.url), read = (/** @type {string} */ path) => readFileSync(new URL(path, web), "utf8");

/** All modules that one imports, directly or not, and itself; not what it imports when it is needed. @param {string} path @param {Set<string>} [found] */
function graph(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, from] of read(path).matchAll(/^(?:import|export)\s(?:[^"';]*?\sfrom\s+)?"(\.[^"]+)";/gm)) graph(new URL(from, new URL(path, "file:///")).pathname.slice(1), found);
  return found;
}

const ofPage = graph("src/main.js"), page = read("index.html");

test("the page asks at once for every module that it begins with, and for no other", () => {
  const asked = [...page.matchAll(/<link rel="modulepreload" fetchpriority="low" href="([^"]+)">/g)].map(([, path]) => path);
  assert.deepEqual(asked, [...ofPage].filter((path) => path !== "src/main.js").sort(), "the list in index.html");
});

test("the page of a recorder asks at once for all that it has besides", () => {
  const [, list] = /LIVE = (\[[^\]]*\])/.exec(read("src/early.js")) ?? [];
  const besides = [...graph("src/live/live.js")].filter((path) => !ofPage.has(path)).sort();
  assert.deepEqual(JSON.parse(list).map((/** @type {string} */ name) => `src/live/${name}.js`), besides, "LIVE in early.js");
});

test("what begins first waits for no style sheet and no module", () => {
  const first = page.indexOf('<script src="src/early.js"></script>');
  assert.ok(first > 0 && first < page.indexOf("stylesheet") && first < page.indexOf("modulepreload"));
  assert.equal(graph("src/early.js").size, 1);
});
