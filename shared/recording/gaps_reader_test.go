package recording_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// gappy has 10 batches of 100 rows, 1000 ticks a row; 7 rows are missing before
// row 350, 200 before row 600.
func gappy(t *testing.T) []byte {
	t.Helper()
	s := &stream.Stream{AcqClockHz: 1_000_000, Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64}}}
	var file testdata.Memory
	w, err := recording.NewWriter(&file, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for batch := range 10 {
		var clock []byte
		for row := 100 * batch; row < 100*batch+100; row++ {
			tick := uint64(1000 * row)
			if row >= 350 {
				tick += 7000
			}
			if row >= 600 {
				tick += 200_000
			}
			clock = binary.LittleEndian.AppendUint64(clock, tick)
		}
		if _, err := w.WriteBatch(100, []recording.Vector{{Data: clock}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Data
}

func TestGapsOfARange(t *testing.T) {
	data := gappy(t)
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		start, end int64
		rows       []int64 // after each gap
		lost       []int64
	}{
		"the whole file":           {0, 1000, []int64{350, 600}, []int64{7, 200}},
		"from inside a batch on":   {349, 1000, []int64{350, 600}, []int64{7, 200}},
		"up to the row before one": {0, 600, []int64{350}, []int64{7}},
		"between two":              {350, 600, nil, nil},
		"no rows":                  {5, 5, nil, nil},
	} {
		gaps, period, err := r.GapsOf(c.start, c.end)
		if err != nil {
			t.Fatal(err)
		}
		if c.start < c.end && period != 1000 {
			t.Errorf("%s: a period of %g ticks", name, period)
		}
		if len(gaps) != len(c.rows) {
			t.Errorf("%s: %v, want gaps before rows %v", name, gaps, c.rows)
			continue
		}
		for i, g := range gaps {
			if g.Row != c.rows[i] || g.LostRows != c.lost[i] || g.Seconds != float64(g.LostRows)/1000 {
				t.Errorf("%s: %+v, want %d rows before row %d", name, g, c.lost[i], c.rows[i])
			}
		}
	}
	if _, _, err := r.GapsOf(0, 1001); err == nil {
		t.Error("rows beyond the file give no error")
	}
}

func TestWhatADamagedBatchLacksIsNoGap(t *testing.T) {
	data := gappy(t)
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Index(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	at, _ := r.Place(6)
	clear(data[at : at+16]) // rows 600 to 699
	damaged, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := damaged.Rows()
	gaps, _, err := damaged.GapsOf(0, min(rows, 900))
	if err != nil || len(gaps) != 1 || gaps[0].Row != 350 {
		t.Errorf("%v (%v), want the gap before row 350 alone", gaps, err)
	}
}
