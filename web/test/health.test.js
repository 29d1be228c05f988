// What is said about a stream's health, of openings, sizes and actions: pure modules.
import assert from "node:assert/strict";
import { test } from "node:test";

import { estimate } from "../src/estimate.js";
import { findingCounts, findingText, lossSize, lossTitle, missingText, pill, sentences, ticksOf } from "../src/health.js";
import { openingWords } from "../src/sources.js";
import { verify, verifyingWords } from "../src/verifying.js";
import { streamInfo } from "./facts.js";

const finding = (severity, over = {}) => ({ offset: 4096, length: 100, batch: 1, severity, reason: "a checksum differs", before_row: 120, lost_rows: 120, clock_before: 1000, clock_after: 501000, ...over });
const plain = (text) => text.replaceAll("\u202f", " ");

test("findings are counted by severity, the worst first, none left out", () => {
  const list = ["info", "error", "warning", "error", "info"].map((s) => finding(s));
  assert.deepEqual(findingCounts(list).map((c) => [c.severity, plain(c.words), c.list.length]), [["error", "2 errors", 2], ["warning", "1 warning", 1], ["info", "2 notes", 2]]);
  assert.deepEqual(findingCounts([]), []);
});

test("a finding says where, when, why and how much", () => {
  assert.equal(plain(findingText(finding("error", { clock_before: 250e6 * 75.5 }), 250e6)), "Batch 1 at byte 4 096, after 1 min 15.500 s: a checksum differs; 120 rows lost.");
  assert.equal(plain(findingText(finding("error", { batch: -1, lost_rows: -1, clock_before: 0 }), 250e6)), "At byte 4 096: a checksum differs; 100 B cannot be read.");
});

test("a finding is at the first row behind it, else at the last before it", () => {
  const info = { clock: { column: true } };
  assert.equal(ticksOf(finding("error"), info), 501000);
  assert.equal(ticksOf(finding("error", { clock_after: 0 }), info), 1000);
  assert.equal(ticksOf(finding("error", { clock_after: 0, clock_before: 0 }), info), null);
  assert.equal(ticksOf(finding("error"), { clock: { column: false } }), 120);
});

test("what is listed below is not said above", () => {
  const info = { state: "damaged", findings: [finding("error")], coverage: [], rows: 264, rows_exact: true, batches: 4, clock: { column: true, hz: 250e6 } };
  assert.ok(sentences(info).some((s) => s.text.includes("checksum")));
  assert.ok(!sentences(info, true).some((s) => s.text.includes("checksum")));
});

test("gaps are summed in one sentence, and are no damage", () => {
  const gap = (n) => finding("error", { reason: `gap: about ${n} rows missing`, lost_rows: n, length: 0 });
  const info = { state: "complete", findings: [gap(600), gap(285)], coverage: [], rows: 4115, rows_exact: true, batches: 10, clock: { column: true, hz: 250e6 } };
  assert.equal(plain(missingText(info.findings, 4115)), "885 of 5 000 rows missing in 2 gaps (17.7 %).");
  assert.deepEqual(sentences(info).map((s) => plain(s.text)), ["885 of 5 000 rows missing in 2 gaps (17.7 %).", "Complete. 4 115 rows in 10 batches."]);
});

test("the pill counts what was found, whatever the state", () => {
  const gap = finding("error", { reason: "gap: about 3 rows missing", lost_rows: 3, length: 0 });
  const of = (...infos) => ({ ...pill(infos), text: plain(pill(infos).text) });
  assert.deepEqual(of(streamInfo("a")), { grade: "ok", text: "complete" });
  assert.deepEqual(of(streamInfo("a", { findings: [gap, gap] }), streamInfo("b")), { grade: "warn", text: "complete, 2 gaps" });
  assert.deepEqual(of(streamInfo("a", { findings: [finding("warning"), finding("info")] })), { grade: "warn", text: "complete, 1 warning" });
  assert.deepEqual(of(streamInfo("a", { state: "unfinished", findings: [gap] })), { grade: "warn", text: "unfinished, 1 gap" });
  assert.deepEqual(of(streamInfo("a", { state: "damaged", findings: [finding("error"), gap] })), { grade: "warn", text: "damaged, 90.0 % readable, 1 gap" });
});

test("a gap is as long as the rows that are missing, and is said once", () => {
  const info = streamInfo("a", { coverage: [{ from: 0, to: 50000, kind: "data", rows: 501, reason: "" }, { from: 50000, to: 50400, kind: "gap", rows: 3, reason: "3 rows missing" }, { from: 50400, to: 99900, kind: "data", rows: 496, reason: "" }] });
  assert.deepEqual([lossTitle(info.coverage[1], info), plain(lossSize(info.coverage[1], info))], ["Gap", "3 rows, 30.0 ms missing"]); // of 40 ms between the rows beside it
  assert.ok(sentences(info).some((s) => plain(s.text) === "Gap of 30.0 ms at 5.000 s (3 rows)."), JSON.stringify(sentences(info)));
});

test("a verification says how fast it is once that can be known", () => {
  const running = { done: 5e8, total: 2e9, began: 1000 };
  assert.equal(verifyingWords({ ...running, total: 0 }, 9000), "verifying…");
  assert.equal(plain(verifyingWords(running, 2000)), "verified 25.0 %");
  assert.equal(plain(verifyingWords(running, 6000)), "verified 25.0 %, 100 MB/s, 15.0 s left");
});

test("a verification that is cancelled has ended, whatever the engine says later", async () => {
  const seen = [], later = {};
  later.promise = new Promise((resolve) => { later.resolve = resolve; });
  const state = {
    entry: () => ({ verification: seen.at(-1) }),
    setVerification: (_, verification) => seen.push(verification),
    client: { verify: (_, { onProgress }) => (later.progress = onProgress, later.promise) },
  };
  const ended = verify(state, "a");
  seen[0].cancel();
  await ended;
  later.progress({ done: 1, total: 2 });
  later.resolve({ ok: true, findings: [] });
  await later.promise;
  assert.deepEqual(seen.map((v) => v.state), ["running", "failed"]);
  assert.equal(seen[1].error.name, "AbortError");
});

test("an opening says how far it is, as well as that is known", () => {
  assert.deepEqual(openingWords(null), { words: "opening…", share: null });
  const headers = openingWords({ batches: 1240, of: 4300, bytes: 5e6, at: 0, size: 0 });
  assert.equal(plain(headers.words), "reading batch headers, 1 240 of about 4 300");
  assert.equal(headers.share, 1240 / 4300);
  const walked = openingWords({ batches: 0, of: 0, bytes: 0, at: 31e9, size: 100e9 });
  assert.equal(plain(walked.words), "reading batch headers, 31.0 % of 100 GB");
  assert.equal(walked.share, 0.31);
});

test("sizes follow the rows, the columns, the format and how well the file is compressed", () => {
  const column = (index, bytes, stride = 1) => ({ index, bytes, stride, scale: 0 });
  const info = { rows: 1000, batches: 10, size_bytes: 6000, compression: "zstd", columns: [column(0, 2), column(1, 2, 12), column(2, 8)] };
  const of = (over) => estimate(info, { rows: 600, columns: [0, 1], format: "arrow", compression: "none", unique: false, physical: false, ...over });
  const headers = 2 * 48 * (2 + 6);
  assert.deepEqual(of({}), { bytes: 2400 + headers, sure: false });
  assert.deepEqual(of({ compression: "keep" }), { bytes: (2400 + headers) / 2, sure: false });
  assert.deepEqual(of({ format: "bin", unique: true, columns: [1] }), { bytes: 100, sure: true });
  assert.deepEqual(of({ format: "npy", columns: [2] }), { bytes: 4800, sure: true });
  assert.ok(of({ format: "csv" }).bytes > 2400 && !of({ format: "csv" }).sure);
});
