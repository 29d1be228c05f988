import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { lendMeasures, MEASURES } from "../src/measures.js";

const folder = new URL("../src/ui/", import.meta.url);
const sheets = readdirSync(folder).filter((name) => name.endsWith(".css")).map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
const scripts = readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");

test("style sheets take the measures of drawing, and say none of them themselves", () => {
  /** @type {Record<string, string>} */
  const lent = {};
  lendMeasures({ setProperty: (name, value) => void (lent[name] = value) });
  assert.equal(Object.keys(lent).length, Object.keys(MEASURES).length);
  for (const [name, value] of Object.entries(lent)) {
    assert.match(value, /^\d+px$/);
    assert.ok(sheets.includes(`var(${name})`), `${name} is used by no style sheet`);
    assert.ok(!sheets.includes(`${name}:`), `${name} is said in a style sheet too`);
  }
});

test("every measure that a style sheet takes is said somewhere", () => {
  for (const [, name] of sheets.matchAll(/var\((--[\w-]+)[,)]/g)) {
    assert.ok(sheets.includes(`${name}:`) || name.slice(2) in MEASURES || scripts.includes(name), `${name} is said nowhere`);
  }
});
