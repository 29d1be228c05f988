package live

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
	"github.com/oniscope/oniscope/web"
	"github.com/oniscope/oniscope/web/pagetest"
)

// A longFile is the file of a probe that has been recorded for hours and goes on: one
// batch of a second, again and again, with the clock that each would have. What is
// read of it is made when it is read.
type longFile struct {
	head     []byte // up to the first batch
	batch    []byte // header and body
	block    recording.Block
	clockAt  int64 // in the batch
	rows     int64
	perBatch uint64 // ticks
}

// written is the block of a batch.
func (f *longFile) written(i int64) recording.Block {
	b := f.block
	b.Offset += i * b.Length
	b.FirstClock += uint64(i) * f.perBatch
	b.LastClock += uint64(i) * f.perBatch
	return b
}

func (f *longFile) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		if at < int64(len(f.head)) {
			n += copy(p[n:], f.head[at:])
			continue
		}
		i, in := (at-f.block.Offset)/f.block.Length, (at-f.block.Offset)%f.block.Length
		part := p[n : n+copy(p[n:], f.batch[in:])]
		for row := max(0, (in-f.clockAt)/8); row < f.rows; row++ { // clocks that are in the part
			from := f.clockAt + 8*row - in
			if from >= int64(len(part)) {
				break
			}
			var clock [8]byte
			binary.LittleEndian.PutUint64(clock[:], binary.LittleEndian.Uint64(f.batch[f.clockAt+8*row:])+uint64(i)*f.perBatch)
			copy(part[max(0, from):], clock[max(0, -from):])
		}
		n += len(part)
	}
	return n, nil
}

// probeBatch is a second of a simulated Neuropixels 1.0e probe.
func probeBatch(t testing.TB) (*stream.Stream, *device.Batch) {
	t.Helper()
	source, err := sim.New(sim.Config{Seed: 1, Signal: sim.Neural, Ports: [2]string{device.HeadstageNeuropixelsV1e}})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	dev, _ := source.Table().Find(8) // port A's passthrough
	decoder, err := device.New(dev, device.Config{AcqClockHz: sim.ClockHz, Hub: oni.Hub{ID: 6, ClockHz: sim.ClockHz}, Headstage: device.HeadstageNeuropixelsV1e})
	if err != nil {
		t.Fatal(err)
	}
	s := decoder.Streams()[0]
	s.Simulated = true
	batch := device.NewBatch(&s, s.RowsPerBatch)
	if err := source.Start(); err != nil {
		t.Fatal(err)
	}
	for frame := (oni.Frame{}); batch.Rows < s.RowsPerBatch; {
		if err := source.ReadInto(&frame); err != nil {
			t.Fatal(err)
		}
		if frame.Address == dev.Address {
			if err := decoder.Decode(&frame, []*device.Batch{batch}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &s, batch
}

// newLongFile makes the file of which every batch is this one.
func newLongFile(t testing.TB, s *stream.Stream, b *device.Batch) *longFile {
	t.Helper()
	var m testFile
	w, err := recording.NewWriter(&m, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	vectors := make([]recording.Vector, len(b.Columns))
	for i, data := range b.Columns {
		vectors[i].Data = data
	}
	block, err := w.WriteBatch(b.Rows, vectors)
	if err != nil {
		t.Fatal(err)
	}
	clock := b.Columns[s.Column(stream.ClockName)]
	f := &longFile{head: m.data[:block.Offset], batch: m.data[block.Offset:], block: block, rows: int64(b.Rows), perBatch: uint64(b.Rows) * 25000 / 3}
	if f.clockAt = int64(bytes.LastIndex(f.batch, clock)); f.clockAt < 0 {
		t.Fatal("the batch has no Clock")
	}
	return f
}

type testFile struct{ data []byte }

func (m *testFile) Write(p []byte) (int, error) { m.data = append(m.data, p...); return len(p), nil }
func (m *testFile) Truncate(int64) error        { return io.ErrClosedPipe }

const longName = "port-a-neuropixels-1.0e_0.arrow"

// growLong shows a recording that has run for so many seconds, and goes on. What
// its page sees first comes from seen, in seconds.
func growLong(t *testing.T, seconds int64) (address string, seen chan float64) {
	s, b := probeBatch(t)
	f := newLongFile(t, s, b)
	hub := NewHub()
	hub.Begun(run.Begun{Dir: t.TempDir(), Suffix: "0", StartUTC: time.Now().Add(-time.Duration(seconds) * time.Second).UTC().Format(time.RFC3339Nano), AcqClockHz: sim.ClockHz, Simulated: true})
	hub.Opened(s, longName)
	for i := range seconds {
		hub.Written(s.Name, longName, f.written(i))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := Serve(l, hub, Options{Token: testToken, Page: web.Files})
	if err != nil {
		t.Fatal(err)
	}
	var batches atomic.Int64
	batches.Store(seconds)
	files, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen = make(chan float64, 1)
	front := &http.Server{Handler: &front{server, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"long"`)
		http.ServeContent(w, r, longName, time.Time{}, io.NewSectionReader(f, 0, f.written(batches.Load()).Offset))
	}, seen}}
	go front.Serve(files)
	end, ended := make(chan struct{}), sync.WaitGroup{}
	ended.Go(func() { // as a decoder and a writer do
		began, part := time.Now(), device.NewBatch(s, 0)
		clock := s.Column(stream.ClockName)
		said := time.Time{}
		for shown := uint64(0); ; time.Sleep(33 * time.Millisecond) {
			select {
			case <-end:
				return
			default:
			}
			rows := uint64(time.Since(began).Seconds() * 30_000)
			for shown < rows {
				i, row := int64(shown/uint64(f.rows)), int64(shown%uint64(f.rows))
				to := min(f.rows, row+int64(rows-shown))
				part.Reset()
				for c, data := range b.Columns {
					width := int64(s.Columns[c].ByteWidth)
					part.Columns[c] = append(part.Columns[c], data[row*width:to*width]...)
				}
				for k := range to - row {
					at := part.Columns[clock][8*k:]
					binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)+uint64(seconds+i)*f.perBatch)
				}
				part.Rows = int(to - row)
				hub.Decoded(s, part, 0)
				if shown += uint64(to - row); to == f.rows {
					batches.Add(1)
					hub.Written(s.Name, longName, f.written(seconds+i))
				}
			}
			if time.Since(said) < 250*time.Millisecond { // as often as a recorder does
				continue
			}
			said = time.Now()
			hub.Status(&run.Snapshot{State: "recording", UTC: time.Now().UTC().Format(time.RFC3339Nano), ElapsedS: float64(seconds) + time.Since(began).Seconds(), LeftS: -1, Streams: []run.StreamSnapshot{{Name: s.Name, RateHz: 30_000, ExpectedHz: 30_000}}}, nil)
		}
	})
	t.Cleanup(func() {
		close(end)
		ended.Wait()
		front.Close()
		server.Close(nil)
		hub.Close()
	})
	return "http://" + files.Addr().String(), seen
}

// TestALongFileIsReadAsOneThatWasWritten: what is made when it is read is what a
// recorder would have written.
func TestALongFileIsReadAsOneThatWasWritten(t *testing.T) {
	s, b := probeBatch(t)
	f := newLongFile(t, s, b)
	index := []recording.Block{f.written(0), f.written(1), f.written(2)}
	r, err := recording.Open(t.Context(), f, f.written(3).Offset, &recording.Options{Index: index})
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.Select(t.Context(), recording.Selection{Columns: []string{stream.ClockName}})
	if err != nil {
		t.Fatal(err)
	}
	row, last := uint64(0), uint64(0)
	for batch, err := range x.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, tick := range recording.Values[uint64](&batch.Columns[0]) {
			if last > 0 && (tick-last < 8300 || tick-last > 8370) {
				t.Fatalf("row %d is %d ticks after the one before", row, tick-last)
			}
			row, last = row+1, tick
		}
	}
	if row != 3*uint64(f.rows) || last != index[2].LastClock {
		t.Errorf("%d rows to %d", row, last)
	}
	for _, cut := range []int64{1, 7, 4096} { // pieces that begin inside a clock
		one, whole := make([]byte, 100), make([]byte, 200)
		at := f.block.Offset + f.block.Length + f.clockAt + cut
		_, _ = f.ReadAt(one, at)
		_, _ = f.ReadAt(whole, at-50)
		if !bytes.Equal(one, whole[50:150]) {
			t.Errorf("what begins at byte %d of the clocks is another", cut)
		}
	}
}

// firstPictures is how many browsers see the page, one after the other.
const firstPictures = 5

// within reports how long something took, and whether that was too long.
func within(t *testing.T, what string, limit, took float64) {
	t.Helper()
	t.Logf("%s: %.2f s", what, took)
	if took > limit {
		t.Errorf("%s takes %.2f s, must be at most %.1f", what, took, limit)
	}
}

// TestTwoHoursAreThereAtOnce: the page of a recording that has run for two hours has
// a picture within a second, goes to the first second as fast, and back to now at
// once. Of a machine with other work it says nothing: mage benchLive runs it.
func TestTwoHoursAreThereAtOnce(t *testing.T) {
	if !web.HasEngine() {
		t.Skip("built without the page: run go tool mage build")
	}
	if _, err := pagetest.FindChromium(); err != nil {
		t.Skip(err)
	}
	if os.Getenv("ONISCOPE_CALM") == "" {
		t.Skip("measures times: needs a machine without other work, and ONISCOPE_CALM=1")
	}
	address, seen := growLong(t, 7200)
	view := pagetest.View{Width: 1600, Height: 1000}
	var first []float64
	for range firstPictures {
		stop, err := pagetest.Show(address+"/soon", view)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case took := <-seen:
			first = append(first, took)
		case <-time.After(30 * time.Second):
			t.Error("there is no picture")
		}
		stop()
	}
	if slices.Sort(first); len(first) == firstPictures {
		within(t, "first picture", 1, first[firstPictures/2])
	}
	browser, err := pagetest.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer browser.Close()
	page, err := browser.Open(address+"/?live", view)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	seconds := func(what string, limit float64, expression string) {
		t.Helper()
		var took float64
		if err := page.Eval(`(async () => { `+pageScript+expression+` })()`, &took); err != nil {
			t.Fatal(what, err, page.Problems())
		}
		within(t, what, limit, took)
	}
	seconds("first picture for a debugger", 10, `await until(() => drawn() && lit()); return performance.now() / 1000;`)
	time.Sleep(500 * time.Millisecond)
	seconds("first second", 1, `const begin = performance.now(); await oniscope.view({ from: 0, to: 1 }); await until(lit); return (performance.now() - begin) / 1000;`)
	var now struct {
		Mode string `json:"mode"`
	}
	if err := page.Eval(`oniscope.live()`, &now); err != nil || now.Mode != "pause" {
		t.Errorf("after the jump: %q, %v", now.Mode, err)
	}
	time.Sleep(1500 * time.Millisecond) // meanwhile it goes on
	seconds("back to live", 0.2, `const begin = performance.now(); document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true })); await until(async () => (await oniscope.live()).mode === "follow" && lit()); return (performance.now() - begin) / 1000;`)
	for _, problem := range page.Problems() {
		t.Error(problem)
	}
}
