// Writes FOLDER with the files of arrow-js: node files.mjs FOLDER
//
// It writes no schema message into a file, and has no codec built in.

import {mkdirSync, writeFileSync} from 'node:fs';
import * as arrow from 'apache-arrow';

const folder = process.argv[2];
mkdirSync(folder, {recursive: true});

const pair = new arrow.Struct([new arrow.Field('a', new arrow.Int8(), true), new arrow.Field('b', new arrow.Utf8(), true)]);
const entries = new arrow.Field('entries', new arrow.Struct([new arrow.Field('key', new arrow.Utf8(), false), new arrow.Field('value', new arrow.Int32(), true)]), false);
const bytes = (...list) => list.map((b) => b && Uint8Array.from(b));

/** @type {Record<string, arrow.Vector>} */
const columns = {
  int8: arrow.vectorFromArray([-128, null, 0, 127, 7], new arrow.Int8()),
  uint16: arrow.vectorFromArray([0, 1, 2, 65535, 4], new arrow.Uint16()),
  int32: arrow.vectorFromArray([-5, null, 0, 2147483647, 7], new arrow.Int32()),
  int64: arrow.vectorFromArray([-5n, null, 0n, 9223372036854775807n, 7n], new arrow.Int64()),
  uint64: arrow.vectorFromArray([0n, 250n, 500n, 750n, 18446744073709551615n], new arrow.Uint64()),
  float16: arrow.vectorFromArray([0.5, null, -2, 1.5, 0], new arrow.Float16()),
  float32: arrow.vectorFromArray([0.5, null, -2.25, 1.5, 0], new arrow.Float32()),
  float64: arrow.vectorFromArray([0.1, null, -1e300, 1e-7, 0], new arrow.Float64()),
  bool: arrow.vectorFromArray([true, null, false, true, false], new arrow.Bool()),
  null: arrow.vectorFromArray([null, null, null, null, null], new arrow.Null()),
  date: arrow.vectorFromArray([new Date(0), null, new Date(-86400000), new Date(1728000000000), new Date(951782400000)], new arrow.DateDay()),
  'time in ms': arrow.vectorFromArray([0, null, 86399999, 1, 60000], new arrow.TimeMillisecond()),
  timestamp: arrow.vectorFromArray([0, null, 1700000000123, 1, 951782400000], new arrow.TimestampMillisecond('UTC')),
  duration: arrow.vectorFromArray([0n, null, -1n, 1500n, 7n], new arrow.DurationMillisecond()),
  utf8: arrow.vectorFromArray(['short', null, '', 'a text of more than twelve bytes', 'µ'], new arrow.Utf8()),
  'large utf8': arrow.vectorFromArray(['short', null, '', 'a text of more than twelve bytes', 'µ'], new arrow.LargeUtf8()),
  binary: arrow.vectorFromArray(bytes([0, 1], null, [], [255, 254], [65]), new arrow.Binary()),
  fixed: arrow.vectorFromArray(bytes([0, 1, 2], null, [3, 4, 5], [255, 254, 253], [65, 66, 67]), new arrow.FixedSizeBinary(3)),
  list: arrow.vectorFromArray([[1, 2], null, [], [3], [4, 5]], new arrow.List(new arrow.Field('item', new arrow.Int16(), true))),
  two: arrow.vectorFromArray([[1, 2], null, [3, 4], [5, 6], [7, 8]], new arrow.FixedSizeList(2, new arrow.Field('item', new arrow.Uint8(), true))),
  struct: arrow.vectorFromArray([{a: 1, b: 'x'}, null, {a: null, b: null}, {a: 4, b: ''}, {a: 5, b: 'y'}], pair),
  map: arrow.vectorFromArray([{k: 1}, null, {}, {l: null, m: 2}, {n: 3}], new arrow.Map_(entries)),
  dictionary: arrow.vectorFromArray(['x', null, 'y', 'x', 'z'], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8(), 0)),
};

const table = new arrow.Table(columns);
const schema = new arrow.Schema(table.schema.fields, new Map([['writer', 'arrow-js']]));
const whole = new arrow.Table(schema, table.batches);
const two = new arrow.Table(schema, [...table.batches, ...whole.slice(1, 3).batches]);
const none = new arrow.Table(schema, []);
for (const [name, t] of Object.entries({types: whole, two_batches: two, no_batches: none})) {
  writeFileSync(`${folder}/${name}_file.arrow`, arrow.tableToIPC(t, 'file'));
  writeFileSync(`${folder}/${name}_stream.arrow`, arrow.tableToIPC(t, 'stream'));
}
