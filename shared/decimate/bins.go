package decimate

import "sort"

// Bins are a span of ticks cut into N bins of equal width, as many as there
// are pixel columns.
type Bins struct {
	From, To float64 // ticks, half-open
	N        int
}

// Edge is the tick at which bin b begins; Edge(N) is To.
func (v Bins) Edge(b int) float64 {
	if b >= v.N {
		return v.To
	}
	return v.From + (v.To-v.From)*(float64(b)/float64(v.N))
}

// Bin is the one for which Edge(Bin) <= tick < Edge(Bin+1); ticks outside go to
// the first and last.
func (v Bins) Bin(tick float64) int {
	b := int(float64(v.N) * ((tick - v.From) / (v.To - v.From)))
	b = min(max(b, 0), v.N-1)
	for b > 0 && tick < v.Edge(b) { // rounding: at most a step or two
		b--
	}
	for b < v.N-1 && tick >= v.Edge(b+1) {
		b++
	}
	return b
}

// Rows cuts rows, by their ticks, into the bins that they fall in: rows
// edges[i] up to edges[i+1] are in bin first+i. edges is nil if no row is
// between From and To. ticks must not fall.
func (v Bins) Rows(ticks []uint64) (first int, edges []int) {
	lo, hi := RowAt(ticks, v.From), RowAt(ticks, v.To)
	if lo >= hi {
		return 0, nil
	}
	first = v.Bin(float64(ticks[lo]))
	last := v.Bin(float64(ticks[hi-1]))
	edges = make([]int, 1, last-first+2)
	edges[0] = lo
	for b := first + 1; b <= last; b++ {
		at := edges[len(edges)-1]
		edges = append(edges, at+RowAt(ticks[at:hi], v.Edge(b)))
	}
	return first, append(edges, hi)
}

// RowAt is the first row whose tick is not below t; ticks must not fall.
func RowAt(ticks []uint64, t float64) int {
	if len(ticks) == 0 || float64(ticks[0]) >= t {
		return 0
	}
	// Clocks are nearly even: look where the row would be if they were, then
	// close in by doubling steps.
	n := len(ticks)
	span := float64(ticks[n-1]) - float64(ticks[0])
	if float64(ticks[n-1]) < t {
		return n
	}
	at := n - 1
	if span > 0 {
		at = min(n-1, int((t-float64(ticks[0]))/span*float64(n-1)))
	}
	lo, hi := 0, n-1 // ticks[lo] < t <= ticks[hi]
	for step := 1; ; step *= 2 {
		if float64(ticks[at]) < t {
			lo = at
			if at = min(hi, at+step); float64(ticks[at]) >= t {
				hi = at
				break
			}
		} else {
			hi = at
			if at = max(lo, at-step); float64(ticks[at]) < t {
				lo = at
				break
			}
		}
	}
	return lo + 1 + sort.Search(hi-lo-1, func(i int) bool { return float64(ticks[lo+1+i]) >= t })
}
