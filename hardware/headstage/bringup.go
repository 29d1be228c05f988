package headstage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A bringUp is one configuration under way. Every access goes through it, so
// that it ends soon after ctx does, and so that nothing forbidden is written.
// It implements serdes.Registers.
type bringUp struct {
	ctx    context.Context
	c      oni.Controller
	rig    Rig
	undo   func(what string, step func() error)
	power  *power
	report *Report

	inspect bool      // look at what is plugged in, and set nothing
	written []written // to be read back after the next reset
}

// written is a register that can be read as well.
type written struct {
	what     string // for people
	address  oni.Address
	register uint32
	value    uint32
}

func newBringUp(ctx context.Context, c oni.Controller, rig Rig, undo func(string, func() error)) *bringUp {
	return &bringUp{
		ctx: ctx, c: c, rig: rig, undo: undo, power: &power{c: c},
		report: &Report{Settings: map[string]device.Settings{}, facts: map[string]map[string]string{}, Probes: map[string]ProbeMap{}},
	}
}

// ReadRegister reads a register unless ctx ended.
func (b *bringUp) ReadRegister(a oni.Address, register uint32) (uint32, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.c.ReadRegister(a, register)
}

// errForbidden is a fault of this program, never one of the rig.
var errForbidden = errors.New("this register is never written")

// WriteRegister writes a register, for serdes.
func (b *bringUp) WriteRegister(a oni.Address, register, value uint32) error {
	return b.write(a, register, value)
}

// write writes a register unless ctx ended. Of a PortController only
// ENABLE, DESPWR and LINKFLAGS pass: PORTVOLTAGE belongs to voltage.go, GPOSTATE
// can fire stimulators, SAVEVOLTAGE outlasts a power cut. Source: onix-devices
// 2.9, 6.0.
func (b *bringUp) write(a oni.Address, register, value uint32) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	if isPortController(b.c.Table(), a) {
		switch register {
		case regPortEnable, regDeserializerPower, regLinkFlags:
		default:
			return &oni.RegisterError{Address: a, Register: register, Write: true, Err: errForbidden}
		}
	}
	return b.c.WriteRegister(a, register, value)
}

func isPortController(table oni.DeviceTable, a oni.Address) bool {
	if a == portController(0) || a == portController(1) {
		return true
	}
	d, ok := table.Find(a)
	return ok && d.ID == device.IDPortController
}

// keep writes a register that can be read as well, and looks at it again after
// the next reset.
func (b *bringUp) keep(what string, a oni.Address, register, value uint32) error {
	if err := b.write(a, register, value); err != nil {
		return fmt.Errorf("headstage: %s: %w", what, err)
	}
	b.written = append(b.written, written{what, a, register, value})
	return nil
}

// compare reads back what keep wrote.
func (b *bringUp) compare() error {
	for _, w := range b.written {
		v, err := b.ReadRegister(w.address, w.register)
		switch {
		case errors.Is(err, oni.ErrNACK):
			b.warn("%s: register %d of %v cannot be read back", w.what, w.register, w.address)
		case err != nil:
			return fmt.Errorf("headstage: %s: %w", w.what, err)
		case v != w.value:
			return fmt.Errorf("headstage: %s: register %d of %v is %d after %d was written; start the hardware anew, and see that no other program uses it", w.what, w.register, w.address, v, w.value)
		}
	}
	b.written = nil
	return nil
}

// wait lets d pass.
func (b *bringUp) wait(d time.Duration) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	if err := b.rig.Sleep(b.ctx, d); err != nil {
		return err
	}
	return b.ctx.Err()
}

// reset restarts the hardware, which latches registers and reads the table again.
func (b *bringUp) reset() error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	if err := b.c.Reset(); err != nil {
		return fmt.Errorf("headstage: reset of the host: %w", err)
	}
	return nil
}

func (b *bringUp) warn(format string, args ...any) {
	b.report.Warnings = append(b.report.Warnings, fmt.Sprintf(format, args...))
}

// device returns how a device of a kind is to be set, its settings never nil.
func (b *bringUp) device(k *device.Kind, key string) Device {
	d := Device{Enable: !k.Optional}
	if b.rig.Device != nil {
		d = b.rig.Device(k, key)
	}
	if d.Settings == nil {
		d.Settings = k.Settings()
	}
	return d
}

// fact notes something about a device.
func (b *bringUp) fact(key, name, value string) {
	if value == "" {
		return
	}
	if b.report.facts[key] == nil {
		b.report.facts[key] = map[string]string{}
	}
	b.report.facts[key][name] = value
}
