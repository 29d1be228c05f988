package pace

import "slices"

// How a clock is followed. A clock rises from row to row, by about as much each
// time, or more where rows were lost. What does not is told apart by what comes
// after it: ticks that the rows after them do not go on from are bad; a clock that
// goes on from a lower tick, row by row, has begun anew, and so has one that is
// further ahead than any gap would explain. So a row that falls, or is far ahead,
// waits for the two after it before it counts.
//
// A stretch of rows whose Clock rises is a segment. Bad ticks belong to none.

const (
	// confirmRows is how many rows in a row must rise for a clock to have begun
	// anew: a bad tick or two make no segment.
	confirmRows = 3

	// farSteps is how many usual steps a row may be ahead of the one before
	// without waiting for the next: a gap of a few rows is nothing to doubt.
	farSteps = 8

	// loneSteps is how many usual steps may be missing beside a row that stands
	// alone, at an end of what is known: about an hour at 30 kHz. More is believed
	// of rows that others follow only.
	loneSteps = 1e8

	// aloneSteps is how many usual steps Clock may be ahead while HubClock shows that
	// nothing is missing: frames may wait on their way to the controller.
	aloneSteps = 256

	// maxGapSeconds is the longest gap: a clock further ahead is another one.
	// Where its rate is not known it is so many ticks.
	maxGapSeconds = 7 * 24 * 3600
	maxGapTicks   = 1 << 47

	// MaxSegments bounds what is kept: a column that falls more often is no clock.
	MaxSegments = 1 << 16
	maxBreaks   = 1 << 16

	recentTicks  = 1 << 16 // in which a buffer that came twice is looked for
	segmentSteps = 255     // that the pace of a segment is measured from
)

// A Segment is a stretch of rows whose clock rises.
type Segment struct {
	Start, End  int64   // rows, half-open; rows with bad ticks may be among them
	First, Last uint64  // ticks of its first and of its last row
	Period      float64 // ticks from row to row; 0: not even, or not looked at
	FirstBatch  int
	LastBatch   int

	steps   []uint64
	beside  []uint64 // the same of the clock that shows gaps, where that is another
	shown   Pace     // of that clock; no period: not even, or not looked at
	stretch int      // steps of the even stretch that Period is of
}

// A BreakKind says what became of a clock.
type BreakKind uint8

// The kinds of breaks. All but bad ticks and swapped rows begin a segment.
const (
	BadTicks BreakKind = iota // of some rows, which the clock goes on around
	Restart                   // it begins anew
	Repeat                    // rows come again
	Jump                      // it is further ahead than a gap explains
	Swap                      // two rows are in the wrong order: neither is lost, and both ticks are right

	BreakKinds int = iota
)

// A Break is where a clock does not rise as it should.
type Break struct {
	Kind   BreakKind
	Batch  int
	Row    int64  // the first with bad ticks, or of the new segment
	Rows   int64  // that have bad ticks, or that came again
	Inside bool   // it lies inside a batch, not between two
	Tick   uint64 // of that row
	Before uint64 // the last tick before it that is good; 0: none
	After  uint64 // the first good tick from it on; 0: none

	ended bool // After is known
}

// A Track follows the clocks of a recording from batch to batch: it finds
// segments, breaks, and, by a Finder, gaps. Batches come in the order of the file.
type Track struct {
	Finder   Finder    // of the clock that shows gaps
	Segments []Segment // so far; the last one may go on
	Breaks   []Break
	Falls    int // breaks that were not kept
	Untimed  Untimed

	Column string // the one that is followed

	hz     float64
	usual  Pace    // of the clock that is followed, as far as known
	period float64 // the same over the longest even stretch, and its steps
	steps  int
	sample Finder

	open   bool   // there is a segment, and the last one goes on
	last   uint64 // its last tick
	prev   uint64 // the tick before it; the same where that was not looked at
	row    int64  // of the last tick
	fed    bool   // the finder has seen that row
	loss   bool   // something is missing after it
	rows   int64  // that were added
	batch  int    // that was added last
	waits  []waiting
	recent []uint64 // ticks of the segment, the latest last; of batches that were looked at
}

// A waiting row has a tick that the rows after it decide about.
type waiting struct {
	batch        int
	row          int64
	tick         uint64
	shown, clock []uint64 // one tick of the clock that shows gaps, and of Clock; nil if there is none
	inside       bool
	alone        bool // Clock is far ahead, and HubClock is not: no gap explains it
}

// NewTrack follows the clock of a column, of hz ticks a second, 0 if that is not
// known. Gaps are shown by it, or by another clock of the same rows.
func NewTrack(column, shown string, hz float64) *Track {
	return &Track{Column: column, Finder: NewFinder(shown), hz: hz, sample: NewFinder("Clock")}
}

// Step is how far the clock is from one row to the next: period where it is even,
// else 0; median of events, too, 0 if no two rows follow each other.
func (t *Track) Step() (period, median float64) {
	sample := slices.Clone(t.sample.Sample)
	if p := Of(sample, ClockGapFactor); p.Period > 0 {
		if t.steps >= SmallBatch {
			return t.period, t.period
		}
		return p.Period, p.Period
	}
	if len(sample) > 0 {
		median = float64(sample[len(sample)/2])
		if p := t.mostly(median); p > 0 {
			return p, p
		}
	}
	return 0, median
}

// SetPace says how Clock steps, where that was measured before.
func (t *Track) SetPace(p Pace) { t.usual = p }

// Settled reports whether no row waits for those after it.
func (t *Track) Settled() bool { return t.open && len(t.waits) == 0 }

// Last returns the last tick of the segment that goes on.
func (t *Track) Last() (tick uint64, ok bool) { return t.last, t.open }

// Pass takes a batch into the last segment that is known to rise evenly in it and
// from the batch before on, by its ends.
func (t *Track) Pass(batch int, row, rows int64, first, last uint64) {
	s := &t.Segments[len(t.Segments)-1]
	s.End, s.Last, s.LastBatch = row+rows, last, batch
	t.last, t.prev, t.row, t.loss, t.fed = last, last, row+rows-1, false, false
	t.rows += rows
	t.recent = t.recent[:0]
	t.Finder.Last.OK = false
}

// Reach says which row comes next, where the number of rows that were passed was an
// estimate.
func (t *Track) Reach(row int64) {
	if t.open && t.Settled() {
		t.Segments[len(t.Segments)-1].End, t.row = row, row-1
	}
}

// Recall shows the batch that was passed last, for what comes after it.
func (t *Track) Recall(ticks, hub []uint64) {
	n := len(ticks)
	if n == 0 || ticks[n-1] != t.last {
		return
	}
	t.remember(ticks)
	t.prev = ticks[max(0, n-2)]
	shown := ticks
	if hub != nil {
		shown = hub
	}
	if len(shown) == n {
		t.Finder.Last, t.fed = Row{Row: t.row, Tick: shown[n-1], Clock: t.last, OK: true}, true
	}
}

// Add follows the ticks of a batch, or of the next rows of one that is too large to be
// read at once; the first of them has the number row. clock is
// nil without a column Clock, hub without HubClock; where both are there they have
// as many ticks. adjoining says that nothing is known to be missing between the
// batch added before and this one.
func (t *Track) Add(batch int, row int64, clock, hub []uint64, adjoining bool) {
	ticks := clock
	if clock == nil {
		ticks = hub
	}
	if len(ticks) == 0 {
		t.loss = t.loss || !adjoining
		return
	}
	if !adjoining || len(t.waits) > 0 && t.waits[len(t.waits)-1].row != row-1 {
		t.settle()
		t.loss = true
	}
	t.learn(row, ticks)
	b := &added{t: t, batch: batch, row: row, ticks: ticks, clock: clock, hub: hub, from: -1, again: t.rows > 0 && t.batch == batch}
	t.batch = batch
	for i := 0; i < len(ticks); i++ {
		if t.open && len(t.waits) == 0 && !t.loss { // nearly always
			limit, last := t.far(), t.last
			from := i
			for i < len(ticks) && ticks[i]-last <= limit {
				last = ticks[i]
				i++
			}
			if i > from {
				b.keep(from, i)
			}
			if i == len(ticks) {
				break
			}
		}
		b.take(i)
	}
	b.flush()
	t.rows += int64(len(ticks))
}

// Finish ends the recording.
func (t *Track) Finish() {
	t.settle()
	for i := range t.Segments {
		s := &t.Segments[i]
		if s.stretch < SmallBatch && s.steps != nil {
			s.Period = Of(s.steps, ClockGapFactor).Period
		}
		if s.beside == nil && t.Finder.Column == t.Column {
			s.beside = s.steps
		}
		if s.beside != nil {
			s.shown = paceOf(s.beside, t.Finder.Factor)
		}
		s.steps, s.beside = nil, nil
	}
}

// learn updates the usual step by a batch.
func (t *Track) learn(row int64, ticks []uint64) {
	if len(ticks) < SmallBatch && t.usual.Period > 0 && len(t.sample.Sample) > 4*SmallBatch {
		return
	}
	before := len(t.sample.Sample)
	t.sample.Usual(ticks)
	n := len(t.sample.Sample)
	if len(ticks) < SmallBatch && n == before && t.open && ticks[0] > t.last {
		t.sample.Keep((ticks[0] - t.last) / uint64(max(1, row-t.row)))
		n++
	}
	if len(ticks) >= SmallBatch { // as this batch goes, if it is even
		recent := NewFinder("Clock")
		recent.Usual(ticks)
		if p := recent.Pace(); p.Period > 0 {
			t.usual = p
			return
		}
	}
	if before/SmallBatch != n/SmallBatch || t.usual.Period == 0 && n >= 2 && n <= SmallBatch {
		t.usual = Of(slices.Clone(t.sample.Sample[max(0, len(t.sample.Sample)-8*SmallBatch):]), ClockGapFactor)
	}
}

// far is the longest step that is not worth waiting for what follows.
func (t *Track) far() uint64 {
	if t.usual.Period == 0 {
		return t.longest()
	}
	return uint64(min(farSteps*t.usual.Period, maxGapTicks))
}

// longest is the longest gap, in ticks.
func (t *Track) longest() uint64 {
	if t.hz > 0 {
		return uint64(maxGapSeconds * t.hz)
	}
	return maxGapTicks
}

// lone is the longest gap beside a row that stands alone.
func (t *Track) lone() uint64 {
	if t.usual.Period == 0 {
		return t.longest()
	}
	return min(t.longest(), uint64(loneSteps*t.usual.Period))
}

// remember keeps the latest ticks of a segment.
func (t *Track) remember(ticks []uint64) {
	ticks = ticks[max(0, len(ticks)-recentTicks):]
	if n := len(t.recent); n+len(ticks) > 2*recentTicks {
		t.recent = append(t.recent[:0], t.recent[max(0, n-recentTicks):]...)
	}
	t.recent = append(t.recent, ticks...)
}

// broke notes a break; bad ticks of rows that follow each other are one.
func (t *Track) broke(b Break) {
	if n := len(t.Breaks); b.Kind == BadTicks && n > 0 {
		if p := &t.Breaks[n-1]; p.Kind == BadTicks && p.Row+p.Rows == b.Row && !p.ended {
			p.Rows += b.Rows
			return
		}
	}
	if len(t.Breaks) == maxBreaks {
		t.Falls++
		return
	}
	t.Breaks = append(t.Breaks, b)
}
