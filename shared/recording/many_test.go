package recording_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// countedReads counts what is asked of a file.
type countedReads struct {
	io.ReaderAt
	n int
}

func (c *countedReads) ReadAt(p []byte, off int64) (int, error) {
	c.n++
	return c.ReaderAt.ReadAt(p, off)
}

// A recording of very many batches of a row is described in little memory and few
// reads, whether its footer is there or not. What is found is what is there.
func TestManyBatchesTakeLittleMemory(t *testing.T) {
	const batches = 30_000
	file := oneRowBatches(t, batches)
	for _, c := range []struct {
		name  string
		data  []byte
		bytes float64 // that a batch may take
		state recording.State
	}{
		{"with a footer", file, 80, recording.Complete},
		{"without", file[:len(file)-1], 80, recording.Unfinished},
	} {
		src := &countedReads{ReaderAt: bytes.NewReader(c.data)}
		before := heapBytes()
		r, err := recording.NewReader(src, int64(len(c.data)))
		if err != nil {
			t.Fatal(err)
		}
		info, err := r.Info(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		took := (heapBytes() - before) / batches
		if info.Rows != batches || info.Batches != batches || info.State != c.state || len(info.Segments) != 1 || info.DurationTicks != 100*(batches+9) {
			t.Errorf("%s: %d rows in %d batches, %s, %v, %d ticks", c.name, info.Rows, info.Batches, info.State, info.Segments, info.DurationTicks)
		}
		gaps := 0
		for i := range info.Findings {
			if f := &info.Findings[i]; f.IsGap() && f.BeforeRow == batches/2 && f.LostRows == 9 {
				gaps++
			}
		}
		if gaps != 1 {
			t.Errorf("%s: findings %v", c.name, info.Findings)
		}
		if took > c.bytes {
			t.Errorf("%s: %.0f bytes a batch", c.name, took)
		}
		if src.n > batches/20 {
			t.Errorf("%s: %d reads", c.name, src.n)
		}
		runtime.KeepAlive(r)
	}
}

// oneRowBatches is a recording with a gap of 9 rows in its middle.
func oneRowBatches(t *testing.T, batches int) []byte {
	t.Helper()
	s := &stream.Stream{Name: "many", AcqClockHz: 1000, Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64, ByteWidth: 8}, {Name: "V", Type: stream.Uint16, ByteWidth: 2}}}
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var clock [8]byte
	for i := range batches {
		tick := 100 * i
		if i >= batches/2 {
			tick += 900
		}
		binary.LittleEndian.PutUint64(clock[:], uint64(tick))
		if _, err := w.WriteBatch(1, []recording.Vector{{Data: clock[:]}, {Data: []byte{byte(i), 1}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

func heapBytes() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
