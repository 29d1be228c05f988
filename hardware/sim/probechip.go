package sim

import (
	"bytes"
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/device"
)

// A probeChip is the chip of a Neuropixels probe: registers, and shift registers
// that report success only after two equal rounds, each after a soft reset.
// Source: onix-devices 6.6, 6.8.
type probeChip struct {
	address  byte
	v1       bool
	bad      bool // shift registers report an error
	values   memory
	chains   map[byte]*chain
	written  byte // the chain that was written last
	ones     bool // SOFT_RESET has 0xFF
	wasReset bool // it was taken back since the last byte of a chain
}

// A chain is a shift register.
type chain struct {
	bytes, before []byte
	rounds        int // after a soft reset each, one after another
}

// Registers of both kinds of probes.
const (
	probeOpMode = 0
	opRecord    = 0x40
	statusGood  = 0x80
)

// probeRegisters are those in which they differ.
type probeRegisters struct{ status, lengthLow, lengthHigh, softReset, firstChain, lastChain byte }

var registersV1 = probeRegisters{status: 0x08, lengthLow: 0x10, lengthHigh: 0x0F, softReset: 0x11, firstChain: 0x0C, lastChain: 0x0E}
var registersV2 = probeRegisters{status: 0x09, lengthLow: 0x1D, lengthHigh: 0x1C, softReset: 0x1F, firstChain: 0x16, lastChain: 0x1B}

func newProbeChip(headstage string, bad bool) *probeChip {
	p := &probeChip{address: chipProbeV2, bad: bad}
	if headstage == device.HeadstageNeuropixelsV1e {
		p.address, p.v1 = chipProbeV1, true
	}
	p.reset()
	return p
}

func (p *probeChip) reset() {
	p.values, p.chains, p.written, p.ones, p.wasReset = memory{}, map[byte]*chain{}, 0, false, false
}

func (p *probeChip) at() *probeRegisters {
	if p.v1 {
		return &registersV1
	}
	return &registersV2
}

func (p *probeChip) read(register uint16) (byte, error) {
	if byte(register) == p.at().status {
		return p.status(), nil
	}
	return p.values.read(register)
}

func (p *probeChip) status() byte {
	at, c := p.at(), p.chains[p.written]
	if c == nil || p.bad || c.rounds < 2 || !bytes.Equal(c.bytes, c.before) ||
		len(c.bytes) != int(p.values[at.lengthLow])|int(p.values[at.lengthHigh])<<8 {
		return 0
	}
	return statusGood
}

func (p *probeChip) write(register uint16, value byte) error {
	at, r := p.at(), byte(register)
	switch {
	case r >= at.firstChain && r <= at.lastChain:
		p.shift(r, value)
		return nil
	case r == at.softReset && value == 0xFF:
		p.ones = true
		if p.v1 {
			p.values[probeOpMode], p.values[1] = 0, 0 // REC_MOD too
		}
	case r == at.softReset && value == 0 && p.ones:
		p.ones, p.wasReset = false, true
	}
	return p.values.write(register, value)
}

// shift takes one byte of a chain. A round begins with the first byte after a
// soft reset, or after another chain.
func (p *probeChip) shift(number, value byte) {
	c := p.chains[number]
	if c == nil {
		c = &chain{}
		p.chains[number] = c
	}
	if p.wasReset || p.written != number {
		if !p.wasReset || p.written != number {
			c.rounds = 0
		}
		if p.wasReset {
			c.rounds++
		}
		c.before, c.bytes = c.bytes, nil
		p.written, p.wasReset = number, false
	}
	if len(c.bytes) < 1<<12 {
		c.bytes = append(c.bytes, value)
	}
}

// records reports whether the probe was set to send.
func (p *probeChip) records() bool {
	if p.v1 {
		return p.values[probeOpMode] == opRecord && p.values[1] == 0xC0
	}
	return p.values[probeOpMode] == opRecord
}

// Serial numbers that boards have where the configuration names none.
func (p *port) serial(probe int) uint64 {
	if s := p.board.Serials[probe]; s != 0 {
		return s
	}
	base := uint64(22_000_000_000)
	if p.headstage == device.HeadstageNeuropixelsV1e {
		base = 18_000_000_000
	}
	return base + uint64(probe) + 1
}

// headstageIDs are those of EEPROMs. Source: onix-devices 2.2, 2.8.
var headstageIDs = map[string]uint32{device.HeadstageNeuropixelsV1e: 6, device.HeadstageNeuropixelsV2eBeta: 7, device.HeadstageNeuropixelsV2e: 8}

// headstageEEPROM is what a headstage says of itself. Source: onix-devices 2.8.
func headstageEEPROM(p *port) (m memory) {
	id := headstageIDs[p.headstage]
	if p.board.Faults&OtherEEPROM != 0 {
		id = 13
	}
	copy(m[:], "HSOE")
	m[4], m[6] = 1, 2 // version; device information at 16
	m[15] = -sum(m[:16])
	info := m[16:]
	name := "simulated"
	info[0], info[1] = 1, 3 // version; 24 bytes
	binary.LittleEndian.PutUint32(info[2:], id)
	info[6], info[7], info[8] = 0, 1, byte(len(name))
	copy(info[9:], name)
	info[23] = -sum(info[:24])
	return m
}

func sum(p []byte) (s byte) {
	for _, b := range p {
		s += b
	}
	return s
}

// flexEEPROM is what the cable of a probe says. Source: onix-devices 6.6, 6.8.
func flexEEPROM(p *port, probe int) (m memory) {
	version, flex, part, name := 0x10, 0x20, 0x40, "NP2014"
	if p.headstage == device.HeadstageNeuropixelsV1e {
		version, flex, part, name = 10, 20, 40, "NP1010"
	}
	binary.LittleEndian.PutUint64(m[:], p.serial(probe))
	m[version], m[version+1] = 1, 2
	copy(m[flex:], "SIM_FLEX")
	copy(m[part:], name)
	return m
}
