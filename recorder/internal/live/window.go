package live

import (
	"math"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// A window is what of a stream is wanted by its Clock: from the first row at or after
// a tick on, so many ticks, or all. Rows after the first are wanted in the order of the
// file, whatever their Clock. Where Clock begins anew the rest of the ticks is counted
// from there; a tick that neither the one before nor the one after it fits decides nothing.
type window struct {
	from  uint64 // tick
	ticks uint64 // 0: to the end

	begun bool   // a row was wanted
	until uint64 // of the first one that is not wanted, if ticks are bounded
	seen  bool
	last  uint64 // Clock of the last row that was seen
}

// before reports whether all rows of a batch are before the window, and notes them.
func (w *window) before(b *recording.Block) bool {
	if w.begun || b.LastClock >= w.from || b.FirstClock >= w.from || b.LastClock < b.FirstClock {
		return false
	}
	w.seen, w.last = true, b.LastClock
	return true
}

// all reports whether all rows of a batch are wanted, and notes them.
func (w *window) all(b *recording.Block) bool {
	if !w.begun || w.ticks > 0 && (b.LastClock >= w.until || b.LastClock < b.FirstClock || b.FirstClock < w.last) {
		return false
	}
	w.last = b.LastClock
	return true
}

// within are the rows of a batch with these ticks that are wanted. over says that
// nothing after them is.
func (w *window) within(ticks []uint64) (from, to int64, over bool) {
	from = -1
	if w.begun {
		from = 0
	}
	for i, t := range ticks {
		if last := i+1 == len(ticks); w.seen && (last && t < w.last || !last && ticks[i+1] >= w.last && (t < w.last || t > ticks[i+1])) {
			continue // of the last one of a batch the next batch says whether Clock begins anew
		}
		if w.begun && w.ticks > 0 && t < w.last { // then until is after last
			w.until = t + (w.until - w.last)
		}
		if !w.begun && t >= w.from {
			w.begun, w.until, from = true, t+min(w.ticks, math.MaxUint64-t), int64(i)
		}
		if w.begun && w.ticks > 0 && t >= w.until {
			return from, int64(i), true
		}
		w.seen, w.last = true, t
	}
	if from < 0 {
		from = int64(len(ticks))
	}
	return from, int64(len(ticks)), false
}

// ticksOf is a duration by a clock.
func ticksOf(d time.Duration, hz uint64) uint64 {
	return uint64(d/time.Second)*hz + uint64(d%time.Second)*hz/uint64(time.Second)
}

// reached is the newest Clock that is in a file.
func (h *Hub) reached() (tick uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, src := range h.sources {
		for _, f := range src.files[max(0, len(src.files)-2):] {
			if n := len(f.blocks); n > 0 {
				tick = max(tick, f.blocks[n-1].LastClock)
			}
		}
	}
	return tick
}

// waits reports whether rows of a stream wait for their file.
func (h *Hub) waits(stream string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now == nil {
		return false
	}
	for i := range h.now.Streams {
		if s := &h.now.Streams[i]; s.Name == stream {
			return s.QueueS > 0
		}
	}
	return false
}
