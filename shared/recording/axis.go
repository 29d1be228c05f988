package recording

import (
	"math"
	"sort"
)

// An Axis lays the segments of a recording one after the other, so that time can be
// drawn: places on it rise from row to row, whatever Clock does. Differences of
// ticks are taken as integers, so that they are right also where ticks are too large
// for floating point. The zero value is that of a clock that rises: places are its
// ticks.
type Axis struct {
	Stretches []Stretch
	bad       []Range // rows that have no place by their ticks
	step      float64 // of one row
}

// A Stretch is a segment on an axis: where it is, and the Clock of its first row and
// of its last one. The next begins one row's period after its end.
type Stretch struct {
	Rows        Range
	From, To    uint64 // places of its first row and of its last one
	First, Last uint64 // their Clock
}

// ExactTicks is the number up to which floating point has every tick.
const ExactTicks = 1 << 53

// Axis lays the segments of some times one after the other. The first is where its
// Clock is, less origin, which is not above it.
func (t *Times) Axis(origin uint64) Axis {
	a := Axis{bad: mergeRows(t.Bad, t.swapped)}
	at := uint64(0)
	for i, s := range t.Segments {
		if i == 0 {
			a.step = t.step(&s)
			at = s.ClockFirst - min(origin, s.ClockFirst)
		}
		a.Stretches = append(a.Stretches, Stretch{Range{s.Start, s.End}, at, at + (s.ClockLast - s.ClockFirst), s.ClockFirst, s.ClockLast})
		step := s.shorter(a.step)
		if i+1 < len(t.Segments) { // so that a line goes on there
			step = t.Segments[i+1].shorter(step)
		}
		at += s.ClockLast - s.ClockFirst + max(1, uint64(math.Round(step)))
	}
	return a
}

// shorter is a step, or that of the segment where that is shorter.
func (s *Segment) shorter(step float64) float64 {
	if s.period > 0 && s.period < step {
		return s.period
	}
	return step
}

// step is one row's period in a segment.
func (t *Times) step(s *Segment) float64 {
	switch {
	case t.Period > 0:
		return t.Period
	case s.End-s.Start > 1:
		return float64(s.ClockLast-s.ClockFirst) / float64(s.End-s.Start-1)
	}
	return 1
}

// Span returns the place of the first of some rows, and that after the last.
// Rows before the first segment and after the last have places, too.
func (a *Axis) Span(rows Range) (from, to uint64) {
	if len(a.Stretches) == 0 {
		return uint64(rows.Start), uint64(rows.End)
	}
	first, last := &a.Stretches[0], &a.Stretches[len(a.Stretches)-1]
	from = moved(first.From, -float64(max(0, first.Rows.Start-rows.Start))*a.step)
	to = moved(last.To, float64(max(0, rows.End-last.Rows.End))*a.step) + max(1, uint64(math.Round(a.step)))
	return from, to
}

// Odd reports whether among some rows, the first and the last of them, are bad ticks,
// or whether they are not all of one stretch.
func (a *Axis) Odd(rows Range) bool {
	if len(a.Stretches) == 0 {
		return false
	}
	s := &a.Stretches[a.at(rows.Start)]
	return rows.Start < s.Rows.Start || rows.End > s.Rows.End || rangesMeet(a.bad, rows.Start, rows.End)
}

// Grow says that rows may come after the last.
func (a *Axis) Grow() {
	if n := len(a.Stretches); n > 0 {
		s := &a.Stretches[n-1]
		s.Rows.End, s.Last, s.To = ToEnd, math.MaxUint64, math.MaxUint64
	}
}

// Plain reports whether places are ticks: nothing is moved, no tick is bad.
func (a *Axis) Plain() bool {
	return len(a.bad) == 0 && (len(a.Stretches) == 0 || len(a.Stretches) == 1 && a.Stretches[0].From == a.Stretches[0].First)
}

// at returns the number of the last stretch that begins at or before a row, 0 before
// the first.
func (a *Axis) at(row int64) int {
	return max(0, sort.Search(len(a.Stretches), func(i int) bool { return a.Stretches[i].Rows.Start > row })-1)
}

// Places turns the ticks of rows from row on into places, in place. Rows whose ticks
// cannot be right, or that are in the wrong order, are where they would be if rows
// came evenly.
func (a *Axis) Places(row int64, ticks []uint64) {
	if a.Plain() || len(a.Stretches) == 0 {
		return
	}
	k := a.at(row)
	bad := sort.Search(len(a.bad), func(i int) bool { return a.bad[i].End > row })
	good := -1 // the last row that has a place
	for i := range ticks {
		at := row + int64(i)
		for k+1 < len(a.Stretches) && a.Stretches[k+1].Rows.Start <= at {
			k++
		}
		for bad < len(a.bad) && a.bad[bad].End <= at {
			bad++
		}
		s := &a.Stretches[k]
		if bad < len(a.bad) && a.bad[bad].Start <= at || at < s.Rows.Start || at >= s.Rows.End || ticks[i] < s.First || ticks[i] > s.Last {
			continue
		}
		ticks[i] = ticks[i] - s.First + s.From
		a.between(row, ticks, good, i)
		good = i
	}
	a.between(row, ticks, good, len(ticks))
}

// between gives places to the rows between two that have theirs; -1 and len(ticks)
// are none.
func (a *Axis) between(row int64, ticks []uint64, low, high int) {
	for i := low + 1; i < high; i++ {
		switch {
		case high < len(ticks) && low < 0:
			ticks[i] = moved(ticks[high], -float64(high-i)*a.step)
		case low >= 0:
			ticks[i] = moved(ticks[low], float64(i-low)*a.step)
		default:
			s := &a.Stretches[a.at(row+int64(i))]
			ticks[i] = moved(s.From, float64(row+int64(i)-s.Rows.Start)*a.step)
		}
		if low >= 0 && high < len(ticks) {
			ticks[i] = min(ticks[i], ticks[high])
		}
	}
}

// moved is a place so many ticks further on, not below 0.
func moved(place uint64, by float64) uint64 {
	if by < 0 {
		return place - min(place, uint64(-by))
	}
	return place + uint64(by)
}

// Place returns the place of a tick near a row.
func (a *Axis) Place(row int64, tick uint64) uint64 {
	if len(a.Stretches) == 0 {
		return tick
	}
	s := &a.Stretches[a.at(row)]
	if tick < s.First {
		return s.From - min(s.From, s.First-tick)
	}
	return s.From + (tick - s.First)
}

// Clock returns the tick at a place, and the number of its stretch. A place after the
// end of a stretch counts on from there, until the next begins; one before the first
// counts back.
func (a *Axis) Clock(place uint64) (tick uint64, stretch int) {
	if len(a.Stretches) == 0 {
		return place, 0
	}
	k := max(0, sort.Search(len(a.Stretches), func(i int) bool { return a.Stretches[i].From > place })-1)
	s := &a.Stretches[k]
	if place < s.From {
		return s.First - min(s.First, s.From-place), k
	}
	return s.First + min(place-s.From, math.MaxUint64-s.First), k
}
