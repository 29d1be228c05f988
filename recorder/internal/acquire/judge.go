package acquire

import (
	"fmt"
	"slices"
)

// A Clock is judged before anything depends on it. Frames of all devices come
// about in the order of Clock, so each is compared with the last one of its
// device and with the reference: the newest Clock that can be believed. One that
// does not fit is odd. It is kept as it is, and what the next frame of its
// device says decides: one that fits the frame before shows that the odd one was
// garbled or out of order; one that follows the odd one, that the clock jumped.
// The reference follows a jump only if the median of the devices made it.

// A FindingKind says what is wrong with a frame.
type FindingKind string

// The kinds.
const (
	Garbled    FindingKind = "garbled"      // its Clock fits neither the frame before nor the one after
	OutOfOrder FindingKind = "out of order" // its Clock is before that of the frame before it
	Twice      FindingKind = "twice"        // its Clock is that of the frame before it
	Jumped     FindingKind = "jump"         // from it on Clock goes on elsewhere
	Short      FindingKind = "short"        // fewer bytes than a sample has, or more than a raw one may have; it is no row
	Raw        FindingKind = "raw"          // its decoder failed; from it on samples are kept raw
)

// A Finding is a frame of a device with which something is wrong.
type Finding struct {
	Device string // name of its first stream
	Kind   FindingKind
	Row    uint64 // of that stream
	Clock  uint64 // as it came
	Before uint64 // Clock of the last frame before it that can be believed
	Text   string
}

// A clockWatch is what is known of a device's clock.
type clockWatch struct {
	seen  bool
	last  uint64 // believed
	heard uint64 // the reference at its last frame
	odd   oddFrame
	twice bool // the frame that is decoded has the Clock of the one before
}

// An oddFrame is one whose Clock does not fit.
type oddFrame struct {
	set    bool
	fresh  bool // it is the frame that is decoded: which row it will be is not known
	clock  uint64
	stream string
	row    uint64
}

// A judge keeps the reference. It belongs to the decoder.
type judge struct {
	a      *Acquisition
	second uint64 // ticks
	ref    uint64 // begins at 0, as the acquisition clock does
	host   uint64 // ticks since the start by the host's clock, as of the last block
	shift  int64  // what the reference jumped that the host's clock did not
	clocks []uint64
}

// frame judges a frame of a device, before it is decoded. fits is false if
// nothing may depend on its Clock.
func (j *judge) frame(src *source, clock uint64) (fits bool) {
	w := &src.clock
	limit := j.limit(src)
	near := clock <= j.ref+limit || j.timed() && j.at(clock) <= j.host+limit
	switch {
	case w.seen && clock == w.last:
		w.twice = len(src.batches) == 1 // two probes may be sampled at one tick
		return near
	case (!w.seen || clock > w.last) && (near || w.seen && clock-w.last <= limit):
		j.settle(src)
		w.last, w.seen = clock, true
	case w.odd.set && clock > w.odd.clock && (clock-w.odd.clock <= limit || src.rateHz == 0):
		if src.rateHz > 0 || w.odd.clock < w.last { // events may be far apart
			j.find(w.odd.stream, Jumped, w.odd.row, w.odd.clock, w.last)
		}
		w.odd.set = false
		w.last, w.seen = clock, true
	default:
		j.settle(src)
		w.odd = oddFrame{set: true, fresh: true, clock: clock}
		if !w.seen { // the first frame of a device
			w.last, w.seen = j.ref, true
		}
		return false
	}
	if near {
		j.ref = max(j.ref, clock)
	}
	w.heard = j.ref
	return near
}

// limit is how far a Clock may be ahead: a second, or some periods of a slow
// device.
func (j *judge) limit(src *source) uint64 {
	if src.rateHz > 0 && src.rateHz < slowHz {
		return uint64(slowHz * float64(j.second) / src.rateHz)
	}
	return j.second
}

// slowHz is the rate below which a second is too short to judge by.
const slowHz = 3

// placed says which row the frame became that was judged last.
func (j *judge) placed(src *source, clock uint64) {
	w := &src.clock
	if !w.twice && !w.odd.fresh {
		return
	}
	name, row := src.row()
	if w.twice {
		w.twice = false
		j.find(name, Twice, row, clock, w.last)
	}
	w.odd.fresh, w.odd.stream, w.odd.row = false, name, row
}

// explained takes an odd frame back: the device's own counter says that frames
// are missing before it.
func (j *judge) explained(src *source) {
	if w := &src.clock; w.odd.set {
		w.last, w.odd.set, w.heard = w.odd.clock, false, j.ref
	}
}

// settle reports the frame that the next one did not confirm.
func (j *judge) settle(src *source) {
	w := &src.clock
	if !w.odd.set {
		return
	}
	w.odd.set = false
	kind := Garbled
	if w.odd.clock < w.last && w.last-w.odd.clock <= j.second {
		kind = OutOfOrder
	}
	j.find(w.odd.stream, kind, w.odd.row, w.odd.clock, w.last)
}

func (j *judge) find(stream string, kind FindingKind, row, clock, before uint64) {
	f := Finding{Device: stream, Kind: kind, Row: row, Clock: clock, Before: before}
	switch kind {
	case Garbled:
		f.Text = fmt.Sprintf("Clock %d of row %d cannot be: the row before has %d", clock, row, before)
	case OutOfOrder:
		f.Text = fmt.Sprintf("row %d is out of order: Clock %d follows %d", row, clock, before)
	case Twice:
		f.Text = fmt.Sprintf("row %d has the Clock of the row before, %d", row, clock)
	case Jumped:
		f.Text = fmt.Sprintf("Clock jumps from %d to %d at row %d", before, clock, row)
	case Short:
		f.Text = fmt.Sprintf("a frame with Clock %d, before row %d, has not the size of a sample", clock, row)
	}
	j.a.cfg.Find(f)
}

// timed reports whether the host's clock means something.
func (j *judge) timed() bool { return !j.a.cfg.Wait && j.a.clockHz > 0 }

// block looks at the host's clock, and whether the devices together have gone
// where the reference has not.
func (j *judge) block() {
	if j.timed() {
		j.host = j.a.ticks(j.a.elapsed())
	}
	j.clocks = j.clocks[:0]
	for _, src := range j.a.devices {
		if w := &src.clock; w.seen && src.rateHz >= steadyHz && j.ref-min(j.ref, w.heard) <= j.second {
			j.clocks = append(j.clocks, w.last)
		}
	}
	if len(j.clocks) == 0 {
		for _, src := range j.a.devices {
			if w := &src.clock; w.seen && j.ref-min(j.ref, w.heard) <= j.second {
				j.clocks = append(j.clocks, w.last)
			}
		}
	}
	if len(j.clocks) == 0 {
		return
	}
	slices.Sort(j.clocks)
	median := j.clocks[(len(j.clocks)-1)/2]
	ahead, behind := median > j.ref+j.second, median+j.second < j.ref
	if !ahead && !behind {
		return
	}
	if j.timed() && (ahead && j.at(median) > j.host+j.second || behind && j.at(j.ref) <= j.host+j.second) {
		j.shift += int64(median - j.ref) // the reference was right by the host's clock, and is not now
	}
	j.ref = median
	for _, src := range j.a.devices {
		if w := &src.clock; w.seen {
			w.heard = max(w.heard, j.ref)
		}
	}
}

// steadyHz is the rate from which on a device's silence means something.
const steadyHz = 2

// at is a Clock as it would be had the clock never jumped.
func (j *judge) at(clock uint64) uint64 {
	if j.shift > 0 && clock < uint64(j.shift) {
		return 0
	}
	return clock - uint64(j.shift)
}
