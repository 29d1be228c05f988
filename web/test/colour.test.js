import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { cssFromRgb, mix, oklabFromRgb, pixelFromRgb, ramp, rgbFromHex, rgbFromOklab } from "../src/colour.js";

const a = rgbFromHex("#8fc7e0"), b = rgbFromHex("#e0c08f");

test("oklab and back gives the same colour", () => {
  for (const hex of ["#000000", "#ffffff", "#8fc7e0", "#b93a2b"]) assert.equal(cssFromRgb(rgbFromOklab(oklabFromRgb(rgbFromHex(hex)))), hex);
  const [L, x, y] = oklabFromRgb([255, 255, 255]);
  assert.ok(Math.abs(L - 1) < 1e-3 && Math.abs(x) < 1e-3 && Math.abs(y) < 1e-3);
});

test("the ends of a mixture are the colours themselves, its middle is as light as both", () => {
  assert.equal(cssFromRgb(mix(a, b, 0)), "#8fc7e0");
  assert.equal(cssFromRgb(mix(a, b, 1)), "#e0c08f");
  const middle = oklabFromRgb(mix(a, b, 0.5))[0];
  assert.ok(Math.abs(middle - (oklabFromRgb(a)[0] + oklabFromRgb(b)[0]) / 2) < 1e-6);
});

test("channels go from a at the top to b at the bottom, back and forth when there are many", () => {
  const few = ramp(12, a, b);
  assert.equal(cssFromRgb(few[0]), "#8fc7e0");
  assert.equal(cssFromRgb(few[11]), "#e0c08f");
  const many = ramp(384, a, b);
  assert.equal(many.length, 384);
  assert.equal(cssFromRgb(many[383]), "#e0c08f");
  for (let i = 1; i < many.length; i++) assert.ok(Math.hypot(...many[i].map((v, k) => v - many[i - 1][k])) < 4, `a jump at ${i}`);
  assert.equal(ramp(1, a, b).length, 1);
});

test("a packed pixel is what ImageData holds", () => {
  const bytes = new Uint8Array(new Uint32Array([pixelFromRgb([1, 2, 3])]).buffer);
  assert.deepEqual([...bytes], [1, 2, 3, 255]);
});

test("a colour that is none is refused", () => assert.throws(() => rgbFromHex("blue"), /blue/));

// testdata/colours/ramp.json holds what both the page and `oniscope plot` draw; UPDATE=1 writes it, for a person to read.
test("the ramp is the one of plot", () => {
  const file = new URL("../../testdata/colours/ramp.json", import.meta.url);
  const made = [["#1d5f7d", "#8a5a12"], ["#8fc7e0", "#e0c08f"]].flatMap(([from, to]) => [1, 2, 3, 12, 96, 97, 144, 384].map((n) => ({ a: from, b: to, colours: ramp(n, rgbFromHex(from), rgbFromHex(to)).map(cssFromRgb) })));
  if (process.env.UPDATE) writeFileSync(file, "[\n" + made.map((c) => JSON.stringify(c)).join(",\n") + "\n]\n");
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), made);
});
