package recording

import (
	"fmt"
	"math"
	"slices"
)

// How gaps are found. A stream that delivers evenly has a clock that steps by
// the same number of ticks from row to row; a step of more than gapFactor
// periods means that rows were lost before they reached the file. The period
// is the median of steps from all over the file, so that neither a gap nor a
// bad first pair shifts it. HubClock, stamped where the sample is packed, is
// believed before Clock, which varies by queuing at the host. Streams of events
// have no even pace, and no gaps.
//
// The finder is fed batch by batch and keeps what stands out; it judges at the
// end, when the period is known. Its memory grows with the batches, not with
// the rows.

const (
	// ClockGapFactor is how many periods of Clock two rows must be apart for
	// a gap to be claimed: its jitter would make gaps where none are. For
	// HubClock gapFactor is enough. Source: onix-devices 9.2.
	ClockGapFactor = 1.75
	gapFactor      = 1.5

	// A stream is even if evenShare of its steps lie within evenTolerance of
	// their median. Of events that come at random, a sixth does.
	evenShare     = 0.8
	evenTolerance = 0.25

	maxPaceSteps    = 1 << 16 // steps that the period is taken from
	stepsPerBatch   = 255     // of them from one batch
	smallBatch      = 32      // rows; the steps of smaller batches are all kept
	gapsPerBatch    = 64      // told one by one; the rest of a batch as one
	hiddenLossShare = 0.02    // of a batch's rows that may seem missing by drift
)

// A Gap is a stretch without rows inside a stream that delivers evenly: rows
// that were lost before they were recorded.
type Gap struct {
	Batch       int     // of the first row behind it
	Row         int64   // number of that row
	Column      string  // the clock that shows it: HubClock, or Clock if there is no HubClock
	Ticks       uint64  // of that clock, from the row before it to the row behind it
	LostRows    int64   // estimated by the pace
	Seconds     float64 // that are missing; 0 if no clock rate is known
	ClockBefore uint64  // Clock of the row before it; 0 without a Clock
	ClockAfter  uint64  // Clock of the row behind it
	Spread      bool    // many small gaps from this row to the end of its batch, told as one
}

// A pace is the even step of a clock from row to row.
type pace struct {
	period float64 // ticks; 0: not even, or too few rows to tell
	factor float64
}

// paceOf finds the pace of steps, which it sorts.
func paceOf(steps []uint64, factor float64) pace {
	if len(steps) < 2 {
		return pace{}
	}
	slices.Sort(steps)
	median := float64(steps[len(steps)/2])
	if median == 0 {
		return pace{}
	}
	n, sum := 0.0, 0.0
	for _, s := range steps {
		if d := float64(s) - median; math.Abs(d) <= evenTolerance*median {
			n, sum = n+1, sum+d
		}
	}
	if n < evenShare*float64(len(steps)) {
		return pace{}
	}
	return pace{median + sum/n, factor} // finer than one tick
}

// EvenPeriod returns the step of ticks from one row to the next, or 0 if it is
// not even: rows that come with events.
func EvenPeriod(ticks []uint64) float64 {
	f := newGapFinder("Clock")
	f.usual(ticks)
	return f.pace().period
}

// lost is how many rows are missing where rows rows took so many ticks; 0 if
// that is no gap.
func (p pace) lost(ticks uint64, rows int64) int64 {
	periods := float64(ticks) / p.period
	if p.period == 0 || periods <= float64(rows-1)+p.factor {
		return 0
	}
	return int64(min(math.Round(periods), math.MaxInt64/2)) - rows
}

// A gapFinder finds gaps in ticks that it is given batch after batch.
type gapFinder struct {
	column string
	factor float64

	sample []uint64 // steps from all over the file
	every  int      // of the steps offered, one in so many is kept
	offer  int

	steps   []longStep
	batches []batchPace
	odd     []oddTicks

	last tickedRow // of the batch before
}

// A tickedRow is a row with its ticks; clock is 0 if there is no Clock.
type tickedRow struct {
	row         int64
	tick, clock uint64
	ok          bool
}

// A longStep may be a gap.
type longStep struct {
	batch       int
	before, now tickedRow
	border      bool // between two batches
}

// A batchPace is what a batch showed as a whole.
type batchPace struct {
	batch       int
	first, last tickedRow
}

// oddTicks are rows of one batch whose ticks cannot be right.
type oddTicks struct {
	batch     int
	row       int64 // the first
	rows      int64
	duplicate bool // each has the tick of the row before; else: it lies outside those around
	before    tickedRow
	after     uint64 // Clock behind them
}

func newGapFinder(column string) gapFinder {
	f := gapFinder{column: column, factor: gapFactor, every: 1}
	if column == "Clock" {
		f.factor = ClockGapFactor
	}
	return f
}

// add looks at the ticks of a batch whose first row has the number row. clock
// is nil, or the column Clock of the same rows. adjoining says that nothing is
// known to be missing between the batch added before and this one.
func (f *gapFinder) add(batch int, row int64, ticks, clock []uint64, adjoining bool) {
	n := len(ticks)
	if n == 0 {
		return
	}
	at := func(i int) tickedRow {
		t := tickedRow{row: row + int64(i), tick: ticks[i], ok: true}
		if i < len(clock) {
			t.clock = clock[i]
		}
		return t
	}
	before := f.last
	first, end := at(0), at(n-1)
	f.last = end
	rises := ticks[0] <= ticks[n-1]
	longest := f.usual(ticks)
	if before.ok && adjoining {
		step := ticks[0] - before.tick
		if n < smallBatch && ticks[0] > before.tick {
			f.keep(step)
		}
		switch {
		case ticks[0] < before.tick:
			f.unclaim(before.row)
			rows := slices.IndexFunc(ticks, func(t uint64) bool { return t >= before.tick })
			if rows < 0 {
				rows = n
			}
			f.odd = append(f.odd, oddTicks{batch: batch, row: row, rows: int64(rows), before: before, after: first.clock})
		case ticks[0] == before.tick:
			f.odd = append(f.odd, oddTicks{batch: batch, row: row, rows: 1, duplicate: true, before: before, after: first.clock})
		case step > longest:
			f.steps = append(f.steps, longStep{batch, before, first, true})
		}
	}
	f.inside(batch, at, ticks, rises, longest)
	if rises {
		f.batches = append(f.batches, batchPace{batch, first, end})
	}
}

// inside looks at the steps between the rows of one batch.
func (f *gapFinder) inside(batch int, at func(int) tickedRow, ticks []uint64, rises bool, longest uint64) {
	kept := 0
	odd, same := oddTicks{batch: batch}, oddTicks{batch: batch, duplicate: true}
	note := func(o *oddTicks, high, i int) {
		if o.rows == 0 {
			o.row, o.before = at(i).row, at(high)
		}
		o.after = at(i).clock
		o.rows++
	}
	high := 0 // the last row whose tick can be believed
	for i := 1; i < len(ticks); i++ {
		if step := ticks[i] - ticks[high]; step-1 < longest && high == i-1 {
			high = i
			continue
		}
		switch {
		case ticks[i] < ticks[high] || rises && ticks[i] > ticks[len(ticks)-1]:
			note(&odd, high, i)
			if rises {
				continue // a later row may fit again
			}
			f.unclaim(at(high).row)
		case ticks[i] == ticks[high]:
			note(&same, high, i)
		case kept < gapsPerBatch || len(ticks) < smallBatch:
			f.steps = append(f.steps, longStep{batch, at(high), at(i), false})
			kept++
		}
		high = i
	}
	for _, o := range []oddTicks{odd, same} {
		if o.rows > 0 {
			f.odd = append(f.odd, o)
		}
	}
}

// unclaim takes back the step up to a row whose tick turned out too high.
func (f *gapFinder) unclaim(row int64) {
	if n := len(f.steps); n > 0 && f.steps[n-1].now.row == row {
		f.steps = f.steps[:n-1]
	}
	if n := len(f.batches); n > 0 && f.batches[n-1].last.row == row {
		f.batches = f.batches[:n-1]
	}
}

// usual offers steps of a batch to the sample and returns how long a step may
// be without standing out: 0 in batches too small to tell.
func (f *gapFinder) usual(ticks []uint64) uint64 {
	var steps [stepsPerBatch]uint64
	n := 0
	last := len(ticks) - 1
	count := min(last, stepsPerBatch)
	for k := range count {
		i := 1 + k*last/count
		if ticks[i] > ticks[i-1] {
			steps[n] = ticks[i] - ticks[i-1]
			f.keep(steps[n])
			n++
		}
	}
	if len(ticks) < smallBatch || n == 0 {
		return 0
	}
	slices.Sort(steps[:n])
	median := steps[n/2]
	return median + median/4
}

// keep offers a step to the sample.
func (f *gapFinder) keep(step uint64) {
	if f.offer++; f.offer%f.every != 0 {
		return
	}
	if len(f.sample) == maxPaceSteps {
		for i := range maxPaceSteps / 2 {
			f.sample[i] = f.sample[2*i+1]
		}
		f.sample = f.sample[:maxPaceSteps/2]
		f.every *= 2
	}
	f.sample = append(f.sample, step)
}

// pace tells the pace of what was added.
func (f *gapFinder) pace() pace { return paceOf(f.sample, f.factor) }

// gaps judges what stood out. hz is the rate of Clock, hubHz that of HubClock,
// 0 if they are not known.
func (f *gapFinder) gaps(p pace, hz, hubHz float64) []Gap {
	if p.period == 0 {
		return nil
	}
	var gaps []Gap
	found := map[int]int64{} // rows lost inside each batch
	for i := range f.steps {
		s := &f.steps[i]
		rows := s.now.row - s.before.row
		lost := p.lost(s.now.tick-s.before.tick, rows)
		if lost <= 0 {
			continue
		}
		gaps = append(gaps, f.gap(p, s.batch, s.before, s.now, lost, hz, hubHz))
		if !s.border {
			found[s.batch] += lost
		}
	}
	for i := range f.batches {
		b := &f.batches[i]
		rows := b.last.row - b.first.row
		hidden := int64(min(math.Round(float64(b.last.tick-b.first.tick)/p.period), math.MaxInt64/2)) - rows - found[b.batch]
		if rows > 0 && hidden > max(1, int64(hiddenLossShare*float64(rows))) {
			g := f.gap(p, b.batch, b.first, b.last, hidden, hz, hubHz)
			g.Row, g.Spread = b.first.row+1, true
			gaps = append(gaps, g)
		}
	}
	slices.SortStableFunc(gaps, func(a, b Gap) int { return int(min(max(a.Row-b.Row, -1), 1)) })
	return gaps
}

func (f *gapFinder) gap(p pace, batch int, before, now tickedRow, lost int64, hz, hubHz float64) Gap {
	g := Gap{Batch: batch, Row: now.row, Column: f.column, Ticks: now.tick - before.tick, LostRows: lost, ClockBefore: before.clock, ClockAfter: now.clock}
	if f.column == "Clock" {
		hubHz = hz
	}
	switch {
	case hubHz > 0:
		g.Seconds = float64(lost) * p.period / hubHz
	case hz > 0 && now.clock > before.clock: // the clocks run alike
		share := float64(lost) * p.period / float64(g.Ticks)
		g.Seconds = share * float64(now.clock-before.clock) / hz
	}
	return g
}

// finding tells a gap in a batch at an offset.
func (g *Gap) finding(offset int64) Finding {
	return Finding{Offset: offset, Batch: g.Batch, Severity: SeverityError, Reason: g.String(),
		BeforeRow: g.Row, Count: 1, LastOffset: offset, LostRows: g.LostRows, ClockBefore: g.ClockBefore, ClockAfter: g.ClockAfter}
}

// String says what is missing, for people.
func (g *Gap) String() string {
	text := gapWord + "about " + counted(g.LostRows, "row", "rows")
	if g.Seconds > 0 {
		text += fmt.Sprintf(" (%.6g s)", g.Seconds)
	}
	if g.Spread {
		return text + fmt.Sprintf(" missing in many places of the batch, by %s", g.Column)
	}
	return text + fmt.Sprintf(" missing before row %d: %s steps by %d ticks", g.Row, g.Column, g.Ticks)
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
