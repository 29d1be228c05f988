package acquire

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
)

// The controller's own buffer. It holds seconds to minutes of frames while
// nobody reads; when it is full, acquisition ends. So its fill is looked at
// next to the reader, and there are marks: from relieveAt on, frames that find no
// room in the recorder are discarded instead of being waited for, until the fill
// is down to relievedAt. If that does not help, because not the disk but the
// machine is too slow, from drowningAt on all frames of large streams are.
const (
	relieveAt  = 0.9
	drowningAt = 0.96
	relievedAt = 0.5
	fullAt     = 0.99

	fifoEvery = 50 * time.Millisecond
	fifoStale = time.Second // then the fill is estimated
)

// A fifo knows how full the controller's buffer is.
type fifo struct {
	a       *Acquisition
	used    atomic.Uint64 // bytes
	total   atomic.Uint64
	at      atomic.Int64  // when it answered, ns since the start
	relief  atomic.Bool   // frames without room are discarded
	drowns  atomic.Bool   // all of large streams are
	clock   atomic.Uint64 // of the last frame that was read
	highest atomic.Uint64 // fill, as the bits of a float64
}

// took notes a frame that left the buffer.
func (f *fifo) took(frame *oni.Frame) { f.clock.Store(frame.Clock) }

// watch asks each so often, until the source has ended. The question may hang:
// then the fill is estimated by another goroutine's look.
func (f *fifo) watch() {
	if f.a.cfg.FIFO == nil {
		return
	}
	go func() {
		tick := time.NewTicker(fifoEvery)
		defer tick.Stop()
		for {
			f.ask()
			select {
			case <-f.a.readerDone:
				return
			case <-tick.C:
			}
		}
	}()
	tick := time.NewTicker(fifoEvery)
	defer tick.Stop()
	for {
		select {
		case <-f.a.readerDone:
			return
		case <-tick.C:
			f.mark()
		}
	}
}

func (f *fifo) ask() {
	defer func() { _ = recover() }() // a driver's fault must not end the process; the fill is estimated
	fill, err := f.a.cfg.FIFO()
	if err != nil || fill.Total == 0 {
		return
	}
	f.used.Store(fill.Used)
	f.total.Store(fill.Total)
	f.at.Store(max(1, int64(f.a.elapsed())))
	f.mark()
}

// assumedTotal is the buffer of a controller that does not say how large it is.
// Source: onix-devices 2.5.
const assumedTotal = 2e9

// fill returns how full the buffer is, 0 to 1, and its size in bytes; known is
// false if that is estimated from what should have come.
func (f *fifo) fill() (fill float64, total uint64, known bool) {
	now := f.a.elapsed()
	total = f.total.Load()
	if at := f.at.Load(); at > 0 && now-time.Duration(at) < fifoStale {
		return float64(f.used.Load()) / float64(total), total, true
	}
	if total == 0 {
		total = assumedTotal
	}
	if f.a.cfg.FIFO == nil || f.a.clockHz == 0 {
		return 0, 0, false
	}
	behind := now.Seconds() - float64(f.clock.Load())/float64(f.a.clockHz)
	return min(1, max(0, behind*f.a.cfg.WireRate/float64(total))), total, false
}

// mark looks at the fill.
func (f *fifo) mark() {
	fill, _, _ := f.fill()
	if fill > math.Float64frombits(f.highest.Load()) {
		f.highest.Store(math.Float64bits(fill))
	}
	over := math.Float64frombits(f.highest.Load()) >= fullAt // acquisition has ended, and what is there is all there is
	switch {
	case fill >= relieveAt:
		f.relief.Store(true)
		if fill >= drowningAt && !over {
			f.drowns.Store(true)
		}
	case fill <= relievedAt:
		f.relief.Store(false)
		f.drowns.Store(false)
	}
	if over {
		f.drowns.Store(false)
	}
}

// overflowed reports whether the buffer was full when the source ended: by what
// it said last, or because nothing was read for longer than it lasts.
func (f *fifo) overflowed() bool {
	if f.a.cfg.FIFO == nil || f.a.clockHz == 0 {
		return false
	}
	fill, total, _ := f.fill()
	behind := f.a.elapsed().Seconds() - float64(f.clock.Load())/float64(f.a.clockHz)
	return max(fill, math.Float64frombits(f.highest.Load())) >= fullAt || f.a.cfg.WireRate > 0 && behind*f.a.cfg.WireRate >= fullAt*float64(total)
}
