package headstage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// Voltages of ports. This file is the only one of the repository that writes
// PORTVOLTAGE, and a test that reads all source keeps it so. Voltages are integer
// tenths of a volt (dV) everywhere; volts exist in rig files and messages only.
//
// Rules (onix-devices 6.0):
//   - 0 is always allowed. Anything else only for a port with a configured
//     headstage, from 3.3 V to the headstage's ceiling.
//   - Both ports go to 0 before anything else and on every way out. No reset
//     takes a voltage away.
//   - After the undo of a configuration began, no voltage but 0 is written, even
//     if the goroutine that configures is still on its way.

// regPortVoltage is register 3 of a PortController: 10 x volts. Source: onix-devices 2.9.
const regPortVoltage = 3

// ErrVoltage says that a voltage is not possible for a port.
var ErrVoltage = errors.New("not a voltage for this port")

// check refuses a voltage that must not be written for a port with a headstage
// of the kind, nil for none.
func (k *kind) check(dv int) error {
	switch {
	case dv == 0:
		return nil
	case k == nil:
		return fmt.Errorf("headstage: %s V: %w: no headstage is configured there, it stays at 0 V", volts(dv), ErrVoltage)
	case dv < floor || dv > k.ceiling:
		return fmt.Errorf("headstage: %s V: %w: %s takes %s to %s V", volts(dv), ErrVoltage, k.title, volts(floor), volts(k.ceiling))
	}
	return nil
}

// writeVoltage sets the voltage of a port's controller, in dV. Everything that
// changes a voltage comes through here.
func writeVoltage(c oni.Controller, port oni.Address, k *kind, dv int) error {
	if err := k.check(dv); err != nil {
		return err
	}
	return c.WriteRegister(port, regPortVoltage, uint32(dv))
}

// volts writes dV as people write volts: 55 is "5.5".
func volts(dv int) string { return strconv.FormatFloat(float64(dv)/10, 'f', 1, 64) }

// ParseVoltage reads the voltage of a rig file for a headstage: "auto" or "" give
// 0, the documented search; anything else is a number of volts in decimal
// notation, a multiple of 0.1 from 3.3 to the headstage's ceiling, and gives
// tenths of a volt. Nothing is rounded. The error wraps ErrVoltage.
func ParseVoltage(headstage, text string) (dV int, err error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "auto" {
		return 0, nil
	}
	k := kindOf(headstage)
	if k == nil {
		return 0, fmt.Errorf("headstage: %s V: %w: %q is no known headstage", text, ErrVoltage, headstage)
	}
	dV, ok := decivolts(text)
	switch {
	case !ok:
		return 0, fmt.Errorf("headstage: %q: %w: want auto, or volts with at most one digit after the point, from %s to %s", text, ErrVoltage, volts(floor), volts(k.ceiling))
	case dV == 0:
		return 0, fmt.Errorf("headstage: %q: %w: at 0 V the headstage cannot be recorded; say auto, or take it out of ports", text, ErrVoltage)
	}
	if err := k.check(dV); err != nil {
		return 0, err
	}
	return dV, nil
}

// decivolts reads a decimal number as tenths without going through a float, and
// refuses what is not a multiple of 0.1.
func decivolts(text string) (dv int, ok bool) {
	whole, fraction, point := strings.Cut(text, ".")
	if point && fraction == "" || whole == "" {
		return 0, false
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(whole) > 6 || len(fraction) > 1 {
		return 0, false
	}
	digits := whole + (fraction + "0")[:1]
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
	}
	dv, err := strconv.Atoi(digits)
	return dv, err == nil && dv < math.MaxInt32
}

// ErrNoPorts says that a controller has no ports whose voltage could be set.
var ErrNoPorts = errors.New("no ports")

// Dark sets the ports of a controller to 0 V: all PortControllers of its table, or
// those of ports A and B where the table is empty. A port that fails is tried
// once more, and keeps no other from being set. The error names the ports that
// may still have a voltage.
//
// It may be called at any time, by any goroutine, also during a read that hangs.
// It returns ErrNoPorts, having written nothing, for a table without
// PortControllers.
//
// Source: onix-devices 2.9, 6.0.
func Dark(c oni.Controller) error {
	var errs []error
	ports := portControllers(c.Table())
	if len(ports) == 0 {
		return fmt.Errorf("headstage: %w: no device of the table supplies a headstage", ErrNoPorts)
	}
	for _, port := range ports {
		err := darken(c, port)
		if err != nil {
			err = darken(c, port)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("headstage: port %s may still be powered, turn its switch off: %w", portLetter(int(port.Port())-1), err))
		}
	}
	return errors.Join(errs...)
}

// darken takes the voltage of one port away and looks whether it is gone.
func darken(c oni.Controller, port oni.Address) error {
	if err := writeVoltage(c, port, nil, 0); err != nil {
		return err
	}
	return reads(c, port, 0)
}

// reads compares the voltage that a port reports with the one that was written.
// A port that does not acknowledge the question has taken the write.
func reads(c oni.Controller, port oni.Address, dv int) error {
	v, err := c.ReadRegister(port, regPortVoltage)
	switch {
	case errors.Is(err, oni.ErrNACK):
		return nil
	case err != nil:
		return err
	case v != uint32(dv):
		return fmt.Errorf("headstage: %s V were written, the port reports %d tenths of a volt", volts(dv), v)
	}
	return nil
}

func portControllers(table oni.DeviceTable) []oni.Address {
	if len(table) == 0 {
		return []oni.Address{portController(0), portController(1)}
	}
	var found []oni.Address
	for _, d := range table {
		if d.ID == device.IDPortController {
			found = append(found, d.Address)
		}
	}
	return found
}

// portController is the address of the controller of port 0 (A) or 1 (B).
// Source: onix-devices 2.3.
func portController(port int) oni.Address { return oni.NewAddress(0, uint8(port+1)) }

// power is the right to supply ports, which ends for good when the undo of a
// configuration begins.
type power struct {
	mu    sync.Mutex
	c     oni.Controller
	ended bool
}

// set writes a voltage for a port and reads it back, unless ctx or the right
// ended.
func (p *power) set(ctx context.Context, port int, k *kind, dv int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if dv != 0 {
		if p.ended {
			return context.Canceled
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	a := portController(port)
	if err := writeVoltage(p.c, a, k, dv); err != nil {
		return err
	}
	err := reads(p.c, a, dv)
	if err != nil {
		_ = writeVoltage(p.c, a, nil, 0)
	}
	return err
}

// end takes all voltages away and lets none come back.
func (p *power) end() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	return Dark(p.c)
}

// Voltages of the scan of Headstage-64. Source: onix-devices 6.3.
const (
	chargeVoltage = 100 // charges the capacitors
	chargeTime    = 10 * milli
	scanFirst     = 65
	scanStep      = 2
)

// userSettle is how long a voltage that the user gave is left alone before the
// lock is read. Source: onix-devices 6.1.
const userSettle = 500 * milli

// supply gives a port its voltage and returns it, and that at which the link
// locked, 0 where none was looked for. After an error the port is at 0 V.
func (b *bringUp) supply(port int, k *kind, user int) (voltage, lock int, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, b.power.set(b.ctx, port, k, 0))
			voltage, lock = 0, 0
		}
	}()
	s := k.supply
	switch {
	case user != 0:
		if err := k.check(user); err != nil {
			return 0, 0, err
		}
		if s.comfort > 0 && user > s.comfort {
			b.warn("port %s: %s V: the headstage itself takes at most %s V; only a long cable lets that much of it get lost", portLetter(port), volts(user), volts(s.comfort))
		}
		locked, err := b.try(port, k, user, userSettle)
		if err == nil && !locked && !s.noLock {
			err = b.noLink(port, k, "at "+volts(user)+" V")
		}
		return user, 0, err
	case s.scanDown:
		return b.scan(port, k)
	}
	for v := s.first; v <= s.last; v += s.step {
		locked, err := b.try(port, k, v, s.settle)
		if err != nil {
			return 0, 0, err
		}
		if s.noLock {
			return v, 0, nil
		}
		if !locked {
			continue
		}
		final := v + s.offset
		if locked, err = b.try(port, k, final, s.settle); err == nil && !locked {
			err = b.noLink(port, k, fmt.Sprintf("at %s V, though there was one at %s V", volts(final), volts(v)))
		}
		return final, v, err
	}
	return 0, 0, b.noLink(port, k, "from "+volts(s.first)+" to "+volts(s.last)+" V")
}

// try gives a port a voltage, from 0 on, and looks for the lock.
// Source: onix-devices 6.1, "Try V".
func (b *bringUp) try(port int, k *kind, dv int, settle time.Duration) (locked bool, err error) {
	if err := b.power.set(b.ctx, port, k, 0); err != nil {
		return false, err
	}
	if err := b.wait(k.supply.dark); err != nil {
		return false, err
	}
	return b.raise(port, k, dv, settle)
}

// raise changes the voltage of a port and looks for the lock.
func (b *bringUp) raise(port int, k *kind, dv int, settle time.Duration) (locked bool, err error) {
	if err := b.power.set(b.ctx, port, k, dv); err != nil {
		return false, err
	}
	if err := b.wait(settle); err != nil {
		return false, err
	}
	if k.supply.reset {
		if err := b.reset(); err != nil {
			return false, err
		}
	}
	return b.locked(port)
}

// scan finds the voltage of a Headstage-64: it locks at about 2 V but needs more,
// and how much more follows from where the lock is lost.
// Source: onix-devices 6.3.
func (b *bringUp) scan(port int, k *kind) (voltage, lock int, err error) {
	steps := []struct {
		dv   int
		time time.Duration
	}{{0, time.Second}, {chargeVoltage, chargeTime}}
	for _, s := range steps {
		if err := b.power.set(b.ctx, port, k, s.dv); err != nil {
			return 0, 0, err
		}
		if err := b.wait(s.time); err != nil {
			return 0, 0, err
		}
	}
	lost := 0
	for v := scanFirst; v >= floor && lost == 0; v -= scanStep {
		locked, err := b.raise(port, k, v, k.supply.settle)
		switch {
		case err != nil:
			return 0, 0, err
		case !locked && v == scanFirst:
			return 0, 0, b.noLink(port, k, "at "+volts(v)+" V")
		case !locked:
			lost = v
		}
	}
	if lost == 0 {
		lost = floor - scanStep // it locks all the way down
	}
	for _, s := range []struct {
		dv   int
		time time.Duration
	}{{floor, 100 * milli}, {0, time.Second}} {
		if err := b.power.set(b.ctx, port, k, s.dv); err != nil {
			return 0, 0, err
		}
		if err := b.wait(s.time); err != nil {
			return 0, 0, err
		}
	}
	final := 14*lost/10 + 20
	if final > k.ceiling {
		return 0, 0, fmt.Errorf("headstage: port %s: %s loses its link at %s V already and would need %s V, more than the %s V that it may get; the cable is too long or too thin",
			portLetter(port), k.title, volts(lost), volts(final), volts(k.ceiling))
	}
	locked, err := b.raise(port, k, final, k.supply.settle)
	if err == nil && !locked {
		err = b.noLink(port, k, "at "+volts(final)+" V")
	}
	return final, lost + scanStep, err
}

// ErrNoLink says that the headstage of a port does not answer.
var ErrNoLink = errors.New("no link to the headstage")

func (b *bringUp) noLink(port int, k *kind, at string) error {
	name := portLetter(port)
	return fmt.Errorf("headstage: port %s: %w %s: check that the switch of port %s is on, that the cable is seated at both ends and whole, and that a %s is plugged in; a long cable may need more: voltage: %s at most",
		name, ErrNoLink, at, name, k.title, volts(k.ceiling))
}

// endPort takes the voltage of one port away and lets none come back to any.
func (p *power) endPort(port int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	return darken(p.c, portController(port))
}
