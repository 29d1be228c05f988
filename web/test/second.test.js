// The second engine: what goes there, what it is told, and what happens when it ends.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Second } from "../src/second.js";

/** An engine that notes what it is asked. */
function fakeEngine(log, open = async () => ({})) {
  return {
    onCrash: () => {},
    open: (args) => (log.push(`open ${args.stream}`), open()),
    close: async (stream) => void log.push(`close ${stream}`),
    engine: async () => ({ bytes: 5, read: 7 }),
    terminate: () => log.push("terminate"),
  };
}

const large = { size_bytes: 1e9 };

test("starts when a large stream needs it, and opens it once", async () => {
  const log = [];
  const second = new Second(() => (log.push("start"), fakeEngine(log)));
  second.note({ stream: "small" }, { size_bytes: 1e6 });
  second.note({ stream: "a" }, large);
  second.note({ stream: "b" }, large);
  assert.equal(await second.engineFor("small"), null);
  assert.equal(await second.engineFor("none"), null);
  assert.equal(await second.state(), null);
  assert.deepEqual(log, []);
  const [one, two] = await Promise.all([second.engineFor("a"), second.engineFor("a")]);
  assert.equal(one, two);
  assert.equal(await second.engineFor("b"), one);
  assert.deepEqual(log, ["start", "open a", "open b"]);
  assert.deepEqual(await second.state(), { bytes: 5, read: 7 });
  second.forget("a");
  assert.equal(await second.engineFor("a"), null);
  second.terminate();
  assert.deepEqual(log.slice(3), ["close a", "terminate"]);
});

test("holds what was said of a stream before and after it was opened there", async () => {
  const log = [], told = [];
  const second = new Second(() => fakeEngine(log));
  second.note({ stream: "a" }, large);
  second.repeat("a", async () => void told.push("clock"));
  second.repeat("none", async () => void told.push("none"));
  await second.engineFor("a");
  assert.deepEqual(told, ["clock"]);
  second.repeat("a", async () => {
    told.push("gain");
    throw new Error("refused");
  });
  assert.deepEqual(told, ["clock", "gain"]);
});

test("a stream that could not be opened is tried again, and an engine that stopped is started again", async () => {
  const log = [], engines = [];
  let fails = true;
  const second = new Second(() => {
    engines.push(fakeEngine(log, async () => {
      if (fails) throw new Error("gone");
    }));
    return engines.at(-1);
  });
  second.note({ stream: "a" }, large);
  await assert.rejects(second.engineFor("a"), /gone/);
  fails = false;
  assert.equal(await second.engineFor("a"), engines[0]);
  engines[0].onCrash("out of memory");
  assert.equal(await second.state(), null);
  assert.equal(await second.engineFor("a"), engines[1]);
  assert.deepEqual(log, ["open a", "open a", "open a"]);
});
