package device

import "math"

// lossDetector finds missing frames of a device that sends at a constant rate.
//
// It looks at the hub clock, which the device's own hub stamps; the
// acquisition clock is stamped at the host and varies by queuing.
// Source: onix-devices 9.2: a step above 1.5 periods is a gap.
type lossDetector struct {
	periodTicks float64 // hub ticks from frame to frame; 0: unknown, nothing is found
	seen        bool
	lastHub     uint64
	lastClock   uint64
}

func newLossDetector(hubClockHz uint64, rateHz float64) lossDetector {
	if hubClockHz == 0 || rateHz <= 0 {
		return lossDetector{}
	}
	return lossDetector{periodTicks: float64(hubClockHz) / rateHz}
}

// next takes the clocks of a frame and returns how many frames are missing
// before it, and whether the hub clock ran backwards.
func (l *lossDetector) next(hub, clock uint64) (lost uint64, backwards bool) {
	if l.seen {
		if hub < l.lastHub {
			backwards = true
		} else if l.periodTicks > 0 {
			if periods := float64(hub-l.lastHub) / l.periodTicks; periods > 1.5 {
				lost = uint64(math.Round(periods)) - 1
			}
		}
	}
	l.seen, l.lastHub, l.lastClock = true, hub, clock
	return lost, backwards
}

// core is what the decoders of one row a frame share: counts and gaps.
type core struct {
	stats Stats
	loss  lossDetector
	onGap func(Gap)
}

func (c *core) Stats() Stats { return c.stats }

// refuse counts a frame that cannot be decoded.
func (c *core) refuse(err error) error {
	c.stats.Frames++
	c.stats.BadFrames++
	return err
}

// row counts a frame that becomes one row, and the frames missing before it.
func (c *core) row(hub, clock uint64) {
	before := c.loss.lastClock
	lost, backwards := c.loss.next(hub, clock)
	c.stats.Frames++
	if backwards {
		c.stats.Faults++
	}
	if lost > 0 {
		c.gap(Gap{Row: c.stats.Rows, Lost: lost, ClockBefore: before, ClockAfter: clock})
	}
	c.stats.Rows++
}

func (c *core) gap(g Gap) {
	c.stats.Lost += g.Lost
	c.stats.Gaps++
	if c.onGap != nil {
		c.onGap(g)
	}
}
