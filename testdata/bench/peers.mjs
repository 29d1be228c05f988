// What arrow-js takes for a job of `go tool mage bench`:
//
//     node peers.mjs FOLDER/node_modules FILE
//
// opens a file that is in memory and sums one of its columns, for a second, and
// prints the median in seconds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [modules, file] = process.argv.slice(2);
const { tableFromIPC } = createRequire(join(resolve(modules), "x.js"))("apache-arrow");
const bytes = readFileSync(file);

function oneColumn() {
  let sum = 0;
  for (const { values, length } of tableFromIPC(bytes).getChild("SpikeData117").data) {
    for (let i = 0; i < length; i++) {
      sum += values[i];
    }
  }
  if (sum === 0) {
    throw new Error("nothing was read");
  }
}

const times = [];
const begin = performance.now();
while (times.length < 3 || performance.now() - begin < 1000) {
  const t = performance.now();
  oneColumn();
  times.push(performance.now() - t);
}
times.sort((a, b) => a - b);
console.log(times[times.length >> 1] / 1000);
