package acquire

import (
	"slices"

	"github.com/oniscope/oniscope/shared/recording"
)

// hand gives a batch to its output. Where there is no room it waits, and the
// frames wait in the queue and in the controller; or the device begins to
// discard.
func (a *Acquisition) hand(src *source, i int) {
	o := src.outputs[i]
	for wait := 0; !o.room(src.batches[i]); wait++ {
		switch {
		case o.lacksFile():
			o.show(src.batches[i])
			o.tapped = 0
			o.drop(src.batches[i]) // waiting would delay all others for as long as the disk is full
			return
		case a.mayDiscard(src, o):
			src.discarding = true
			return
		}
		a.waiting.Store(true)
		o.waitForRoom(5 * pollEvery)
		if wait%20 == 19 {
			a.flushOthers(src)
		}
	}
	a.waiting.Store(false)
	a.put(src, i)
}

// mayDiscard reports whether frames for an output without room may be discarded:
// while the controller's buffer is nearly full; and while the stream loses rows
// already, as long as there are others that would be delayed by it.
func (a *Acquisition) mayDiscard(src *source, o *output) bool {
	if a.cfg.Wait {
		return false
	}
	return a.fifo.relief.Load() || src.discarding && a.anyFlows(o)
}

// anyFlows reports whether another large stream has room.
func (a *Acquisition) anyFlows(but *output) bool {
	for _, src := range a.devices {
		for i, o := range src.outputs {
			if o != but && o.limit >= 0 && o.room(src.batches[i]) {
				return true
			}
		}
	}
	return false
}

// drowns reports whether the frames of a device must be discarded, room or not:
// the controller's buffer gets full although whoever has no room discards.
func (a *Acquisition) drowns(src *source) bool {
	return a.fifo.drowns.Load() && !a.cfg.Wait && slices.ContainsFunc(src.outputs, func(o *output) bool { return o.limit >= 0 })
}

// resume tries to decode again after frames were discarded. It waits in between
// as hand does.
func (a *Acquisition) resume(src *source) bool {
	for i, o := range src.outputs {
		if src.batches[i].Rows < o.full() {
			continue
		}
		if a.hand(src, i); src.batches[i].Rows >= o.full() {
			return false
		}
	}
	src.discarding = false
	if len(src.outputs) == 1 {
		a.loseIn(src, 0, src.discarded)
	} // else the decoder says of which stream they were, with the next frame of each
	src.taken = append(src.taken, src.discarded)
	src.discarded = recording.LostRows{}
	return true
}

// discard counts a frame that found no room.
func (src *source) discard(clock uint64) {
	src.dropped.Add(1)
	d := &src.discarded
	if d.Rows == 0 {
		d.FirstClock, d.Cause = clock, recording.CauseFIFO
	}
	d.LastClock = clock
	d.Rows++
}
