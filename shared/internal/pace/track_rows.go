package pace

import "slices"

// An added batch is looked at row by row. Good rows that follow each other go to
// the finder of gaps together.
type added struct {
	t          *Track
	batch      int
	row        int64
	ticks      []uint64
	clock, hub []uint64
	from, to   int    // good rows that the finder has not seen; from -1: none
	again      bool   // rows of the same batch were added before
	hubStep    uint64 // the usual one of hub; 0: not looked at
}

// keep counts the rows [from, to) as good ones of the segment that goes on.
func (b *added) keep(from, to int) {
	t := b.t
	if b.from >= 0 && b.to != from || t.loss {
		b.flush()
	}
	if b.from < 0 {
		b.from = from
	}
	b.to = to
	t.goodRows(b.batch, b.row+int64(to), b.ticks[from:to])
}

// goodRows takes rows up to a row into the segment that goes on. What was lost
// before them is damage, and no gap.
func (t *Track) goodRows(batch int, end int64, ticks []uint64) {
	if n := len(t.Breaks); n > 0 && !t.Breaks[n-1].ended {
		t.Breaks[n-1].After, t.Breaks[n-1].ended = ticks[0], true
	}
	if t.loss {
		t.loss, t.fed = false, false
	}
	if t.prev = t.last; len(ticks) > 1 {
		t.prev = ticks[len(ticks)-2]
	}
	t.last, t.row = ticks[len(ticks)-1], end-1
	s := &t.Segments[len(t.Segments)-1]
	s.End, s.Last, s.LastBatch = end, t.last, batch
}

// flush gives good rows to the finder.
func (b *added) flush() {
	if b.from < 0 {
		return
	}
	t := b.t
	part := func(all []uint64) []uint64 {
		if all == nil {
			return nil
		}
		return all[b.from:b.to]
	}
	if shown := part(b.shown()); shown != nil {
		t.Finder.Add(b.batch, b.row+int64(b.from), shown, part(b.clock), t.fed)
		t.fed = true
	} else {
		t.fed = false
	}
	s := &t.Segments[len(t.Segments)-1]
	for i, n := b.from+1, max(1, (b.to-b.from)/64); i < b.to && len(s.steps) < segmentSteps; i += n {
		if step := b.ticks[i] - b.ticks[i-1]; step > 0 {
			s.steps = append(s.steps, step)
		}
		if b.hub != nil && b.clock != nil && b.hub[i] > b.hub[i-1] {
			s.beside = append(s.beside, b.hub[i]-b.hub[i-1])
		}
	}
	t.remember(b.ticks[b.from:b.to])
	if n := b.to - b.from - 1; n > s.stretch && t.usual.Period > 0 {
		period, steps := EvenStretch(b.ticks[b.from:b.to], t.usual)
		if steps > s.stretch {
			s.Period, s.stretch = period, steps
		}
		if steps > t.steps {
			t.period, t.steps = period, steps
		}
	}
	b.from = -1
}

// shown are the ticks of the clock that shows gaps; nil if not every row has one.
func (b *added) shown() []uint64 {
	if b.t.Finder.Column == b.t.Column {
		return b.ticks
	}
	return b.hub
}

// wait puts a row aside.
func (b *added) wait(i int) {
	w := waiting{batch: b.batch, row: b.row + int64(i), tick: b.ticks[i], inside: i > 0 || b.again}
	if b.clock != nil {
		w.clock = b.clock[i : i+1 : i+1]
	}
	if shown := b.shown(); shown != nil {
		w.shown = shown[i : i+1 : i+1]
	}
	if last, ok := b.lastShown(); ok && b.t.open {
		w.alone = b.alone(b.t.last, last, b.t.row, i)
	}
	b.t.waits = append(b.t.waits, w)
}

// lastShown is the tick of HubClock in the last good row.
func (b *added) lastShown() (tick uint64, ok bool) {
	switch {
	case b.hub == nil:
		return 0, false
	case b.from >= 0:
		return b.hub[b.to-1], true
	}
	last := &b.t.Finder.Last
	return last.Tick, b.t.fed && last.OK && last.Row == b.t.row
}

// alone reports whether from a row before on Clock is further ahead than HubClock says
// that rows are missing.
func (b *added) alone(tick, hub uint64, row int64, i int) bool {
	t := b.t
	if b.clock == nil || b.hub == nil || t.usual.Period == 0 || b.ticks[i] < tick || b.hub[i] <= hub ||
		float64(b.ticks[i]-tick) <= aloneSteps*t.usual.Period {
		return false
	}
	if b.hubStep == 0 {
		f := NewFinder(t.Finder.Column)
		f.Usual(b.hub)
		if b.hubStep = uint64(max(1, f.Pace().Period)); b.hubStep == 1 {
			b.hubStep = uint64(max(1, t.Finder.small()))
		}
	}
	return float64(b.hub[i]-hub) <= GapFactor*float64(b.hubStep)*float64(b.row+int64(i)-row)
}

// take decides about a row that is not simply the next.
func (b *added) take(i int) {
	t, tick := b.t, b.ticks[i]
	if len(t.waits) == 0 {
		switch {
		case t.open && tick >= t.last && (t.loss && tick-t.last <= t.longest() || tick-t.last <= t.far()):
			b.keep(i, i+1)
		case t.open && tick < t.last && tick > t.prev && tick-t.prev <= t.far(): // the last one was wrong
			if b.swapped(i) {
				b.swap(i)
				return
			}
			b.doubt()
			b.keep(i, i+1)
		default:
			b.wait(i)
		}
		return
	}
	first, before := &t.waits[0], &t.waits[len(t.waits)-1]
	follows := tick > before.tick && tick-before.tick <= t.far() || t.usual.Period == 0 && tick == before.tick && tick > 0
	switch {
	case !t.open:
		switch {
		case before.shown != nil && b.alone(before.tick, before.shown[0], before.row, i):
			b.bad()
			b.wait(i)
		case follows, tick > before.tick && before.tick > 0 && tick-before.tick <= t.lone():
			b.flush()
			t.begin(Restart)
			b.take(i)
		default:
			b.bad()
			b.wait(i)
		}
	case first.tick > t.last || first.tick == t.last: // far ahead
		switch {
		case tick < before.tick: // it was the one that was wrong
			b.bad()
			b.take(i)
		case first.alone, first.tick-t.last > t.longest():
			if !follows {
				b.bad()
				b.take(i)
				return
			}
			if b.wait(i); len(t.waits) >= confirmRows {
				b.flush()
				t.begin(Jump)
			}
		default:
			b.accept()
			b.take(i)
		}
	case b.goesOn(i):
		b.bad()
		b.keep(i, i+1)
	case follows:
		if b.wait(i); len(t.waits) >= confirmRows {
			b.flush()
			t.begin(Restart)
		}
	default:
		b.bad()
		b.take(i)
	}
}

// goesOn reports whether a row goes on from the last good one, over those that
// wait.
func (b *added) goesOn(i int) bool {
	t, tick := b.t, b.ticks[i]
	if tick < t.last {
		return false
	}
	step := tick - t.last
	if t.usual.Period == 0 {
		return step <= t.longest()
	}
	rows := float64(b.row + int64(i) - t.row)
	return float64(step) <= (1+EvenTolerance)*rows*t.usual.Period+float64(t.far())
}

// bad gives the rows that wait up.
func (b *added) bad() {
	b.flush()
	b.t.discard()
}

// accept takes the rows that wait into the segment: rows are missing before them.
func (b *added) accept() {
	t := b.t
	if first := t.waits[0].row - b.row; first >= 0 && (b.from < 0 || b.to == int(first)) { // they are rows of this batch
		n := len(t.waits)
		t.waits = t.waits[:0]
		b.keep(int(first), int(first)+n)
		return
	}
	b.flush()
	t.admit()
}

// swapped reports whether a row and the one before, which is pending, would rise as
// evenly as the others if they came the other way round.
func (b *added) swapped(i int) bool {
	t := b.t
	usual := func(step uint64) bool {
		d := float64(step) - t.usual.Period
		return max(d, -d) <= EvenTolerance*t.usual.Period
	}
	return t.usual.Period > 0 && b.from >= 0 && b.to == i && usual(b.ticks[i]-t.prev) && usual(t.last-b.ticks[i]) &&
		(i+1 == len(b.ticks) || b.ticks[i+1] > t.last)
}

// swap takes two rows that are in the wrong order into the segment, as if they were in
// the right one.
func (b *added) swap(i int) {
	t := b.t
	turned := func(ticks []uint64) []uint64 { // the caller's stay as they are
		if ticks == nil || ticks[i] > ticks[i-1] {
			return ticks
		}
		ticks = slices.Clone(ticks)
		ticks[i-1], ticks[i] = ticks[i], ticks[i-1]
		return ticks
	}
	before := t.prev
	b.ticks, b.clock, b.hub = turned(b.ticks), turned(b.clock), turned(b.hub)
	t.broke(Break{Kind: Swap, Batch: b.batch, Row: b.row + int64(i) - 1, Rows: 2, Inside: true, Tick: b.ticks[i], Before: before, After: b.ticks[i-1], ended: true})
	b.keep(i, i+1)
	t.prev = b.ticks[i-1]
}

// doubt takes the last good row back: the next lies between it and the one before.
func (b *added) doubt() {
	t := b.t
	s := &t.Segments[len(t.Segments)-1]
	bad := Break{Kind: BadTicks, Batch: s.LastBatch, Row: t.row, Rows: 1, Inside: true, Tick: t.last, Before: t.prev}
	if b.from >= 0 {
		if b.to--; b.to == b.from {
			b.from = -1
		}
	} else {
		t.Finder.Unclaim(t.row)
		t.Finder.Last.OK = false
		t.recent = t.recent[:max(0, len(t.recent)-1)]
	}
	t.last, s.Last, t.row = t.prev, t.prev, t.row-1
	t.broke(bad)
}

// discard notes the rows that wait as bad ticks.
func (t *Track) discard() {
	for i := range t.waits {
		w := &t.waits[i]
		var before uint64
		if t.open {
			before = t.last
		}
		t.broke(Break{Kind: BadTicks, Batch: w.batch, Row: w.row, Rows: 1, Inside: w.inside, Tick: w.tick, Before: before})
	}
	t.waits = t.waits[:0]
}

// admit takes the rows that wait into the segment that goes on.
func (t *Track) admit() {
	for i := range t.waits {
		w := &t.waits[i]
		t.goodRows(w.batch, w.row+1, []uint64{w.tick})
		if w.shown != nil {
			t.Finder.Add(w.batch, w.row, w.shown, w.clock, t.fed)
		}
		t.fed = w.shown != nil
		t.recent = append(t.recent, w.tick)
	}
	t.waits = t.waits[:0]
}

// begin makes a segment of the rows that wait.
func (t *Track) begin(kind BreakKind) {
	w := t.waits[0]
	if t.open {
		if len(t.Segments) >= MaxSegments {
			t.discard()
			return
		}
		n := int64(0)
		if kind == Restart {
			if n = t.again(); n > 0 {
				kind = Repeat
			}
		}
		t.broke(Break{Kind: kind, Batch: w.batch, Row: w.row, Rows: n, Inside: w.inside, Tick: w.tick, Before: t.last, After: w.tick, ended: true})
	}
	t.Segments = append(t.Segments, Segment{Start: w.row, End: w.row, First: w.tick, Last: w.tick, FirstBatch: w.batch, LastBatch: w.batch})
	t.open, t.fed, t.recent, t.last = true, false, t.recent[:0], w.tick
	t.admit()
}

// again returns how many rows come twice if those that wait do: from the same
// tick to the last before them.
func (t *Track) again() int64 {
	at, found := slices.BinarySearch(t.recent, t.waits[0].tick)
	if !found || at == 0 && t.waits[0].tick == t.Segments[len(t.Segments)-1].First {
		return 0
	}
	for i := range t.waits {
		if at+i < len(t.recent) && t.recent[at+i] != t.waits[i].tick {
			return 0
		}
	}
	return int64(len(t.recent) - at)
}

// settle decides about the rows that wait where nothing follows.
func (t *Track) settle() {
	if len(t.waits) == 0 {
		return
	}
	first, n := t.waits[0].tick, len(t.waits)
	switch {
	case !t.open:
		if first == 0 && t.rows > int64(n) {
			t.discard()
			return
		}
		t.begin(Restart)
	case first >= t.last && first-t.last <= t.lone() && !t.waits[0].alone:
		t.admit()
	case n > 1:
		kind := Restart
		if first >= t.last {
			kind = Jump
		}
		t.begin(kind)
	default:
		t.discard()
	}
}
