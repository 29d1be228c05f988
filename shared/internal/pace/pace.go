package pace

import (
	"math"
	"slices"
)

// A Pace is the even step of a clock from row to row.
type Pace struct {
	Period float64 // ticks; 0: not even, or too few rows to know
	Factor float64
}

// Of finds the pace of steps, which it sorts.
func Of(steps []uint64, factor float64) Pace {
	if len(steps) < 2 {
		return Pace{}
	}
	slices.Sort(steps)
	median := float64(steps[len(steps)/2])
	if median == 0 {
		return Pace{}
	}
	n, sum := 0.0, 0.0
	for _, s := range steps {
		if d := float64(s) - median; math.Abs(d) <= EvenTolerance*median {
			n, sum = n+1, sum+d
		}
	}
	if n < EvenShare*float64(len(steps)) {
		return Pace{}
	}
	return Pace{median + sum/n, factor} // finer than one tick
}

// EvenPeriod returns the step of ticks from one row to the next, or 0 if it is
// not even: rows that come with events.
func EvenPeriod(ticks []uint64) float64 {
	f := NewFinder("Clock")
	f.Usual(ticks)
	return f.Pace().Period
}

// Lost is how many rows are missing where rows rows took so many ticks; 0 if
// that is no gap.
func (p Pace) Lost(ticks uint64, rows int64) int64 {
	periods := float64(ticks) / p.Period
	if p.Period == 0 || periods <= float64(rows-1)+p.Factor {
		return 0
	}
	return int64(min(math.Round(periods), math.MaxInt64/2)) - rows
}

// Pace returns the pace of what was added.
func (f *Finder) Pace() Pace { return Of(f.Sample, f.Factor) }

// SampleBatches is how many batches are sampled for the step of Clock.
const SampleBatches = 8

// A Sample measures the even step of Clock from row to row in some batches.
type Sample struct {
	batches int
	Steps   []uint64
}

func (s *Sample) Full() bool { return s.batches >= SampleBatches }

func (s *Sample) Add(ticks []uint64) {
	if s.Full() || len(ticks) < 2 {
		return
	}
	s.batches++
	for i := 1; i < min(len(ticks), 1<<16); i++ {
		s.Steps = append(s.Steps, ticks[i]-ticks[i-1])
	}
}

// Step returns the even step in ticks, 0 of a stream of events.
func (s *Sample) Step() float64 { return Of(s.Steps, ClockGapFactor).Period }

// EvenStretch returns the period over the longest stretch of ticks without a
// step that may be a gap, and its steps: over many rows jitter weighs nothing,
// and a gap would.
func EvenStretch(ticks []uint64, p Pace) (period float64, steps int) {
	from := 0
	for i := 1; i <= len(ticks); i++ {
		if i < len(ticks) && ticks[i] > ticks[i-1] && p.Lost(ticks[i]-ticks[i-1], 1) == 0 {
			continue
		}
		if n := i - 1 - from; n > steps {
			period, steps = float64(ticks[i-1]-ticks[from])/float64(n), n
		}
		from = i
	}
	return period, steps
}
