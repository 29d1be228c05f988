package recovery

import (
	"math/rand/v2"
	"testing"
)

// Values at both ends of a range are counted as one by one, whatever shortcut the
// extremes allow.
func TestClippedValuesAreThoseInRuns(t *testing.T) {
	const lo, hi = 100, 103
	r := rand.New(rand.NewPCG(3, 5))
	for range 5000 {
		values := make([]uint16, 1+r.IntN(40))
		from, n := r.IntN(7), 1+r.IntN(4)
		for i := range values {
			if values[i] = uint16(98 + from + r.IntN(n)); i > 0 && r.IntN(3) > 0 {
				values[i] = values[i-1]
			}
		}
		run := 1 + r.IntN(12)
		wantLo, wantHi := 0, 0
		for i := range values {
			length := func(at func(uint16) bool) (n int) {
				if !at(values[i]) {
					return 0
				}
				first, end := i, i
				for first > 0 && at(values[first-1]) {
					first--
				}
				for end < len(values) && at(values[end]) {
					end++
				}
				return end - first
			}
			if length(func(x uint16) bool { return x <= lo }) >= run {
				wantLo++
			}
			if length(func(x uint16) bool { return x >= hi }) >= run {
				wantHi++
			}
		}
		if atLo, atHi := clipped(values, lo, hi, run); atLo != int64(wantLo) || atHi != int64(wantHi) {
			t.Fatalf("%v, runs of %d: %d and %d, want %d and %d", values, run, atLo, atHi, wantLo, wantHi)
		}
	}
}
