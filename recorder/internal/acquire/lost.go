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

// lose notes rows of a device that never reached its batches: in the stream of
// gaps, and in the next batch of each of its streams.
func (a *Acquisition) lose(src *source, lost recording.LostRows) {
	a.gaps.add(src.streamName(), lost)
	for _, o := range src.outputs {
		o.lose(lost)
	}
}

// gap keeps a gap that a decoder found. Frames that were discarded inside it are
// noted already; the others never came, or came short.
func (a *Acquisition) gap(src *source, g device.Gap) {
	missing, cause := int64(min(g.Lost, 1<<62)), recording.CauseLink
	for _, run := range src.taken {
		if run.FirstClock > g.ClockBefore && run.LastClock < g.ClockAfter {
			missing -= run.Rows
			cause = run.Cause
		}
	}
	src.taken = src.taken[:0]
	if missing > 0 && g.ClockAfter > g.ClockBefore {
		a.lose(src, recording.LostRows{FirstClock: g.ClockBefore + 1, LastClock: g.ClockAfter - 1, Rows: missing, Cause: recording.CauseLink})
	}
	src.mu.Lock()
	defer src.mu.Unlock()
	if len(src.gaps) < maxGapsKept {
		src.gaps = append(src.gaps, Gap{g, cause})
	}
}

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

// silenceTicks is how long a device with a rate must be silent for that to be a
// gap, beyond doubt: its clock alone says so.
func (a *Acquisition) silenceTicks(src *source) uint64 {
	return max(a.clockHz/4, uint64(5*float64(a.clockHz)/src.rateHz))
}

// silent notes rows that a device with a rate did not send between two ticks,
// as far as they are not noted already.
func (a *Acquisition) silent(src *source, from, to uint64, noted int64) {
	rows := int64(math.Round(float64(to-from)*src.rateHz/float64(a.clockHz))) - 1 - noted
	if rows > 0 && to > from+1 {
		src.unseen.Add(uint64(rows))
		a.lose(src, recording.LostRows{FirstClock: from + 1, LastClock: to - 1, Rows: rows, Cause: recording.CauseLink})
	}
}

// steady reports whether a device's silence means something.
func (a *Acquisition) steady(src *source) bool { return src.rateHz >= steadyHz && a.clockHz > 0 }

// returned notes a silence that ended with a frame, which no counter of the
// device shows.
func (a *Acquisition) returned(src *source, before, clock uint64) {
	if !a.steady(src) || before == 0 || clock < before || clock-before <= a.silenceTicks(src) {
		return
	}
	noted := int64(0)
	for _, run := range src.taken {
		if run.FirstClock > before && run.LastClock < clock {
			noted += run.Rows
		}
	}
	a.silent(src, before, clock, noted)
}

// missingAtEnd notes the silence of devices that did not come back, or never
// came.
func (a *Acquisition) missingAtEnd() {
	end, inOrder := a.endClock()
	if end += uint64(a.judge.shift); !inOrder {
		end = a.judge.ref
	}
	for _, src := range a.devices {
		if !a.steady(src) || src.decoder == nil {
			continue
		}
		last := src.clock.last
		if src.lastClock.Load() == 0 {
			last = 0
		}
		if end > last && end-last > a.silenceTicks(src) {
			a.silent(src, last, end, src.discarded.Rows)
		}
	}
}
