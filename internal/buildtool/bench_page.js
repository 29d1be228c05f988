// What BenchPage runs in the page: a file that was dropped, an engine of its own, one round of each job. Gives seconds and bytes.
async (quick, full) => {
  const file = globalThis.given, { startEngine } = await import("./src/engine.js"), MB = 2 ** 20;
  const now = () => performance.now(), result = {};
  const timed = async (job) => {
    const begin = now(), value = await job();
    return { value, s: (now() - begin) / 1000 };
  };

  /** Reads the Blob alone, in pieces of 8 MB, four at once: what everything else is measured against. */
  const alone = async (size) => {
    let at = 0;
    const reader = async () => {
      while (at < size) {
        const from = at;
        at += 8 * MB;
        await file.slice(from, Math.min(from + 8 * MB, size)).arrayBuffer();
      }
    };
    return (await timed(() => Promise.all([reader(), reader(), reader(), reader()]))).s;
  };

  // What the page does once, as it begins: fetches and compiles. An engine that it starts is compiled already.
  result.compile_s = (await timed(() => WebAssembly.compileStreaming(fetch("./gen/oniscope.wasm", { cache: "no-store" })))).s;
  const begin = now(), engine = startEngine();
  await engine.engine();
  result.start_s = (now() - begin) / 1000;
  const opened = await timed(() => engine.open({ stream: "s", source: file, name: file.name }));
  result.open_s = opened.s;
  const indexed = await timed(() => engine.index("s"));
  result.index_s = indexed.s;
  const info = indexed.value, traces = info.groups.find((g) => g.kind === "traces").columns;
  const read = async () => (await engine.engine()).read;

  // One channel of the whole run.
  let before = await read(), first = 0;
  const start = now();
  const one = await timed(() => engine.overview({ stream: "s", columns: [traces[100]], bins: 2000 }, { onProgress: () => (first ||= (now() - start) / 1000) }));
  result.one_first_s = first || one.s;
  result.one_s = one.s;
  result.one_bytes = (await read()) - before;

  // All channels of the first signal, of the whole run.
  if (!quick) {
    const bytes = info.rows * 2 * traces.length, ask = { stream: "s", columns: traces, from: info.clock.first, to: info.clock.last + 1, bins: 2000, quality: "exact" };
    before = await read();
    const all = await timed(() => engine.envelope(ask));
    result.all_s = all.s;
    result.all_bytes = (await read()) - before;
    const size = Math.min(result.all_bytes, file.size);
    result.blob_s = (await alone(size)) * (bytes / size);
    result.all_values = bytes;
    before = await read();
    const again = await timed(() => engine.envelope(ask));
    result.again_s = again.s;
    result.again_bytes = (await read()) - before;
    const state = await engine.engine();
    result.engine_bytes = state.bytes;
    result.cache_bytes = state.cache_bytes;
  }
  if (full) {
    const verified = await timed(() => engine.verify("s"));
    result.verify_s = verified.s;
    result.whole_blob_s = await alone(file.size);
    result.size = file.size;
  }
  engine.terminate();
  return result;
}
