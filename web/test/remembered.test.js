import assert from "node:assert/strict";
import { test } from "node:test";
import { rememberedGain, rememberGain } from "../src/remembered.js";

test("a gain is remembered for its file, and no other", () => {
  const kept = new Map(), store = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const file = { name: "np_0.arrow", size: 1000 };
  rememberGain(file, "AP", 500, store);
  assert.deepEqual([rememberedGain(file, "AP", store), rememberedGain(file, "LFP", store), rememberedGain({ ...file, size: 1001 }, "AP", store)], [500, 0, 0]);
  rememberGain(file, "AP", 0, store);
  assert.deepEqual([rememberedGain(file, "AP", store), kept.size], [0, 0]);
  kept.set("oniscope gain np_0.arrow 1000 AP", "nonsense");
  assert.equal(rememberedGain(file, "AP", store), 0);
  rememberGain(file, "AP", 5, { ...store, setItem: () => { throw new Error("full"); } });
  assert.equal(rememberedGain(file, "AP", null), 0, "a browser that keeps nothing");
});
