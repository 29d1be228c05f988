import assert from "node:assert/strict";
import { test } from "node:test";
import * as w from "../src/words.js";

const T = "\u202f";
/** Cases are written with plain spaces where the page has thin ones. */
const thin = (text) => text.replaceAll("_", T);

test("digits stand in groups of three on both sides of the point", () => {
  assert.equal(w.grouped("1234567.12345"), thin("1_234_567.123_45"));
  assert.equal(w.grouped("-1234"), thin("\u22121_234"));
  assert.equal(w.grouped("-0.00"), "0.00");
  assert.equal(w.integer(43752362), thin("43_752_362"));
  assert.equal(w.integer(18446744073709551615n), thin("18_446_744_073_709_551_615"));
});

test("physical values get the prefix that fits, a true minus and the micro sign", () => {
  assert.equal(w.quantity(-8.64e-5, "V"), thin("\u221286.4_\u00b5V"));
  assert.equal(w.quantity(-86.4, "uV"), thin("\u221286.4_\u00b5V"));
  assert.equal(w.quantity(0.1124, "s"), thin("112_ms"));
  assert.equal(w.quantity(0, "V"), thin("0_V"));
  assert.equal(w.quantity(843, "codes"), thin("843_codes"));
  assert.equal(w.round(30000, "Hz"), thin("30_kHz"));
  assert.equal(w.round(2500, "Hz"), thin("2.5_kHz"));
  assert.equal(w.round(2e-4, "V"), thin("200_\u00b5V"));
  assert.equal(w.round(1e-3, "V"), thin("1_mV"));
});

test("what is shown in a field can be typed into it again", () => {
  for (const [value, unit] of [[2e-4, "V"], [200, "uV"], [1e-3, "V"], [15, "codes"], [2.5e8, "Hz"]]) {
    const read = w.parseQuantity(w.round(value, unit), unit);
    assert.ok(Math.abs(read / value - 1) < 1e-9, `${w.round(value, unit)} was read as ${read}`);
  }
  for (const seconds of [1, 0.1124, 0.0005, 150, 3750]) {
    assert.ok(Math.abs(w.parseSpan(w.span(seconds)) / seconds - 1) < 1e-3, w.span(seconds));
  }
  assert.equal(w.parseQuantity("0.2 mV", "uV"), 200);
  assert.ok(Number.isNaN(w.parseQuantity("2 s", "V")));
  assert.ok(Number.isNaN(w.parseSpan("soon")));
  assert.ok(Number.isNaN(w.parseSpan("")));
  assert.equal(w.parseSpan("2 min 30 s"), 150);
});

test("times read as on the sketches", () => {
  assert.equal(w.moment(1458.41207, 5), thin("24_min 18.412_07_s"));
  assert.equal(w.clockFace(1458.4, 3, 1459), "24:18.400");
  assert.equal(w.clockFace(4036, 0, 4036), "1:07:16");
  assert.equal(w.clockFace(0.25, 2, 3), "0.25");
  assert.equal(w.duration(4340.4), thin("1_h 12_min 20.4_s"));
  assert.equal(w.duration(300), thin("5_min"));
  assert.equal(w.duration(0.0347), thin("34.7_ms"));
  assert.equal(w.span(1), thin("1.000_s"));
  assert.equal(w.wallTime(Date.UTC(2026, 10, 20, 14, 27, 29, 884) / 1000), "14:27:29.884 UTC");
});

test("rounding never carries a time into a sixtieth second", () => {
  assert.equal(w.clockFace(59.9996, 3, 61), "1:00.000");
  assert.equal(w.moment(119.99999999, 3), thin("2_min 0.000_s"));
});

test("bytes are decimal and counts have their noun", () => {
  assert.equal(w.bytes(98.7e9), thin("98.7_GB"));
  assert.equal(w.bytes(999), thin("999_B"));
  assert.equal(w.count(1, "batch", "batches"), thin("1_batch"));
  assert.equal(w.count(30000, "row"), thin("30_000_rows"));
});

test("a share never rounds up to the whole", () => {
  assert.equal(w.percent(0.9998), thin("99.98_%"));
  assert.equal(w.percent(0.99999999), thin("99.99_%"));
  assert.equal(w.percent(0.5), thin("50.0_%"));
  assert.equal(w.percent(1), thin("100_%"));
});

test("long numbers in a sentence of the engine are grouped, names are left alone", () => {
  assert.equal(w.regrouped("126976 of its 128352 bytes in Rhd2164_0"), `126${T}976 of its 128${T}352 bytes in Rhd2164_0`);
  assert.equal(w.regrouped("about 3 rows (99.996 us) missing"), `about 3 rows (99.996${T}µs) missing`);
});

test("units and prefixes agree with what is shown", () => {
  assert.equal(w.round(1, "codes"), thin("1_code"));
  assert.equal(w.round(2, "codes"), thin("2_codes"));
  assert.equal(w.parseQuantity("1 code", "codes"), 1);
  assert.equal(w.duration(0.99999), thin("1.00_s"), "not 1 000 ms");
  assert.equal(w.round(0.0099999999, "V"), thin("10_mV"));
  assert.equal(w.parseWhole("250 000 000"), 250000000);
  assert.ok([w.parseWhole("1.5"), w.parseWhole(""), w.parseWhole("-1")].every(Number.isNaN));
});

test("what cannot be seen in a name is shown", () => {
  assert.equal(w.visible("a\u202eb"), "a\\u{202e}b");
  assert.equal(w.visible("tab\tnul\0 \u{e0041}\ud800"), "tab\\u{9}nul\\u{0} \\u{e0041}\\u{d800}");
  assert.equal(w.visible(thin("1_000_µV − ü 脳 🐭 é")), thin("1_000_µV − ü 脳 🐭 é"), "letters of all languages stay");
});
