package engine

import (
	"bytes"
	"context"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

// Whatever bytes are missing in a file, with its footer and without: rows that a
// finding says are lost are in no stretch of data, before the headers of all batches
// were read and after it.
func TestWhatIsLostIsNoData(t *testing.T) {
	data := testRecording(t, recording.None)
	shown := 0
	for _, size := range []int{8, 500, 5000, len(data) / 3} {
		for part := 1; part < 20; part++ {
			at := len(data) * part / 20
			if at+size >= len(data) {
				continue
			}
			bad := append(bytes.Clone(data[:at]), data[at+size:]...)
			for _, end := range []int{len(bad), len(bad) * 39 / 40} {
				e := &Engine{}
				info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, bytes.NewReader(bad[:end]), int64(end), nil)
				if err != nil {
					continue // what is left is no recording
				}
				shown += lossesAreNoData(t, at, size, info)
				if info, err = e.Index(context.Background(), "np_0", nil); err != nil {
					t.Fatal(err)
				}
				shown += lossesAreNoData(t, at, size, info)
			}
		}
	}
	if shown < 50 {
		t.Errorf("%d losses were looked for", shown)
	}
}

// lossesAreNoData returns how many losses between two ticks there are.
func lossesAreNoData(t *testing.T, at, size int, info *StreamInfo) (n int) {
	t.Helper()
	for _, f := range info.Findings {
		if f.LostRows <= 0 || f.ClockBefore == 0 || f.ClockAfter <= f.ClockBefore {
			continue
		}
		n++
		middle := float64(f.ClockBefore) + float64(f.ClockAfter-f.ClockBefore)/2
		for _, span := range info.Coverage {
			if span.Kind == "data" && span.From < middle && middle < span.To {
				t.Errorf("%d bytes at byte %d: %d rows are lost between ticks %d and %d, where data are from %g to %g", size, at, f.LostRows, f.ClockBefore, f.ClockAfter, span.From, span.To)
			}
		}
	}
	return n
}
