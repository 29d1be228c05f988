package acquire

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// What is lost becomes data: a record in the stream of gaps, written by a
// goroutine of its own, and a note in the next batch of the stream that lost
// rows. Frames that were discarded or never came are noted by the decoder,
// batches that the disk did not take by outputs.

// maxGapRecords bounds the records that wait while the disk stalls.
const maxGapRecords = 100_000

// A gapLog writes the stream of gaps. It is made when the first gap is known.
type gapLog struct {
	open func(*stream.Stream) (Writer, error)

	mu      sync.Mutex
	waiting []recording.GapRecord
	first   []recording.GapRecord // for Status
	dropped uint64                // records that found no room

	writer atomic.Pointer[Writer]
	failed atomic.Pointer[error]
	stop   chan struct{}
	done   chan struct{}
}

func newGapLog(open func(*stream.Stream) (Writer, error)) *gapLog {
	return &gapLog{open: open, stop: make(chan struct{}), done: make(chan struct{})}
}

// add takes a record.
func (g *gapLog) add(device string, lost recording.LostRows) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.first) < maxGapsKept {
		g.first = append(g.first, recording.GapRecord{Device: device, LostRows: lost})
	}
	if len(g.waiting) == maxGapRecords {
		g.dropped++
		return
	}
	g.waiting = append(g.waiting, recording.GapRecord{Device: device, LostRows: lost})
}

// run writes what waits, each second and at the end.
func (g *gapLog) run() {
	defer close(g.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-tick.C:
		case <-g.stop:
			ended = true
		}
		g.write()
		if w := g.writer.Load(); w != nil && ended {
			if err := (*w).Close(); err != nil {
				g.fail(err)
			}
		} else if w != nil {
			_ = (*w).Tend(time.Now()) // what it means shows when a record is written
		}
	}
}

func (g *gapLog) write() {
	g.mu.Lock()
	records := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	if len(records) == 0 || g.failed.Load() != nil {
		g.mu.Lock()
		g.dropped += uint64(len(records))
		g.mu.Unlock()
		return
	}
	w := g.writer.Load()
	if w == nil {
		made, err := g.open(recording.GapStream())
		if err != nil {
			g.fail(err)
			return
		}
		w = &made
		g.writer.Store(w)
	}
	_, err := (*w).WriteBatch(len(records), recording.GapColumns(records), nil)
	if isLater(err) {
		g.mu.Lock()
		g.waiting = append(records, g.waiting...)
		g.mu.Unlock()
	} else if err != nil {
		g.fail(err)
	}
}

func (g *gapLog) fail(err error) { g.failed.CompareAndSwap(nil, &err) }

func (g *gapLog) close() {
	close(g.stop)
	<-g.done
}

func (g *gapLog) records() []recording.GapRecord {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]recording.GapRecord(nil), g.first...)
}

// status says how far the file is; ok is false while there is none.
func (g *gapLog) status() (s StreamStatus, ok bool) {
	w, failed := g.writer.Load(), g.failed.Load()
	if w == nil && failed == nil {
		return s, false
	}
	s.Name = recording.GapStreamName
	if w != nil {
		s.Progress = (*w).Progress()
	}
	if failed != nil {
		s.Err, s.Failed = *failed, true
	}
	g.mu.Lock()
	s.DroppedRows = g.dropped
	g.mu.Unlock()
	return s, true
}

// loseIn notes rows of a stream that never reached its batches: in the stream of
// gaps, and in its next batch.
func (a *Acquisition) loseIn(src *source, i int, lost recording.LostRows) {
	o := src.outputs[i]
	o.missing.Add(uint64(max(0, lost.Rows)))
	a.gaps.add(o.stream.Name, lost)
	o.lose(lost)
}

// gap keeps a gap that a decoder found. Of a device with one stream the frames
// that were discarded inside it are noted already; of one with several this says
// how many were this stream's. The others never came, or came short.
func (a *Acquisition) gap(src *source, g device.Gap) {
	missing, cause := int64(min(g.Lost, 1<<62)), recording.CauseLink
	first, last := g.ClockBefore+1, g.ClockAfter-1
	several := len(src.outputs) > 1
	for _, run := range src.taken {
		switch inside := run.FirstClock > g.ClockBefore && run.LastClock < g.ClockAfter; {
		case inside && !several:
			missing -= run.Rows
			cause = run.Cause
		case several && run.FirstClock < g.ClockAfter && run.LastClock > g.ClockBefore:
			cause, first, last = run.Cause, max(first, run.FirstClock), min(last, run.LastClock)
		}
	}
	if !several {
		src.taken = src.taken[:0]
	} else if n := len(src.taken); n > maxTaken {
		src.taken = append(src.taken[:0], src.taken[n-maxTaken:]...)
	}
	if missing > 0 && g.ClockAfter > g.ClockBefore && g.Stream < len(src.outputs) {
		lost := recording.LostRows{FirstClock: first, LastClock: last, Rows: missing, Cause: recording.CauseLink}
		if several {
			lost.Cause = cause
		}
		a.loseIn(src, g.Stream, lost)
	}
	src.mu.Lock()
	defer src.mu.Unlock()
	if len(src.gaps) < maxGapsKept {
		src.gaps = append(src.gaps, Gap{g, cause})
	}
}

// maxTaken bounds the runs of discarded frames that are remembered of a device
// whose streams find them one after another.
const maxTaken = 16

// A Gap is a place where frames of a device are missing, and why: of several
// causes the one in the recorder.
type Gap struct {
	device.Gap
	Cause recording.Cause
}

func (src *source) streamName() string {
	src.mu.Lock()
	defer src.mu.Unlock()
	return src.name
}

// silenceTicks is how long a stream with a rate must be silent for that to be a
// gap, beyond doubt: its clock alone says so.
func (a *Acquisition) silenceTicks(rateHz float64) uint64 {
	return max(a.clockHz/4, uint64(5*float64(a.clockHz)/rateHz))
}

// silent notes rows that a stream did not get between two ticks, as far as they
// are not noted already.
func (a *Acquisition) silent(src *source, i int, from, to uint64, cause recording.Cause, noted int64) {
	rows := int64(math.Round(float64(to-from)*src.outputs[i].rateHz/float64(a.clockHz))) - 1 - noted
	if rows > 0 && to > from+1 {
		a.loseIn(src, i, recording.LostRows{FirstClock: from + 1, LastClock: to - 1, Rows: rows, Cause: cause})
	}
}

// steady reports whether a stream's silence means something.
func (a *Acquisition) steady(o *output) bool { return o.rateHz >= steadyHz && a.clockHz > 0 }

// returned notes a silence that ended with a row, which no counter of the device
// shows.
func (a *Acquisition) returned(src *source, i int, clock uint64) {
	o := src.outputs[i]
	if o.seen == 0 || clock < o.seen || clock-o.seen < a.clockHz/4 || !a.steady(o) || clock-o.seen <= a.silenceTicks(o.rateHz) {
		return
	}
	noted, cause := int64(0), recording.CauseLink
	for _, run := range src.taken {
		if run.FirstClock >= o.seen && run.LastClock < clock {
			if cause = run.Cause; len(src.outputs) == 1 {
				noted += run.Rows
			}
		}
	}
	if noted > 0 {
		cause = recording.CauseLink
	}
	a.silent(src, i, o.seen-1, clock, cause, noted)
}

// missingAtEnd notes what a device did not send until the end, and what was
// discarded with nothing after it.
func (a *Acquisition) missingAtEnd(src *source) {
	end, inOrder := a.endClock()
	if end += uint64(a.judge.shift); !inOrder {
		end = a.judge.ref
	}
	lost := src.discarded
	src.discarded = recording.LostRows{}
	for i, o := range src.outputs {
		if lost.Rows > 0 {
			part := lost
			if rate := o.rateHz; len(src.outputs) > 1 && src.rateHz > 0 {
				part.Rows = int64(math.Round(float64(lost.Rows) * rate / src.rateHz))
			}
			a.loseIn(src, i, part)
		}
		last := o.seen - min(o.seen, 1)
		if lost.Rows > 0 {
			last = max(last, lost.LastClock)
		}
		if a.steady(o) && end > last && end-last > a.silenceTicks(o.rateHz) {
			a.silent(src, i, last, end, recording.CauseLink, 0)
		}
	}
}
