// Package decimate reduces many values to the minimum and maximum of each
// bin, so that a pixel column shows the true extremes of its values.
//
// The functions are pure and work on typed slices. Bins are given as row
// boundaries: where a bin begins and ends in time is the caller's affair.
package decimate

import "math"

// A Number is a value that has a minimum and a maximum.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Clear fills an envelope with NaN: nothing seen in any bin.
func Clear(envelope []float32) {
	nan := float32(math.NaN())
	for i := range envelope {
		envelope[i] = nan
	}
}

// MinMax widens an envelope by values: envelope[2*b] becomes the minimum and
// envelope[2*b+1] the maximum of what it was and of the rows edges[b] up to,
// not including, edges[b+1]. NaN in an envelope means that nothing was seen
// there. A bin that spans several batches is fed batch by batch; the order of
// feeding does not matter.
//
// valid is nil, or holds one byte for each row, 0 for a null; nulls, NaN and
// rows without a byte are passed over. edges must not fall and must lie within values; MinMax
// reads min(len(envelope)/2, len(edges)-1) bins, and of edges that break the
// rule only what lies within values.
//
// The result is float32: integers beyond 2^24 are rounded to nearest.
func MinMax[T Number](envelope []float32, values []T, valid []byte, edges []int) {
	// Narrow integers get a kernel of their own: int64 locals, the width of
	// Go's WebAssembly registers, make it 1.9 times as fast there as int32
	// locals or branches on the 16-bit values (BenchmarkMinMax).
	if valid != nil {
		values = values[:min(len(values), len(valid))]
		each(envelope, len(values), edges, func(from, to int) (lo, hi float32, ok bool) {
			return extremesOfValid(values[from:to], valid[from:to])
		})
		return
	}
	switch v := any(values).(type) {
	case []int16:
		minMaxNarrow(envelope, v, edges)
	case []uint16:
		minMaxNarrow(envelope, v, edges)
	case []int8:
		minMaxNarrow(envelope, v, edges)
	case []uint8:
		minMaxNarrow(envelope, v, edges)
	default:
		each(envelope, len(values), edges, func(from, to int) (lo, hi float32, ok bool) {
			return extremes(values[from:to])
		})
	}
}

func minMaxNarrow[T int8 | int16 | uint8 | uint16](envelope []float32, values []T, edges []int) {
	for b := range min(len(envelope)/2, len(edges)-1) {
		from, to := max(0, edges[b]), min(len(values), edges[b+1])
		if from >= to {
			continue
		}
		least := int64(values[from])
		most := least
		for _, x := range values[from:to] {
			y := int64(x)
			least, most = min(least, y), max(most, y)
		}
		widen(envelope[2*b:2*b+2], float32(least), float32(most))
	}
}

func each(envelope []float32, rows int, edges []int, extremes func(from, to int) (lo, hi float32, ok bool)) {
	for b := range min(len(envelope)/2, len(edges)-1) {
		if from, to := max(0, edges[b]), min(rows, edges[b+1]); from < to {
			if lo, hi, ok := extremes(from, to); ok {
				widen(envelope[2*b:2*b+2], lo, hi)
			}
		}
	}
}

func widen(bin []float32, lo, hi float32) {
	if !(bin[0] <= lo) { // also when it is NaN
		bin[0] = lo
	}
	if !(bin[1] >= hi) {
		bin[1] = hi
	}
}

// extremes passes over NaN; ok is false if nothing is left.
func extremes[T Number](values []T) (lo, hi float32, ok bool) {
	least, most := values[0], values[0]
	for _, x := range values {
		least, most = min(least, x), max(most, x) // NaN if any is NaN
	}
	if least != least {
		return extremesOfValid(values, nil)
	}
	return float32(least), float32(most), true
}

// extremesOfValid passes over NaN and over values whose valid byte is 0;
// valid nil: none is.
func extremesOfValid[T Number](values []T, valid []byte) (lo, hi float32, ok bool) {
	var least, most T
	for i, x := range values {
		if x != x || valid != nil && valid[i] == 0 {
			continue
		}
		if !ok {
			least, most, ok = x, x, true
			continue
		}
		least, most = min(least, x), max(most, x)
	}
	return float32(least), float32(most), ok
}
