package recording

import (
	"context"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/stream"
)

// How Clock is followed. Of a recording of ordinary length every tick is read. In
// a longer one the first and the last tick of a batch say whether Clock rises in
// it as evenly as it does elsewhere, and from the batch before to it; only where
// they do not are its ticks read. So of those nothing escapes but a bad tick in
// the middle of a batch. Of long compressed recordings, where two ticks cost the
// column, it is asked in the same way of many batches together, by halves, and what
// is less than a hundredth of them escapes.

// wholeClock is how many bytes of ticks are read for certain, selectClock how many
// for a selection. Changed by tests.
var wholeClock, selectClock int64 = 16 << 20, 256 << 10

const (
	// slopeShare is how exactly a stretch of batches must rise.
	slopeShare = 0.01
	// maxLooks is at how many places a clock of events is looked at where many
	// batches are asked together.
	maxLooks = 4096
	// readTogether bounds the batches whose clocks are read at once.
	readTogether = 256
)

// followedRows is how many rows of a very large batch are read at once. Changed by
// tests.
var followedRows int64 = 1 << 20

// A level says how closely clocks are followed.
type level uint8

const (
	coarse level = iota // many batches together
	byEnds              // every batch by its ends
	whole               // every tick
)

// A follower goes over the batches of a recording.
type follower struct {
	r       *Reader
	ctx     context.Context
	exact   bool    // the rows of all batches are known
	like    float64 // else: how many a batch has, about
	track   *pace.Track
	clock   pace.Pace // of Clock, measured before
	period  float64   // the same over many rows, more exactly
	median  float64   // step of Clock, of events too
	shown   pace.Pace // of the clock that shows gaps
	hub     int       // column, or -1
	passed  int       // the batch that was passed last, whose ticks are not known; -1: none
	broken  bool      // a batch could not be read since the one before
	entered bool      // some batch was followed
	odd     map[int]bool
}

// A followed recording is what its clocks say.
type followed struct {
	level      level
	track      *pace.Track
	odd        map[int]bool // batches in which something is not as it should be
	bad        []Range      // rows whose ticks are bad
	gaps       []pace.Gap
	period     float64 // ticks of Clock from row to row, 0 if it is not even
	step       float64 // the median, of events too
	generation int
	hz         uint64
}

// follow follows the clocks of the recording, closely enough. More closely than
// coarse it needs to know the rows of all batches.
func (r *Reader) follow(ctx context.Context, wanted level) (*followed, error) {
	if f := r.clocks; f != nil && f.generation == r.generation && f.hz == r.stream.AcqClockHz && f.level >= wanted {
		return f, nil
	}
	rows, exact := r.Rows()
	limit := wholeClock
	if wanted == coarse {
		limit = selectClock
	}
	if 8*rows <= limit {
		var err error
		if rows, err = r.allRows(ctx); err != nil {
			return nil, err
		}
		exact = true
	}
	n := len(r.batches)
	f := &follower{r: r, ctx: ctx, exact: exact, like: float64(rows) / float64(n), hub: r.tickColumn(stream.HubClockName), passed: -1, odd: map[int]bool{}}
	about := r.About()
	switch {
	case 8*rows <= limit:
		wanted = whole
	case about.Compression() != "none":
		wanted = coarse
	}
	var err error
	if wanted < whole {
		if err := f.measure(); err != nil {
			return nil, err
		}
	}
	name := r.schema.Fields[r.clock].Name
	shown := name
	if f.hub >= 0 {
		shown = stream.HubClockName
	}
	f.track = pace.NewTrack(name, shown, float64(r.stream.AcqClockHz))
	f.track.SetPace(f.clock)
	switch wanted {
	case whole:
		err = f.all(0, n)
	case byEnds:
		for i := 0; i < n && err == nil; i++ {
			if i%readTogether == 0 {
				err = f.loadEnds(i, min(n, i+readTogether))
			}
			if err == nil {
				err = f.one(i)
			}
		}
	default:
		err = f.halves(0, n-1)
	}
	if err != nil {
		return nil, fmt.Errorf("recording: following the clock: %w", err)
	}
	f.track.Finish()
	done := &followed{level: wanted, track: f.track, odd: f.odd, period: f.period, step: f.median, generation: r.generation, hz: r.stream.AcqClockHz}
	p := f.shown
	if wanted == whole {
		p = f.track.Finder.Pace()
		done.period, done.step = f.track.Step()
	} else if done.period > 0 {
		done.step = done.period
	}
	done.bad = badRows(f.track)
	if r.stream.TimeColumn != "" {
		r.clocks = done
		return done, nil // of timestamps nobody says that rows come evenly
	}
	done.gaps = f.track.Gaps(p, float64(r.stream.AcqClockHz), float64(r.stream.HubClockHz))
	r.clocks = done
	return done, nil
}

// all reads the clocks of the batches [from, to).
func (f *follower) all(from, to int) error {
	for from < to {
		n, bytes := 0, int64(0)
		var list []int
		if rows := f.r.batches[from].rows(); rows > followedRows {
			if err := f.inPieces(from, rows); err != nil {
				return err
			}
			from++
			continue
		}
		for ; from+n < to && f.r.batches[from+n].rows() <= followedRows && n < readTogether && bytes < maxStepBytes; n++ {
			list, bytes = append(list, from+n), bytes+16*f.r.batches[from+n].rows()
		}
		batches, errs, err := f.r.PeekBatches(list, f.columns())
		if err != nil {
			return err
		}
		for k, i := range list {
			if err := f.take(i, batches[k], errs[k]); err != nil {
				return err
			}
		}
		from += n
		if err := f.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// columns are the clocks that are read.
func (f *follower) columns() []int {
	if f.hub >= 0 {
		return []int{f.r.clock, f.hub}
	}
	return []int{f.r.clock}
}

// take follows the ticks of a batch that was read.
func (f *follower) take(i int, b *Batch, err error) error {
	if isCorrupt(err) {
		f.broken = true // what is missing here is not a gap but damage
		return nil
	}
	if err != nil {
		return err
	}
	ticks, hub, valid := clocksOf(b, f.hub >= 0)
	if len(ticks) == 0 {
		f.broken = f.broken || b.Rows > 0
		return nil
	}
	start, _, err := f.r.BatchRange(i)
	if err != nil {
		return err
	}
	if f.passed >= 0 {
		f.track.Reach(start)
	}
	f.add(i, start, ticks, hub, valid, f.adjoins(i))
	return nil
}

// add follows ticks of a batch from row on.
func (f *follower) add(i int, row int64, ticks, hub []uint64, valid []byte, adjoins bool) {
	t := f.track
	settled, breaks := t.Settled() || len(t.Segments) == 0, len(t.Breaks)
	t.AddValid(i, row, ticks, hub, valid, adjoins)
	if valid != nil || !settled || !t.Settled() || len(t.Breaks) > breaks {
		f.odd[i] = true
		for _, b := range t.Breaks[min(breaks, len(t.Breaks)):] {
			f.odd[i-1] = f.odd[i-1] || b.Row < row && b.Batch < i // the next row showed it
		}
	}
	f.passed = -1
}

// inPieces follows a batch that is too large to be read at once. What was read of it
// counts also where the rest is damaged.
func (f *follower) inPieces(i int, rows int64) error {
	start, _, err := f.r.BatchRange(i)
	if err != nil {
		return err
	}
	if f.passed >= 0 {
		f.track.Reach(start)
	}
	for at := int64(0); at < rows; at += followedRows {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		list, errs, err := f.r.Peek([]BatchRows{{i, at, min(rows, at+followedRows)}}, f.columns(), false)
		if err == nil && !isCorrupt(errs[0]) {
			err = errs[0]
		}
		if err != nil {
			return err
		}
		if errs[0] != nil {
			f.broken = true
			return nil
		}
		ticks, hub, valid := clocksOf(list[0], f.hub >= 0)
		if len(ticks) == 0 {
			f.broken = true
			return nil
		}
		f.add(i, start+at, ticks, hub, valid, at > 0 || f.adjoins(i))
	}
	return nil
}

// clocksOf are the ticks of a batch of the clocks; valid has a byte for each row, 0 where
// the first is null, nil if it is nowhere. hubTicks is nil if HubClock has not one for
// every row.
func clocksOf(b *Batch, hub bool) (ticks, hubTicks []uint64, valid []byte) {
	if ticks, valid = ticksOf(&b.Columns[0]), b.Columns[0].Valid; hub {
		if hubTicks = ticksOf(&b.Columns[1]); len(hubTicks) != len(ticks) || b.Columns[1].Valid != nil {
			hubTicks = nil
		}
	}
	return ticks, hubTicks, valid
}

// read follows a batch by its ticks.
func (f *follower) read(i int) error {
	if f.passed >= 0 {
		from := int64(0)
		if h, err := f.r.header(f.passed); err == nil { // its last rows are enough
			from = max(0, h.batch.Length-followedRows)
		}
		b, err := f.r.peekRows(BatchRows{f.passed, from, 0}, f.columns())
		if err != nil && !isCorrupt(err) {
			return err
		}
		if err == nil {
			if ticks, hub, valid := clocksOf(b, f.hub >= 0); valid == nil {
				f.track.Recall(ticks, hub)
			}
		}
	}
	if h, err := f.r.header(i); err == nil && h.batch.Length > followedRows {
		return f.inPieces(i, h.batch.Length)
	}
	b, err := f.r.peekBatch(i, f.columns())
	return f.take(i, b, err)
}
