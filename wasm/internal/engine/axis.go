package engine

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// What the page calls ticks are places on an axis: Clock itself, as long as it rises
// and floating point has every tick of it. Where Clock begins anew, its segments lie
// one after the other; where its ticks are above 2^53, they are counted from an
// origin, the same for the streams of a page as far as that goes. StreamInfo.Axis says
// which Clock a place is.

// A StretchInfo is a part of the axis. JSON as in protocol.d.ts.
type StretchInfo struct {
	Start int64   `json:"start"` // rows, half open
	End   int64   `json:"end"`
	From  float64 `json:"from"` // places of the first row and of the last one
	To    float64 `json:"to"`
	First string  `json:"first"` // their Clock, in digits
	Last  string  `json:"last"`
}

// originRoom is how far from the first tick of the first stream the origin is, so that
// streams that begin earlier have places, too.
const originRoom = 1 << 51

// originOf is what is counted from, where the first tick of a stream is this.
func (e *Engine) originOf(first uint64) uint64 {
	if first < recording.ExactTicks {
		return 0
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if first < e.origin || first-e.origin >= 2*originRoom {
		e.origin = first - originRoom
	}
	return e.origin
}

// since is how many ticks after an origin one is, 0 if it is not; a clock may pass 0.
func since(tick, origin uint64) uint64 {
	if d := tick - origin; origin == 0 || int64(d) > 0 {
		return d
	}
	return 0
}

// sinceOrigin counts ticks from the origin.
func (s *openStream) sinceOrigin(ticks []uint64) []uint64 {
	if s.origin == 0 {
		return ticks
	}
	ticks = slices.Clone(ticks)
	for i, t := range ticks {
		ticks[i] = since(t, s.origin)
	}
	return ticks
}

// placesOf gives the places of the rows of a batch; the caller holds s.mu.
func (s *openStream) placesOf(batch int, ticks []uint64) ([]uint64, error) {
	start, _, err := s.blockRange(batch)
	if err != nil {
		return nil, err
	}
	places := slices.Clone(ticks)
	s.axis.Places(start, places)
	return rising(places), nil
}

// placeEnds is readEnds where places are not ticks.
func (s *openStream) placeEnds(batch int) (first, last uint64, ok bool, err error) {
	start, end, err := s.blockRange(batch)
	if err != nil || start == end {
		return 0, 0, false, err
	}
	if !s.axis.Odd(recording.Range{Start: start, End: end}) {
		if first, last, err = s.blockEnds(batch); err == nil {
			return s.axis.Place(start, first), s.axis.Place(end-1, last), true, nil
		}
	} else if b, e := s.peek(batch, s.clock); e == nil {
		places, err := s.placesOf(batch, clockValues(&plotVector{Vector: b.Columns[0]}))
		if err != nil || len(places) == 0 {
			return 0, 0, false, err
		}
		return places[0], places[len(places)-1], true, nil
	} else {
		err = e
	}
	if damaged(err) {
		s.broken[batch] = err
		return 0, 0, false, nil
	}
	return 0, 0, false, err
}

// layOut makes the axis of what following the clock found. What was placed before is
// forgotten if it moves.
func (e *Engine) layOut(s *openStream) {
	axis := s.times.Axis(s.origin)
	if axis.Plain() && s.axis.Plain() {
		return
	}
	s.axis = axis
	s.line = newTimeline(s.numBlocks(), s.readEnds)
	s.broken = map[int]error{} // some for their Clock alone
	s.coarse = nil
	e.cache.forget(s)
}

// gapSpan is where a gap lies on the axis.
func (s *openStream) gapSpan(g *recording.Gap) (from, to float64) {
	return float64(s.axis.Place(g.Row, g.ClockBefore)), float64(s.axis.Place(g.Row, g.ClockAfter))
}

// lossSpan is where rows that a finding is about were lost; 0 is unknown.
func (s *openStream) lossSpan(f *recording.Finding) (from, to float64) {
	place := func(row int64, tick uint64) float64 {
		if tick == 0 {
			return 0
		}
		if s.axis.Plain() {
			return float64(since(tick, s.origin))
		}
		return float64(s.axis.Place(row, tick))
	}
	return place(max(0, f.BeforeRow-1), f.ClockBefore), place(f.BeforeRow, f.ClockAfter)
}

// axisInfo describes the axis; nothing where places are ticks.
func (s *openStream) axisInfo(first, last float64) []StretchInfo {
	list := []StretchInfo{}
	digits := func(tick uint64) string { return strconv.FormatInt(int64(tick), 10) } // before 0 too, see stream.Seconds
	if s.axis.Plain() {
		if s.origin > 0 { // not yet followed
			rows, _ := s.reader.Rows()
			list = append(list, StretchInfo{0, rows, first, last, digits(s.origin + uint64(first)), digits(s.origin + uint64(last))})
		}
		return list
	}
	if len(s.axis.Stretches) == 1 && s.axis.Stretches[0].From == s.axis.Stretches[0].First {
		return list // nothing but bad ticks
	}
	for i := range s.axis.Stretches {
		a := &s.axis.Stretches[i]
		list = append(list, StretchInfo{a.Rows.Start, a.Rows.End, float64(a.From), float64(a.To), digits(a.First), digits(a.Last)})
	}
	return list
}

// firstClock is the Clock of the first row that has one.
func (s *openStream) firstClock(place float64) float64 {
	if s.times != nil && len(s.times.Segments) > 0 {
		return stream.Seconds(s.times.Segments[0].ClockFirst, 1)
	}
	return place + float64(s.origin)
}

// rowAtPlace is the first row at or after a place; the caller holds s.mu.
func (s *openStream) rowAtPlace(ctx context.Context, place uint64) (int64, error) {
	rows, _ := s.reader.Rows()
	if len(s.axis.Stretches) == 0 {
		return s.rowOfTick(ctx, recording.Selection{Time: &recording.TickRange{From: place + s.origin, To: math.MaxUint64}}, rows)
	}
	tick, k := s.axis.Clock(place)
	next := rows
	if k+1 < len(s.axis.Stretches) {
		next = s.axis.Stretches[k+1].Rows.Start
	}
	if tick > s.axis.Stretches[k].Last {
		return next, nil
	}
	return s.rowOfTick(ctx, recording.Selection{Time: &recording.TickRange{From: tick, To: math.MaxUint64}, Segment: k + 1}, next)
}

// rowOfTick is the first row of a selection, otherwise where there is none.
func (s *openStream) rowOfTick(ctx context.Context, wanted recording.Selection, otherwise int64) (int64, error) {
	x, err := s.reader.Select(ctx, wanted)
	var outside *recording.RangeError
	if errors.As(err, &outside) {
		return otherwise, nil
	}
	if err != nil {
		return 0, err
	}
	start, end := x.Rows()
	if start == end {
		return otherwise, nil
	}
	return start, nil
}

// placeRows gives the places of rows from row on, whose Clock v has from a row of its
// own on.
func (s *openStream) placeRows(places []*float64, row int64, v *recording.Vector, from int) {
	all := clockValues(&plotVector{Vector: *v})[from : from+len(places)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.axis.Plain() {
		all = s.sinceOrigin(all)
	} else {
		all = slices.Clone(all)
		s.axis.Places(row, all)
	}
	for i, at := range all {
		if v.Valid == nil || v.Valid[from+i] != 0 {
			place := float64(at)
			places[i] = &place
		}
	}
}
