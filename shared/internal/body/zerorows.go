package body

import (
	"slices"
)

// ZeroRun is how many rows must be 0 in all columns to be reported: as many as a
// lost disk sector of 512 bytes takes from a column of 8 bytes.
const ZeroRun = 64

// An interval is rows [start, end).
type interval struct{ start, end int64 }

// keepZeros keeps of the rows that are 0 so far those that are 0 in this
// column too. ends are its run ends, or nil.
func (b *batchCheck) keepZeros(data []byte, width int, ends []int64) {
	if n := len(b.zeros); n > 0 {
		b.scanned = 0
		b.zeroRows(0, b.zeros[n-1].end, data, width, ends)
		b.keepZeroRows()
	}
}

// keepZeroRows ends what zeroRows has begun.
func (b *batchCheck) keepZeroRows() {
	b.zeros, b.kept = slices.DeleteFunc(b.kept, func(z interval) bool { return z.end-z.start < ZeroRun }), b.zeros[:0]
}

// zeroRows looks for rows that are 0 so far, and in this column too, among some rows from
// base on, whose values are data. Pieces of a column come in order.
func (b *batchCheck) zeroRows(base, rows int64, data []byte, width int, ends []int64) {
	w := int64(width / 8)
	isZero := func(i int64) bool {
		if width == 1 {
			return data[i/8]>>(i%8)&1 == 0
		}
		return AllZero(data[i*w : (i+1)*w])
	}
	keep := func(start, end int64) {
		if n := len(b.kept); n > 0 && start == base && b.kept[n-1].end == base && end > start {
			b.kept[n-1].end = end // it goes on from the piece before
		} else if end-start >= ZeroRun || end > start && (start == base || end == base+rows) {
			b.kept = append(b.kept, interval{start, end})
		}
	}
	for b.scanned < len(b.zeros) && b.zeros[b.scanned].end <= base {
		b.scanned++
	}
	for _, z := range b.zeros[b.scanned:] {
		if z.start >= base+rows {
			break
		}
		// By rows of the piece.
		from, to := max(z.start, base)-base, min(z.end-base, rows)
		run := 0
		start := from // of the zeros in hand
		for row := from; row < to; {
			if ends == nil && width%8 == 0 { // a quiet column is all zeros: many bytes at once
				if row = zerosFrom(data[:to*w], row*w) / w; row == to {
					break
				}
			}
			value, next := row, row+1
			if ends != nil {
				skip, _ := slices.BinarySearch(ends[run:], row+1)
				run += skip
				value, next = int64(run), min(ends[run], to)
			}
			if !isZero(value) {
				keep(base+start, base+row)
				start = next
			}
			row = next
		}
		keep(base+start, base+to)
	}
}
