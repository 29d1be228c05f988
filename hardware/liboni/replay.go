//go:build (linux || darwin || windows) && (amd64 || arm64)

package liboni

import (
	"errors"

	"github.com/oniscope/oniscope/hardware/oni"
)

// What the test driver needs, whose contexts can be started only once and
// which divides by zero where every device is disabled. Source: onix-devices 1.10.

// A replay remembers the registers that were written, so that a new context is
// set as the old one was.
type replay struct {
	at     map[[2]uint32]int // index in writes
	writes []registerWrite
}

type registerWrite struct {
	address         oni.Address
	register, value uint32
}

func newReplay() *replay { return &replay{at: map[[2]uint32]int{}} }

// wrote keeps the last value of each register, in the order of first writes.
func (r *replay) wrote(a oni.Address, register, value uint32) {
	key := [2]uint32{uint32(a), register}
	i, ok := r.at[key]
	if !ok {
		i = len(r.writes)
		r.at[key] = i
		r.writes = append(r.writes, registerWrite{address: a, register: register})
	}
	r.writes[i].value = value
}

// renew replaces the context by a new one with the same settings. Where that
// fails the controller is closed.
func (c *Controller) renew() error {
	blocks := c.blocks
	code := c.call(c.lib.destroyCtx, c.ctx)
	c.ctx = 0
	err := failed("oni_destroy_ctx", code)
	if err == nil {
		err = c.create()
	}
	for i := 0; err == nil && i < len(c.replay.writes); i++ {
		w := c.replay.writes[i]
		err = c.writeRegister(w.address, w.register, w.value)
	}
	if err == nil {
		err = errors.Join(c.setOption(optionBlockReadSize, blocks[0]), c.setOption(optionBlockWriteSize, blocks[1]))
	}
	if err != nil {
		if c.ctx != 0 {
			c.call(c.lib.destroyCtx, c.ctx)
			c.ctx = 0
		}
		c.state.Store(closed)
		return err
	}
	c.blocks = blocks
	c.state.Store(idle)
	return nil
}

// anyEnabled refuses to start the test driver with every device disabled.
func (c *Controller) anyEnabled() error {
	if c.replay == nil {
		return nil
	}
	for _, d := range c.table {
		if d.ReadSize == 0 {
			continue
		}
		if v, err := c.readRegister(d.Address, regEnable); d.ID != idTest0 || err != nil || v != 0 {
			return nil
		}
	}
	return stateError("Start", "every device is disabled; enable one")
}
