package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A cold controller is as hardware is after power-up: ports have a voltage that
// somebody saved, no link is there, nothing is set. It answers as the boards do
// that onix-devices 2 and 6 describe, keeps a journal of every access, and
// refuses what would hurt, or be without effect, with ErrRefused.

// A Board is a port of a cold controller and what is plugged into it.
type Board struct {
	SavedDV int       // voltage after power-up, tenths of a volt
	LockDV  int       // least voltage at which the link locks; 0 means 40
	Serials [2]uint64 // of the probes; 0 means one that is the board's own
	Faults  BoardFault
}

// A BoardFault is what is wrong with a headstage, as bits.
type BoardFault uint16

// The faults.
const (
	NoLock      BoardFault = 1 << iota // at no voltage
	NoEEPROM                           // the headstage's does not answer
	OtherEEPROM                        // it is that of another headstage
	NoProbeA                           // not plugged in
	NoProbeB
	BadShift  // shift registers report an error
	LinkFlags // the link is lost for a moment whenever its flags were cleared
)

// ErrRefused says that hardware would suffer from an access, or ignore it.
var ErrRefused = errors.New("refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// settleTime is how long a link takes to lock. Source: onix-devices 6.1: 200 ms
// are enough.
const settleTime = 50 * time.Millisecond

// accessTime is what a register access takes. Source: onix-devices 6.14.
const accessTime = 70 * time.Microsecond

// ceilings of ports, in dV. Source: onix-devices 6.0. They are here once more
// than in hardware/headstage, so that neither can be wrong alone.
var ceilings = map[string]uint32{
	device.HeadstageHS64: 100, device.HeadstageRhs2116: 64, device.HeadstageNeuropixelsV1e: 65, device.HeadstageNeuropixelsV1f: 80,
	device.HeadstageNeuropixelsV2e: 65, device.HeadstageNeuropixelsV2eBeta: 65, device.HeadstageNric1384: 62,
}

// A port is a port controller of the host, and its link.
type port struct {
	headstage string
	board     Board
	values    [8]uint32 // registers, as in the table
	enable    uint32    // ENABLE as of the last reset
	since     time.Duration
	lost      bool // the cable was pulled
	bus       bus
}

// Registers of a port controller. Source: onix-devices 2.9.
const (
	portGPO     = 1
	portPower   = 2
	portVoltage = 3
	portSave    = 4
	portState   = 5
	portOptions = 6
	portFlags   = 7
)

var portRows = hostRegisters[device.IDPortController]

func newPort(headstage string, b Board) *port {
	if b.LockDV == 0 {
		b.LockDV = 40
	}
	p := &port{headstage: headstage, board: b}
	each(portRows, func(number uint32, r *row) { p.values[number] = r.powerUp })
	p.values[portVoltage] = uint32(b.SavedDV)
	p.enable = p.values[regEnable]
	p.bus = newBus(p)
	return p
}

// locked reports whether the link is there at a time.
func (p *port) locked(now time.Duration) bool {
	return p.headstage != "" && !p.lost && p.board.Faults&NoLock == 0 && p.values[portPower] == 1 &&
		p.supplyDV() >= uint32(p.board.LockDV) && now-p.since >= settleTime
}

// supplyDV is the voltage at the port. Source: onix-devices 2.9: 1 to 33 all give
// the least that the hardware makes.
func (p *port) supplyDV() uint32 {
	if dv := p.values[portVoltage]; dv > 0 {
		return max(dv, 33)
	}
	return 0
}

func (p *port) read(number uint32, now time.Duration) (uint32, error) {
	switch r := rowOf(portRows, number); {
	case r == nil || r.access&read == 0:
		return 0, oni.ErrNACK
	case number == portState && p.locked(now):
		return 3, nil // lock and parity
	}
	return p.values[number], nil
}

func (p *port) write(number, value uint32, now time.Duration, running bool) error {
	switch r := rowOf(portRows, number); {
	case r == nil || r.access&write == 0:
		return oni.ErrNACK
	case r.effect == atReset && running:
		return refused("register %d of a running device has no effect", number)
	}
	switch number {
	case portGPO:
		return refused("GPOSTATE can fire stimulators")
	case portSave:
		return refused("SAVEVOLTAGE outlasts a power cut")
	case portOptions:
		return refused("LINKOPTS makes a port switch itself off")
	case portVoltage:
		most := ceilings[p.headstage] // 0: nothing is plugged in
		if value > most {
			return refused("%d tenths of a volt on a port that takes %d", value, most)
		}
		if value != p.values[portVoltage] {
			p.unlock(now)
			p.bus.powerUp()
		}
	case portFlags:
		if value&3 == 0 {
			return nil
		}
		value = 0
		if p.board.Faults&LinkFlags != 0 {
			value = 1
		}
	case portPower:
		if value != p.values[portPower] {
			p.unlock(now)
			p.bus.deserializer = memory{} // what has no power forgets
		}
	}
	p.values[number] = value
	return nil
}

// unlock makes the link lock anew, and the flags say that it was lost.
func (p *port) unlock(now time.Duration) {
	if p.locked(now) {
		p.values[portFlags] |= 1
	}
	p.since = now
}

// A cold is the state of a cold controller beyond its registers.
type cold struct {
	ports   [2]*port
	links   [2]*passthroughLink
	now     time.Duration
	journal []Access
}

func newCold(cfg *Config) *cold {
	m := &cold{}
	for i := range m.ports {
		m.ports[i] = newPort(cfg.Ports[i], cfg.Boards[i])
		m.links[i] = newPassthroughLink(m.ports[i])
	}
	return m
}

// port is the port of a port controller or of a passthrough device, or nil.
func (m *cold) portAt(a oni.Address) (p *port, link *passthroughLink) {
	switch {
	case a == 1 || a == 2:
		return m.ports[a-1], nil
	case a == passthrough(0) || a == passthrough(1):
		i := a - passthrough(0)
		return m.ports[i], m.links[i]
	}
	return nil, nil
}

// linked reports whether the headstage of a port, 0 or 1, answers.
func (m *cold) linked(i int) bool { return m.ports[i].locked(m.now) }

// linked reports whether the headstage of the port of an address answers. c.mu is
// held.
func (c *controller) linked(a oni.Address) bool {
	return c.headstage(a) != "" && (c.cold == nil || c.cold.linked(int(a.Port())-1))
}

// An Access is an entry of the journal of a cold controller.
type Access struct {
	At       time.Duration // since the controller was made
	Kind     string        // "read", "write", "reset", "option", "start", "stop", "close"
	Address  oni.Address
	Register uint32 // or the option
	Value    uint32
	Err      error
}

// String is the access without its time.
func (a Access) String() string {
	text := a.Kind
	switch a.Kind {
	case "read", "write":
		text = fmt.Sprintf("%s %v 0x%04x 0x%02x", a.Kind, a.Address, a.Register, a.Value)
	case "option":
		text = fmt.Sprintf("option %d %d", a.Register, a.Value)
	}
	if a.Err != nil {
		text += " " + a.Err.Error()
	}
	return text
}

// note keeps an access in the journal; c.mu is held.
func (c *controller) note(kind string, a oni.Address, register, value uint32, err error) {
	if c.cold == nil {
		return
	}
	c.cold.now += accessTime
	c.cold.journal = append(c.cold.journal, Access{c.cold.now, kind, a, register, value, err})
}

// Journal returns every access to a cold controller so far.
func Journal(c oni.Controller) []Access {
	own, ok := c.(*controller)
	if !ok || own.cold == nil {
		return nil
	}
	own.mu.Lock()
	defer own.mu.Unlock()
	return append([]Access(nil), own.cold.journal...)
}

// Sleep lets time pass for a cold controller, without waiting: voltages settle
// and links lock. Others wait.
func Sleep(ctx context.Context, c oni.Controller, d time.Duration) error {
	if own, ok := c.(*controller); ok && own.cold != nil {
		own.mu.Lock()
		own.cold.now += d
		own.mu.Unlock()
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readCold reads a register of what only a cold controller has. handled is
// false for all others. c.mu is held.
func (c *controller) readCold(a oni.Address, number uint32) (value uint32, handled bool, err error) {
	p, link := c.cold.portAt(a)
	switch {
	case a.Index() == 254 && a.Hub() > 0 && (a.Hub() > 2 || !c.cold.linked(int(a.Hub())-1)):
		return 0, true, oni.ErrNACK
	case link != nil:
		value, err = link.read(number, c.cold.now)
	case p != nil:
		value, err = p.read(number, c.cold.now)
	}
	return value, p != nil, err
}

func (c *controller) writeCold(a oni.Address, number, value uint32) (handled bool, err error) {
	running := c.state.Load() == running
	p, link := c.cold.portAt(a)
	switch {
	case link != nil:
		err = link.write(number, value, c.cold.now, running)
	case p != nil:
		err = p.write(number, value, c.cold.now, running)
	default:
		if cell := c.registers[a][number]; cell != nil && running && cell.row.effect == atReset {
			return true, refused("a register that only a reset latches has no effect on a running device")
		}
	}
	return p != nil, err
}

// unlatched names a register that was written and that no reset has latched.
func (c *controller) unlatched() error {
	for _, dev := range c.table {
		if p, link := c.cold.portAt(dev.Address); p != nil {
			if link != nil && link.pending() || link == nil && p.values[regEnable] != p.enable {
				return refused("registers of %v were written after the last reset", dev.Address)
			}
			continue
		}
		for number, cell := range c.registers[dev.Address] {
			if cell.row.effect == atReset && cell.value.Load() != c.latched[dev.Address][number] {
				return refused("register %d of %v was written after the last reset", number, dev.Address)
			}
		}
	}
	return nil
}

// unplug pulls the cable of a port, 1 or 2.
func (c *controller) unplug(number uint8) {
	if c.cold == nil || number < 1 || number > 2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.cold.ports[number-1]; !p.lost {
		p.lost, p.values[portFlags] = true, p.values[portFlags]|1
	}
}

// sends reports whether what a passthrough device has of a kind, the probe of
// that number, comes: it was set up, and its link is there. Others always send.
func (m *cold) sends(dev oni.Device, k *device.Kind, probe int) bool {
	p, link := m.portAt(dev.Address)
	if link == nil {
		return true
	}
	return p.locked(m.now) && dev.ReadSize == uint32(k.Samples) && p.board.Faults&(NoProbeA<<probe) == 0 &&
		p.bus.probes[probe].records() && !p.bus.inReset()
}
