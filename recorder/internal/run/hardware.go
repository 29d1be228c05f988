package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/headstage"
	"github.com/oniscope/oniscope/hardware/liboni"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/shared/stream"
)

// openController makes the controller that the rig describes, configured and
// ready for Start. What it changes it undoes through out, on every way out.
// ctx ends with the first signal.
func (rec *Run) openController(ctx context.Context, out *wayOut) (oni.Controller, error) {
	if rec.o.Controller != nil {
		return rec.o.Controller(out.add)
	}
	r := rec.rig
	switch r.Driver {
	case rig.DriverSim:
		config := simulated(r)
		config.Pulsed = rec.pulsed
		config.Cold = configurable(r)
		c, err := sim.New(config)
		if err != nil {
			return nil, &UsageError{fmt.Errorf("%s: %w", r.File, err)}
		}
		if !config.Cold {
			return c, nil
		}
		return rec.configured(ctx, c, simulatedHeadstages(r, c), out)
	case rig.DriverTest:
		for _, name := range rig.PortNames {
			if kind := r.Ports[name].Headstage; kind != "" {
				rec.alarm("", fmt.Sprintf("port %s: the driver test has no ports; no %s is recorded", strings.ToUpper(name), kind))
			}
		}
		return OpenBoard(r.Driver, rec.o.Liboni)
	}
	c, err := OpenBoard(r.Driver, rec.o.Liboni)
	if err != nil {
		return nil, err
	}
	return rec.configured(ctx, c, wantedHeadstages(r), out)
}

// configured makes a controller ready to record. Also what is wrong with a rig
// is found after both ports are at 0 V.
func (rec *Run) configured(ctx context.Context, c oni.Controller, wanted headstage.Rig, out *wayOut) (_ oni.Controller, err error) {
	if rec.report, err = headstage.Configure(ctx, c, wanted, out.add); err != nil {
		if ctx.Err() != nil {
			err = errEarly
		}
		return nil, errors.Join(err, out.leave(), c.Close())
	}
	for _, text := range rec.report.Warnings {
		rec.alarm("", text)
	}
	var ports []uint8
	for i, p := range wanted.Ports {
		if p.Headstage != "" {
			ports = append(ports, uint8(i+1))
		}
	}
	rec.watchLinks(c, ports)
	rec.hurryStop(c)
	return c, nil
}

// configurable reports whether every headstage of a rig is one that is
// configured; the simulator has others too, which then need no configuration.
func configurable(r *rig.Rig) bool {
	for _, p := range r.Ports {
		if !headstage.Supported(p.Headstage) {
			return false
		}
	}
	return true
}

// simulatedHeadstages is wantedHeadstages for a simulated board: settling takes
// no time, and its probes bring their calibration where the rig's folder is not
// there.
func simulatedHeadstages(r *rig.Rig, c oni.Controller) headstage.Rig {
	wanted := wantedHeadstages(r)
	wanted.Sleep = func(ctx context.Context, d time.Duration) error { return sim.Sleep(ctx, c, d) }
	if about, err := os.Stat(r.CalibrationFolder()); err != nil || !about.IsDir() {
		wanted.Calibration, wanted.CalibrationName = sim.Calibration(c), "the simulated probes' files"
	}
	return wanted
}

// wantedHeadstages is a rig as headstages are configured from it.
func wantedHeadstages(r *rig.Rig) headstage.Rig {
	wanted := headstage.Rig{
		Device: func(k *device.Kind, key string) headstage.Device {
			d := r.Device(k, key)
			return headstage.Device{Enable: d.Enable, Named: r.Named(key), Settings: d.Settings}
		},
		Sleep: sleep,
	}
	for i, name := range rig.PortNames {
		wanted.Ports[i] = headstage.Port{Headstage: r.Ports[name].Headstage, VoltageDV: r.Ports[name].VoltageDV}
	}
	if folder := r.CalibrationFolder(); folder != "" {
		wanted.Calibration, wanted.CalibrationName = os.DirFS(folder), folder
	}
	return wanted
}

// sleep waits, or returns when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// OpenBoard opens a board as it is, without the settings of a rig: through
// liboni, whose file is library, or looked for where it is usually; or the
// simulated breakout board.
func OpenBoard(driver, library string) (oni.Controller, error) {
	if driver == rig.DriverSim {
		return sim.New(sim.Config{})
	}
	return liboni.Open(liboni.Config{Driver: driver, Library: library, Host: -1})
}

// Bounds of a block that is read at once. Source: onix-devices 1.7.
const (
	blockPerSecond = 50        // 20 ms of what is expected: a read returns, and Stop is noticed, when a block is full
	maxBlockRead   = 64 << 10  // larger blocks cost twice the time, in the kernel
	blockWriteSize = 2048      // Bonsai's
	headerBytes    = 16        // of a frame on the wire
	readAsComes    = 1<<32 - 1 // of a source without a pace: bytes a second
)

// setBlockSizes makes blocks of a size that suits what is expected, in bytes a
// second.
func setBlockSizes(c oni.Controller, rate float64) error {
	read, write := c.BlockSizes() // after a reset: the largest frame
	if wanted := uint32(min(rate/blockPerSecond, maxBlockRead)) + 3; wanted > read {
		read = wanted &^ 3
	}
	return c.SetBlockSizes(read, max(write, blockWriteSize))
}

// wireRate is what devices that send steadily put on the wire, in bytes a
// second.
func (rec *Run) wireRate(streams []stream.Stream) float64 {
	if rec.rig.Driver == rig.DriverTest {
		return readAsComes
	}
	rate, table := 0.0, rec.source.Table()
	for _, s := range streams {
		frames := 0.0
		for _, c := range s.Columns {
			frames = max(frames, c.RateHz)
		}
		if dev, ok := table.Find(oni.Address(s.DeviceAddress)); ok {
			rate += frames * float64(headerBytes+dev.ReadSize+dev.ReadSize%4)
		}
	}
	return rate
}

// simulated is the simulated board that the rig describes, as if it had been
// configured.
func simulated(r *rig.Rig) sim.Config {
	config := sim.Config{Seed: r.Seed, Settings: r.Settings()}
	if r.Signal == rig.SignalNeural {
		config.Signal = sim.Neural
	}
	for i, name := range rig.PortNames {
		config.Ports[i] = r.Ports[name].Headstage
	}
	if every, err := r.PulseEvery(); err == nil { // Parse has refused what is wrong
		config.PulseTicks = ticksFromDuration(every, sim.ClockHz)
	}
	if r.Pace == rig.PaceRealTime {
		config.Wait, config.Now = realTime(sim.ClockHz)
	}
	return config
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
