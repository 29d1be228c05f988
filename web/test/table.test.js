// Where rows and columns of a table lie, and which blocks are wanted.
import assert from "node:assert/strict";
import { test } from "node:test";

import { rowsFromInfo, tableColumns } from "../src/signals.js";
import { MEASURES } from "../src/measures.js";
import { BLOCK_ROWS, blocksSeen, columnsSeen, extentOf, lastFirst, layoutOf, rowFromScroll, scrollFromRow } from "../src/table.js";

const column = (label, type, plottable) => ({ label, type, plottable });

test("every row can be reached by the scroll bar, in tables of any length", () => {
  for (const rows of [1, 10, 1000, 199_999, 200_001, 5e6, 2e9]) {
    const page = 600;
    assert.ok(extentOf(rows) <= 4e6);
    for (const share of [0, 0.001, 0.5, 0.999, 1]) {
      const row = share * lastFirst(rows, page);
      assert.ok(Math.abs(rowFromScroll(scrollFromRow(row, rows, page), rows, page) - row) <= rows * 1e-9, `${rows} rows, ${share}`);
    }
    const bottom = Math.max(0, extentOf(rows) - page);
    assert.ok(Math.abs(rowFromScroll(bottom, rows, page) - lastFirst(rows, page)) <= rows * 1e-9);
  }
});

test("the blocks that are wanted hold every row and column that is seen", () => {
  for (let n = 0; n < 500; n++) {
    const rows = 1 + Math.floor(Math.random() * 5000), count = 1 + Math.floor(Math.random() * 40), page = 20 + Math.random() * 900;
    const first = Math.random() * lastFirst(rows, page);
    const from = Math.floor(Math.random() * count), to = from + 1 + Math.floor(Math.random() * (count - from));
    const blocks = blocksSeen(first, page, rows, [from, to], count);
    for (let r = Math.floor(first); r < Math.min(rows, first + page / MEASURES.row); r++) {
      for (let c = from; c < to; c++) {
        assert.equal(blocks.filter((b) => r >= b.rows[0] && r < b.rows[1] && c >= b.columns[0] && c < b.columns[1]).length, 1, `row ${r} column ${c}`);
      }
    }
    for (const b of blocks) assert.ok(b.rows[1] <= rows && b.columns[1] <= count && b.rows[0] % BLOCK_ROWS === 0);
  }
});

test("columns stand side by side, and words take the width that is left", () => {
  const columns = [column("Clock", "uint64", true), column("Message", "utf8", false)];
  const wide = layoutOf(columns, 1000);
  assert.equal(wide.total, 1000);
  assert.equal(wide.lefts[1], wide.widths[0]);
  assert.deepEqual(columnsSeen(wide, 0, 1000), [0, 2]);
  const many = layoutOf(Array.from({ length: 400 }, (_, i) => column("AP " + i, "uint16", true)), 1000);
  const [from, to] = columnsSeen(many, 5000, 1000);
  assert.ok(many.lefts[from] <= 5000 && many.lefts[from] + many.widths[from] > 5000);
  assert.ok(many.lefts[to - 1] < 6000 && many.lefts[to] >= 6000);
});

test("what cannot be plotted is a row of its own beside what can, and all there is where nothing can", () => {
  const columns = [{ index: 0, name: "Value", label: "Value", plottable: true, group: "Value" }, { index: 1, name: "Note", label: "Note", plottable: false, group: "Note" }, { index: 2, name: "Clock", label: "Clock", plottable: true, group: "Clock" }];
  const groups = [{ name: "Value", columns: [0], rate_hz: 1000, kind: "traces" }, { name: "Note", columns: [1], rate_hz: 1000, kind: "table" }, { name: "Clock", columns: [2], rate_hz: 1000, kind: "table" }];
  const mixed = rowsFromInfo({ id: "x", title: "", columns, groups });
  assert.deepEqual(mixed.map((r) => [r.name, r.kind, r.columns]), [["x", "traces", [0]], ["x Note", "table", [1]]]);
  assert.deepEqual(tableColumns(mixed[1], { columns }), [2, 1]);
  const words = rowsFromInfo({ id: "x", title: "", columns: columns.slice(1).map((c, i) => ({ ...c, index: i })), groups: [{ name: "Note", columns: [0], rate_hz: 0, kind: "table" }, { name: "Clock", columns: [1], rate_hz: 0, kind: "table" }] });
  assert.deepEqual(words.map((r) => [r.key, r.kind, r.columns]), [["x/", "table", [0, 1]]]);
});
