// The engine itself, in a worker thread of Node, on files of foreign writers: values, envelopes, errors, cancellation and the end of the engine.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Engine } from "../src/engine.js";
import { engineWithSecond } from "./engine.worker-node.js";

const gen = (name) => fileURLToPath(new URL(`../gen/${name}`, import.meta.url));
const foreign = (name) => fileURLToPath(new URL(`../../testdata/foreign/${name}`, import.meta.url));

/** A File of Node's memory; those backed by a file cannot be cloned. */
const fileOf = (name, bytes = readFileSync(foreign(name))) => new File([bytes], name.split("/").pop());

/** Rejections as the page sees them. */
async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("the promise was not rejected");
}

describe("the engine", () => {
  let engine;
  before(() => {
    for (const name of ["oniscope.wasm", "second.wasm", "wasm_exec.js"]) {
      assert.ok(existsSync(gen(name)), `web/gen/${name} is missing: build the engine first with "go tool mage build"`);
    }
    engine = engineWithSecond();
  });
  after(() => engine?.terminate());

  test("opens a Neuropixels file and says what it is", async () => {
    const info = await engine.open({ stream: "new_NeuropixelsV1", source: fileOf("bonsai/new_NeuropixelsV1.arrow"), name: "new_NeuropixelsV1.arrow" });
    assert.equal(info.id, "new_NeuropixelsV1");
    assert.equal(info.title, "Neuropixels 1.0");
    assert.equal(info.state, "complete");
    assert.equal(info.columns.length, 771);
    assert.deepEqual(info.groups.map((g) => [g.name, g.columns.length, g.kind]).slice(0, 2), [["AP", 384, "traces"], ["LFP", 384, "traces"]]);
    const ap = info.columns.find((c) => c.name === "SpikeData117");
    assert.equal(ap.label, "AP 117");
    const lfp = info.columns.find((c) => c.name === "LfpData3");
    assert.deepEqual([lfp.subsample, lfp.stride, lfp.type], ["run-end", 12, "run_end_encoded<int32, uint16>"]);
    assert.deepEqual([info.clock.first, info.clock.column, info.clock.hz], [1000, true, 0]);
  });

  for (const name of ["new_NeuropixelsV1", "old_NeuropixelsV1", "new_NeuropixelsV1_zstd", "old_NeuropixelsV1_zstd"]) {
    test(`reads every value of some columns of ${name}`, async () => {
      const { id } = await engine.open({ stream: `values-${name}`, source: fileOf(`bonsai/${name}.arrow`), name: `values-${name}.arrow` });
      const ch = name.startsWith("old") ? "Ch" : "";
      const spikes = await engine.values(id, `SpikeData${ch}117`, 0, 384);
      assert.equal(spikes.valid, null);
      assert.deepEqual([...spikes.values], Array.from({ length: 384 }, (_, row) => (117 * 7 + row * 3) % 1024));
      assert.ok(spikes.values instanceof Uint16Array);
      const lfp = await engine.values(id, `LfpData${ch}383`, 100, 300);
      for (let i = 0; i < 200; i++) {
        const row = 100 + i;
        const expected = (383 * 5 + Math.floor(row / 12) * 11 + 512) % 1024;
        if (name.startsWith("new")) assert.equal(lfp.values[i], expected);
        else {
          assert.equal(lfp.valid[i], row % 12 === 0 ? 1 : 0);
          if (lfp.valid[i]) assert.equal(lfp.values[i], expected);
        }
      }
      const clock = await engine.values(id, "Clock", 0, 384);
      assert.ok(clock.values instanceof BigUint64Array);
      assert.deepEqual([...clock.values], Array.from({ length: 384 }, (_, row) => 8333n * BigInt(row) + 1000n));
      await engine.close(id);
    });
  }

  test("draws true extremes and single samples", async () => {
    const { id, clock, columns } = await engine.open({ stream: "draw", source: fileOf("bonsai/new_NeuropixelsV1_zstd.arrow"), name: "draw.arrow" });
    const ap0 = columns.find((c) => c.name === "SpikeData0").index;
    const wide = await engine.envelope({ stream: id, columns: [ap0], from: clock.first, to: clock.last + 1, bins: 10, quality: "exact" });
    assert.deepEqual([wide.kind, wide.quality, wide.rows, wide.data.length], ["envelope", "exact", 384, 20]);
    for (let bin = 0; bin < 10; bin++) {
      const rows = Array.from({ length: 384 }, (_, row) => row).filter((row) => Math.floor((row * 8333 * 10) / (383 * 8333 + 1)) === bin);
      const values = rows.map((row) => (row * 3) % 1024);
      assert.deepEqual([wide.data[2 * bin], wide.data[2 * bin + 1]], [Math.min(...values), Math.max(...values)], `bin ${bin}`);
    }
    const near = await engine.envelope({ stream: id, columns: [ap0], from: clock.first + 8333 * 10 + 1, to: clock.first + 8333 * 20, bins: 100, quality: "exact" });
    assert.equal(near.kind, "samples");
    assert.deepEqual([...near.data], Array.from({ length: 11 }, (_, i) => (10 + i) * 3));
    assert.equal(near.x[0], -1);
    await engine.close(id);
  });

  test("takes the id that the page gives, and no other stream with it", async () => {
    const twin = (stream) => engine.open({ stream, source: fileOf("bonsai/new_Heartbeat.arrow"), name: "twin.arrow" });
    assert.deepEqual([(await twin("left")).id, (await twin("right")).id], ["left", "right"]);
    assert.equal((await rejection(twin("left"))).name, "TypeError");
    assert.equal((await rejection(twin(""))).name, "TypeError");
    assert.equal((await engine.info("left")).path, "twin.arrow");
    await engine.close("left");
    assert.equal((await twin("left")).id, "left");
    await engine.close("left");
    await engine.close("right");
  });

  test("slices into a file that opens, with the same values", async () => {
    const { id } = await engine.open({ stream: "rhd", source: fileOf("bonsai/old_Rhd2164_zstd.arrow"), name: "rhd.arrow" });
    await engine.index(id); // what is known of it by then goes to the engine that saves
    const kept = (await engine.engine()).cache_bytes; // what whole batches look like comes to the engine that draws
    const progress = [];
    const { blob, report } = await engine.slice({ stream: id, start: 500, end: 1300, columns: ["AmplifierDataCh1*", "Clock"] }, { onProgress: (p) => progress.push(p) });
    assert.deepEqual([report.start, report.end, report.rows, report.columns.length], [500, 1300, 800, 12]);
    assert.equal(report.bytes, blob.size);
    const cut = await engine.open({ stream: "cut", source: new File([blob], "cut.arrow"), name: "cut.arrow" });
    assert.deepEqual([cut.rows, cut.state, cut.compression], [800, "complete", "zstd"]);
    const values = await engine.values(cut.id, "AmplifierDataCh17", 0, 800);
    assert.deepEqual([...values.values], Array.from({ length: 800 }, (_, i) => 32256 + ((17 * 7 + (500 + i) * 3) % 1024)));
    await engine.close(cut.id);
    await engine.slice({ stream: id, columns: ["AmplifierDataCh1*"] });
    assert.ok((await engine.engine()).cache_bytes > kept + 20 * 12);
    await engine.close(id);
  });

  test("recovers a killed recording without copying it", async () => {
    const info = await engine.open({ stream: "killed", source: fileOf("csharp/cs_bigzkill_batch1.arrow"), name: "killed.arrow" });
    assert.equal(info.state, "unfinished");
    const kept = (await engine.engine()).cache_bytes;
    const { blob, report } = await engine.recover({ stream: info.id });
    assert.ok((await engine.engine()).cache_bytes > kept);
    assert.equal(report.outcome, "lossless");
    const whole = await engine.open({ stream: "whole", source: new File([blob], "whole.arrow"), name: "whole.arrow" });
    assert.deepEqual([whole.state, whole.rows], ["complete", report.rows_recovered]);
    await engine.close(whole.id);
    await engine.close(info.id);
  });

  test("reads a start-time CSV and takes a clock rate", async () => {
    const start = await engine.startTime(readFileSync(foreign("bonsai/start-time_0.csv")));
    assert.deepEqual(start, { hz: 250000000, start_utc: "2026-11-21T09:24:02.210944Z", note: "" });
    const german = "Timestamp;Value.AcquisitionClockHz;Value.BlockReadSize;Value.BlockWriteSize\r\n18.05.2026 21:50;2,5E+08;8192;2048\r\n";
    assert.deepEqual(await engine.startTime(Buffer.from("\ufeff" + german, "utf16le")), { hz: 250000000, start_utc: "2026-05-18T21:50:00Z", note: "" });
    assert.match((await engine.startTime(Buffer.from(german.replace("18.05.2026 21:50", "5/6/2026 21:50")))).note, /line 2: .* may be 6 May 2026 or 5 June 2026/);
    assert.deepEqual(await engine.chooseStartTime("np_0.arrow", ["start-time_1.csv", "start-time_0.csv"]), { csv: "start-time_0.csv", words: "" });
    assert.match((await engine.chooseStartTime("np_2026-05-18T21_50_05.arrow", ["start-time_2026-05-18T21_50_02.csv"])).words, /of 3s earlier, and the nearest/);
    assert.deepEqual(await engine.chooseStartTime("np_0.arrow", ["clock.csv"]), { csv: "clock.csv", words: "" });
    const { id } = await engine.open({ stream: "beat", source: fileOf("bonsai/new_Heartbeat.arrow"), name: "beat.arrow" });
    const info = await engine.setClock(id, start.hz, start.start_utc);
    assert.deepEqual([info.clock.hz, info.clock.start_utc, info.start], [250000000, start.start_utc, 1000 / 250e6]);
    assert.equal((await rejection(engine.startTime(Buffer.from("nonsense")))).name, "EngineError");
    await engine.close(id);
  });

  test("rejects what it cannot do, by name, and goes on", async () => {
    const { id } = await engine.open({ stream: "memory", source: fileOf("bonsai/new_MemoryMonitor.arrow"), name: "memory.arrow" });
    const name = async (promise) => (await rejection(promise)).name;
    assert.equal(await name(engine.open({ stream: "nothing", source: new File([], "nothing.arrow"), name: "nothing.arrow" })), "EmptyFileError");
    assert.equal(await name(engine.open({ stream: "text", source: new File(["not an arrow file at all"], "text.arrow"), name: "text.arrow" })), "NotArrowError");
    assert.equal(await name(engine.open({ stream: "number", source: /** @type {any} */ (17), name: "number.arrow" })), "TypeError");
    assert.equal(await name(engine.info("nobody")), "TypeError");
    assert.equal(await name(engine.values(id, "PercentUsed", 0, 1e6)), "RangeError");
    assert.equal(await name(engine.values(id, "PercentUsed", -1, 3)), "RangeError");
    assert.equal(await name(engine.values(id, "PercentUsed", 0.5, 3)), "TypeError");
    const near = await rejection(engine.values(id, "PercentUse", 0, 1));
    assert.equal(near.name, "ColumnError");
    assert.match(near.next, /PercentUsed/);
    assert.equal(await name(engine.envelope({ stream: id, columns: [99], from: 0, to: 1, bins: 10, quality: "exact" })), "TypeError");
    assert.equal(await name(engine.envelope({ stream: id, columns: [0], from: Number.NaN, to: 1, bins: 10, quality: "exact" })), "TypeError");
    assert.equal(await name(engine.slice({ stream: id, start: 0, end: 1, columns: ["nobody*"] })), "ColumnError");
    assert.equal(await name(engine.setClock(id, -5)), "TypeError");
    const ok = await engine.values(id, "BytesUsed", 2990, 3000);
    assert.equal(ok.values.length, 10);
    await engine.close(id);
    assert.equal(await name(engine.values(id, "BytesUsed", 0, 1)), "TypeError");
  });

  test("ends a request when its signal is aborted", async () => {
    const { id, clock } = await engine.open({ stream: "long", source: fileOf("bonsai/old_MemoryMonitor.arrow"), name: "long.arrow" });
    const before = new AbortController();
    before.abort();
    assert.equal((await rejection(engine.index(id, { signal: before.signal }))).name, "AbortError");
    const during = new AbortController();
    const pending = rejection(engine.slice({ stream: id, compression: "zstd" }, { signal: during.signal }));
    during.abort();
    assert.equal((await pending).name, "AbortError");
    const after = new AbortController();
    const info = await engine.index(id, { signal: after.signal });
    after.abort();
    assert.deepEqual([info.rows, info.rows_exact, clock.first], [18000, true, 1000]);
    await engine.close(id);
  });

  test("tells its memory and what it has read", async () => {
    const { bytes, read, version } = await engine.engine();
    assert.ok(bytes > 1e6 && bytes < 300e6, `${bytes} bytes`);
    assert.ok(read > 1e6);
    assert.match(version, /^\d/);
  });
});

test("a dead engine rejects what is pending, and says so once", async () => {
  const worker = { onmessage: null, onerror: null, onmessageerror: null, sent: [], postMessage: (m) => worker.sent.push(m), terminate: () => (worker.ended = true) };
  const engine = new Engine(worker);
  const crashes = [];
  engine.onCrash = (why) => crashes.push(why);
  const pending = [rejection(engine.info("a")), rejection(engine.engine())];
  worker.onmessage({ data: { crash: "out of memory" } });
  worker.onerror({ message: "again" });
  for (const error of await Promise.all(pending)) assert.deepEqual([error.name, error.message], ["EngineError", "out of memory"]);
  assert.equal((await rejection(engine.info("later"))).name, "EngineError");
  assert.deepEqual(crashes, ["out of memory"]);
  assert.ok(worker.ended);
});

test("a reply reaches its request only, progress before it", async () => {
  const worker = { onmessage: null, onerror: null, onmessageerror: null, sent: [], postMessage: (m) => worker.sent.push(m), terminate() {} };
  const engine = new Engine(worker);
  const seen = [];
  const index = engine.index("a", { onProgress: (p) => seen.push(p) });
  const info = engine.info("a");
  const [{ id: first }, { id: second }] = worker.sent;
  worker.onmessage({ data: { id: first, progress: { batches: 1 } } });
  worker.onmessage({ data: { id: second, result: "second" } });
  worker.onmessage({ data: { id: first, result: "first" } });
  worker.onmessage({ data: { id: first, progress: { batches: 2 } } });
  assert.deepEqual([await index, await info, seen], ["first", "second", [{ batches: 1 }]]);
});
