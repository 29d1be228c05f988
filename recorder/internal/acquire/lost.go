package acquire

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// What is lost becomes data: a record in the stream of gaps, written by a
// goroutine of its own, and a note in the next batch of the stream that lost
// rows. Frames that the queue refused are noted by the reader, frames that
// never came by the decoders, batches that the disk did not take by outputs.

// maxGapRecords bounds the records that wait while the disk stalls.
const maxGapRecords = 100_000

// A gapLog writes the stream of gaps. It is made when the first gap is known.
type gapLog struct {
	open func(*stream.Stream) (Writer, error)

	mu      sync.Mutex
	waiting []recording.GapRecord
	dropped uint64 // records that found no room

	writer atomic.Pointer[Writer]
	failed atomic.Pointer[error]
	stop   chan struct{}
	done   chan struct{}
}

func newGapLog(open func(*stream.Stream) (Writer, error)) *gapLog {
	return &gapLog{open: open, stop: make(chan struct{}), done: make(chan struct{})}
}

// add takes a record. One that goes on where the last one of the same device
// and cause ended makes it longer.
func (g *gapLog) add(device string, lost recording.LostRows) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.waiting); n > 0 {
		if last := &g.waiting[n-1]; lost.Cause == recording.CauseDisk && last.Device == device && last.Cause == lost.Cause {
			last.LastClock, last.Rows = lost.LastClock, last.Rows+lost.Rows
			return
		}
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
			if err := (*w).SyncIfDue(time.Now()); err != nil {
				g.fail(err)
			}
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
	if _, err := (*w).WriteBatch(len(records), recording.GapColumns(records), nil); err != nil {
		g.fail(err)
	}
}

func (g *gapLog) fail(err error) { g.failed.CompareAndSwap(nil, &err) }

func (g *gapLog) close() {
	close(g.stop)
	<-g.done
}

// status says how far the file is; ok is false while there is none.
func (g *gapLog) status() (s StreamStatus, ok bool) {
	w, failed := g.writer.Load(), g.failed.Load()
	if w == nil && failed == nil {
		return s, false
	}
	s.Name = recording.GapStreamName
	if w != nil {
		s.Rows, s.Batches, s.Bytes = (*w).Progress()
	}
	if failed != nil {
		s.Err = *failed
	}
	g.mu.Lock()
	s.DroppedRows = g.dropped
	g.mu.Unlock()
	return s, true
}

// refused are the frames of one device that the full queue refused, run by run.
type refused struct {
	mu    sync.Mutex
	runs  []recording.LostRows
	any   atomic.Bool // runs may not be empty
	going bool        // the reader's: the last frame was refused
}

// add counts a frame that was refused.
func (r *refused) add(clock uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.runs); n > 0 && r.going || n == maxGapRecords {
		r.runs[n-1].LastClock = clock
		r.runs[n-1].Rows++
	} else {
		r.runs = append(r.runs, recording.LostRows{FirstClock: clock, LastClock: clock, Rows: 1, Cause: recording.CauseQueue})
	}
	r.going = true
	r.any.Store(true)
}

// before takes the runs that end before a clock.
func (r *refused) before(clock uint64) (runs []recording.LostRows) {
	if !r.any.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.runs) > 0 && r.runs[0].LastClock < clock {
		runs = append(runs, r.runs[0])
		r.runs = r.runs[1:]
	}
	r.any.Store(len(r.runs) > 0)
	return runs
}

// lose notes rows of a device that never reached its batches: in the stream of
// gaps, and in the next batch of each of its streams.
func (a *Acquisition) lose(src *source, lost recording.LostRows) {
	a.gaps.add(src.streamName(), lost)
	for _, o := range src.outputs {
		o.lose(lost)
	}
}

// takeRefused notes the frames refused before a clock, as late as the next
// frame of the device is decoded.
func (a *Acquisition) takeRefused(src *source, clock uint64) {
	src.taken = src.taken[:0]
	for _, run := range src.refused.before(clock) {
		a.lose(src, run)
		src.taken = append(src.taken, run)
	}
}

// gap keeps a gap that a decoder found. Frames that the queue refused inside
// it are noted already; the others never came.
func (a *Acquisition) gap(src *source, g device.Gap) {
	missing, cause := int64(min(g.Lost, 1<<62)), recording.CauseLink
	for _, run := range src.taken {
		if run.FirstClock > g.ClockBefore && run.LastClock < g.ClockAfter {
			missing -= run.Rows
			cause = recording.CauseQueue
		}
	}
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

// ends are Clock of the first and last row of a batch that is not empty.
func (o *output) ends(b *device.Batch) (first, last uint64) {
	if o.clock < 0 {
		return 0, 0
	}
	ticks := b.Columns[o.clock]
	return binary.LittleEndian.Uint64(ticks), binary.LittleEndian.Uint64(ticks[len(ticks)-8:])
}
