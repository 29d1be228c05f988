package sim

import (
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A passthroughLink is the DS90UB9x device of a port: its own registers, and the
// I2C bus at its other end in the same space. Source: onix-devices 2.7, 2.8.
type passthroughLink struct {
	port    *port
	values  map[uint32]uint32 // as written
	latched map[uint32]uint32 // as of the last reset
	passes  bool              // the port's bit of PORTFUNC, as of the last reset
}

const (
	linkFirst    = 0x8000
	linkReadSize = 0x8001
	linkMode     = 0x800A
	linkLast     = 0x800C // of those that a reset latches
	linkPinsDir  = 0x8010
	linkPins     = 0x8011
	linkStatus   = 0x8012
	linkTimeLow  = 0x8013
	linkTimeHigh = 0x8014
)

var linkRows = hostRegisters[device.IDPassthrough]

func newPassthroughLink(p *port) *passthroughLink {
	l := &passthroughLink{port: p, values: map[uint32]uint32{}, latched: map[uint32]uint32{}}
	each(linkRows, func(number uint32, r *row) { l.values[number] = r.powerUp })
	l.latch(false)
	return l
}

func (l *passthroughLink) latch(passes bool) {
	l.passes = passes
	each(linkRows, func(number uint32, r *row) {
		if r.effect == atReset {
			l.latched[number] = l.values[number]
		}
	})
}

// pending reports whether something was written that no reset has latched.
func (l *passthroughLink) pending() (is bool) {
	each(linkRows, func(number uint32, r *row) {
		is = is || r.effect == atReset && l.values[number] != l.latched[number]
	})
	return is
}

// readSize is the size of its samples, as of the last reset.
func (l *passthroughLink) readSize() uint32 {
	if !l.passes {
		return 0
	}
	words, units, mode := l.latched[linkReadSize]&0xFFFF, l.latched[linkReadSize]>>16, l.latched[linkMode]
	if mode&1 == 0 { // parallel
		return 8 + 2*words*max(1, units)
	}
	lines := uint32(1) << (mode >> 8 & 3)
	return 8 + 2 + 2*words*max(1, units)*lines + moreBytes[mode]
}

// moreBytes is what samples of a mode have beyond the sum of their parts: two
// modes of which only the total is known. Source: the sizes of onix-devices 2.8.
var moreBytes = map[uint32]uint32{
	0x2D5: 4,          // 2.0e beta: reserved
	0x5F1: ^uint32(1), // Intan adapter: -2, no index
}

func (l *passthroughLink) read(number uint32, now time.Duration) (uint32, error) {
	switch {
	case isI2C(number):
		return l.port.bus.read(number, now)
	case number == linkStatus:
		return l.port.read(portState, now)
	case number == linkTimeLow || number == linkTimeHigh:
		ticks := uint64(l.port.bus.last.Seconds() * ClockHz)
		return uint32(ticks >> (32 * (number - linkTimeLow))), nil
	case rowOf(linkRows, number) == nil:
		return 0, oni.ErrNACK
	}
	return l.values[number], nil
}

func (l *passthroughLink) write(number, value uint32, now time.Duration, running bool) error {
	switch r := rowOf(linkRows, number); {
	case isI2C(number):
		return l.port.bus.write(number, value, now)
	case r == nil || r.access&write == 0:
		return oni.ErrNACK
	case r.effect == atReset && running:
		return refused("a register that only a reset latches has no effect on a running device")
	}
	l.values[number] = value
	return nil
}

// isI2C says whether a register of a device is an access to a chip.
func isI2C(number uint32) bool { return number < linkFirst || number&0xB0000000 != 0 }

// A chip is one on the bus. Registers have 8 bits, or 16 where wide.
type chip interface {
	read(register uint16) (byte, error)
	write(register uint16, value byte) error
}

// I2C addresses. Source: onix-devices 2.8, 6.6, 6.8.
const (
	chipDeserializer = 0x30
	chipSerializer   = 0x58
	chipEEPROM       = 0x51
	chipFlex         = 0x50
	chipInertial     = 0x28
	chipProbeV1      = 0x70
	chipProbeV2      = 0x10
)

// A bus is the I2C bus of a port.
type bus struct {
	port         *port
	deserializer memory
	serializer   *memory
	eeprom       memory
	flex         [2]memory // of probes A and B
	inertial     memory
	probes       [2]*probeChip
	last         time.Duration // of the last access
}

// A memory is a chip that keeps what is written.
type memory [256]byte

func (m *memory) read(register uint16) (byte, error)      { return m[register&0xFF], nil }
func (m *memory) write(register uint16, value byte) error { m[register&0xFF] = value; return nil }

func newBus(p *port) bus {
	b := bus{port: p, serializer: &memory{}}
	b.eeprom = headstageEEPROM(p)
	for i := range b.flex {
		b.flex[i] = flexEEPROM(p, i)
	}
	b.inertial[0] = 0xA0 // BNO055, CHIP_ID
	b.powerUp()
	return b
}

// powerUp is what a change of the port's voltage does: chips of the headstage
// forget everything.
func (b *bus) powerUp() {
	*b.serializer = memory{}
	for i := range b.probes {
		b.probes[i] = newProbeChip(b.port.headstage, b.port.board.Faults&BadShift != 0)
	}
}

// find returns the chip at an address, or why it does not answer.
func (b *bus) find(address byte, wide bool, now time.Duration) (chip, error) {
	if wide != (address == chipEEPROM) {
		return nil, oni.ErrNACK
	}
	if address == chipDeserializer {
		if b.port.values[portPower] == 0 {
			return nil, oni.ErrNACK
		}
		return &b.deserializer, nil
	}
	const passI2C = 1 << 6 // register 0x58 of the deserialiser
	if !b.port.locked(now) || b.deserializer[0x58]&passI2C == 0 || b.deserializer[0x5C] != chipSerializer<<1 {
		return nil, oni.ErrNACK
	}
	if address == chipSerializer {
		return b.serializer, nil
	}
	if !b.aliased(address) {
		return nil, oni.ErrNACK
	}
	faults := b.port.board.Faults
	switch probe := b.selected(); {
	case address == chipEEPROM && faults&NoEEPROM == 0:
		return readOnly{&b.eeprom}, nil
	case address == chipInertial:
		return &b.inertial, nil
	case probe < 0 || faults&(NoProbeA<<probe) != 0:
	case address == chipFlex:
		return readOnly{&b.flex[probe]}, nil
	case address == b.probes[probe].address && !b.inReset():
		return b.probes[probe], nil
	}
	return nil, oni.ErrNACK
}

// aliased reports whether a slot of the deserialiser passes an address on.
// Source: onix-devices 2.8.
func (b *bus) aliased(address byte) bool {
	for slot := 1; slot <= 7; slot++ {
		if b.deserializer[0x5D+slot] == address<<1 && b.deserializer[0x65+slot] == address<<1 {
			return true
		}
	}
	return false
}

// Outputs of the serialiser: registers 0x0D and 0x0E have two each, high where
// bit 3 or 7 is set. Source: onix-devices 6.6, 6.8.
func (b *bus) output(number int) bool {
	return b.serializer[0x0D+number/2]>>(3+4*(number%2))&1 == 1
}

// selected is which probe is on the bus, or -1.
func (b *bus) selected() int {
	switch b.port.headstage {
	case device.HeadstageNeuropixelsV1e:
		return 0
	case device.HeadstageNeuropixelsV2e:
		switch {
		case !b.output(0) || !b.output(2): // no analog supply, or none selected
			return -1
		case b.output(3):
			return 1
		}
		return 0
	}
	return -1
}

// inReset reports whether the probes are held in reset.
func (b *bus) inReset() bool {
	if b.port.headstage == device.HeadstageNeuropixelsV1e {
		return !b.output(0)
	}
	return !b.output(1)
}

// split takes an address of a register apart. Source: onix-devices 2.7.
func split(number uint32) (address byte, register uint16, bytes int, wide bool) {
	return byte(number & 0x7F), uint16(number >> 7), int(number>>28&3) + 1, number>>31 == 1
}

func (b *bus) read(number uint32, now time.Duration) (value uint32, err error) {
	b.last = now
	address, register, bytes, wide := split(number)
	c, err := b.find(address, wide, now)
	if err != nil {
		return 0, err
	}
	for i := range bytes {
		v, err := c.read(register + uint16(i))
		if err != nil {
			return 0, err
		}
		value |= uint32(v) << (8 * i)
	}
	return value, nil
}

func (b *bus) write(number, value uint32, now time.Duration) error {
	b.last = now
	address, register, bytes, wide := split(number)
	c, err := b.find(address, wide, now)
	if err != nil {
		return err
	}
	for i := range bytes {
		if err := c.write(register+uint16(i), byte(value>>(8*i))); err != nil {
			return err
		}
	}
	if address == chipSerializer && b.inReset() {
		for _, p := range b.probes {
			p.reset()
		}
	}
	return nil
}

// readOnly is a chip that nobody may write to: the identity of a board.
type readOnly struct{ chip }

func (readOnly) write(uint16, byte) error {
	return refused("this EEPROM says what a board is, and is never written")
}
