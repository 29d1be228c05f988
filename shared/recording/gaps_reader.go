package recording

import (
	"context"

	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/stream"
)

// Gaps finds the stretches without rows in an excerpt of a stream that delivers
// evenly, in order, and the even step: ticks of the clock named by Gap.Column
// from row to row, 0 for a stream of events or one without a clock, which has no
// gaps. It reads HubClock and Clock of these rows.
//
// Damaged batches are passed over: what they lack is no gap but a finding. The
// error is that of ctx or the source's.
func (r *Reader) Gaps(ctx context.Context, x *Excerpt) (gaps []Gap, period float64, err error) {
	s := r.Stream()
	hub, hasHub := s.HubClock()
	clock, hasClock := s.Clock()
	var columns []int
	column, shown := stream.ClockName, stream.ClockName
	switch {
	case hasClock && hasHub:
		columns, column, shown = []int{clock, hub}, s.Columns[clock].Name, stream.HubClockName
	case hasClock:
		columns, column, shown = []int{clock}, s.Columns[clock].Name, s.Columns[clock].Name
	case hasHub:
		columns, column, shown = []int{hub}, stream.HubClockName, stream.HubClockName
	default:
		return nil, 0, nil
	}
	track := pace.NewTrack(column, shown, float64(s.AcqClockHz))
	clocks := &Excerpt{r: r, ranges: x.ranges, columns: columns}
	adjoining := true
	next := int64(-1)
	for b, err := range clocks.Batches(ctx) {
		if isCorrupt(err) {
			adjoining = false
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		ticks, beside := clocksOf(b, hasClock && hasHub)
		if !hasClock {
			ticks, beside = nil, ticks
		}
		if r.batches[b.Index].afterLoss && b.Start == r.starts[b.Index] {
			adjoining = false
		}
		// Between two ranges of an excerpt rows are left out, not missing.
		track.Add(b.Index, b.Start, ticks, beside, adjoining && (next < 0 || next == b.Start))
		adjoining, next = true, b.Start+int64(b.Rows)
	}
	track.Finish()
	p := track.Finder.Pace()
	gaps = gapsOf(track.Finder.Gaps(p, float64(s.AcqClockHz), float64(s.HubClockHz)))
	r.explainGaps(gaps)
	return gaps, p.Period, nil
}

// maxExplained bounds the batches whose metadata are read for the causes of
// gaps.
const maxExplained = 1000

// explainGaps adds the causes that the recorder wrote with the rows. A batch
// that cannot be read has none.
func (r *Reader) explainGaps(gaps []Gap) {
	lost := map[int][]LostRows{}
	of := func(batch int) []LostRows {
		list, ok := lost[batch]
		if !ok && len(lost) < maxExplained && batch < len(r.batches) {
			if h, err := r.header(batch); err == nil {
				list = lostFrom(h.metadata)
			}
			lost[batch] = list
		}
		return list
	}
	for i := range gaps {
		g := &gaps[i]
		if g.Explain(of(g.Batch)); g.Cause == "" {
			g.Explain(of(g.Batch + 1))
		}
	}
}
