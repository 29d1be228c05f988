package decimate

import "math"

// A Bin sums up the values of a bin: extremes, number, mean, and the sum of the
// squared differences from the mean. The zero value has seen nothing.
type Bin struct {
	Min, Max float32 // valid if Count > 0; integers beyond 2^24 are rounded to nearest
	Count    int64
	Mean     float64
	Squares  float64 // of the differences from Mean
}

// SD is the standard deviation of all values of the bin about their mean; NaN
// of none.
func (b *Bin) SD() float64 {
	if b.Count == 0 {
		return math.NaN()
	}
	return math.Sqrt(b.Squares / float64(b.Count))
}

// RMS is the root mean square of the values about centre; NaN of none.
func (b *Bin) RMS(centre float64) float64 {
	if b.Count == 0 {
		return math.NaN()
	}
	d := b.Mean - centre
	return math.Sqrt(b.Squares/float64(b.Count) + d*d)
}

// Add widens b by other values of the same bin. The order changes Mean and
// Squares by rounding only.
func (b *Bin) Add(other *Bin) {
	if other.Count == 0 {
		return
	}
	if b.Count == 0 {
		*b = *other
		return
	}
	b.Min, b.Max = min(b.Min, other.Min), max(b.Max, other.Max)
	n, m := float64(b.Count), float64(other.Count)
	d := other.Mean - b.Mean
	b.Count += other.Count
	b.Mean += d * (m / (n + m))
	b.Squares += other.Squares + d*d*(n*m/(n+m))
}

// Sum adds values to bins, as MinMax widens an envelope by them: rows edges[i]
// up to, not including, edges[i+1] to bins[i]; nulls and NaN are passed over.
//
// Integers of up to 16 bits are summed exactly. Of wider ones, and of floating
// point, the differences from the first value are summed in float64, rows
// 4i, 4i+1, 4i+2 and 4i+3 of a bin apart and then ((0+1)+(2+3)), so that the
// kernel of the page, which does four at once, gives the same bits.
func Sum[T Number](bins []Bin, values []T, valid []byte, edges []int) {
	if valid != nil {
		values = values[:min(len(values), len(valid))]
	}
	for i := range min(len(bins), len(edges)-1) {
		from, to := max(0, edges[i]), min(len(values), edges[i+1])
		if from >= to {
			continue
		}
		var b Bin
		if valid != nil {
			b = sumValid(values[from:to], valid[from:to])
		} else {
			b = sumAll(values[from:to])
		}
		bins[i].Add(&b)
	}
}

func sumAll[T Number](values []T) Bin {
	switch v := any(values).(type) {
	case []int16:
		return sumNarrow(v)
	case []uint16:
		return sumNarrow(v)
	case []int8:
		return sumNarrow(v)
	case []uint8:
		return sumNarrow(v)
	}
	return sumWide(values)
}

// narrowRows is how many 16-bit values are summed in an int64 at most: their
// squares are below 2^32.
const narrowRows = 1 << 31

// sumNarrow keeps its locals in int64, for which see MinMax.
func sumNarrow[T int8 | int16 | uint8 | uint16](values []T) (all Bin) {
	for len(values) > 0 {
		part := values[:min(len(values), narrowRows-1)]
		values = values[len(part):]
		least := int64(part[0])
		most, sum, squares := least, int64(0), int64(0)
		for _, x := range part {
			y := int64(x)
			least, most = min(least, y), max(most, y)
			sum += y
			squares += y * y
		}
		b := NarrowBin(len(part), least, most, sum, squares)
		all.Add(&b)
	}
	return all
}

// NarrowBin is the bin of n > 0 integers of up to 16 bits, from their exact sums.
func NarrowBin(n int, least, most, sum, squares int64) Bin {
	mean := float64(sum) / float64(n)
	return Bin{float32(least), float32(most), int64(n), mean, max(0, float64(squares)-float64(sum)*mean)}
}

func sumWide[T Number](values []T) Bin {
	least, most := values[0], values[0]
	first := float64(values[0])
	var sums, squares [4]float64
	for i, x := range values {
		least, most = min(least, x), max(most, x) // NaN if any is NaN
		d := float64(x) - first
		sums[i&3] += d
		squares[i&3] += float64(d * d) // not fused, on any machine
	}
	if least != least {
		return sumValid(values, nil)
	}
	return WideBin(len(values), float32(least), float32(most), first, sums, squares)
}

// WideBin is the bin of n > 0 values, from the sums of their differences from
// the first of them, and of the squares of these; see Sum.
func WideBin(n int, least, most float32, first float64, sums, squares [4]float64) Bin {
	sum := (sums[0] + sums[1]) + (sums[2] + sums[3])
	square := (squares[0] + squares[1]) + (squares[2] + squares[3])
	shift := sum / float64(n)
	return Bin{least, most, int64(n), first + shift, max(0, square-sum*shift)}
}

// sumValid passes over NaN and over values whose valid byte is 0; valid nil:
// none is.
func sumValid[T Number](values []T, valid []byte) Bin {
	var least, most T
	var first, sum, square float64
	n := 0
	for i, x := range values {
		if x != x || valid != nil && valid[i] == 0 {
			continue
		}
		if n == 0 {
			least, most, first = x, x, float64(x)
		}
		n++
		least, most = min(least, x), max(most, x)
		d := float64(x) - first
		sum += d
		square += float64(d * d)
	}
	if n == 0 {
		return Bin{}
	}
	return WideBin(n, float32(least), float32(most), first, [4]float64{sum}, [4]float64{square})
}
