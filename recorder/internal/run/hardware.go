package run

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/rig"
)

// openController makes the controller that the rig describes, configured and
// ready for Start. What it changes it undoes through out, on every way out.
// ctx ends with the first signal.
func (rec *Run) openController(_ context.Context, out *wayOut) (oni.Controller, error) {
	if rec.o.Controller != nil {
		return rec.o.Controller(out.add)
	}
	source, err := simulator(rec.rig)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("%s: %w", rec.rig.File, err)}
	}
	if err := setBlockSizes(source); err != nil {
		source.Close()
		return nil, err
	}
	return source, nil
}

// Sizes of the blocks that move from and to the hardware, if no frame is
// larger: Bonsai's defaults. Source: onix-devices 5.1.
const (
	blockReadSize  = 2048
	blockWriteSize = 2048
)

func setBlockSizes(c oni.Controller) error {
	read, write := c.BlockSizes() // after a reset: the largest frame
	return c.SetBlockSizes(max(read, blockReadSize), max(write, blockWriteSize))
}

// simulator makes the simulated controller that the rig describes.
func simulator(r *rig.Rig) (oni.Controller, error) {
	config := sim.Config{Seed: r.Seed, Settings: r.Settings()}
	if r.Signal == rig.SignalNeural {
		config.Signal = sim.Neural
	}
	for i, name := range rig.PortNames {
		config.Ports[i] = r.Ports[name].Headstage
	}
	if r.Pace == rig.PaceRealTime {
		config.Wait, config.Now = realTime(sim.ClockHz)
	}
	return sim.New(config)
}

// realTime returns a function that sleeps until a tick has passed since its
// first call, and one that says how many have.
func realTime(clockHz uint64) (wait func(ticks uint64), now func() uint64) {
	var start atomic.Pointer[time.Time]
	wait = func(ticks uint64) {
		if start.Load() == nil {
			begin := time.Now()
			start.Store(&begin)
		}
		whole, rest := ticks/clockHz, ticks%clockHz
		at := start.Load().Add(time.Duration(whole)*time.Second + time.Duration(rest*uint64(time.Second)/clockHz))
		time.Sleep(time.Until(at))
	}
	now = func() uint64 {
		if begin := start.Load(); begin != nil {
			return ticksFromDuration(time.Since(*begin), clockHz)
		}
		return 0
	}
	return wait, now
}
