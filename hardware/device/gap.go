package device

import "math"

// lossDetector finds missing frames of a device that sends at a constant rate.
//
// It looks at the hub clock, which the device's own hub stamps; the
// acquisition clock is stamped at the host and varies by queuing.
// Source: onix-devices 9.2: a step above 1.5 periods is a gap.
type lossDetector struct {
	periodTicks   float64 // hub ticks from frame to frame; 0: unknown, nothing is found
	hubHz, acqHz  float64 // of the clocks; 0 unknown
	seen          bool
	lastHub, last uint64 // hub clock and acquisition clock of the last frame
}

// maxDisagreementS is how far a step of the hub clock may exceed that of the
// acquisition clock, in seconds, by queuing before the hub clock must be wrong.
const maxDisagreementS = 1

func newLossDetector(cfg Config, rateHz float64) lossDetector {
	l := lossDetector{hubHz: float64(cfg.Hub.ClockHz), acqHz: float64(cfg.AcqClockHz)}
	if rateHz > 0 {
		l.periodTicks = l.hubHz / rateHz
	}
	return l
}

// next takes the clocks of a frame and returns how many frames are missing
// before it, and whether the hub clock contradicts itself or the acquisition
// clock; then it shows nothing about loss.
func (l *lossDetector) next(hub, clock uint64) (lost uint64, fault bool) {
	if l.seen {
		switch {
		case hub < l.lastHub:
			fault = true
		case l.periodTicks > 0:
			periods := float64(hub-l.lastHub) / l.periodTicks
			if periods <= 1.5 {
				break
			}
			if fault = l.contradicted(hub, clock); !fault {
				lost = uint64(math.Round(periods)) - 1
			}
		}
	}
	l.seen, l.lastHub, l.last = true, hub, clock
	return lost, fault
}

func (l *lossDetector) contradicted(hub, clock uint64) bool {
	if l.acqHz == 0 {
		return false
	}
	passed := 0.0
	if clock > l.last {
		passed = float64(clock-l.last) / l.acqHz
	}
	return float64(hub-l.lastHub)/l.hubHz > passed+maxDisagreementS
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
	before := c.loss.last
	lost, fault := c.loss.next(hub, clock)
	c.stats.Frames++
	if fault {
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
