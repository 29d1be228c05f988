package recording

import (
	"context"

	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/stream"
)

// Follow follows the clocks of the rows of an excerpt, every one of them: it
// reads their HubClock and Clock, once. What Times says of a recording it says of
// these rows alone. Gaps are in the clock named by Gap.Column; of a stream of
// events, or one without a clock, there are none, and Period is 0.
//
// Damaged batches are passed over: what they lack is no gap but a finding. The
// error is that of ctx or the source's.
func (x *Excerpt) Follow(ctx context.Context) (Times, error) {
	if x.followed == nil {
		t, err := x.follow(ctx)
		if err != nil {
			return Times{}, err
		}
		x.followed = &t
	}
	return *x.followed, nil
}

func (x *Excerpt) follow(ctx context.Context) (Times, error) {
	r := x.r
	s := r.Stream()
	hub, hasHub := s.HubClock()
	clock, hasClock := s.Clock()
	var columns []int
	var column, shown string
	switch {
	case hasClock && hasHub:
		columns, column, shown = []int{clock, hub}, s.Columns[clock].Name, stream.HubClockName
	case hasClock:
		columns, column, shown = []int{clock}, s.Columns[clock].Name, s.Columns[clock].Name
	case hasHub:
		columns, column, shown = []int{hub}, stream.HubClockName, stream.HubClockName
	default:
		return Times{}, nil
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
			return Times{}, err
		}
		ticks, beside, valid := clocksOf(b, hasClock && hasHub)
		if !hasClock {
			ticks, beside = nil, ticks
			if valid != nil {
				beside = nil
			}
		}
		if r.odd.afterLoss[b.Index] && b.Start == r.starts[b.Index] {
			adjoining = false
		}
		// Between two ranges of an excerpt rows are left out, not missing.
		track.AddValid(b.Index, b.Start, ticks, beside, valid, adjoining && (next < 0 || next == b.Start))
		adjoining, next = true, b.Start+int64(b.Rows)
	}
	track.Finish()
	p := track.Finder.Pace()
	t := Times{Period: p.Period, Gaps: gapsOf(track.Gaps(p, float64(s.AcqClockHz), float64(s.HubClockHz)))}
	r.explainGaps(t.Gaps)
	if hasClock {
		f := followed{level: whole, track: track, bad: badRows(track)}
		f.period, f.step = track.Step()
		if t.Period > 0 && hasHub {
			t.Period = f.step // of Clock
		}
		t.segments(&f, float64(s.AcqClockHz))
		if s.TimeColumn != "" { // they promise nothing
			t.Gaps = nil
			return t, nil
		}
		t.Findings = Breaks(track, r.offset, r.zeroBatch())
	}
	return t, nil
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
