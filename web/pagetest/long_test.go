package pagetest

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// longFile is 84 MB: 40 batches of 25 000 rows of 38 channels, of which 500 rows are
// missing in batch 7. It is large enough for tiles and for the second engine.
func longFile(t *testing.T) string {
	t.Helper()
	const channels, batches, rows = 38, 40, 25_000
	s := &stream.Stream{Name: "long", AcqClockHz: 250_000_000}
	for c := range channels {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprint("SpikeData", c), Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8})
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	check(t, err)
	row := uint64(0)
	for b := range batches {
		vectors := make([]recording.Vector, channels+1)
		var clock []byte
		for i := range rows {
			if b == 7 && i == 9000 {
				row += 500
			}
			clock = binary.LittleEndian.AppendUint64(clock, row*8333)
			row++
		}
		for c := range channels {
			data := make([]byte, 0, 2*rows)
			for i := range rows {
				data = binary.LittleEndian.AppendUint16(data, uint16(500+c+(i*(7+c)+b*31)%60))
			}
			vectors[c].Data = data
		}
		vectors[channels].Data = clock
		_, err := w.WriteBatch(rows, vectors)
		check(t, err)
	}
	check(t, w.Close())
	path := filepath.Join(t.TempDir(), "long_0.arrow")
	check(t, os.WriteFile(path, file.Data, 0o644))
	return path
}

func TestALongRecordingIsReadOnceAndVerifiedAside(t *testing.T) {
	page := ready(t, desk, longFile(t))
	check(t, page.WaitFor(patience, `oniscope.info("long_0").then((i) => i.coverage.some((c) => c.kind === "gap" && c.rows === 500))`))

	// Another engine verifies it; what it finds is known to the one that draws.
	var bytes [2]float64
	check(t, page.Eval(`oniscope.engine().then((e) => e.bytes)`, &bytes[0]))
	var report struct {
		Findings []recording.Finding
	}
	check(t, page.Eval(`oniscope.verify("long_0")`, &report))
	check(t, page.Eval(`oniscope.engine().then((e) => e.bytes)`, &bytes[1]))
	var known []recording.Finding
	check(t, page.Eval(`oniscope.info("long_0").then((i) => i.findings)`, &known))
	if len(report.Findings) != 1 || report.Findings[0].LostRows != 500 || len(known) != 1 || known[0] != report.Findings[0] {
		t.Errorf("found %+v, info has %+v", report.Findings, known)
	}
	if bytes[1] < bytes[0]+10e6 {
		t.Errorf("the engines have %v bytes after a verification, %v before: no second one", bytes[1], bytes[0])
	}
	// It has told in passing what the whole run looks like: all channels of it, of half of
	// it, and of a part after that, are shown without reading, the second time.
	var read [3]float64
	var shown struct{ From, To float64 }
	check(t, page.Eval(`oniscope.view({ from: 10, to: 10.5 })`, nil))
	check(t, page.WaitFor(patience, `(async () => { // what is read in the background is read
		const before = (await oniscope.engine()).read;
		await new Promise((done) => setTimeout(done, 400));
		return (await oniscope.engine()).read === before;
	})()`))
	check(t, page.Eval(`oniscope.engine().then((e) => e.read)`, &read[0]))
	check(t, page.Eval(`oniscope.view({ from: 0, to: 34 })`, &shown))
	check(t, page.Eval(`oniscope.view({ from: 15, to: 32 })`, nil))
	check(t, page.Eval(`oniscope.engine().then((e) => e.read)`, &read[1]))
	check(t, page.Eval(`oniscope.view({ from: 10, to: 10.5 })`, nil))
	check(t, page.Eval(`oniscope.engine().then((e) => e.read)`, &read[2]))
	if read[0] != read[1] || read[1] != read[2] || shown.To < 33 {
		t.Errorf("after a verification %v bytes were read for a look at %+v, %v for a second look at a part", read[1]-read[0], shown, read[2]-read[1])
	}

	// What it looks like is in the browser's private files, for the next visit.
	check(t, page.WaitFor(patience, `(async () => {
		const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("oniscope-tiles");
		for await (const handle of folder.values()) if ((await handle.getFile()).size > 10000) return true;
	})().catch(() => false)`))

	// What is saved there is a recording, too.
	var saved struct {
		Size float64 `json:"size"`
		Rows float64 `json:"rows"`
	}
	check(t, page.Eval(`oniscope.slice("long_0", { start: 1000, end: 3000, columns: ["SpikeData3"] }).then(({ blob, report }) => ({ size: blob.size, rows: report.rows }))`, &saved))
	if saved.Rows != 2000 || saved.Size < 4000 {
		t.Errorf("saved %+v", saved)
	}
}
