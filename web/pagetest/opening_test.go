package pagetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// slowFile is a file without a footer of so many small batches of different
// lengths: opening it takes a header after the other, some seconds in all.
func slowFile(t *testing.T, name string, batches int) string {
	t.Helper()
	file := &growing{}
	s := &stream.Stream{Name: "slow", AcqClockHz: 250_000_000, Columns: []stream.Column{
		{Name: "Value", Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2},
		{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}}}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	check(t, err)
	all := 0
	for b := range batches {
		rows := slowRows(b)
		clock := make([]byte, 8*rows)
		for row := range rows {
			tick := uint64(all+row) * 2500
			for i := range 8 {
				clock[8*row+i] = byte(tick >> (8 * i))
			}
		}
		all += rows
		_, err := w.WriteBatch(rows, []recording.Vector{{Data: bytes.Repeat([]byte{byte(b), 1}, rows)}, {Data: clock}})
		check(t, err)
	}
	path := filepath.Join(t.TempDir(), name) // the writer is never closed
	check(t, os.WriteFile(path, file.Bytes(), 0o644))
	return path
}

// slowRows is how many rows batch b has: never as many as the two before it, so
// that nobody can guess where the next header is.
func slowRows(b int) int { return 540 + 60*(b*7%13%5) }

type growing struct{ bytes.Buffer }

func (g *growing) Truncate(size int64) error {
	g.Buffer.Truncate(int(size))
	return nil
}

func TestAFileThatOpensSlowlyShowsHowFarAndCanBeCancelled(t *testing.T) {
	slow := slowFile(t, "slow_0.arrow", 20_000)
	page := open(t, desk)
	check(t, page.Drop(slow))
	check(t, page.WaitFor(patience, `document.querySelector("#streams .opening .note")?.textContent.includes("%")`))
	var words string
	check(t, page.Eval(`document.querySelector("#opening").innerText + "|" + document.querySelector("#status-opening").innerText + "|" + document.documentElement.dataset.state`, &words))
	for _, want := range []string{"slow_0.arrow", "batch", "%", "|opening"} {
		if strings.Count(words, want) < 1 {
			t.Errorf("while it opens the page says %q, without %q", words, want)
		}
	}

	// A second drop is not kept waiting, and neither are its plots.
	check(t, page.Drop(foreign(t, "new_NeuropixelsV1.arrow")))
	check(t, page.WaitFor(patience, `(await oniscope.streams()).includes("new_NeuropixelsV1") && Number(document.documentElement.dataset.drawn) > 0`))
	check(t, page.Eval(`oniscope.view({stream: "new_NeuropixelsV1", from: 1000, to: 20000})`, nil))
	var pending int
	check(t, page.Eval(`document.querySelectorAll("#streams .opening").length`, &pending))
	if pending != 1 {
		t.Fatalf("%d files are being opened, want 1: it must take longer than this", pending)
	}

	// Cancel takes the one away and leaves the other alone.
	check(t, page.Eval(`document.querySelector("#streams .opening button").click()`, nil))
	check(t, page.WaitFor(patience, `document.querySelectorAll("#streams .opening").length === 0`))
	check(t, page.WaitState("ready"))
	var left struct {
		IDs     []string
		Notices int
	}
	check(t, page.Eval(`({IDs: await oniscope.streams(), Notices: document.querySelectorAll(".notice").length})`, &left))
	if fmt.Sprint(left.IDs) != "[new_NeuropixelsV1]" || left.Notices != 0 {
		t.Errorf("after Cancel: streams %v, %d notices", left.IDs, left.Notices)
	}
	compareEvery(t, page, "new_NeuropixelsV1", foreign(t, "new_NeuropixelsV1.arrow"), 16, 0)

	// A stream can be closed while a file is being opened.
	check(t, page.Drop(slow))
	check(t, page.WaitFor(patience, `document.querySelectorAll("#streams .opening").length === 1`))
	check(t, page.Eval(`document.querySelector('#streams li:not(.opening) .close').click()`, nil))
	check(t, page.WaitFor(patience, `(await oniscope.streams()).length === 0`))
	check(t, page.Eval(`document.querySelector("#opening-cancel").click()`, nil))
	check(t, page.WaitState("empty"))
}

func TestASlowFileOpensInTheEnd(t *testing.T) {
	slow := slowFile(t, "slow_0.arrow", 1500)
	page := ready(t, desk, slow)
	var info struct {
		Rows    int64
		Batches int
		State   string
	}
	check(t, page.Eval(`oniscope.info("slow_0")`, &info))
	rows := 0
	for b := range 1500 {
		rows += slowRows(b)
	}
	if info.Rows != int64(rows) || info.Batches != 1500 || info.State != "unfinished" {
		t.Errorf("info %+v", info)
	}
}
