// The second engine: what goes there, what it is told, and what happens when it ends.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Second } from "../src/second.js";

/** An engine that notes what it is asked. */
function fakeEngine(log, open = async () => ({})) {
  return {
    onCrash: () => {},
    open: (args) => (log.push(`open ${args.stream}`), open()),
    openKnown: (args, known) => (log.push(`open ${args.stream} by ${known.byteLength} bytes`), open()),
    openGrowing: (args) => (log.push(`open ${args.stream} of ${args.blocks.length}`), open()),
    grow: async (args) => void log.push(`grow ${args.stream} by ${args.blocks.length}`),
    close: async (stream) => void log.push(`close ${stream}`),
    engine: async () => ({ bytes: 5, read: 7 }),
    terminate: () => log.push("terminate"),
  };
}

test("starts when a stream needs it, and opens it once", async () => {
  const log = [];
  const second = new Second(() => (log.push("start"), fakeEngine(log)));
  second.note({ stream: "a" });
  second.note({ stream: "b" });
  assert.equal(await second.state(), null);
  assert.deepEqual(log, []);
  const [one, two] = await Promise.all([second.engineFor("a"), second.engineFor("a")]);
  assert.equal(one, two);
  assert.equal(await second.engineFor("b"), one);
  assert.deepEqual(log, ["start", "open a", "open b"]);
  assert.deepEqual(await second.state(), { bytes: 5, read: 7 });
  second.forget("a");
  assert.equal(await second.engineFor("a"), one); // says that there is no such stream
  second.terminate();
  assert.deepEqual(log.slice(3), ["close a", "terminate"]);
});

test("is given what the first engine knows, if that knows anything", async () => {
  const log = [], second = new Second(() => fakeEngine(log)), known = [async () => new ArrayBuffer(24), async () => null, async () => Promise.reject(new Error("closed"))];
  for (const i of known.keys()) {
    second.note({ stream: `${i}` }, known[i]);
    await second.engineFor(`${i}`);
  }
  assert.deepEqual(log, ["open 0 by 24 bytes", "open 1", "open 2"]);
});

test("a file that grows is opened with all that came, and grows from then on", async () => {
  const log = [], blocks = [[0, 8, 8, 1, 0, 0]], second = new Second(() => fakeEngine(log));
  second.note({ stream: "a", blocks });
  second.grow({ stream: "a", blocks: [[8, 8, 8, 1, 1, 1]] });
  second.grow({ stream: "none", blocks });
  assert.equal(blocks.length, 1);
  const asked = second.engineFor("a");
  second.grow({ stream: "a", blocks });
  await asked;
  await second.engineFor("a");
  assert.deepEqual(log, ["open a of 2", "grow a by 1"]);
});

test("holds what was said of a stream before and after it was opened there", async () => {
  const log = [], told = [];
  const second = new Second(() => fakeEngine(log));
  second.note({ stream: "a" });
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
  second.note({ stream: "a" });
  await assert.rejects(second.engineFor("a"), /gone/);
  fails = false;
  assert.equal(await second.engineFor("a"), engines[0]);
  engines[0].onCrash("out of memory");
  assert.equal(await second.state(), null);
  assert.equal(await second.engineFor("a"), engines[1]);
  assert.deepEqual(log, ["open a", "close a", "open a", "open a"]);
});
