package engine

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// written is the test recording without its footer, and where its batches are.
func written(t *testing.T) ([]byte, [][]int64) {
	t.Helper()
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, testStream(), recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var blocks [][]int64
	start := 0
	for _, n := range testBatches {
		b, err := w.WriteBatch(n, testBatch(start, n))
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, []int64{b.Offset, b.Length, int64(b.MetaLength), b.Rows, int64(b.FirstClock), int64(b.LastClock)})
		start += n
	}
	return f.Data, blocks
}

// A growingSource has the bytes that were written so far.
type growingSource struct {
	data []byte
	size int64
}

func (g *growingSource) Grow(size int64) { g.size = size }
func (g *growingSource) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(g.data[:g.size]).ReadAt(p, off)
}

func end(b []int64) int64 { return b[0] + b[1] }

func TestAStreamGrowsWhileItIsLookedAt(t *testing.T) {
	data, blocks := written(t)
	for _, first := range []int{0, 1, 3} {
		source := &growingSource{data: data, size: blocks[0][0]}
		if first > 0 {
			source.size = end(blocks[first-1])
		}
		e := &Engine{}
		info, err := e.OpenGrowing(context.Background(), OpenGrowingArgs{"np", "np_0.arrow", blocks[:first]}, source, source.size)
		if err != nil {
			t.Fatal(err)
		}
		if info.State != "unfinished" || info.Batches != first || !info.RowsExact {
			t.Errorf("opened: %s, %d batches, exact %v", info.State, info.Batches, info.RowsExact)
		}
		rows := info.Rows
		for i := first; i < len(blocks); i++ {
			grown, err := e.Grow(context.Background(), GrowArgs{"np", end(blocks[i]), blocks[i : i+1]})
			if err != nil {
				t.Fatal(err)
			}
			rows += blocks[i][3]
			if grown.Rows != rows || grown.SizeBytes != end(blocks[i]) || grown.Clock.Last != float64(blocks[i][5]) {
				t.Errorf("after batch %d: %+v", i, grown)
			}
		}
		whole := &Engine{}
		if _, err := whole.Open(context.Background(), OpenArgs{"np", "np_0.arrow"}, bytes.NewReader(data), int64(len(data)), nil); err != nil {
			t.Fatal(err)
		}
		// What is saved by the recorder's index is what a walk gives.
		for _, args := range []string{`{}`, `{"start": 290, "end": 1200, "columns": ["SpikeData1", "Clock"]}`, `{"format": "csv", "batches": "2:4"}`} {
			var saved [2]string
			for k, from := range []*Engine{e, whole} {
				a, file := sliceArgs(args), &testdata.Memory{}
				a.Stream = "np"
				report, err := from.Slice(context.Background(), a, file, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				saved[k] = asJSON(report) + string(file.Data)
			}
			if saved[0] != saved[1] {
				t.Errorf("%s of a file that grew is\n%.300s\nwant\n%.300s", args, saved[0], saved[1])
			}
		}
		from, to := float64(testFirst), float64(testTick(testRows()-1)+1)
		ask := EnvelopeArgs{Stream: "np", Columns: []int{0, 2}, From: &from, To: &to, Bins: 50, Quality: "exact"}
		want, err := whole.Envelope(context.Background(), ask, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Envelope(context.Background(), ask, nil)
		if err != nil || got.RowsUsed != want.RowsUsed {
			t.Fatalf("%v: %d rows, want %d", err, got.RowsUsed, want.RowsUsed)
		}
		for i := range want.Data {
			if got.Data[i] != want.Data[i] && want.Data[i] == want.Data[i] {
				t.Fatalf("from %d batches on: bin %d is %v, want %v", first, i/2, got.Data[i], want.Data[i])
			}
		}
	}
}

func TestWhatCannotBeABlockIsRefused(t *testing.T) {
	data, blocks := written(t)
	e := &Engine{}
	open := func(list ...[]int64) error {
		_, err := e.OpenGrowing(context.Background(), OpenGrowingArgs{"np", "np_0.arrow", list}, bytes.NewReader(data), int64(len(data)))
		return err
	}
	for _, bad := range [][]int64{{}, {1, 2, 3}, {-1, 1, 1, 1, 1, 1}, {8, 1 << 40, 1 << 40, 1, 1, 1}} {
		if err, wrong := open(bad), (*ArgumentError)(nil); !errors.As(err, &wrong) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err, corrupt := open(blocks[1], blocks[0]), (*recording.CorruptError)(nil); !errors.As(err, &corrupt) {
		t.Errorf("in the wrong order: %v", err)
	}
	if err := open(blocks...); err != nil {
		t.Error(err)
	}
}

// A long recording is the same batch again and again, as far as its bytes go, and
// its recorder says where each is and which ticks it spans.
type long struct {
	head, batch []byte
	reads       int
	bytes       int64
}

func (l *long) ReadAt(p []byte, off int64) (int, error) {
	l.reads++
	l.bytes += int64(len(p))
	for i := range p {
		if at := off + int64(i); at < int64(len(l.head)) {
			p[i] = l.head[at]
		} else {
			p[i] = l.batch[(at-int64(len(l.head)))%int64(len(l.batch))]
		}
	}
	return len(p), nil
}

func TestTwoHoursOpenAndAreLookedBackAtForTheCostOfAFewBatches(t *testing.T) {
	data, blocks := written(t)
	head, batch := data[:blocks[0][0]], data[blocks[0][0]:end(blocks[0])]
	source := &long{head: head, batch: batch}
	const batches = 7200
	const second = testPeriod * 300 // of a batch, in ticks
	index := make([][]int64, batches)
	for i := range index {
		index[i] = []int64{int64(len(head) + i*len(batch)), int64(len(batch)), blocks[0][2], 300, int64(testFirst + i*second), int64(testFirst + i*second + 299*testPeriod)}
	}
	size := end(index[batches-1])
	e := &Engine{}
	info, err := e.OpenGrowing(context.Background(), OpenGrowingArgs{"np", "np_0.arrow", index}, source, size)
	if err != nil {
		t.Fatal(err)
	}
	if info.Rows != 300*batches || !info.RowsExact || info.Clock.Last != float64(index[batches-1][5]) {
		t.Errorf("%d rows, exact %v, to %v", info.Rows, info.RowsExact, info.Clock.Last)
	}
	if most := int64(len(head) + 4096 + 2*len(batch)); source.bytes > most { // no footer is looked for
		t.Errorf("opened with %d bytes in %d reads, a batch has %d", source.bytes, source.reads, len(batch))
	}
	for name, from := range map[string]float64{"the last second": float64((batches - 1) * second), "the first second": 0} {
		to := from + second
		if _, err := e.Envelope(context.Background(), EnvelopeArgs{Stream: "np", Columns: []int{0, 1, 2}, From: &from, To: &to, Bins: 100, Quality: "exact"}, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if most := int64(12 * len(batch)); source.bytes > most || source.reads > 26 {
		t.Errorf("%d bytes in %d reads; the file has %d, a batch %d", source.bytes, source.reads, size, len(batch))
	}
}
