import assert from "node:assert/strict";
import { test } from "node:test";
import { channelWords, drawnWords, readWords, truthWords } from "../src/status.js";

const plain = (text) => text.replaceAll("\u202f", " ");

test("the status bar says what is drawn", () => {
  assert.equal(drawnWords("traces", { kind: "samples", samples_per_pixel: 0.2 }, 1), "lines, every sample");
  assert.equal(drawnWords("traces", { kind: "envelope", samples_per_pixel: 28.8 }, 12), "envelope, 2.4 samples a pixel", "repeats of a slow signal are no samples");
  assert.equal(drawnWords("traces", { kind: "envelope", samples_per_pixel: 1.001 }, 1), "envelope, 1 sample a pixel");
  assert.equal(drawnWords("traces", { kind: "envelope", samples_per_pixel: 26 }, 1, 2.2), "envelope, 26 samples in 2 pixels", "of very many channels bins are wider");
  assert.equal(plain(drawnWords("rms", { kind: "envelope", samples_per_pixel: 16000 }, 1)), "heat map of the RMS, 16 000 samples a pixel");
  assert.deepEqual([[384], [52, 12], [1], []].map((n) => plain(channelWords(n))), ["384 channels", "64 channels of 2 signals", "1 channel", ""]);
});

test("the status bar says what was read", () => {
  assert.equal(plain(readWords(13e6, 2.81e9, 0)), "read 13.0 MB of 2.81 GB");
  assert.equal(plain(readWords(17.4e6, 6.01e6, 5e6)), "read 17.4 MB, some of 6.01 MB again, kept 5.00 MB");
  assert.equal(readWords(0, 0, 0), "");
});

test("the status bar says how true that is", () => {
  const of = (more) => truthWords({ traces: null, others: null, settled: true, coarse: false, ...more });
  assert.deepEqual([of({}), of({ settled: false }), of({ settled: false, coarse: true }), of({ traces: new Error("x") }), of({ others: new Error("x") })],
    ["exact", "reading…", "coarse, refining…", "could not be read", "exact, but a panel could not be read"]);
});
