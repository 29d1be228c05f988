package pace

import "sort"

// Gaps judges what stood out: each segment by its own pace, where that is another than
// p, that of the recording. hz is the rate of Clock, hubHz that of HubClock, 0 if they
// are not known. Rows that are elsewhere in the file are moved, not missing; a gap of
// which nothing else is left has no LostRows.
func (t *Track) Gaps(p Pace, hz, hubHz float64) []Gap {
	gaps := t.Finder.gaps(t.paces(p), hz, hubHz)
	if len(t.Segments) > 1 {
		t.move(gaps)
	}
	return gaps
}

// paces returns the pace at a row, of the clock that shows gaps.
func (t *Track) paces(p Pace) func(row int64) Pace {
	one := func(int64) Pace { return p }
	if len(t.Segments) < 2 {
		return one
	}
	own := make([]Pace, len(t.Segments))
	for i := range t.Segments {
		if own[i] = t.Segments[i].shown; own[i].Period == 0 || like(own[i].Period, p.Period) {
			own[i] = p
		}
	}
	return func(row int64) Pace {
		return own[max(0, sort.Search(len(own), func(i int) bool { return t.Segments[i].Start > row })-1)]
	}
}

// like reports whether two periods are about the same.
func like(a, b float64) bool { return max(a-b, b-a) <= EvenTolerance*b }

// paceOf is the pace of steps of a segment, if they are enough to tell.
func paceOf(steps []uint64, factor float64) Pace {
	if len(steps) < SmallBatch {
		return Pace{}
	}
	return Of(steps, factor)
}

// mostly is the period of the segments that have the median step, where nearly all rows
// are in segments that have a period; else 0.
func (t *Track) mostly(median float64) (period float64) {
	rows, all := 0.0, 0.0
	for i := range t.Segments {
		s := &t.Segments[i]
		n := float64(s.End - s.Start)
		if all += n; s.Period > 0 {
			rows += n
			if period == 0 && like(s.Period, median) {
				period = s.Period
			}
		}
	}
	if len(t.Segments) < 2 || rows < EvenShare*all {
		return 0
	}
	return period
}

// SpanTicks is how long a segment lasts: from its first to its last tick, and one step;
// usual is that of the recording.
func (s *Segment) SpanTicks(usual float64) float64 {
	if s.Period > 0 && !like(s.Period, usual) {
		usual = s.Period
	}
	return float64(s.Last-s.First) + usual
}

// A run is rows that follow each other without a gap, by Clock.
type run struct {
	row, rows   int64
	first, last uint64
}

// move finds the rows that seem to be missing and are elsewhere: a run of rows, from
// where Clock begins anew or a gap ends to the next such place, that adjoins one end of
// the gap and lies in it.
func (t *Track) move(gaps []Gap) {
	var runs []run
	k := 0
	for i := range t.Segments {
		s := &t.Segments[i]
		r := run{row: s.Start, first: s.First}
		for ; k < len(gaps) && gaps[k].Row < s.End; k++ {
			if g := &gaps[k]; g.Row > s.Start && !g.Spread && g.ClockAfter > g.ClockBefore {
				r.rows, r.last = g.Row-r.row, g.ClockBefore
				runs = append(runs, r)
				r = run{row: g.Row, first: g.ClockAfter}
			}
		}
		r.rows, r.last = s.End-r.row, s.Last
		runs = append(runs, r)
	}
	sort.SliceStable(runs, func(i, k int) bool { return runs[i].first < runs[k].first })
	for i := range gaps {
		g := &gaps[i]
		if g.Spread || g.ClockAfter <= g.ClockBefore || g.LostRows < 1 {
			continue
		}
		step := float64(g.ClockAfter-g.ClockBefore) / float64(g.LostRows+1)
		near := func(from, to uint64) bool { return to > from && float64(to-from) <= ClockGapFactor*step }
		at, end := g.ClockBefore, g.ClockAfter
		for moved := true; moved; { // from its first missing row on
			n := sort.Search(len(runs), func(i int) bool { return runs[i].first > at })
			if moved = n < len(runs) && near(at, runs[n].first) && runs[n].last < g.ClockAfter; moved {
				g.take(&runs[n])
				at = runs[n].last
			}
		}
		for n := sort.Search(len(runs), func(i int) bool { return runs[i].first >= end }) - 1; n >= 0 && runs[n].first > at && near(runs[n].last, end); n-- {
			g.take(&runs[n])
			end = runs[n].first
		}
		if g.Moved > 0 && near(at, end) {
			g.LostRows = 0
		}
	}
}

// take counts rows that are elsewhere.
func (g *Gap) take(r *run) {
	if g.Moved == 0 {
		g.MovedTo = r.row
	}
	g.Seconds *= float64(max(0, g.LostRows-r.rows)) / float64(g.LostRows)
	g.Moved, g.LostRows = g.Moved+r.rows, max(1, g.LostRows-r.rows)
}
