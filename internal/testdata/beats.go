package testdata

import (
	"encoding/binary"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Beats records one column besides Clock in batches of 100 rows. A tick is a
// millisecond; the Clock of each row is given. s may say more of the stream.
func Beats(tb testing.TB, s stream.Stream, clocks []uint64) []byte {
	tb.Helper()
	s.AcqClockHz = 1000
	s.Columns = []stream.Column{{Name: "Value", Type: stream.Uint16}, {Name: "Clock", Type: stream.Uint64}}
	var f Memory
	w, err := recording.NewWriter(&f, &s, recording.WriterOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	for len(clocks) > 0 {
		n := min(100, len(clocks))
		values, ticks := make([]byte, 2*n), make([]byte, 8*n)
		for i, c := range clocks[:n] {
			binary.LittleEndian.PutUint64(ticks[8*i:], c)
		}
		if _, err := w.WriteBatch(n, []recording.Vector{{Data: values}, {Data: ticks}}); err != nil {
			tb.Fatal(err)
		}
		clocks = clocks[n:]
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return f.Data
}

// Seconds are n clocks of a row a second from second from on, for Beats.
func Seconds(from, n int) []uint64 {
	clocks := make([]uint64, n)
	for i := range clocks {
		clocks[i] = uint64(1000 * (from + i))
	}
	return clocks
}
