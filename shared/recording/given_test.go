package recording_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// withFooter writes batches of so many rows, counting up.
func withFooter(t *testing.T, rows ...int) []byte {
	t.Helper()
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, &stream.Stream{Name: "s", Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}}}, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	for _, n := range rows {
		var clock []byte
		for range n {
			clock = binary.LittleEndian.AppendUint64(clock, uint64(100*next))
			next++
		}
		if _, err := w.WriteBatch(n, []recording.Vector{{Data: clock}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

// clockOf reads all rows.
func clockOf(t *testing.T, r *recording.Reader) (ticks []uint64, lost int64) {
	t.Helper()
	x, err := r.Select(context.Background(), recording.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range x.Batches(context.Background()) {
		if err == nil {
			ticks = append(ticks, recording.Values[uint64](&b.Columns[0])...)
		}
	}
	return ticks, x.LeftOut()
}

func TestAReaderIsGivenWhatAnotherHasSeen(t *testing.T) {
	data := withFooter(t, 9, 5, 7, 9, 9, 3, 9, 9, 9, 4)
	first, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if list, ok := first.Blocks(); ok {
		t.Errorf("%d batches are known before their headers were read", len(list))
	}
	if err := first.Index(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	want, _ := clockOf(t, first)
	list, ok := first.Blocks()
	if !ok || len(list) != 10 || list[2].Rows != 7 || !list[2].Untimed {
		t.Fatalf("%v, %+v", ok, list)
	}
	if err := first.LoadClockEnds([]int{2}); err != nil {
		t.Fatal(err)
	}
	if list, _ = first.Blocks(); list[2].Untimed || list[2].FirstClock != 1400 || list[2].LastClock != 2000 {
		t.Errorf("of batch 2 is known %+v", list[2])
	}

	source := &countingSource{data: data}
	second, err := recording.Open(context.Background(), source, int64(len(data)), &recording.Options{Index: list})
	if err != nil {
		t.Fatal(err)
	}
	read := source.bytes
	if err := second.Index(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if rows, exact := second.Rows(); rows != int64(len(want)) || !exact || source.bytes != read {
		t.Errorf("%d rows, exact %v, %d bytes read", rows, exact, source.bytes-read)
	}
	if again, ok := second.Blocks(); !ok || !slices.Equal(again, list) {
		t.Errorf("a third would be given %v, %+v", ok, again)
	}
	if got, lost := clockOf(t, second); !slices.Equal(got, want) || lost != 0 {
		t.Errorf("rows %v, %d lost", got, lost)
	}

	// Of other batches than the footer's nothing is believed, and rows only until a header
	// says otherwise.
	for name, change := range map[string]func(list []recording.Block) []recording.Block{
		"fewer batches":       func(list []recording.Block) []recording.Block { return list[:9] },
		"another place":       func(list []recording.Block) []recording.Block { list[4].Offset += 8; return list },
		"negative rows":       func(list []recording.Block) []recording.Block { list[4].Rows = -1; return list },
		"rows of the first":   func(list []recording.Block) []recording.Block { list[0].Rows = 4; return list },
		"rows in between":     func(list []recording.Block) []recording.Block { list[4].Rows = 11; return list },
		"ticks that were not": func(list []recording.Block) []recording.Block { list[2].FirstClock = 5; return list },
	} {
		r, err := recording.Open(context.Background(), bytes.NewReader(data), int64(len(data)), &recording.Options{Index: change(slices.Clone(list))})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := r.Index(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		got, lost := clockOf(t, r)
		if slices.ContainsFunc(got, func(tick uint64) bool { return !slices.Contains(want, tick) }) || len(got) < len(want)-9 || (len(got) < len(want)) != (lost > 0) {
			t.Errorf("%s: rows %v, %d lost", name, got, lost) // at most the batch that was told wrong
		}
		if got, lost := clockOf(t, r); !slices.Equal(got, want) || lost != 0 {
			t.Errorf("%s: a second look gives %v, %d lost", name, got, lost)
		}
	}

	// A file that lacks its footer is given, too; a damaged one is not.
	for _, c := range []struct {
		data []byte
		ok   bool
	}{{data[:len(data)-200], true}, {append(bytes.Clone(data[:len(data)/2]), make([]byte, len(data)/2)...), false}} {
		r, err := recording.NewReader(bytes.NewReader(c.data), int64(len(c.data)))
		if err != nil {
			t.Fatal(err)
		}
		list, ok := r.Blocks()
		if ok != c.ok {
			t.Errorf("of a file of %d bytes %d batches are given: %v", len(c.data), len(list), ok)
		}
		if !ok {
			continue
		}
		given, err := recording.Open(context.Background(), bytes.NewReader(c.data), int64(len(c.data)), &recording.Options{Index: list})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := clockOf(t, given)
		want, _ := clockOf(t, r)
		if !slices.Equal(got, want) || given.About().State != r.About().State {
			t.Errorf("%s: %v, want %v", given.About().State, got, want)
		}
	}
}
