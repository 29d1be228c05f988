// Files behind a URL: range requests against servers that behave and servers that do not.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { engineWithSecond } from "./engine.worker-node.js";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const file = readFileSync(path("../../testdata/foreign/bonsai/old_MemoryMonitor.arrow"));
const probe = readFileSync(path("../../testdata/foreign/bonsai/new_NeuropixelsV1.arrow"));
const large = Buffer.concat([probe, Buffer.alloc(2 << 20)]); // larger than what is read whole at once

/** Requests that were refused, and answers of the file that is replaced. */
let busy = 0, version = 0;

/** Answers by the first part of the path. */
function serve(request, response) {
  const [, behaviour, name] = request.url.split("/");
  const body = name === "large.arrow" ? large : name === "empty.arrow" ? Buffer.alloc(0) : file;
  if (behaviour === "missing") return response.writeHead(404, "Not Found").end();
  if (request.method === "HEAD") return response.writeHead(200, { "Content-Length": body.length }).end();
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  assert.ok(range, "a request without a range");
  if (behaviour === "whole") return response.writeHead(200, { "Content-Length": body.length }).end(body);
  const from = Number(range[1]), to = Math.min(Number(range[2]) + 1, body.length);
  if (from >= body.length) return response.writeHead(416, { "Content-Range": `bytes */${body.length}` }).end();
  const headers = { "Content-Range": `bytes ${from}-${to - 1}/${body.length}` };
  if (behaviour === "silent") delete headers["Content-Range"];
  if (behaviour === "shifted" && to - from > 8) headers["Content-Range"] = `bytes ${from + 1}-${to}/${body.length}`;
  if (behaviour === "busy" && busy++ < 2) return response.writeHead(503, "Service Unavailable").end();
  if (behaviour === "full") return response.writeHead(503, "Service Unavailable").end();
  if (behaviour === "closed") return response.writeHead(403, "Forbidden").end();
  if (behaviour === "packed") headers["Content-Encoding"] = "gzip";
  if (behaviour === "replaced") headers.ETag = `"${version++ < 2 ? 1 : 2}"`;
  if (behaviour === "dated") headers["Last-Modified"] = version++ < 2 ? "Mon, 18 May 2026 21:50:02 GMT" : "Mon, 18 May 2026 21:50:09 GMT";
  if (behaviour === "packed") return response.writeHead(206, headers).end(gzipSync(body.subarray(from, to)));
  if (behaviour === "short" && to - from > 8) return response.writeHead(206, headers).end(body.subarray(from, to - 5));
  return response.writeHead(206, headers).end(body.subarray(from, to));
}

describe("a file behind a URL", () => {
  let engine, server, base;
  before(async () => {
    assert.ok(existsSync(path("../gen/oniscope.wasm")), 'web/gen/oniscope.wasm is missing: build the engine first with "go tool mage build"');
    // Node's server closes an idle connection after five seconds, and a slow machine
    // may ask over it in that moment: a browser asks again, Node's fetch does not.
    server = createServer({ keepAliveTimeout: 600_000 }, serve);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${server.address().port}`;
    engine = engineWithSecond();
  });
  after(() => {
    engine?.terminate();
    server.close();
    server.closeAllConnections();
  });

  const rejection = async (promise) => promise.then(() => assert.fail("the promise was not rejected"), (error) => error);

  for (const behaviour of ["good", "silent", "busy"]) {
    test(`is read by ranges (${behaviour} server)`, async () => {
      const info = await engine.open({ stream: "memory", source: `${base}/${behaviour}/memory.arrow`, name: "memory.arrow" });
      assert.deepEqual([info.state, info.size_bytes], ["complete", file.length]);
      const { values } = await engine.values(info.id, "BytesUsed", 17990, 18000);
      assert.deepEqual([...values], Array.from({ length: 10 }, (_, i) => {
        const row = 17990 + i, p = row % 3000, tri = p < 1500 ? p : 3000 - p;
        return 4 * (1000 + 60000 * tri + 5000 * row + 1111 * (row % 7));
      }));
      await engine.close(info.id);
    });
  }

  test("is recovered by fetching what is intact", async () => {
    const info = await engine.open({ stream: "large", source: `${base}/good/large.arrow`, name: "large.arrow" });
    assert.notEqual(info.state, "complete");
    const { blob, report } = await engine.recover({ stream: info.id });
    assert.equal(report.rows_recovered, 384);
    const whole = await engine.open({ stream: "whole", source: new File([blob], "whole.arrow"), name: "whole.arrow" });
    const { values } = await engine.values(whole.id, "SpikeData9", 0, 384);
    assert.deepEqual([...values], Array.from({ length: 384 }, (_, row) => (9 * 7 + row * 3) % 1024));
    await engine.close(info.id);
    await engine.close(whole.id);
  });

  for (const [behaviour, name, message] of [
    ["missing", "NetworkError", /no such file \(404 Not Found\)/],
    ["closed", "NetworkError", /does not give the file to this page \(403 Forbidden\)/],
    ["full", "NetworkError", /busy, and was asked 4 times \(503/],
    ["packed", "NetworkError", /compresses its answer \(gzip\)/],
    ["whole", "NetworkError", /whole file and no ranges/],
    ["shifted", "NetworkError", /were asked for/],
    ["short", "NetworkError", /the server sent fewer bytes than it promised/],
  ]) {
    test(`of a server that is ${behaviour} gives a clear error`, async () => {
      const error = await rejection(engine.open({ stream: "memory", source: `${base}/${behaviour}/memory.arrow`, name: "memory.arrow" }));
      assert.equal(error.name, name);
      assert.match(error.message, message);
    });
  }

  for (const behaviour of ["replaced", "dated"]) {
    test(`that is replaced between two reads is not read half and half (${behaviour})`, async () => {
      version = 0;
      const error = await rejection((async () => {
        const info = await engine.open({ stream: behaviour, source: `${base}/${behaviour}/large.arrow`, name: "large.arrow" });
        await engine.values(info.id, "SpikeData9", 0, 384);
      })());
      assert.equal(error.name, "NetworkError");
      assert.match(error.message, /replaced on the server since it was opened/);
    });
  }

  test("that is empty, or of a server that is not there, gives a clear error", async () => {
    assert.equal((await rejection(engine.open({ stream: "empty", source: `${base}/good/empty.arrow`, name: "empty.arrow" }))).name, "EmptyFileError");
    const error = await rejection(engine.open({ stream: "none", source: "http://127.0.0.1:9/none.arrow", name: "none.arrow" }));
    assert.equal(error.name, "NetworkError");
    assert.match(error.next, /address/);
  });
});
