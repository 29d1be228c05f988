// Package sim is a controller made from a seed.
//
// It delivers frames as an ONIX host with a breakout board would, and with a
// headstage on port A, B or both: device addresses, packed
// samples, the clocks and their spacing, all devices merged in the order of the
// acquisition clock. The same configuration gives the same frames. Nothing
// here reads the time: Config.Wait, if set, paces it.
//
// Signals. Pattern: every value follows an integer formula (pattern.go, and
// testdata/samples/README.md for readers without this code). Neural: noise,
// an LFP rhythm and spikes of some units (tissue.go), the same on every machine
// of one architecture.
package sim

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// ClockHz is the rate of the acquisition clock and of the host's hub clock.
// Source: onix-devices 2.5.
const ClockHz = 250_000_000

// A Signal says what the devices measure.
type Signal uint8

// The signals.
const (
	Pattern Signal = iota // integer formulas
	Neural                // what a rig might see
)

// Config describes the simulated rig. The zero value is a breakout board with
// the pattern signal, as fast as frames are read.
type Config struct {
	Seed   uint64 // of everything random in Neural
	Signal Signal
	Ports  [2]string // A and B: the key of the headstage, "" nothing

	// Settings of devices by their key in a rig file ("analog-io",
	// "port-a/neuropixels-1.0e"); what is not named has its kind's defaults.
	// Neural keeps its volts whatever the ranges and gains.
	Settings map[string]device.Settings

	Faults []Fault

	// PulseTicks, if not 0, is how often channel 0 of every device with
	// electrodes has its highest code for pulseLength ticks: a mark whose way
	// through a program can be timed. Pulsed, if not nil, is called by the
	// reader with the acquisition clock of the frame that begins one, just
	// before it is delivered; once a pulse, however many devices there are.
	PulseTicks uint64
	Pulsed     func(ticks uint64)

	// Cold makes a controller as hardware is after power-up, to be configured:
	// see Board. Otherwise everything is set as Settings say, and links are
	// there.
	Cold   bool
	Boards [2]Board // of the ports, if it is cold

	// Wait, if not nil, is called before frames are delivered, with the
	// acquisition clock that has to be reached first, about 200 times a second
	// of the rig's time. It should return when ticks / ClockHz seconds have
	// passed since Start; if it returns early, frames come early.
	Wait func(ticks uint64)

	// Now, if not nil, returns how many ticks of the acquisition clock have
	// passed since Start; frames up to there wait in the FIFO, and FIFOFill
	// counts them (fifo.go). It may be called by any goroutine.
	Now func() uint64

	// FIFOBytes is the size of that buffer; 0: 2 GiB.
	FIFOBytes uint64
}

// blockTicks is how much of the rig's time one block of frames holds, 5 ms as
// a block of a real controller would; onix-devices 1.7.
const blockTicks = ClockHz / 200

var (
	// ErrEnded says that the simulated controller stopped delivering (fault End).
	ErrEnded = errors.New("sim: the controller stopped delivering")
)

// States of a controller.
const (
	idle int32 = iota
	running
	stopped
	closed
)

// controller implements oni.Controller.
type controller struct {
	cfg   Config
	state atomic.Int32

	// Of the reader.
	producers []producer
	released  uint64 // frames before this tick need no more waiting
	faults    []Fault
	pulses    uint64        // that were begun
	inside    atomic.Bool   // a read is
	clock     atomic.Uint64 // of the last frame that was read
	wireBytes atomic.Uint64 // of all that were
	overflow  atomic.Uint64 // when the FIFO was full, in ticks; 0: it was not

	mu                    sync.Mutex // guards what follows
	table                 oni.DeviceTable
	registers             registers
	latched               map[oni.Address]map[uint32]uint32 // registers as of the last Reset
	options               map[oni.Option]uint32
	writes                map[oni.Address]uint64 // of registers, since New
	cold                  *cold                  // nil: as if it had been configured
	readBlock, writeBlock uint32
}

// New returns a controller, not yet started. It fails if the configuration
// names what the simulator cannot make.
func New(cfg Config) (oni.Controller, error) {
	if cfg.Signal > Neural {
		return nil, fmt.Errorf("sim: signal %d is not known", cfg.Signal)
	}
	for _, key := range slices.Sorted(maps.Keys(cfg.Settings)) {
		k := device.KindForKey(key)
		if k == nil {
			return nil, fmt.Errorf("sim: no device is called %q", key)
		}
		if err := k.Check(cfg.Settings[key]); err != nil {
			return nil, fmt.Errorf("sim: %s: %w", key, err)
		}
	}
	for i, key := range cfg.Ports {
		if key == "" {
			continue
		}
		if !slices.Contains(device.Headstages(), key) {
			return nil, fmt.Errorf("sim: port %s: headstage %q is not known", device.PortName(uint8(i+1)), key)
		}
	}
	c := &controller{cfg: cfg, options: map[oni.Option]uint32{}, writes: map[oni.Address]uint64{}}
	if cfg.Cold {
		c.cold = newCold(&cfg)
	}
	c.powerUp()
	c.latch()
	for i, f := range cfg.Faults {
		if err := f.check(c.table); err != nil {
			return nil, fmt.Errorf("sim: fault %d: %w", i, err)
		}
	}
	return c, nil
}

// kindOf returns the kind of a device and its settings, or nil.
func (c *controller) kindOf(dev oni.Device) (*device.Kind, device.Settings) {
	k := device.KindOf(dev, c.headstage(dev.Address))
	if k == nil {
		return nil, nil
	}
	return k, c.settingsOf(k, dev.Address)
}

// settingsOf returns the settings of the kind of a device.
func (c *controller) settingsOf(k *device.Kind, a oni.Address) device.Settings {
	if set := c.cfg.Settings[k.KeyAt(a)]; set != nil {
		return set
	}
	return k.Settings()
}

// headstage is what is plugged into the port of an address.
func (c *controller) headstage(a oni.Address) string {
	if port := int(a.Port()); port > 0 && port <= len(c.cfg.Ports) {
		return c.cfg.Ports[port-1]
	}
	return ""
}

// settingsAt returns the settings of the host's device at an address.
func settingsAt[T device.Settings](c *controller, a oni.Address) T {
	dev, _ := breakoutTable().Find(a)
	_, set := c.kindOf(dev)
	return set.(T)
}

// Addresses of the breakout board's devices. Source: onix-devices 2.3.
const (
	addressHeartbeat     = oni.Address(0x0)
	addressAnalogIO      = oni.Address(0x6)
	addressDigitalIO     = oni.Address(0x7)
	addressMemoryMonitor = oni.Address(0xA)
	addressLoadTester    = oni.Address(0xB)
	addressHarpSync      = oni.Address(0xC)
)

// passthrough is the device that sends what a port's headstage measures.
func passthrough(port int) oni.Address { return oni.Address(8 + port) }

// breakoutTable is the device table of a host with a breakout board.
// Source: onix-devices 9.1.
func breakoutTable() oni.DeviceTable {
	return oni.DeviceTable{
		{Address: addressHeartbeat, ID: device.IDPersistentHeartbeat, Version: 1, ReadSize: 8},
		{Address: 0x1, ID: device.IDPortController, Version: 2, ReadSize: 10},
		{Address: 0x2, ID: device.IDPortController, Version: 2, ReadSize: 10},
		{Address: 0x3},
		{Address: 0x4},
		{Address: 0x5, ID: device.IDOutputClock, Version: 1},
		{Address: addressAnalogIO, ID: device.IDAnalogIO, Version: 2, ReadSize: 32, WriteSize: 24},
		{Address: addressDigitalIO, ID: device.IDDigitalIO, Version: 2, ReadSize: 12, WriteSize: 4},
		{Address: passthrough(0), ID: device.IDPassthrough, Version: 3},
		{Address: passthrough(1), ID: device.IDPassthrough, Version: 3},
		{Address: addressMemoryMonitor, ID: device.IDMemoryMonitor, Version: 2, ReadSize: 12},
		{Address: addressLoadTester, ID: device.IDLoadTester, Version: 2, ReadSize: 16, WriteSize: 8},
		{Address: addressHarpSync, ID: device.IDHarpSyncInput, Version: 2, ReadSize: 12},
	}
}

func (c *controller) Table() oni.DeviceTable {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.table
}

func (c *controller) AcqClockHz() uint64 { return ClockHz }

// Hub knows the host only: a passthrough headstage has no hub of its own.
func (c *controller) Hub(hub uint8) (oni.Hub, error) {
	manager := oni.HubManager(hub)
	id, err := c.ReadRegister(manager, 0)
	if err != nil {
		return oni.Hub{}, fmt.Errorf("sim: hub %d is not linked: %w", hub, err)
	}
	value := func(number uint32) uint32 { return c.registers.value(manager, number) }
	version := func(v uint32) string { return fmt.Sprintf("%d.%d", v>>8&0xFF, v&0xFF) }
	return oni.Hub{ID: id, Revision: version(value(1)), Firmware: version(value(2)), ClockHz: uint64(value(4))}, nil
}

// Start begins at clock 0, each time with the same frames.
func (c *controller) Start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := error(nil)
	if s := c.state.Load(); s != idle && s != stopped {
		err = oni.ErrState
	} else if c.cold != nil {
		err = c.unlatched()
	}
	c.note("start", 0, 0, 0, err)
	if err != nil {
		return fmt.Errorf("sim: Start: %w", err)
	}
	c.producers = c.newProducers()
	c.faults = append([]Fault(nil), c.cfg.Faults...)
	c.released, c.pulses = 0, 0
	c.clock.Store(0)
	c.wireBytes.Store(0)
	c.overflow.Store(0)
	c.state.Store(running)
	return nil
}

func (c *controller) Stop() error {
	if s := c.state.Load(); s != running && s != stopped {
		return fmt.Errorf("sim: Stop: %w", oni.ErrState)
	}
	c.state.Store(stopped)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note("stop", 0, 0, 0, nil)
	return nil
}

// Close refuses while a read is inside, where a real controller would crash.
func (c *controller) Close() error {
	if c.inside.Load() {
		return fmt.Errorf("sim: Close while a frame is being read: %w", oni.ErrState)
	}
	c.state.Store(closed)
	c.producers = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note("close", 0, 0, 0, nil)
	return nil
}

func (c *controller) ReadInto(f *oni.Frame) error {
	c.inside.Store(true)
	defer c.inside.Store(false)
	for c.state.Load() == running {
		next := c.producers[0]
		for _, p := range c.producers[1:] {
			if p.clock() < next.clock() {
				next = p
			}
		}
		clock := next.clock()
		if c.ended(clock) {
			c.state.Store(stopped)
			return ErrEnded
		}
		if full := c.overflowed(); full > 0 && clock >= full {
			c.state.Store(stopped)
			return fmt.Errorf("sim: %w", oni.ErrOverflow)
		}
		if c.cfg.Wait != nil && clock >= c.released {
			c.released = c.stalledUntil((clock/blockTicks + 1) * blockTicks)
			c.cfg.Wait(c.released)
		}
		*f = oni.Frame{Clock: clock, Address: next.address(), Data: next.next()}
		c.clock.Store(clock)
		c.wireBytes.Add(wireBytes(len(f.Data)))
		if c.apply(f) {
			return nil
		}
	}
	if c.state.Load() == stopped {
		return io.EOF
	}
	return fmt.Errorf("sim: ReadInto: %w", oni.ErrState)
}

// periodTicks is the divider that a rate needs, as the recorder writes it into
// the device's register; onix-devices 3.1.
func periodTicks(hz float64) uint32 { return uint32(math.Floor(ClockHz / hz)) }
