package headstage

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/serdes"
)

// Registers of a PortController that a recorder reads or writes; PORTVOLTAGE is
// in voltage.go. GPOSTATE (1) and SAVEVOLTAGE (4) have no name here, since they
// are never written. Source: onix-devices 2.9.
const (
	regPortEnable        = 0 // status frames
	regDeserializerPower = 2
	regLinkState         = 5 // bit 0: lock
	regLinkFlags         = 7 // not 0: lock or parity was lost since it was cleared

	clearLinkFlags = 3
)

// Least versions of the gateware of devices that a link needs. Source: onix-devices 2.1.
const (
	versionPortController = 2
	versionPassthrough    = 3
)

// locked reports whether the link of a port is there.
func (b *bringUp) locked(port int) (bool, error) {
	state, err := b.ReadRegister(portController(port), regLinkState)
	return state&1 == 1, err
}

// portFunc is the bit of option PORTFUNC that lets port 0 (A) or 1 (B) pass a
// headstage's data through. Source: onix-devices 2.6.
func portFunc(port int) uint32 { return 1 << (2 * port) }

// ports is the controller stage: which ports pass data through.
func (b *bringUp) ports() error {
	mask, wanted := uint32(0), uint32(0)
	for i, p := range b.rig.Ports {
		mask |= portFunc(i)
		if Passthrough(p.Headstage) {
			wanted |= portFunc(i)
		}
	}
	if err := b.ctx.Err(); err != nil {
		return err
	}
	b.undo("ports back to standard mode", func() error {
		err := errors.Join(setPortFunc(b.c, mask, 0), b.c.Reset())
		if errors.Is(err, oni.ErrState) {
			return nil // a read hangs: the voltages are off, and that must do
		}
		return err
	})
	if err := setPortFunc(b.c, mask, wanted); err != nil {
		return fmt.Errorf("headstage: which ports pass data through (PORTFUNC): %w", err)
	}
	return b.reset()
}

// setPortFunc sets the bits of a mask; the next reset latches them. A controller
// without passthrough ports needs none cleared.
func setPortFunc(c oni.Controller, mask, value uint32) error {
	before, err := c.Option(oni.OptionPortFunc)
	if errors.Is(err, oni.ErrOption) && value == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return c.SetOption(oni.OptionPortFunc, before&^mask|value)
}

// links is the link stage: voltage and lock of each port with a headstage.
func (b *bringUp) links() error {
	for i, p := range b.rig.Ports {
		k := kindOf(p.Headstage)
		if k == nil {
			continue
		}
		if err := b.link(i, k, p.VoltageDV); err != nil {
			return err
		}
		b.report.links = append(b.report.links, i)
	}
	if len(b.report.links) == 0 {
		return nil
	}
	if err := b.reset(); err != nil {
		return err
	}
	for _, i := range b.report.links {
		if err := b.expect(i, kindOf(b.rig.Ports[i].Headstage)); err != nil {
			return err
		}
	}
	return nil
}

// link brings the link of one port up.
func (b *bringUp) link(port int, k *kind, user int) error {
	a := portController(port)
	if err := b.present(a, device.IDPortController, versionPortController, "the controller of port "+portLetter(port)); err != nil {
		return err
	}
	if err := b.keep("port "+portLetter(port), a, regPortEnable, 1); err != nil {
		return err
	}
	if err := b.keep("port "+portLetter(port), a, regDeserializerPower, 1); err != nil {
		return err
	}
	b.undo("port "+portLetter(port)+" to 0 V", func() error { return b.power.endPort(port) })
	voltage, lock, err := b.supply(port, k, user)
	if err != nil {
		return err
	}
	b.portFact(port, FactPortVoltage, fmt.Sprint(voltage))
	if lock != 0 {
		b.portFact(port, FactLockVoltage, fmt.Sprint(lock))
	}
	return nil
}

// present refuses a table that lacks a device, or has too old a version of it.
func (b *bringUp) present(a oni.Address, id, version uint32, what string) error {
	d, ok := b.c.Table().Find(a)
	switch {
	case !ok || d.ID != id:
		return fmt.Errorf("headstage: %s: %w: want device %d at %v", what, oni.ErrNoDevice, id, a)
	case d.Version < version:
		return fmt.Errorf("headstage: %s has version %d in the gateware, want %d or later: update the gateware of the host", what, d.Version, version)
	}
	return nil
}

// expect looks whether the reset after the link showed what the headstage has.
func (b *bringUp) expect(port int, k *kind) error {
	if k.passthrough {
		return b.present(serdes.Address(uint8(port+1)), device.IDPassthrough, versionPassthrough, fmt.Sprintf("port %s: what receives the data of a %s", portLetter(port), k.title))
	}
	return nil
}

// lockLost is the error of a link that was there.
func (b *bringUp) lockLost(port int) error {
	return fmt.Errorf("headstage: port %s: %w: it was there and is lost; check plugs and cable, and try more voltage", portLetter(port), ErrNoLink)
}

// confirm is the end of a configuration: the links are there, and from now on
// their flags say whether they were lost.
func (b *bringUp) confirm() error {
	for _, port := range b.report.links {
		locked, err := b.locked(port)
		if err != nil {
			return err
		}
		if !locked {
			return b.lockLost(port)
		}
		err = b.write(portController(port), regLinkFlags, clearLinkFlags)
		if err != nil && !errors.Is(err, oni.ErrNACK) { // old gateware lacks it
			return err
		}
	}
	return nil
}

// Ready refuses to start if the link of a port was lost since Configure, because
// its headstage may have lost its registers. Call it after the block sizes are
// set, right before Start. Source: onix-devices 2.6 step 7, 2.9.
func (r *Report) Ready(c oni.Controller) error {
	for _, port := range r.links {
		link, err := LinkOf(c, port)
		if err != nil {
			return err
		}
		if !link.Locked || link.Flags != 0 {
			return fmt.Errorf("headstage: port %s: %w: it was lost after the headstage was configured (locked: %v, LINKFLAGS %d); check plugs and cable, and try more voltage", portLetter(port), ErrNoLink, link.Locked, link.Flags)
		}
	}
	return nil
}

// portFact notes something about all devices of a port.
func (b *bringUp) portFact(port int, name, value string) {
	b.fact("port-"+portName(port), name, value)
}
