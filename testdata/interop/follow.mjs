// Follows a stream with arrow-js and prints, for each column, how many values came and the SHA-256 of their bytes.
// node follow.mjs URL, with apache-arrow in ONISCOPE_ARROW_JS.
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";

const { RecordBatchReader } = await import(pathToFileURL(process.env.ONISCOPE_ARROW_JS + "/node_modules/apache-arrow/Arrow.node.mjs").href);
const response = await fetch(process.argv[2]);
if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
const columns = new Map();
for await (const batch of await RecordBatchReader.from(response.body)) {
  batch.schema.fields.forEach((field, i) => {
    const column = columns.get(field.name) ?? { rows: 0, hash: createHash("sha256") };
    columns.set(field.name, column);
    const values = batch.getChildAt(i).toArray();
    column.rows += values.length;
    column.hash.update(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  });
}
console.log(JSON.stringify(Object.fromEntries([...columns].map(([name, { rows, hash }]) => [name, { rows, sha256: hash.digest("hex") }]))));
