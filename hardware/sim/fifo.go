package sim

import (
	"math"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// The FIFO of the host: frames that were sampled wait in it until they are
// read, by Config.Now. It fills at the rate of what was read so far. When it is
// full acquisition ends, as the hardware's does: what is in it can still be
// read, and nothing follows. Without Now nothing waits.
//
// Frames leave it as fast as they are made: with the signal Pattern at some
// times the speed at which a recorder decodes them, as a board would.

// FIFOFill implements oni.Controller.
func (c *controller) FIFOFill() (oni.Fill, error) {
	return oni.Fill{Used: c.fifoUsed(), Total: c.fifoBytes()}, nil
}

// fifoBytes is its size. Source: onix-devices 2.5.
func (c *controller) fifoBytes() uint64 {
	if c.cfg.FIFOBytes > 0 {
		return c.cfg.FIFOBytes
	}
	return 4 * device.DefaultTotalMemWords
}

// wireBytes is what a frame with a sample of so many bytes takes: header and
// padding included. Source: onix-devices 1.7.
func wireBytes(sample int) uint64 { return uint64(16 + sample + sample%4) }

// fifoUsed is how much waits now.
func (c *controller) fifoUsed() uint64 {
	if c.cfg.Now == nil || c.state.Load() != running {
		return 0
	}
	until := c.cfg.Now()
	if full := c.overflowed(); full > 0 {
		until = min(until, full)
	}
	read := c.clock.Load()
	if until <= read || read == 0 {
		return 0
	}
	return uint64(min(math.Ceil(c.wireRate(read)*float64(until-read)), float64(c.fifoBytes())))
}

// wireRate is bytes a tick, of what was read up to a tick.
func (c *controller) wireRate(read uint64) float64 {
	return float64(c.wireBytes.Load()) / float64(read)
}

// overflowed is when the FIFO was full, 0 if it was not.
func (c *controller) overflowed() uint64 {
	if full := c.overflow.Load(); full > 0 || c.cfg.Now == nil {
		return full
	}
	read := c.clock.Load()
	if read < blockTicks || c.wireBytes.Load() == 0 {
		return 0 // too early to know the rate
	}
	lasts := uint64(float64(c.fifoBytes()) / c.wireRate(read))
	if c.cfg.Now() < read+lasts {
		return 0
	}
	c.overflow.CompareAndSwap(0, read+lasts)
	return c.overflow.Load()
}
