package recording

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
)

// A TimeRange is what a selection by time takes of a segment.
type TimeRange struct {
	Segment int       // from 0
	Ticks   TickRange // that were asked for, by Clock
	Rows    Range     // the first and the one after the last; rows with bad ticks among them are left out
}

// selectTime finds the rows of a range of times, segment by segment.
func (x *Excerpt) selectTime(ctx context.Context, s Selection) error {
	r := x.r
	if r.clock < 0 {
		return ErrNoClock
	}
	if len(r.batches) == 0 {
		return r.outside(ctx, &RangeError{Time: s.Time, FromStart: s.FromStart})
	}
	f, err := r.follow(ctx, coarse)
	if err != nil {
		return err
	}
	segments := f.track.Segments
	if s.Segment < 0 || s.Segment > len(segments) {
		return r.outside(ctx, &RangeError{Segment: s.Segment, NoSegment: true})
	}
	asked := TickRange{0, math.MaxUint64}
	if s.Time != nil {
		asked = *s.Time
	}
	bad := r.stream.TimeColumn != "" && slices.ContainsFunc(f.track.Breaks, func(b pace.Break) bool { return b.Kind == pace.BadTicks })
	begins := slices.ContainsFunc(segments, func(s pace.Segment) bool { return s.First > s.Last }) // before 0, and ends after it
	if (bad || begins) && s.Segment == 0 && !s.FromStart {
		return x.scanTime(ctx, asked)
	}
	var empty []Range // places where nothing is
	met, begin := false, float64(0)
	for k := range segments {
		seg := &segments[k]
		length := seg.SpanTicks(f.step)
		if s.Segment > 0 && k != s.Segment-1 {
			begin += length
			continue
		}
		t := asked
		if s.FromStart {
			if s.Segment > 0 {
				begin = 0
			}
			t = sinceStart(asked, seg.First, uint64(math.Round(begin)), k > 0 && s.Segment == 0)
			begin += length
		}
		rows, bad, err := r.rowsBetween(ctx, f, seg, t)
		if err != nil {
			return err
		}
		met = met || t.From <= t.To && t.To >= seg.First && t.From <= seg.Last && (t.To > seg.First || t.From == t.To)
		if rows.Len() == 0 {
			empty = append(empty, rows)
			continue
		}
		x.times = append(x.times, TimeRange{Segment: k, Ticks: t, Rows: rows})
		x.leave(rows, bad)
	}
	x.timed, x.ticks, x.fromStart = true, asked, s.FromStart
	if s.FromStart && len(x.times) > 0 {
		x.ticks = TickRange{x.times[0].Ticks.From, x.times[len(x.times)-1].Ticks.To}
	}
	if len(x.ranges) > 0 {
		return nil
	}
	if len(empty) > 0 { // one empty range is enough to say where nothing is
		x.ranges = empty[:1]
	}
	if !met && asked.From <= asked.To && len(x.ranges) > 0 {
		lost, _ := x.Lost()
		met = len(lost) > 0 // there were rows, and they may have had these times
	}
	if met {
		return nil
	}
	return r.outside(ctx, &RangeError{Time: &asked, FromStart: s.FromStart, Segment: s.Segment})
}

// scanTime finds the rows that have times of a range by looking at each: timestamps
// promise no order.
func (x *Excerpt) scanTime(ctx context.Context, asked TickRange) error {
	rows, err := x.r.allRows(ctx)
	if err != nil {
		return err
	}
	to := int64(min(asked.To, math.MaxInt64)) // ticks of the upper half are before 0
	all := &Excerpt{r: x.r, ranges: []Range{{0, rows}}, columns: []int{x.r.clock}}
	for b, err := range all.Batches(ctx) {
		if isCorrupt(err) {
			continue
		}
		if err != nil {
			return err
		}
		ticks, _, valid := clocksOf(b, false)
		for i, t := range ticks {
			if int64(t) >= int64(asked.From) && int64(t) < to && (valid == nil || valid[i] != 0) {
				x.leave(Range{b.Start + int64(i), b.Start + int64(i) + 1}, nil)
			}
		}
	}
	if x.timed, x.ticks = true, asked; len(x.ranges) == 0 {
		return x.r.outside(ctx, &RangeError{Time: &asked})
	}
	start, end := x.Rows()
	x.times = []TimeRange{{Ticks: asked, Rows: Range{start, end}}}
	return nil
}

// Note says, where times were asked for that rows of several segments have, of which
// rows, and how many rows between have no time; else it is "".
func (x *Excerpt) Note() string {
	left := ""
	if x.badRows > 0 {
		left = messages.Counted(x.badRows, "row between is left out, whose tick is", "rows between are left out, whose ticks are") + " null, not in this time, or cannot be right"
	}
	if len(x.times) < 2 {
		return left
	}
	if left != "" {
		left = "; " + left
	}
	var parts []string
	for i, t := range x.times {
		if i == maxNoted {
			parts = append(parts, fmt.Sprintf("and of %d more", len(x.times)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("rows %d to %d of segment %d", t.Rows.Start, t.Rows.End, t.Segment+1))
	}
	what := "have these times"
	if x.fromStart {
		what = "follow each other in this time"
	}
	return fmt.Sprintf("Clock begins anew, and %d segments %s: %s", len(x.times), what, strings.Join(parts, ", ")) + left
}

// maxNoted is how many segments a note lists.
const maxNoted = 5

// sinceStart turns ticks since the first row of a recording into those of a
// segment: first is its first tick, begin how many ticks of other segments come
// before it. later says that there are some.
func sinceStart(t TickRange, first, begin uint64, later bool) TickRange {
	move := func(tick uint64) uint64 {
		switch {
		case tick == math.MaxUint64:
			return tick
		case tick < begin && later: // before the segment
			return 0
		}
		return min(tick-min(tick, begin), math.MaxUint64-1-first) + first
	}
	return TickRange{move(t.From), move(t.To)}
}

// leave appends rows to the excerpt but for those with bad ticks; what adjoins is
// one range.
func (x *Excerpt) leave(rows Range, bad []Range) {
	at := rows.Start
	add := func(end int64) {
		if n := len(x.ranges); n > 0 && x.ranges[n-1].End == at && at < end {
			x.ranges[n-1].End = end
		} else if at < end {
			x.ranges = append(x.ranges, Range{at, end})
		}
	}
	for _, b := range bad {
		if b.Start < rows.End && b.End > at {
			add(b.Start)
			x.badRows += min(b.End, rows.End) - max(b.Start, at)
			at = max(at, b.End)
		}
	}
	add(rows.End)
}

// rowsBetween finds the rows of a segment with times of a range: from the first
// good one not before it to the first after it. bad are rows among them that are
// not good.
func (r *Reader) rowsBetween(ctx context.Context, f *followed, s *pace.Segment, t TickRange) (rows Range, bad []Range, err error) {
	bad = f.bad
	find := func(tick uint64) (row int64, late bool, err error) {
		switch {
		case tick <= s.First:
			return s.Start, false, nil
		case tick > s.Last:
			row, err = r.endOf(ctx, f, s)
			return row, false, err
		}
		row, late, more, err := r.rowAt(ctx, f, s, tick)
		bad = mergeRows(bad, more)
		return row, late, err
	}
	var late bool
	if rows.Start, late, err = find(t.From); err != nil {
		return rows, nil, err
	}
	if late {
		bad = mergeRows(bad, []Range{{rows.Start + 1, rows.Start + 2}})
	}
	if rows.End, late, err = find(t.To); late {
		bad = mergeRows(bad, []Range{{rows.End, rows.End + 1}})
		rows.End += 2
	}
	rows.End = max(rows.Start, rows.End)
	return rows, bad, err
}

// endOf returns the row after the last of a segment.
func (r *Reader) endOf(ctx context.Context, f *followed, s *pace.Segment) (int64, error) {
	if s.LastBatch == len(r.batches)-1 && f.level == coarse && !f.odd[s.LastBatch] {
		return r.allRows(ctx) // it was estimated
	}
	return s.End, nil
}

// rowAt returns the first good row of a segment that is not before a tick, which
// lies in it. late says that the next row is before it, as where two are in the wrong
// order. bad are rows of the batch in which it lies whose ticks are bad.
func (r *Reader) rowAt(ctx context.Context, f *followed, s *pace.Segment, tick uint64) (row int64, late bool, bad []Range, err error) {
	lo, hi := s.FirstBatch, s.LastBatch+1 // all sure batches before lo end before tick, the one at hi does not
	for lo < hi {
		middle := lo + (hi-lo)/2
		i, ends, err := r.sureEnds(f, middle, hi)
		switch {
		case err != nil:
			return 0, false, nil, err
		case i >= 0 && ends[1] < tick:
			lo = i + 1
		default:
			hi = middle
		}
	}
	// hi is the first that may have the row; those before it of which nothing is
	// sure may, too.
	for ; lo > s.FirstBatch; lo-- {
		if i, _, err := r.sureEnds(f, lo-1, lo); err != nil {
			return 0, false, nil, err
		} else if i >= 0 {
			break
		}
	}
	if i, ends, err := r.sureEnds(f, lo, min(lo+1, s.LastBatch+1)); err != nil {
		return 0, false, nil, err
	} else if i >= 0 && ends[0] >= tick && i > s.FirstBatch {
		row, err = r.startOf(ctx, i)
		return row, false, nil, err
	}
	for i := lo; i <= s.LastBatch; i++ {
		if err := ctx.Err(); err != nil {
			return 0, false, nil, err
		}
		b, err := r.peekBatch(i, []int{r.clock})
		if isCorrupt(err) {
			continue
		}
		if err != nil {
			return 0, false, nil, err
		}
		ticks, _, valid := clocksOf(b, false)
		start, _, err := r.BatchRange(i)
		if err != nil {
			return 0, false, nil, err
		}
		known := f.bad
		if f.level < whole && (valid != nil || !slices.IsSorted(ticks)) {
			alone := pace.NewTrack("Clock", "Clock", float64(r.stream.AcqClockHz))
			alone.SetPace(pace.Pace{Period: f.period, Factor: pace.ClockGapFactor})
			alone.AddValid(i, start, ticks, nil, valid, false)
			alone.Finish()
			bad = mergeRows(bad, badRows(alone))
			known = mergeRows(known, bad)
		}
		from, to := max(0, s.Start-start), int64(len(ticks))
		if f.odd[i] {
			to = min(to, s.End-start)
		}
		for row := from; row < to; row++ {
			if ticks[row] >= tick && (valid == nil || valid[row] != 0) && !inRanges(known, start+row) {
				late = row+1 < to && ticks[row+1] < tick && (valid == nil || valid[row+1] != 0) && !inRanges(known, start+row+1)
				return start + row, late, bad, nil
			}
		}
	}
	row, err = r.endOf(ctx, f, s)
	return row, false, bad, err
}

// sureEnds returns the first and last tick of the first batch from i on, before
// stop, that has a segment alone and no bad ticks; -1 if there is none.
func (r *Reader) sureEnds(f *followed, i, stop int) (batch int, ends [2]uint64, err error) {
	for ; i < stop; i++ {
		if f.odd[i] {
			continue
		}
		if ends, err = r.clockEnds(i); err == nil {
			return i, ends, nil
		}
		if !isCorrupt(err) {
			return 0, ends, err
		}
	}
	return -1, ends, nil
}

// rangesMeet reports whether rows [start, end) meet one of some ranges, which are
// in order.
func rangesMeet(list []Range, start, end int64) bool {
	k := sort.Search(len(list), func(k int) bool { return list[k].End > start })
	return k < len(list) && list[k].Start < end
}

func inRanges(list []Range, row int64) bool { return rangesMeet(list, row, row+1) }

// mergeRows puts two lists of ranges together, in order.
func mergeRows(a, b []Range) []Range {
	if len(b) == 0 {
		return a
	}
	var list []Range
	for len(a) > 0 && len(b) > 0 {
		if a[0].Start <= b[0].Start {
			list, a = append(list, a[0]), a[1:]
		} else {
			list, b = append(list, b[0]), b[1:]
		}
	}
	return append(append(list, a...), b...)
}

// outside fills in what times the recording has.
func (r *Reader) outside(ctx context.Context, e *RangeError) error {
	if r.clock < 0 || len(r.batches) == 0 {
		return e
	}
	f, err := r.follow(ctx, coarse)
	if err != nil {
		return e // what is wrong with the range is known
	}
	if e.Rows == 0 {
		if e.Rows, err = r.allRows(ctx); err != nil {
			return e
		}
	}
	e.Segments = len(f.track.Segments)
	one := !e.NoSegment && 0 < e.Segment && e.Segment <= e.Segments
	for i := range f.track.Segments {
		s := &f.track.Segments[i]
		switch {
		case one && i != e.Segment-1:
			continue
		case one:
			e.firstRow, e.Rows, e.First, e.Last = s.Start, s.End, s.First, s.Last
			if end, err := r.endOf(ctx, f, s); err == nil {
				e.Rows = end
			}
		case i == 0:
			e.First, e.Last = s.First, s.Last
		}
		e.First, e.Last = min(e.First, s.First), max(e.Last, s.Last)
		e.elapsed += s.SpanTicks(f.step)
	}
	e.ClockHz, e.Clock = r.stream.AcqClockHz, e.Segments > 0
	return e
}
