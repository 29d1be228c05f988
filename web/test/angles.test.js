import assert from "node:assert/strict";
import { test } from "node:test";
import { anglesOf, anglesOfSamples } from "../src/plots/angles.js";

const near = (got, want) => got.forEach((v, i) => assert.ok(Math.abs(v - want[i]) < 1e-4, `${got} is not ${want}`));
const half = Math.SQRT1_2;

test("a quarter turn about each axis is 90 degrees of one angle", () => {
  near(anglesOf(1, 0, 0, 0), [0, 0, 0]);
  near(anglesOf(half, 0, 0, half), [90, 0, 0]);
  near(anglesOf(half, half, 0, 0), [0, 0, 90]);
  assert.ok(Math.abs(anglesOf(half, 0, half, 0)[1] - 90) < 0.1);
  near(anglesOf(-half * 5, 0, 0, half * 5), [-90, 0, 0]);
});

test("nothing is no rotation", () => {
  assert.ok(anglesOf(0, 0, 0, 0).every(Number.isNaN));
  assert.ok(anglesOf(NaN, 0, 0, 1).every(Number.isNaN));
});

test("samples keep their places", () => {
  const out = anglesOfSamples({ w: [1, half], x: [0, half], y: [0, 0], z: [0, 0] }, 2);
  near([...out], [0, 0, 0, 0, 0, 90]);
});
