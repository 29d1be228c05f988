package main

import "sort"

// A view is a span of ticks cut into pixel columns of equal width.
type view struct {
	from, to float64 // ticks, half-open
	bins     int
}

// edge is the tick at which bin b begins; edge(bins) is the end of the view.
func (v view) edge(b int) float64 {
	if b >= v.bins {
		return v.to
	}
	return v.from + (v.to-v.from)*(float64(b)/float64(v.bins))
}

// bin is the one for which edge(bin) <= tick < edge(bin+1); ticks outside the
// view go to the first and last.
func (v view) bin(tick float64) int {
	b := int(float64(v.bins) * ((tick - v.from) / (v.to - v.from)))
	b = min(max(b, 0), v.bins-1)
	for b > 0 && tick < v.edge(b) { // rounding: at most a step or two
		b--
	}
	for b < v.bins-1 && tick >= v.edge(b+1) {
		b++
	}
	return b
}

// rowsOfBins cuts the rows of one batch by the bins that they fall in: rows
// edges[i] up to edges[i+1] are in bin first+i. edges is nil if no row is in
// the view. ticks must not fall.
func (v view) rowsOfBins(ticks []uint64) (first int, edges []int) {
	lo, hi := rowAt(ticks, v.from), rowAt(ticks, v.to)
	if lo >= hi {
		return 0, nil
	}
	first = v.bin(float64(ticks[lo]))
	last := v.bin(float64(ticks[hi-1]))
	edges = make([]int, 1, last-first+2)
	edges[0] = lo
	for b := first + 1; b <= last; b++ {
		at := edges[len(edges)-1]
		edges = append(edges, at+rowAt(ticks[at:hi], v.edge(b)))
	}
	return first, append(edges, hi)
}

// rowAt is the first row whose tick is not below t; ticks must not fall.
func rowAt(ticks []uint64, t float64) int {
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

// evenRows cuts rows into bins first up to, not including, end, of nearly
// equal size, for data that stand for a span without being placed in it.
func evenRows(rows, first, end int) (edges []int) {
	edges = make([]int, end-first+1)
	for i := range edges {
		edges[i] = int(int64(rows) * int64(i) / int64(end-first))
	}
	return edges
}
