package engine

import (
	"github.com/oniscope/oniscope/shared/decimate"
)

// A view is a span of ticks cut into pixel columns of equal width.
type view struct {
	from, to float64 // ticks, half-open
	bins     int
}

func (v view) pixels() decimate.Bins { return decimate.Bins{From: v.from, To: v.to, N: v.bins} }

// edge is the tick at which bin b begins; edge(bins) is the end of the view.
func (v view) edge(b int) float64 { return v.pixels().Edge(b) }

// bin is the one that a tick falls in.
func (v view) bin(tick float64) int { return v.pixels().Bin(tick) }

// rowsOfBins cuts the rows of one batch by the bins that they fall in; see
// decimate.Bins.Rows.
func (v view) rowsOfBins(ticks []uint64) (first int, edges []int) { return v.pixels().Rows(ticks) }

// evenRows cuts rows into bins first up to, not including, end, of nearly
// equal size, for data that stand for a span without being placed in it.
func evenRows(rows, first, end int) (edges []int) {
	edges = make([]int, end-first+1)
	for i := range edges {
		edges[i] = int(int64(rows) * int64(i) / int64(end-first))
	}
	return edges
}
