package body

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Rows that are 0 in all columns are the same whether they are found value by
// value or many bytes at once, in all of a column or in pieces of it.
func TestRowsOfZerosAreThoseOfEachValue(t *testing.T) {
	const rows = 1000
	for _, width := range []int{8, 16, 24, 32, 64, 128} {
		t.Run(fmt.Sprintf("values of %d bits", width), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, uint64(width)))
			for range 50 {
				b := &batchCheck{zeros: []interval{{0, rows}}}
				cut := &batchCheck{zeros: []interval{{0, rows}}}
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
					cut.scanned = 0
					for from := 0; from < rows; {
						to := min(rows, from+1+r.IntN(200))
						cut.zeroRows(int64(from), int64(to-from), data[from*w:to*w], width, nil)
						from = to
					}
					cut.keepZeroRows()
				}
				if !slices.Equal(cut.zeros, b.zeros) {
					t.Fatalf("rows of zeros: in pieces %v, else %v", cut.zeros, b.zeros)
				}
				if list := runsOf(want); !slices.Equal(b.zeros, list) {
					t.Fatalf("rows of zeros: got %v, want %v", b.zeros, list)
				}
			}
		})
	}
}

// Zeros of a buffer are the same in all of it and in pieces of it.
func TestZerosInPiecesAreThoseOfTheBuffer(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 3))
	for range 2000 {
		n, at := 1+r.IntN(6000), int64(r.IntN(1000))
		p := make([]byte, n)
		for i := range p {
			p[i] = 1
		}
		for range r.IntN(4) {
			from := r.IntN(n)
			clear(p[from:min(n, from+r.IntN(3000))])
		}
		part := zeroPart{column: 3, bits: 8}
		whole, cut := &batchCheck{c: &Checker{}}, &batchCheck{c: &Checker{}}
		whole.zeroParts(p, at, part)
		part.start, part.end = at, at+int64(n)
		s := zeroScan{part: part}
		for from := 0; from < n; {
			to := min(n, from+1+r.IntN(1500))
			s.feed(cut, p[from:to], at+int64(from))
			from = to
		}
		s.end(cut)
		same := slices.EqualFunc(whole.c.parts, cut.c.parts, func(a, b zeroPart) bool {
			return a.from == b.from && a.to == b.to && a.first == b.first && a.last == b.last
		})
		if !same {
			t.Fatalf("of %d bytes at %d: %+v in pieces, %+v else", n, at, cut.c.parts, whole.c.parts)
		}
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
