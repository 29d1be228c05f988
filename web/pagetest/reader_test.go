package pagetest

import (
	"testing"
	"time"
)

// A browser may collect what is being read when nothing refers to it: Chromium then never
// answers, and the page waits for ever. Reads beside the engine are all answered, however
// often their worker collects garbage.
func TestReadsAreAnsweredThoughGarbageIsCollected(t *testing.T) {
	page := open(t, desk)
	check(t, page.Eval(`Promise.all(["./src/reader.js", "./src/free.js"].map((m) => import(new URL(m, location.href)))).then(([{ Reader }, { free }]) => {
		const MB = 1 << 20, reader = new Reader(free), blob = new Blob(Array.from({ length: 32 }, (_, i) => new Uint8Array(2 * MB).fill(i)));
		const counts = (globalThis.reads = { done: 0, wrong: 0 });
		const lane = async (n) => {
			for (let i = n; i < 800; i += 8) {
				const at = (i % 32) * 2 * MB, bytes = await reader.read(blob, [at, at + 2 * MB]);
				if (bytes.length !== 2 * MB || bytes[0] !== i % 32 || bytes[2 * MB - 1] !== i % 32) counts.wrong++;
				reader.drop(bytes);
				counts.done++;
			}
		};
		for (let n = 0; n < 8; n++) void lane(n);
		return true;
	})`, nil))
	var counts struct{ Done, Wrong int }
	for until := time.Now().Add(patience); counts.Done < 800; {
		check(t, page.CollectGarbage("reader.worker.js"))
		check(t, page.Eval(`globalThis.reads`, &counts))
		if time.Now().After(until) {
			t.Fatalf("%d of 800 reads were answered", counts.Done)
		}
	}
	if counts.Wrong > 0 {
		t.Errorf("%d reads gave other bytes", counts.Wrong)
	}
}
