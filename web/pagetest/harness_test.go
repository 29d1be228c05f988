package pagetest

import (
	"strings"
	"testing"
	"time"
)

func TestWhatAPageDoesWrongIsSeen(t *testing.T) {
	for _, c := range []struct{ fragment, want string }{
		{"error", "said on purpose"},
		{"throw", "thrown on purpose"},
		{"reject", "rejected on purpose"},
		{"foreign", "127.0.0.1:9/elsewhere"},
		{"missing", "404"},
		{"worker-error", "said on purpose"},
		{"worker-reject", "rejected on purpose"},
		{"worker-foreign", "127.0.0.1:9/elsewhere"},
	} {
		t.Run(c.fragment, func(t *testing.T) {
			server, page := openBad(t, c.fragment)
			deadline := time.Now().Add(patience)
			for {
				seen := append(page.Problems(), server.Reports()...)
				if strings.Contains(strings.Join(seen, "\n"), c.want) {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("not seen: %q in %q", c.want, seen)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

func TestAPageThatDoesNothingWrongHasNoProblems(t *testing.T) {
	server, page := openBad(t, "")
	check(t, page.Eval(`new Promise(resolve => setTimeout(resolve, 300))`, nil))
	if seen := append(page.Problems(), server.Reports()...); len(seen) > 0 {
		t.Fatal(seen)
	}
}

func TestADropGivesThePageTheFile(t *testing.T) {
	_, page := openBad(t, "")
	check(t, page.Eval(`addEventListener("dragover", e => e.preventDefault()),
		addEventListener("drop", async e => { e.preventDefault(); globalThis.got = await e.dataTransfer.files[0].text(); }), 0`, nil))
	check(t, page.Drop("testdata/bad/worker.js"))
	check(t, page.WaitFor(patience, `globalThis.got && globalThis.got.includes("said on purpose")`))
}

func TestAPromiseThatRejectsAndBytes(t *testing.T) {
	_, page := openBad(t, "")
	name, message, err := page.Rejection(`Promise.reject(new RangeError("too far"))`)
	check(t, err)
	if name != "RangeError" || message != "too far" {
		t.Fatal(name, message)
	}
	if _, _, err := page.Rejection(`Promise.resolve(1)`); err == nil {
		t.Fatal("a kept promise passed for a rejection")
	}
	got, err := page.Bytes(`new Uint16Array([0x0201, 0xfffe])`)
	check(t, err)
	if string(got) != "\x01\x02\xfe\xff" {
		t.Fatalf("%x", got)
	}
}
