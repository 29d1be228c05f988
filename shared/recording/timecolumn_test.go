package recording_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Timestamps promise no order: the rows that have a time are found wherever they are.
func TestTimesThatAreNotInOrder(t *testing.T) {
	f := &testdata.Memory{}
	about := &stream.Stream{Name: "log", Columns: []stream.Column{{Name: "When", Type: stream.Uint64, ByteWidth: 8}}}
	w, err := recording.NewWriter(f, about, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const rows, from, to = 600, 2000, 3500
	want, last := int64(0), uint64(0)
	for batch := range uint64(3) {
		var when []byte
		for row := range uint64(rows / 3) {
			tick := 1000 + 10*((batch*rows/3+row)*7919%rows)
			if when = binary.LittleEndian.AppendUint64(when, tick); tick >= from && tick < to {
				want, last = want+1, batch*rows/3+row
			}
		}
		if _, err := w.WriteBatch(rows/3, []recording.Vector{{Data: when}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := testdata.Open(t, f.Data)
	if err := r.SetTimeColumn("When"); err != nil {
		t.Fatal(err)
	}
	x, err := r.Select(context.Background(), recording.Selection{Time: &recording.TickRange{From: from, To: to}})
	if err != nil {
		t.Fatal(err)
	}
	if _, end := x.Rows(); x.Len() != want || end != int64(last)+1 {
		t.Errorf("%d rows up to %d, want %d up to %d", x.Len(), end, want, last+1)
	}
	if _, err := r.Select(context.Background(), recording.Selection{Time: &recording.TickRange{From: 8000, To: 9000}}); err == nil {
		t.Error("times that no row has are found")
	}
}

// The time axis may be chosen again, also after rows were looked for by another: nothing
// that is known of the one before is taken for the next.
func TestATimeColumnAfterAnother(t *testing.T) {
	f := &testdata.Memory{}
	about := &stream.Stream{Name: "two", AcqClockHz: 1000, StartClock: 5, StartUTC: "2026-01-02T03:04:05Z", Columns: []stream.Column{
		{Name: "Clock", Type: stream.Uint64, ByteWidth: 8}, {Name: "Other", Type: stream.Uint64, ByteWidth: 8}}}
	w, err := recording.NewWriter(f, about, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for batch := range uint64(3) {
		var clock, other []byte
		for row := range uint64(10) {
			clock = binary.LittleEndian.AppendUint64(clock, 100+10*batch+row)
			other = binary.LittleEndian.AppendUint64(other, 7000+100*batch+10*row)
		}
		if _, err := w.WriteBatch(10, []recording.Vector{{Data: clock}, {Data: other}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := testdata.Open(t, f.Data)
	for _, want := range []struct {
		column            string
		from, first, last uint64
		row               int64
	}{{"Clock", 110, 100, 129, 10}, {"Other", 7100, 7000, 7290, 10}, {"Clock", 120, 100, 129, 20}} {
		if err := r.SetTimeColumn(want.column); err != nil {
			t.Fatal(err)
		}
		if first, _, err := r.ClockEnds(0); err != nil || first != want.first {
			t.Errorf("%s: the first tick is %d, %v, want %d", want.column, first, err, want.first)
		}
		if _, last, err := r.ClockEnds(2); err != nil || last != want.last {
			t.Errorf("%s: the last tick is %d, %v, want %d", want.column, last, err, want.last)
		}
		x, err := r.Select(context.Background(), recording.Selection{Time: &recording.TickRange{From: want.from, To: want.last + 1}})
		if err != nil {
			t.Fatal(err)
		}
		if start, end := x.Rows(); start != want.row || end != 30 {
			t.Errorf("%s: rows %d to %d, want %d to 30", want.column, start, end, want.row)
		}
	}
}
