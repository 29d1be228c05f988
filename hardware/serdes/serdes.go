// Package serdes drives the serial link between a port and a headstage that has
// no hub of its own: the DS90UB9x device of the host, the deserialiser and
// serialiser on both ends of the cable, and the I2C chips that are reached
// through them.
//
// Nothing here knows a headstage, a voltage or a clock. A Link belongs to one
// goroutine at a time, as the Registers under it allow.
//
// Source: onix-devices 2.7, 2.8.
package serdes

import (
	"fmt"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
)

// Registers are those of a controller, as oni.Controller has them. Whoever makes
// a Link may be between, to end a bring-up or to refuse what must not be
// written.
type Registers interface {
	ReadRegister(a oni.Address, register uint32) (uint32, error)
	WriteRegister(a oni.Address, register, value uint32) error
}

// A Register is one of the managed registers of a DS90UB9x device. All but
// those of GPIO are latched by the next reset of the host.
type Register uint32

// The managed registers. Source: onix-devices 2.8.
const (
	Enable      Register = 0x8000 // bit 0: frames are sent
	ReadSize    Register = 0x8001 // low half: words a line and unit; high half: units a frame, 0 is 1
	Trigger     Register = 0x8002
	TriggerSkip Register = 0x8003 // samples left out after the trigger
	DataGate    Register = 0x8004
	SyncBits    Register = 0x8005
	Mark        Register = 0x8006
	MagicMask   Register = 0x8007
	Magic       Register = 0x8008
	MagicWait   Register = 0x8009
	DataMode    Register = 0x800A
	DataLines0  Register = 0x800B
	DataLines1  Register = 0x800C
)

// I2C addresses of the two ends of the link. Source: onix-devices 2.8.
const (
	Deserializer = 0x30
	Serializer   = 0x58
)

// Registers of the serialiser. Source: onix-devices 2.8.
const (
	GPIO01 = 0x0D // low nibble: GPIO 0, high nibble: GPIO 1
	GPIO23 = 0x0E // likewise GPIO 2 and 3

	sclHigh, sclLow = 0x11, 0x12 // times of the I2C clock in steps of 100 ns
)

// A Link is the DS90UB9x device of one port and what is reached through it.
type Link struct {
	regs    Registers
	address oni.Address
}

// NewLink returns the link of port 1 or 2.
func NewLink(regs Registers, port uint8) Link { return Link{regs, Address(port)} }

// Address is that of the DS90UB9x device of port 1 or 2. Source: onix-devices 2.3.
func Address(port uint8) oni.Address { return oni.NewAddress(0, port+7) }

// Set writes a managed register.
func (l Link) Set(r Register, value uint32) error {
	return l.regs.WriteRegister(l.address, uint32(r), value)
}

// A Setting is a managed register and its value.
type Setting struct {
	Register Register
	Value    uint32
}

// Setup writes managed registers in their order.
func (l Link) Setup(settings []Setting) error {
	for _, s := range settings {
		if err := l.Set(s.Register, s.Value); err != nil {
			return err
		}
	}
	return nil
}

// A Mode says how a serialiser of the 933 and 913 types packs its words.
type Mode uint8

// The modes. Source: onix-devices 2.8.
const (
	Raw12LowFrequency  Mode = 1
	Raw12HighFrequency Mode = 2
	Raw10              Mode = 3
)

// linkSettling is how long the link is left alone before it is set up.
// Source: onix-devices 2.8.
const linkSettling = 100 * time.Millisecond

// Initialize sets the deserialiser up for a serialiser of the 933 and 913 types, so
// that it, and through it the headstage, can be reached. It waits first.
//
// Source: onix-devices 2.8, "init933".
func (l Link) Initialize(mode Mode, wait func(time.Duration) error) error {
	if err := wait(linkSettling); err != nil {
		return err
	}
	deserializer := l.Chip(Deserializer)
	for _, w := range [][2]uint8{
		{0x4C, 0x01},               // port 0 of the deserialiser
		{0x6D, 0x04 + uint8(mode)}, // 4: coax
		{0x58, 0x58},               // I2C passes through, back channel with CRC
		{0x5C, Serializer << 1},    // alias of the serialiser
		{0x6E, 0x10}, {0x6F, 0x32}, // GPIO of the back channel
	} {
		if err := deserializer.Write(w[0], w[1]); err != nil {
			return fmt.Errorf("deserialiser: %w", err)
		}
	}
	return nil
}

// Slots for chips in the deserialiser: their own addresses, and the ones by
// which they are called. Source: onix-devices 2.8.
const (
	slaveIDs = 0x5E
	aliases  = 0x66
	slots    = 7
)

// Alias opens the way to the chips of the headstage, each under its own address,
// in the slots 1, 2, 3 and so on. There are seven slots.
func (l Link) Alias(chips ...uint8) error {
	if len(chips) > slots {
		return fmt.Errorf("serdes: %d chips, the deserialiser has %d slots", len(chips), slots)
	}
	deserializer := l.Chip(Deserializer)
	for i, chip := range chips {
		for _, first := range []uint8{slaveIDs, aliases} {
			if err := deserializer.Write(first+uint8(i), chip<<1); err != nil {
				return fmt.Errorf("deserialiser: %w", err)
			}
		}
	}
	return nil
}

// SetI2CRate sets the clock of the headstage's I2C bus, 40 kHz to 1 MHz.
//
// Source: onix-devices 2.8: high and low time are round(1 / (100 ns x rate)).
func (l Link) SetI2CRate(hz uint32) error {
	const steps = 10_000_000 // of 100 ns a second
	if hz < 40_000 || hz > 1_000_000 {
		return fmt.Errorf("serdes: I2C at %d Hz: want 40000 to 1000000", hz)
	}
	ticks := uint8((steps + hz/2) / hz)
	serializer := l.Chip(Serializer)
	for _, r := range []uint8{sclHigh, sclLow} {
		if err := serializer.Write(r, ticks); err != nil {
			return fmt.Errorf("serialiser: %w", err)
		}
	}
	return nil
}
