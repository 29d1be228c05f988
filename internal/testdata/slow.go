package testdata

import (
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// SlowFile writes one signal of a value in stride rows, value k at row
// stride*k, in the given layout, next to a fast column and both clocks.
func SlowFile(t testing.TB, layout string, stride int, values []uint16, batches []int) []byte {
	t.Helper()
	slow := stream.Column{Name: "LfpData0", Type: stream.Uint16}
	switch layout {
	case "repeat":
		slow.Stride = stride
	case "ree", "merged":
		slow.RunEnd, slow.Stride = true, stride
	case "ree without metadata", "merged without metadata":
		slow.RunEnd = true
	case "nulls":
		slow.Nullable = true
	}
	s := &stream.Stream{Name: "slow", AcqClockHz: 1000, Columns: []stream.Column{slow, {Name: "SpikeData0", Type: stream.Uint16}, {Name: "HubClock", Type: stream.Uint64}, {Name: "Clock", Type: stream.Uint64}}}
	f := &Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	row := 0
	for _, rows := range batches {
		var slowV, fast, hub, clock recording.Vector
		for i := range rows {
			at := row + i
			x := values[at/stride]
			if layout == "nulls" {
				valid := byte(0)
				if at%stride == 0 {
					valid = 1
				} else {
					x = 0
				}
				slowV.Valid = append(slowV.Valid, valid)
			}
			slowV.Data = append(slowV.Data, LE16(x)...)
			fast.Data = append(fast.Data, LE16(uint16(at*7919))...)
			hub.Data = append(hub.Data, LE64(uint64(1400*at+17))...)
			clock.Data = append(clock.Data, LE64(uint64(8333*at+1000))...)
			if strings.HasPrefix(layout, "ree") && ((at+1)%stride == 0 || i == rows-1) {
				slowV.RunEnds = append(slowV.RunEnds, int32(i+1))
			}
		}
		if _, err := w.WriteBatch(rows, []recording.Vector{slowV, fast, hub, clock}); err != nil {
			t.Fatal(err)
		}
		row += rows
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}
