package device

import "math"

// counterMask is the 20 bits of the counters in the frames of Neuropixels
// probes, 2.7 s.
const counterMask = 1<<20 - 1

// A frameCounter follows the counter of a probe's frames from super-frame to
// super-frame. It is the primary test of loss; onix-devices 9.2.
type frameCounter struct {
	frames   uint32 // of a super-frame
	expected uint32
}

// counted counts a super-frame with a counter, and those that are missing
// before it. ordered says that the counters inside it go up by one. It returns
// how many are missing.
//
// The counter goes round, so that the hub clock shows how often it did; where
// the two contradict each other, the super-frame counts as a fault.
func (c *core) counted(n *frameCounter, counter uint32, ordered bool, hub, clock uint64) (lost uint64) {
	first, before := !c.loss.seen, c.loss.last
	byClock, fault := c.loss.next(hub, clock)
	fault = fault || !ordered
	if step := (counter - n.expected) & counterMask; !first && (step != 0 || byClock != 0) {
		var agree bool
		lost, agree = n.lost(step, byClock, c.loss.periodTicks > 0)
		fault = fault || !agree
	}
	n.expected = (counter + n.frames) & counterMask
	c.stats.Frames++
	if fault {
		c.stats.Faults++
	}
	if lost > 0 {
		c.gap(Gap{Row: c.stats.Rows + c.stats.Pending, Lost: lost, ClockBefore: before, ClockAfter: clock})
	}
	return lost
}

// lost says how many super-frames are missing when the counter is step probe
// frames ahead (modulo 2^20) and the hub clock says byClock, and whether the two
// agree: to one super-frame, or one in a thousand.
func (n *frameCounter) lost(step uint32, byClock uint64, clockKnown bool) (lost uint64, agree bool) {
	ahead, frames := float64(step), float64(n.frames)
	if clockKnown {
		turns := math.Round((frames*float64(byClock) - ahead) / (counterMask + 1))
		ahead += turns * (counterMask + 1)
	}
	byCounter := ahead / frames
	whole := byCounter >= 0 && byCounter == math.Trunc(byCounter)
	if !clockKnown {
		return uint64(byCounter), whole
	}
	agree = whole && math.Abs(byCounter-float64(byClock)) <= 1+float64(byClock)/1000
	switch {
	case agree:
		return uint64(byCounter), true
	case step == 0: // the counter goes on, the clock was set
		return 0, false
	}
	return byClock, false // the counter was set or garbled
}
