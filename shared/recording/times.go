package recording

import (
	"context"
	"errors"
	"math"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Segment is a stretch of rows whose Clock rises; where it begins anew, another
// begins. A gap is inside a segment. Rows with ticks that are null or cannot be right belong to
// none, though they may lie between its rows.
type Segment struct {
	Start      int64   `json:"start"` // rows, half open
	End        int64   `json:"end"`
	ClockFirst uint64  `json:"clock_first"`
	ClockLast  uint64  `json:"clock_last"`
	RateHz     float64 `json:"rate_hz"` // rows a second, by the steps of Clock; 0: not even, or no rate of Clock is known

	period float64 // ticks from row to row; 0: not even
}

// Times are what Clock says of a recording.
type Times struct {
	Segments []Segment // nil without a Clock
	Duration float64   // ticks, of all segments, each with one row's period
	Period   float64   // ticks from row to row; 0 of rows that come with events
	Gaps     []Gap     // in the order of rows
	Bad      []Range   // rows whose ticks are null or cannot be right, as far as they are known
	swapped  []Range   // rows in the wrong order by their ticks, which are right
	Findings []Finding // where Clock does not rise, and rows that never reached the file; see Missing. Timestamps in its place promise nothing
}

// Times follows the clocks of the recording. It reads the headers that have not
// been read, and of Clock and HubClock every tick of a recording of up to 16 MiB of
// them; of a longer one the first and last tick of batches, and more where these
// leave a doubt. What it finds is what Verify finds by reading every row, but for
// bad ticks in the middle of a batch of a long recording, and, where that is
// compressed, for whatever is short.
func (r *Reader) Times(ctx context.Context) (Times, error) {
	if r.clock < 0 {
		return Times{}, nil
	}
	if err := r.Index(ctx, nil); err != nil {
		return Times{}, err
	}
	f, err := r.follow(ctx, byEnds)
	if err != nil {
		return Times{}, err
	}
	t := Times{Period: f.period, Gaps: gapsOf(f.gaps)}
	r.explainGaps(t.Gaps)
	t.segments(f, float64(r.stream.AcqClockHz))
	if r.stream.TimeColumn != "" {
		return t, nil // timestamps promise nothing
	}
	t.Findings = append(Breaks(f.track, r.offset, r.zeroBatch()), r.missing(f.gaps, 0, len(r.batches)-1)...)
	if f.level == whole {
		t.Findings = append(t.Findings, OddTicks(f.track, r.offset, r.zeroBatch())...)
	}
	sort.SliceStable(t.Findings, func(i, k int) bool { return t.Findings[i].BeforeRow < t.Findings[k].BeforeRow })
	return t, nil
}

// segments fills in the segments of a clock that was followed, and what they give.
func (t *Times) segments(f *followed, hz float64) {
	t.Bad, t.swapped = f.bad, swappedRows(f.track)
	for i := range f.track.Segments {
		s := &f.track.Segments[i]
		out := Segment{Start: s.Start, End: s.End, ClockFirst: s.First, ClockLast: s.Last}
		if out.period = f.periodOf(s); out.period > 0 {
			out.RateHz = hz / out.period
		}
		t.Segments = append(t.Segments, out)
		t.Duration += s.SpanTicks(f.step)
	}
}

// zeroBatch is the batch that ends in zeros, as the file does; -1: none.
func (r *Reader) zeroBatch() int {
	if r.walked == nil || !slices.ContainsFunc(r.walked.Verdicts, func(v messages.Verdict) bool { return v.Touched > 0 }) {
		return -1
	}
	return len(r.batches) - 1
}

// periodOf is the step of Clock in a segment; where it was not looked at, that of
// the recording.
func (f *followed) periodOf(s *pace.Segment) float64 {
	if s.Period > 0 || f.level == whole {
		return s.Period
	}
	return f.period
}

// seconds are start, duration_s and duration_ticks of Info, by a rate of the clock;
// 0 is unknown.
func (t *Times) seconds(hz float64) (start, duration *float64, ticks uint64) {
	if len(t.Segments) == 0 {
		return nil, nil, 0
	}
	first := stream.Seconds(t.Segments[0].ClockFirst, 1)
	if hz > 0 {
		d := t.Duration / hz
		first, duration = first/hz, &d
	}
	return &first, duration, uint64(math.Round(t.Duration))
}

// paceBatches is how many batches of a long recording the pace is measured in,
// paceEnds how many ends of small ones.
const (
	paceBatches = 3
	paceEnds    = 1024
)

// measure finds the pace of both clocks in some batches from all over a long
// recording.
func (f *follower) measure() error {
	n := len(f.r.batches)
	clock, shown := pace.NewFinder("Clock"), pace.NewFinder(stream.HubClockName)
	best := pace.SmallBatch
	last := -1
	for k := range paceBatches {
		_, i, err := f.r.trusted(k*(n-1)/(paceBatches-1), n, 1)
		if err != nil {
			return err
		}
		if i <= last {
			continue
		}
		last = i
		b, err := f.r.peekRows(f.r.firstRows(i), f.columns())
		if isCorrupt(err) {
			continue
		}
		if err != nil {
			return err
		}
		ticks, hub, valid := clocksOf(b, f.hub >= 0)
		ticks, _, _ = pace.Valid(ticks, valid)
		clock.Usual(ticks)
		shown.Usual(hub)
		if p := clock.Pace(); p.Period > 0 {
			if period, steps := pace.EvenStretch(ticks, p); steps > best {
				f.period, best = period, steps
			}
		}
	}
	// Batches of a few rows: what they show from one to the next.
	for k := 1; len(clock.Sample) < 2*pace.SmallBatch && k <= min(n-1, paceEnds); k++ {
		i := 1 + (k-1)*(n-1)/min(n-1, paceEnds)
		before, err := f.r.clockEnds(i - 1)
		var now [2]uint64
		if err == nil {
			now, err = f.r.clockEnds(i)
		}
		if rows := f.r.batches[i-1].rows(); err == nil && rows > 0 && now[0] > before[0] {
			clock.Keep((now[0] - before[0]) / uint64(rows))
		}
		if err != nil && !isCorrupt(err) {
			return err
		}
	}
	f.clock = clock.Pace() // sorts the sample
	if n := len(clock.Sample); n > 0 {
		f.median = float64(clock.Sample[n/2])
	}
	if f.clock.Period == 0 {
		f.period = 0
	} else if best == pace.SmallBatch {
		f.period = f.clock.Period
	}
	if f.shown = shown.Pace(); f.hub < 0 || f.shown.Period == 0 && len(shown.Sample) < pace.SmallBatch {
		f.shown, f.hub = f.clock, -1
	}
	return nil
}

func isCorrupt(err error) bool {
	if err == nil {
		return false
	}
	var corrupt *CorruptError
	return errors.As(err, &corrupt)
}

// ticksOf returns the ticks of a clock of either sign; those of rows that are null mean
// nothing.
func ticksOf(v *Vector) []uint64 {
	if v.Type == stream.Int64 {
		w := *v
		w.Type = stream.Uint64
		v = &w
	}
	return Values[uint64](v)
}
