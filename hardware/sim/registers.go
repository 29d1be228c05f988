package sim

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// The registers of the host and its breakout board, made from register_table.go,
// with the effects that the frames show. Headstages have no chips here: accesses
// to them are not acknowledged.

// A register is one cell. Its value may be read and written while frames are
// made.
type register struct {
	row   *row
	value atomic.Uint32
	now   func() uint32 // if not nil, what reading gives
}

type registers map[oni.Address]map[uint32]*register

// Registers by number. Source: onix-devices 3.1 to 3.7, 2.8, 2.9.
const (
	regEnable      = 0
	regClockDiv    = 1 // Heartbeat, MemoryMonitor
	regClockHz     = 2
	regTotalMem    = 3 // MemoryMonitor, 32-bit words
	regMemUsage    = 4
	regInputRange  = 2 // AnalogIO, of channel 0; 0 and 3: 10 V, 1: 2.5 V, 2: 5 V
	regWordsToHost = 3 // LoadTester
	regEnableRaw   = 0x8000
)

var codeOfRange = map[float64]uint32{10: 0, 2.5: 1, 5: 2}
var rangeOfCode = map[uint32]float64{0: 10, 1: 2.5, 2: 5, 3: 10}

// add gives a device the registers of some rows, as after power-up. One that
// can only be written keeps nothing, and is not here.
func (r registers) add(a oni.Address, rows ...row) {
	if r[a] == nil {
		r[a] = map[uint32]*register{}
	}
	each(rows, func(number uint32, row *row) {
		if row.access == write {
			return
		}
		cell := &register{row: row}
		cell.value.Store(row.powerUp)
		r[a][number] = cell
	})
}

func (r registers) set(a oni.Address, number, value uint32) { r[a][number].value.Store(value) }

func (r registers) value(a oni.Address, number uint32) uint32 { return r[a][number].value.Load() }

// enabled reports whether a device was enabled at the last Reset.
func (c *controller) enabled(a oni.Address) bool {
	dev, ok := c.table.Find(a)
	if c.cold != nil {
		if p, link := c.cold.portAt(a); link != nil {
			return link.latched[linkFirst]&1 == 1
		} else if p != nil {
			return p.enable&1 == 1
		}
	}
	return ok && c.latched[a][enableRegister(dev.ID)]&1 == 1
}

// powerUp makes every register: of a cold controller as hardware has it, of
// others as the rig of the configuration wants it.
func (c *controller) powerUp() {
	r := registers{}
	r.hub(0, []uint32{1, 1<<8 | 3, 2<<8 | 2, 2<<8 | 2, ClockHz, 0})
	for _, dev := range breakoutTable() {
		r.add(dev.Address, hostRegisters[dev.ID]...)
	}
	r.set(addressMemoryMonitor, regTotalMem, uint32(c.fifoBytes()/4))
	r[addressMemoryMonitor][regMemUsage].now = func() uint32 { return uint32(c.fifoUsed() / 4) }
	if c.cold == nil {
		c.configure(r)
	}
	c.powerUpHeadstages(r)
	c.registers = r
}

// hub adds what a hub says of itself. Source: onix-devices 2.4.
func (r registers) hub(number uint8, values []uint32) {
	for i, value := range values {
		r.add(oni.HubManager(number), row{first: uint32(i), access: read, powerUp: value})
	}
}

// configure sets registers as the rig has it: what it plays is enabled.
func (c *controller) configure(r registers) {
	for _, dev := range breakoutTable() {
		number := enableRegister(dev.ID)
		if cell := r[dev.Address][number]; cell != nil && cell.row.access&write != 0 {
			cell.value.Store(0)
			if c.plays(dev) {
				cell.value.Store(1)
			}
		}
	}
	r.set(addressHeartbeat, regClockDiv, periodTicks(settingsAt[*device.RateSettings](c, addressHeartbeat).RateHz))
	r.set(addressMemoryMonitor, regClockDiv, periodTicks(settingsAt[*device.MemoryMonitorSettings](c, addressMemoryMonitor).RateHz))
	analog := settingsAt[*device.AnalogIOSettings](c, addressAnalogIO)
	for ch := range 12 {
		r.set(addressAnalogIO, regInputRange+uint32(ch), codeOfRange[analog.RangeV(ch)])
	}
}

// plays reports whether a device of the host has something to send.
func (c *controller) plays(dev oni.Device) bool {
	switch dev.ID {
	case device.IDPassthrough:
		return c.headstage(dev.Address) != ""
	case device.IDAnalogIO, device.IDDigitalIO, device.IDMemoryMonitor: // producers.go
		return true
	}
	k, _ := c.kindOf(dev)
	return k != nil && k.Play != nil && k.Place != device.Headstage
}

// latch takes the registers that work from the next Reset on, and makes the
// device table that follows from them.
func (c *controller) latch() {
	latched := map[oni.Address]map[uint32]uint32{}
	for a, cells := range c.registers {
		latched[a] = map[uint32]uint32{}
		for number, cell := range cells {
			latched[a][number] = cell.value.Load()
		}
	}
	if c.cold != nil {
		for _, p := range c.cold.ports {
			p.enable = p.values[regEnable]
		}
	}
	table := breakoutTable()
	for i := range table {
		switch d := &table[i]; {
		case d.ID == device.IDPassthrough && c.cold != nil:
			_, link := c.cold.portAt(d.Address)
			link.latch(c.options[oni.OptionPortFunc]>>(2*(d.Address-passthrough(0)))&1 == 1)
			d.ReadSize = link.readSize()
		case d.ID == device.IDPassthrough && c.headstage(d.Address) != "":
			if k := device.KindOf(*d, c.headstage(d.Address)); k != nil { // else it has devices of its own
				d.ReadSize = uint32(k.Samples)
			}
		case d.ID == device.IDLoadTester:
			d.ReadSize += 2 * min(latched[d.Address][regWordsToHost], 1<<15)
		}
	}
	c.latched, c.table = latched, append(table, c.headstageTable()...)
	c.readBlock, c.writeBlock = c.largestRead(), c.largestWrite()
}

// largestRead and largestWrite are the default block sizes too: the largest
// frame, rounded up to a multiple of 4. Source: onix-devices 1.4.
func (c *controller) largestRead() uint32 {
	size := uint32(0)
	for _, d := range c.table {
		size = max(size, d.ReadSize)
	}
	return (size + 16 + 3) &^ 3
}

func (c *controller) largestWrite() uint32 {
	size := uint32(0)
	for _, d := range c.table {
		size = max(size, d.WriteSize)
	}
	return (size + 8 + 3) &^ 3
}

// divider is the period of a device whose register 1 sets it, in ticks.
func divider(cell *register) func() uint64 {
	return func() uint64 {
		if d := cell.value.Load(); d >= smallestDivider {
			return uint64(d)
		}
		return defaultDivider
	}
}

// ReadRegister implements oni.Controller.
func (c *controller) ReadRegister(a oni.Address, number uint32) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, err := c.readLocked(a, number)
	c.note("read", a, number, value, err)
	if err != nil {
		return 0, &oni.RegisterError{Address: a, Register: number, Err: err}
	}
	return value, nil
}

func (c *controller) readLocked(a oni.Address, number uint32) (uint32, error) {
	if c.cold != nil && c.state.Load() != closed {
		if value, handled, err := c.readCold(a, number); handled {
			return value, err
		}
	}
	cell, err := c.register(a, number)
	if err != nil {
		return 0, err
	}
	if cell.now != nil {
		return cell.now(), nil
	}
	return cell.value.Load(), nil
}

// WriteRegister implements oni.Controller.
func (c *controller) WriteRegister(a oni.Address, number, value uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hangs(a) {
		select {}
	}
	err := c.writeLocked(a, number, value)
	c.note("write", a, number, value, err)
	if err != nil {
		return &oni.RegisterError{Address: a, Register: number, Write: true, Err: err}
	}
	return nil
}

func (c *controller) writeLocked(a oni.Address, number, value uint32) error {
	if c.cold != nil && c.state.Load() != closed {
		if handled, err := c.writeCold(a, number, value); handled {
			return err
		}
	}
	cell, err := c.register(a, number)
	if err == nil && (cell.row.access&write == 0 || value < cell.row.least) {
		err = oni.ErrNACK
	}
	if err != nil {
		return err
	}
	cell.value.Store(value)
	return nil
}

func (c *controller) register(a oni.Address, number uint32) (*register, error) {
	if c.state.Load() == closed {
		return nil, oni.ErrState
	}
	if _, ok := c.table.Find(a); !ok && a.Index() != 254 {
		return nil, oni.ErrNoDevice
	}
	if cell := c.registers[a][number]; cell != nil {
		return cell, nil
	}
	return nil, oni.ErrNACK
}

// Reset implements oni.Controller.
func (c *controller) Reset() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.state.Load(); s == running || s == closed {
		return fmt.Errorf("sim: Reset: %w", oni.ErrState)
	}
	for _, cells := range c.registers {
		for _, cell := range cells {
			if cell.row.cleared {
				cell.value.Store(0)
			}
		}
	}
	c.latch()
	c.note("reset", 0, 0, 0, nil)
	return nil
}

// options that can be set; what they do to a headstage is not simulated.
var settable = []oni.Option{oni.OptionHardwareAddress, oni.OptionPortFunc}

// Option implements oni.Controller.
func (c *controller) Option(o oni.Option) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch o {
	case oni.OptionSystemClockHz:
		return ClockHz, nil
	case oni.OptionMaxReadFrameSize:
		return c.largestRead(), nil
	case oni.OptionMaxWriteFrameSize:
		return c.largestWrite(), nil
	}
	if slices.Contains(settable, o) {
		return c.options[o], nil
	}
	return 0, oni.ErrOption
}

// SetOption implements oni.Controller.
func (c *controller) SetOption(o oni.Option, value uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(settable, o) {
		return oni.ErrOption
	}
	c.options[o] = value
	c.note("option", 0, uint32(o), value, nil)
	return nil
}

// BlockSizes implements oni.Controller.
func (c *controller) BlockSizes() (read, write uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readBlock, c.writeBlock
}

// SetBlockSizes implements oni.Controller. The simulator keeps them; its
// frames come one at a time.
func (c *controller) SetBlockSizes(read, write uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.state.Load(); s == running || s == closed {
		return fmt.Errorf("sim: SetBlockSizes: %w", oni.ErrState)
	}
	if read%4 != 0 || write%4 != 0 || read < c.largestRead() || write < c.largestWrite() {
		return fmt.Errorf("sim: blocks of %d and %d bytes: want multiples of 4, at least %d and %d", read, write, c.largestRead(), c.largestWrite())
	}
	c.readBlock, c.writeBlock = read, write
	return nil
}
