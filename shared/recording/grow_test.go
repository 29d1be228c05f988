package recording_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// growing writes batches of 5 rows, counting up, and returns the file without a
// footer and where its batches are.
func growing(t *testing.T, batches int) ([]byte, []recording.Block) {
	t.Helper()
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, &stream.Stream{Name: "s", Columns: []stream.Column{
		{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}, {Name: "A", Type: stream.Int32, ArrowType: "int32", ByteWidth: 4},
	}}, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var blocks []recording.Block
	for i := range batches {
		var clock, a []byte
		for k := range 5 {
			clock = binary.LittleEndian.AppendUint64(clock, uint64(100*(5*i+k)))
			a = binary.LittleEndian.AppendUint32(a, uint32(5*i+k))
		}
		b, err := w.WriteBatch(5, []recording.Vector{{Data: clock}, {Data: a}})
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b)
	}
	return f.Data, blocks
}

func end(blocks []recording.Block) int64 {
	return blocks[len(blocks)-1].Offset + blocks[len(blocks)-1].Length
}

func TestAFileThatGrowsIsReadByItsWritersIndex(t *testing.T) {
	const batches = 40
	data, blocks := growing(t, batches)
	counted := &countingSource{data: data}
	r, err := recording.Open(context.Background(), counted, end(blocks[:30]), &recording.Options{Index: blocks[:30]})
	if err != nil {
		t.Fatal(err)
	}
	if rows, exact := r.Rows(); rows != 150 || !exact {
		t.Errorf("%d rows, exact %v; want 150, exact", rows, exact)
	}
	if reads := counted.reads + int64(counted.batches); reads > 8 {
		t.Errorf("opening took %d reads: the headers of all batches, not of two", reads)
	}
	if state := r.About().State; state != recording.Unfinished {
		t.Errorf("the state is %q", state)
	}
	if err := r.Grow(end(blocks), blocks[30:]); err != nil {
		t.Fatal(err)
	}
	x, err := r.Select(context.Background(), recording.Selection{Columns: []string{"A"}})
	if err != nil {
		t.Fatal(err)
	}
	next := int32(0)
	for b, err := range x.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range recording.Values[int32](&b.Columns[0]) {
			if v != next {
				t.Fatalf("row %d is %d", next, v)
			}
			next++
		}
	}
	if next != 5*batches {
		t.Errorf("%d rows were read, %d written", next, 5*batches)
	}
	times, err := r.Times(context.Background())
	if err != nil || len(times.Segments) != 1 || times.Segments[0].ClockLast != 100*(5*batches-1) {
		t.Errorf("segments %+v, %v", times.Segments, err)
	}
}

func TestAFileThatHasNoBatchYetGrows(t *testing.T) {
	data, blocks := growing(t, 3)
	r, err := recording.Open(context.Background(), bytes.NewReader(data), blocks[0].Offset, &recording.Options{Index: []recording.Block{}})
	if err != nil {
		t.Fatal(err)
	}
	if rows, _ := r.Rows(); rows != 0 {
		t.Errorf("%d rows", rows)
	}
	for i := range blocks {
		if err := r.Grow(end(blocks[:i+1]), blocks[i:i+1]); err != nil {
			t.Fatal(err)
		}
		if rows, exact := r.Rows(); rows != int64(5*(i+1)) || !exact {
			t.Errorf("after %d batches %d rows", i+1, rows)
		}
	}
}

func TestAnIndexThatCannotBeIsRefused(t *testing.T) {
	data, blocks := growing(t, 3)
	open := func(index ...recording.Block) error {
		_, err := recording.Open(context.Background(), bytes.NewReader(data), int64(len(data)), &recording.Options{Index: index})
		return err
	}
	for name, change := range map[string]func(b *recording.Block){
		"a batch inside the one before": func(b *recording.Block) { b.Offset -= 64 },
		"a batch beyond the end":        func(b *recording.Block) { b.Length = 1 << 40 },
		"a negative length":             func(b *recording.Block) { b.Length = -1 },
		"a header longer than all":      func(b *recording.Block) { b.MetaLength = 1 << 30 },
		"no header":                     func(b *recording.Block) { b.MetaLength = 0 },
		"negative rows":                 func(b *recording.Block) { b.Rows = -1 },
		"more rows than can be":         func(b *recording.Block) { b.Rows = 1 << 60 },
		"an offset that overflows":      func(b *recording.Block) { b.Offset = 1<<63 - 1 },
	} {
		bad := blocks[1]
		change(&bad)
		if err, corrupt := open(blocks[0], bad), (*recording.CorruptError)(nil); !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := open(blocks...); err != nil {
		t.Error(err)
	}
}

func TestAHeaderIsBelievedAndNotTheIndex(t *testing.T) {
	data, blocks := growing(t, 4)
	blocks[0].Rows = 7 // the header says 5
	r, err := recording.Open(context.Background(), bytes.NewReader(data), int64(len(data)), &recording.Options{Index: blocks[:3]})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Index(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if rows, exact := r.Rows(); rows != 20 || !exact {
		t.Errorf("%d rows, exact %v; the file has 20", rows, exact)
	}
	if err := r.Grow(int64(len(data)), blocks[3:]); err != nil {
		t.Fatal(err)
	}
	if rows, _ := r.Rows(); rows != 20 {
		t.Errorf("%d rows after it grew", rows)
	}
}
