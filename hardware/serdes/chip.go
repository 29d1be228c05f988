package serdes

import (
	"fmt"

	"github.com/oniscope/oniscope/hardware/oni"
)

// A Chip is one I2C chip with registers of 8 bits at addresses of 8 bits. It is
// accessed byte by byte.
type Chip struct {
	link    Link
	address uint8
}

// Chip returns the chip at a 7-bit I2C address. A chip that is not there, or
// not reachable, gives oni.ErrNACK.
func (l Link) Chip(address uint8) Chip { return Chip{l, address & 0x7F} }

// An access to an I2C chip as the number of a register of the device that the
// chip is behind: bits 0 to 6 its address, 7 to 22 its register, 28 and 29 how
// many bytes less one, 31 registers have addresses of 16 bits.
// Source: onix-devices 2.7.
func i2cRegister(chip uint8, register uint16, wide bool) uint32 {
	r := uint32(register)<<7 | uint32(chip)
	if wide {
		r |= 1 << 31
	}
	return r
}

// Read returns a register of the chip.
func (c Chip) Read(register uint8) (uint8, error) {
	v, err := c.link.regs.ReadRegister(c.link.address, i2cRegister(c.address, uint16(register), false))
	if err != nil {
		return 0, c.explain(uint16(register), false, err)
	}
	return uint8(v), nil
}

// Write sets a register of the chip.
func (c Chip) Write(register, value uint8) error {
	if err := c.link.regs.WriteRegister(c.link.address, i2cRegister(c.address, uint16(register), false), uint32(value)); err != nil {
		return c.explain(uint16(register), true, err)
	}
	return nil
}

// Change reads a register and writes it with some bits cleared and others set.
func (c Chip) Change(register, clear, set uint8) error {
	v, err := c.Read(register)
	if err != nil {
		return err
	}
	return c.Write(register, v&^clear|set)
}

// An AccessError is an access to a chip that failed.
type AccessError struct {
	Chip     uint8 // its I2C address
	Register uint16
	Write    bool
	Err      error // oni.ErrNACK if the chip did not answer
}

func (e *AccessError) Error() string {
	verb := "reading"
	if e.Write {
		verb = "writing"
	}
	return fmt.Sprintf("%s register 0x%02x of the chip at I2C address 0x%02x: %v", verb, e.Register, e.Chip, e.Err)
}

// Unwrap returns the cause.
func (e *AccessError) Unwrap() error { return e.Err }

func (c Chip) explain(register uint16, write bool, err error) error {
	// The number of the host's register says nothing to people.
	if outer, ok := err.(*oni.RegisterError); ok {
		err = outer.Err
	}
	return &AccessError{Chip: c.address, Register: register, Write: write, Err: err}
}
