package headstage

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// What may be asked and changed during an acquisition.

// A Link is what a port controller says of its serial link.
type Link struct {
	Locked bool   // it is there now
	Flags  uint32 // not 0: lock or parity was lost since the flags were cleared last
}

// LinkOf asks the controller of a port, 0 (A) or 1 (B). Old gateware has no flags:
// they are 0 then. Source: onix-devices 2.9.
func LinkOf(c oni.Controller, port int) (Link, error) {
	a := portController(port)
	state, err := c.ReadRegister(a, regLinkState)
	if err != nil {
		return Link{}, fmt.Errorf("headstage: port %s: %w", portLetter(port), err)
	}
	flags, err := c.ReadRegister(a, regLinkFlags)
	if errors.Is(err, oni.ErrNACK) {
		flags, err = 0, nil
	}
	if err != nil {
		return Link{}, fmt.Errorf("headstage: port %s: %w", portLetter(port), err)
	}
	return Link{Locked: state&1 == 1, Flags: flags}, nil
}

// ClearFlags makes Flags of a port's link 0, so that they report the next loss.
func ClearFlags(c oni.Controller, port int) error {
	return c.WriteRegister(portController(port), regLinkFlags, clearLinkFlags)
}

// Hurry makes the heartbeat of the host beat hz times a second, at once, so that
// a block that devices fill no more fills soon. restore puts its rate back. It
// does nothing, and restore is nil, where the host has no heartbeat.
//
// Source: onix-devices 1.13, 3.1.
func Hurry(c oni.Controller, hz uint32) (restore func() error, err error) {
	for _, dev := range c.Table() {
		if dev.Address.Hub() != 0 || dev.ID != device.IDHeartbeat && dev.ID != device.IDPersistentHeartbeat {
			continue
		}
		clockHz, err := c.ReadRegister(dev.Address, regClockHz)
		if err != nil {
			return nil, err
		}
		before, err := c.ReadRegister(dev.Address, regClockDiv)
		if err != nil {
			return nil, err
		}
		// Below this it would fall back to 1 kHz, or refuse.
		divider := max(clockHz/max(hz, 1), (clockHz+fastestHz-1)/fastestHz, 1)
		restore = func() error { return c.WriteRegister(dev.Address, regClockDiv, before) }
		return restore, c.WriteRegister(dev.Address, regClockDiv, divider)
	}
	return nil, nil
}
