package pace

import (
	"math"
	"slices"
	"sort"
)

// How gaps are found. A stream that delivers evenly has a clock that steps by
// the same number of ticks from row to row; a step of more than GapFactor
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
	// HubClock GapFactor is enough. Source: onix-devices 9.2.
	ClockGapFactor = 1.75
	GapFactor      = 1.5

	// A stream is even if EvenShare of its steps lie within EvenTolerance of
	// their median. Of events that come at random, a sixth does.
	EvenShare     = 0.8
	EvenTolerance = 0.25

	MaxSteps        = 1 << 16 // steps that the period is taken from
	stepsPerBatch   = 255     // of them from one batch
	SmallBatch      = 32      // rows; the steps of smaller batches are all kept
	GapsPerBatch    = 64      // listed one by one; the rest of a batch as one
	hiddenLossShare = 0.02    // of a batch's rows that may seem missing by drift
)

// A Finder finds gaps in ticks that it is given batch after batch.
type Finder struct {
	Column string
	Factor float64

	Sample []uint64 // steps from all over the file
	every  int      // of the steps offered, one in so many is kept
	offer  int

	smallAt int    // len(Sample) when longest was found
	longest uint64 // a step in batches of a few rows; 0: not known

	Steps   []longStep
	batches []batchPace
	Odd     []Odd

	Last Row // of the batch before
}

// A Row is a row with its ticks; clock is 0 if there is no Clock.
type Row struct {
	Row         int64
	Tick, Clock uint64
	OK          bool
}

// A longStep may be a gap.
type longStep struct {
	batch       int
	before, now Row
	border      bool // between two batches
}

// A batchPace is what a batch showed as a whole.
type batchPace struct {
	batch       int
	first, last Row
}

// Odd are rows of one batch whose ticks cannot be right.
type Odd struct {
	Batch     int
	Row       int64 // the first
	Rows      int64
	Duplicate bool // each has the tick of the row before; else: it lies outside those around
	Before    Row
	After     uint64 // Clock after them
}

func NewFinder(column string) Finder {
	f := Finder{Column: column, Factor: GapFactor, every: 1}
	if column != "HubClock" {
		f.Factor = ClockGapFactor
	}
	return f
}

// Add looks at the ticks of a batch whose first row has the number row. clock
// is nil, or the column Clock of the same rows. adjoining says that nothing is
// known to be missing between the batch added before and this one.
func (f *Finder) Add(batch int, row int64, ticks, clock []uint64, adjoining bool) {
	n := len(ticks)
	if n == 0 {
		return
	}
	at := func(i int) Row {
		t := Row{Row: row + int64(i), Tick: ticks[i], OK: true}
		if i < len(clock) {
			t.Clock = clock[i]
		}
		return t
	}
	before := f.Last
	first, end := at(0), at(n-1)
	rises := ticks[0] <= ticks[n-1]
	from, start := 0, first // the first row that may be believed, and the first one with its tick
	longest := f.Usual(ticks)
	if before.OK && adjoining {
		step := ticks[0] - before.Tick
		if n < SmallBatch && ticks[0] > before.Tick {
			f.Keep(step / uint64(max(1, row-before.Row))) // rows without a tick may lie between
		}
		switch {
		case ticks[0] < before.Tick:
			f.Unclaim(before.Row)
			rows := slices.IndexFunc(ticks, func(t uint64) bool { return t >= before.Tick })
			if rows < 0 {
				rows = n
			} else if rises && rows < confirmRows { // a bad tick or two
				if from, start = rows, at(rows); ticks[rows]-before.Tick > longest {
					f.Steps = append(f.Steps, longStep{batch, before, at(rows), true})
				}
			}
			f.Odd = append(f.Odd, Odd{Batch: batch, Row: row, Rows: int64(rows), Before: before, After: first.Clock})
		case ticks[0] == before.Tick:
			start = before
		case step > longest:
			f.Steps = append(f.Steps, longStep{batch, before, first, true})
		}
	}
	f.Last = f.inside(batch, at, ticks, from, start, longest)
	if rises && n > 1 {
		f.batches = append(f.batches, batchPace{batch, at(from), end})
	}
}

// inside looks at the steps between the rows of one batch, from a row on;
// start has its tick, or is the row before, which has the same. It returns the first row
// that has the last tick that can be believed: rows that have the tick of the one before
// are not missing before the next.
func (f *Finder) inside(batch int, at func(int) Row, ticks []uint64, from int, start Row, longest uint64) Row {
	kept, rises := 0, ticks[from] <= ticks[len(ticks)-1]
	odd, same := Odd{Batch: batch}, Odd{Batch: batch, Duplicate: true}
	note := func(o *Odd, i int) {
		if o.Rows == 0 {
			o.Row, o.Before = at(i).Row, start
		}
		o.After = at(i).Clock
		o.Rows++
	}
	if start.Row < at(from).Row {
		note(&same, from)
	}
	high := from // the last row whose tick can be believed; start is the first that has it
	for i := from + 1; i < len(ticks); i++ {
		if step := ticks[i] - ticks[high]; step-1 < longest && high == i-1 {
			high = i
			continue
		}
		if start.Tick != ticks[high] {
			start = at(high)
		}
		switch {
		case ticks[i] < ticks[high] || rises && ticks[i] > ticks[len(ticks)-1]:
			note(&odd, i)
			if rises {
				continue // a later row may fit again
			}
			f.Unclaim(start.Row)
		case ticks[i] == ticks[high]:
			note(&same, i)
			continue
		case kept < GapsPerBatch || len(ticks) < SmallBatch:
			f.Steps = append(f.Steps, longStep{batch, start, at(i), false})
			kept++
		}
		high = i
	}
	for _, o := range []Odd{odd, same} {
		if o.Rows > 0 {
			f.Odd = append(f.Odd, o)
		}
	}
	if start.Tick != ticks[high] {
		start = at(high)
	}
	return start
}

// Unclaim takes back the step up to a row whose tick turned out too high.
func (f *Finder) Unclaim(row int64) {
	if n := len(f.Steps); n > 0 && f.Steps[n-1].now.Row == row {
		f.Steps = f.Steps[:n-1]
	}
	if n := len(f.batches); n > 0 && f.batches[n-1].last.Row == row {
		f.batches = f.batches[:n-1]
	}
}

// Usual offers steps of a batch to the sample and returns how long a step may
// be without standing out: 0 in batches too small to know.
func (f *Finder) Usual(ticks []uint64) uint64 {
	var steps [stepsPerBatch]uint64
	n := 0
	last := len(ticks) - 1
	count := min(last, stepsPerBatch)
	for k := range count {
		i := 1 + k*last/count
		if ticks[i] > ticks[i-1] {
			steps[n] = ticks[i] - ticks[i-1]
			f.Keep(steps[n])
			n++
		}
	}
	if len(ticks) < SmallBatch || n == 0 {
		return f.small()
	}
	slices.Sort(steps[:n])
	median := steps[n/2]
	return median + median/4
}

// small is how long a step may be in batches too small to know, by all that were
// sampled so far: what does not stand out need not be kept until the end.
func (f *Finder) small() uint64 {
	if n := len(f.Sample); n >= 4*SmallBatch && n >= 2*f.smallAt {
		f.smallAt = n
		if p := Of(slices.Clone(f.Sample), f.Factor); p.Period > 0 {
			f.longest = uint64(p.Period * (1 + EvenTolerance))
		} else {
			f.longest = 0
		}
	}
	return f.longest
}

// Keep offers a step to the sample.
func (f *Finder) Keep(step uint64) {
	if f.offer++; f.offer%f.every != 0 {
		return
	}
	if len(f.Sample) == MaxSteps {
		for i := range MaxSteps / 2 {
			f.Sample[i] = f.Sample[2*i+1]
		}
		f.Sample = f.Sample[:MaxSteps/2]
		f.every *= 2
	}
	f.Sample = append(f.Sample, step)
}

// gaps judges what stood out, by the pace of each row. hz is the rate of Clock, hubHz
// that of HubClock, 0 if they are not known.
func (f *Finder) gaps(pace func(row int64) Pace, hz, hubHz float64) []Gap {
	var gaps []Gap
	found := map[int]int64{} // rows lost inside each batch
	for i := range f.Steps {
		s := &f.Steps[i]
		p, rows := pace(s.now.Row), s.now.Row-s.before.Row
		lost := p.Lost(s.now.Tick-s.before.Tick, rows)
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
		p, rows := pace(b.first.Row), b.last.Row-b.first.Row
		if p.Period == 0 {
			continue
		}
		hidden := int64(min(math.Round(float64(b.last.Tick-b.first.Tick)/p.Period), math.MaxInt64/2)) - rows - found[b.batch]
		if rows > 0 && hidden > max(1, int64(hiddenLossShare*float64(rows))) {
			g := f.gap(p, b.batch, b.first, b.last, hidden, hz, hubHz)
			g.Row, g.Spread = b.first.Row+1, true
			gaps = append(gaps, g)
		}
	}
	sort.SliceStable(gaps, func(i, k int) bool { return gaps[i].Row < gaps[k].Row })
	return gaps
}

func (f *Finder) gap(p Pace, batch int, before, now Row, lost int64, hz, hubHz float64) Gap {
	g := Gap{Batch: batch, Row: now.Row, Column: f.Column, Ticks: now.Tick - before.Tick, LostRows: lost, ClockBefore: before.Clock, ClockAfter: now.Clock}
	if f.Column != "HubClock" {
		hubHz = hz
	}
	switch {
	case hubHz > 0:
		g.Seconds = float64(lost) * p.Period / hubHz
	case hz > 0 && now.Clock > before.Clock: // the clocks run alike
		share := float64(lost) * p.Period / float64(g.Ticks)
		g.Seconds = share * float64(now.Clock-before.Clock) / hz
	}
	return g
}

// A Gap is a stretch without rows inside a stream that delivers evenly: rows
// that were lost before they were recorded.
type Gap struct {
	Batch       int     // of the first row after it
	Row         int64   // number of that row
	Column      string  // the clock that shows it: HubClock, or Clock if there is no HubClock
	Ticks       uint64  // of that clock, from the row before it to the row after it
	LostRows    int64   // estimated by the pace
	Seconds     float64 // that are missing; 0 if no clock rate is known
	ClockBefore uint64  // Clock of the row before it; 0 without a Clock
	ClockAfter  uint64  // Clock of the row after it
	Spread      bool    // many small gaps from this row to the end of its batch, listed as one
	Moved       int64   // rows that belong here and are elsewhere in the file: they are not lost
	MovedTo     int64   // the first of them
}
