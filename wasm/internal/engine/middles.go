package engine

import "math"

// When the rows of a bin were recorded.

// middles gives the tick of the middle row of each bin of a batch. Clock is read
// only where its ends say that it does not rise evenly.
func (e *Engine) middles(s *openStream, batch, rows, level int) ([]float64, error) {
	n := binsIn(rows, level)
	middle := func(j int) int { return min(rows-1, j<<level+1<<level/2) }
	ticks := make([]float64, n)
	s.mu.Lock()
	first, last, sure, err := s.line.at(batch)
	even := !sure || s.even(first, last, rows)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if even {
		step := 0.0
		if rows > 1 {
			step = (last - first) / float64(rows-1)
		}
		for j := range ticks {
			ticks[j] = first + step*float64(middle(j))
		}
		return ticks, nil
	}
	known, err := e.everyTick(s, batch)
	if err != nil {
		return nil, err
	}
	for j := range ticks {
		if m := middle(j); known == nil { // damage in Clock only: as if it were even
			ticks[j] = first + (last-first)*float64(m)/math.Max(1, float64(rows-1))
		} else {
			ticks[j] = known[min((m+tickRows-1)/tickRows, len(known)-1)]
		}
	}
	return ticks, nil
}

// tickRows is how far apart the ticks lie that are kept of a batch that is not
// even: the middle of a bin of any level is one of them, or the last row.
const tickRows = 1 << minTileLevel / 2

// everyTick gives the ticks of each tickRows-th row of a batch, and of the last;
// nil if its Clock is damaged.
func (e *Engine) everyTick(s *openStream, batch int) ([]float64, error) {
	key := cacheKey{s, batch, ofTicks, minTileLevel}
	if kept, ok := e.cache.get(key).([]float64); ok {
		return kept, nil
	}
	read, err := e.read(s, []int{batch}, []int{s.clock}, nil, false)
	if err != nil || read[0].err != nil {
		return nil, err
	}
	all, _, err := s.splitClock(batch, partRead{}, read[0].vectors)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var ticks []float64
	for row := 0; row < len(all)-1; row += tickRows {
		ticks = append(ticks, float64(all[row]))
	}
	ticks = append(ticks, float64(all[len(all)-1]))
	e.cache.putOne(key, ticks, int64(8*len(ticks)))
	return ticks, nil
}

// even reports whether a batch that begins and ends at these ticks has its rows
// evenly between them, so that nothing is missing inside; the caller holds s.mu.
// That takes the period to be known: from following the clock, or from the first
// batch and the last agreeing.
func (s *openStream) even(first, last float64, rows int) bool {
	if s.clock < 0 {
		return true
	}
	fits := func(first, last, rows, period float64) bool {
		return period > 0 && math.Abs(last-first-(rows-1)*period) <= evenWithin*period
	}
	if s.times != nil {
		return fits(first, last, float64(rows), s.period)
	}
	period := s.samplePeriod()
	for _, b := range []int{0, len(s.line.places) - 1} {
		p := s.line.places[b]
		if p.state != trusted || !fits(p.first, p.last, s.rowsOf(b), period) {
			return false
		}
	}
	return fits(first, last, float64(rows), period)
}

// evenWithin is by how many periods the ends of an even batch may be off; one
// missing row is a whole one.
const evenWithin = 0.75
