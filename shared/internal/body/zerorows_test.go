package body

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Rows that are 0 in all columns are the same whether they are found value by
// value or many bytes at once.
func TestRowsOfZerosAreThoseOfEachValue(t *testing.T) {
	const rows = 1000
	for _, width := range []int{8, 16, 24, 32, 64, 128} {
		t.Run(fmt.Sprintf("values of %d bits", width), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, uint64(width)))
			for range 50 {
				b := &batchCheck{zeros: []interval{{0, rows}}}
				want := slices.Repeat([]bool{true}, rows)
				for range 3 {
					w := width / 8
					data := make([]byte, rows*w)
					for range r.IntN(6) {
						from := r.IntN(rows)
						for i := from; i < min(rows, from+1+r.IntN(60)); i++ {
							data[i*w+r.IntN(w)] = byte(r.IntN(3)) // some stay 0
						}
					}
					for i := range want {
						want[i] = want[i] && !slices.ContainsFunc(data[i*w:i*w+w], func(x byte) bool { return x != 0 })
					}
					b.keepZeros(data, width, nil)
				}
				if list := runsOf(want); !slices.Equal(b.zeros, list) {
					t.Fatalf("rows of zeros: got %v, want %v", b.zeros, list)
				}
			}
		})
	}
}

// runsOf lists the runs of true that are long enough to be reported.
func runsOf(rows []bool) (list []interval) {
	for i := 0; i < len(rows); i++ {
		from := i
		for i < len(rows) && rows[i] {
			i++
		}
		if i-from >= ZeroRun {
			list = append(list, interval{int64(from), int64(i)})
		}
	}
	return list
}
