import assert from "node:assert/strict";
import { test } from "node:test";
import { Loader } from "../src/view/loader.js";
import { off, placing, wider } from "../src/ui/sheet.js";
import { Turns } from "../src/view/turns.js";

/** A clock and timers that go on when they are told to. */
function scripted(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 1000;
  t.mock.method(performance, "now", () => now);
  return { pass: (/** @type {number} */ ms) => {
    for (let i = 0; i < ms; i++) {
      now++;
      t.mock.timers.tick(1);
    }
  } };
}

test("a single step makes nobody wait", (t) => {
  scripted(t);
  const turns = new Turns();
  turns.moved();
  assert.ok(turns.take("engine", () => {}) && turns.take("painter", () => {}));
});

test("while the hand moves one works at a time, with a pause between, first come first", (t) => {
  const { pass } = scripted(t), turns = new Turns(), begun = [];
  const ask = (/** @type {string} */ who) => {
    const begin = () => {
      if (turns.take(who, begin)) begun.push(who);
    };
    begin();
  };
  turns.moved();
  pass(16);
  turns.moved();
  ask("engine");
  ask("painter");
  ask("other");
  assert.deepEqual(begun, ["engine"]);
  pass(20);
  turns.moved();
  turns.done("engine");
  assert.deepEqual(begun, ["engine"], "a pause");
  pass(10);
  assert.deepEqual(begun, ["engine", "painter"], "half as long as the work");
  turns.done("painter");
  pass(30);
  assert.deepEqual(begun, ["engine", "painter", "other"]);
});

test("who works long keeps nobody waiting for long", (t) => {
  const { pass } = scripted(t), turns = new Turns();
  let painted = false;
  const move = () => {
    turns.moved();
    pass(16);
  };
  move();
  move();
  assert.ok(turns.take("engine", () => {}));
  const begin = () => {
    painted ||= turns.take("painter", begin);
  };
  begin();
  for (let i = 0; i < 3; i++) move();
  assert.ok(!painted);
  move();
  assert.ok(painted, "after 60 ms");
});

test("when the hand rests all that waits begins, and it is said once", (t) => {
  let rests = 0;
  const { pass } = scripted(t), turns = new Turns(() => rests++), begun = [];
  turns.moved();
  turns.moved();
  turns.take("engine", () => {});
  for (const who of ["painter", "other"]) turns.take(who, () => turns.take(who, () => {}) && begun.push(who));
  pass(50);
  turns.moved(); // who waits may begin after 60 ms; what was begun then is not waited for any more
  turns.done("engine");
  turns.take("engine", () => {});
  pass(99);
  assert.ok(turns.moving);
  pass(1);
  assert.ok(!turns.moving);
  assert.deepEqual(begun, ["painter", "other"]);
  pass(1000);
  assert.equal(rests, 1);
});

test("a loader whose view goes there and back is asked again, and is no error", async () => {
  const calls = /** @type {any[]} */ ([]), errors = [];
  const engine = /** @type {any} */ ({ envelope: (/** @type {any} */ args, /** @type {any} */ { signal }) => new Promise((resolve, reject) => {
    calls.push({ args, answer: () => resolve({ ...args, kind: "envelope" }) });
    signal.addEventListener("abort", () => reject(Object.assign(new Error("cancelled"), { name: "AbortError" })));
  }) });
  const loader = new Loader(() => engine, () => {}, (error) => errors.push(error));
  const wanted = (/** @type {number} */ from) => ({ stream: "s", columns: [0], from, to: from + 10, bins: 1, samples: 10 });
  for (const from of [0, 100, 0]) loader.want(wanted(from));
  await new Promise((resolve) => setTimeout(resolve, 180));
  assert.equal(calls.length, 2);
  assert.equal(calls[1].args.from, 0);
  assert.ok(!loader.settled);
  calls[1].answer();
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(loader.settled);
  assert.deepEqual(errors, []);
});

test("while the hand moves a loader asks for what is looked at when its turn comes", async (t) => {
  const { pass } = scripted(t), turns = new Turns(), calls = /** @type {any[]} */ ([]);
  const engine = /** @type {any} */ ({ envelope: async (/** @type {any} */ args) => (calls.push(args), { ...args, kind: "envelope" }) });
  const loader = new Loader(() => engine, () => {}, () => {}, turns);
  turns.moved();
  turns.moved();
  assert.ok(turns.take("painter", () => {}));
  for (const from of [0, 100, 200]) loader.want({ stream: "s", columns: [0], from, to: from + 10, bins: 1, samples: 10 });
  assert.equal(calls.length, 0);
  turns.done("painter");
  pass(1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(calls.map(({ from }) => from), [200], "nothing of what was passed over");
  assert.ok(loader.settled);
});

test("what was drawn with some beyond its edges is moved and stretched until it does not reach, and exact where it was drawn for", () => {
  const drawn = wider({ from: 1000, to: 2000 }, 800);
  assert.deepEqual(drawn.wide, { from: 750, to: 2250 });
  assert.equal(drawn.width, 1200);
  assert.equal(placing(drawn, { from: 1000, to: 2000 }, 1), "translateX(-200px)");
  assert.equal(off(drawn, { from: 1000, to: 2000 }), 0);
  assert.equal(placing(drawn, { from: 1100, to: 2100 }, 1), "translateX(-280px)", "a tenth of the view to the left");
  assert.ok(off(drawn, { from: 1010, to: 2010 }) > 0 && off(drawn, { from: 1010, to: 2010 }) < 1);
  assert.ok(off(drawn, { from: 1130, to: 2130 }) >= 1, "half of what is beyond is used up");
  assert.equal(off(drawn, { from: 1260, to: 2260 }), Infinity);
  assert.equal(placing(drawn, { from: 1000, to: 1500 }, 1), "translateX(-400px) scaleX(2)");
  assert.ok(off(drawn, { from: 1000, to: 1500 }) >= 1);
  assert.equal(off(drawn, { from: 700, to: 2300 }), Infinity);
});
