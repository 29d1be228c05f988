// Writes the twins of files with intervals of months, or of days and
// milliseconds, which pyarrow cannot read: node twins.mjs FILE...

import {readFileSync, writeFileSync} from 'node:fs';
import * as arrow from 'apache-arrow';

const {version} = JSON.parse(readFileSync(new URL('node_modules/apache-arrow/package.json', import.meta.url), 'utf8'));

/** n thousandths with all their digits. */
function thousandths(n) {
  const digits = String(Math.abs(n)).padStart(4, '0');
  return `${n < 0 ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

/** An interval as ISO 8601 has durations. Values stand in whole vectors: `get` of arrow-js splits months into years. */
function text(vector, row) {
  if (!vector.isValid(row)) return null;
  const {values} = vector.data[0];
  if (vector.type.unit === arrow.IntervalUnit.YEAR_MONTH) return `P${values[row]}M`;
  const days = values[2 * row], ms = values[2 * row + 1];
  return `P${days || !ms ? `${days}D` : ''}${ms ? `T${thousandths(ms)}S` : ''}`;
}

for (const path of process.argv.slice(2)) {
  const bytes = readFileSync(path);
  const table = arrow.tableFromIPC(bytes);
  if (table.batches.length !== 1) throw new Error(`${path}: ${table.batches.length} batches`);
  const names = {[arrow.IntervalUnit.YEAR_MONTH]: 'month_interval', [arrow.IntervalUnit.DAY_TIME]: 'day_time_interval'};
  const columns = table.schema.fields.map((field, k) => ({
    name: field.name, type: names[field.type.unit], nullable: field.nullable, metadata: Object.fromEntries(field.metadata),
    values: Array.from({length: table.numRows}, (_, row) => text(table.getChildAt(k), row)),
  }));
  const twin = {
    reader: `arrow-js ${version}`, format: bytes.subarray(0, 6).toString() === 'ARROW1' ? 'file' : 'stream', compression: 'none',
    batch_rows: [table.numRows], metadata: Object.fromEntries(table.schema.metadata), columns,
  };
  writeFileSync(path.replace(/\.arrow$/, '.json'), JSON.stringify(twin, null, 1) + '\n');
}
