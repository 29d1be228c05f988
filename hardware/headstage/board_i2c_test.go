package headstage

import (
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/hardware/oni"
)

// plugged is what is plugged into a port.
type plugged struct {
	lockAt    int // dV at which its link locks; 0: nothing is plugged in
	loseAfter int // resets after which the link is lost; 0: never
	resets    int
	needReset bool // the link shows only after a reset

	lockedNow bool
	aliases   [8]uint8
	slaves    [8]uint8
	deser     map[uint8]uint8
	ser       map[uint8]uint8
	eeprom    []byte
	probes    [2]*probeChip // the second of a 2.0e headstage
	two       bool          // a 2.0e headstage: probes are selected
}

// probeChip is a probe with its cable's EEPROM.
type probeChip struct {
	flex      []byte // from register 0
	registers map[uint8]uint8
	chains    map[uint8][][]byte // by register, one a round; a soft reset begins another
	statuses  map[uint8]uint8    // of a chain that is bad
	last      uint8              // chain that was written last
	fresh     bool               // a soft reset came since
}

func newProbe(flex []byte) *probeChip {
	return &probeChip{flex: flex, registers: map[uint8]uint8{}, chains: map[uint8][][]byte{}, statuses: map[uint8]uint8{}}
}

// i2c is a transaction with a chip at a port; write nil: a read.
func (p *plugged) i2c(r uint32, write *uint8) (uint8, error) {
	chip, register, wide := uint8(r&0x7F), uint16(r>>7), r>>31 == 1
	if r>>28&3 != 0 {
		return 0, fmt.Errorf("more bytes than one")
	}
	cell := func(m *map[uint8]uint8) (uint8, error) {
		if *m == nil {
			*m = map[uint8]uint8{}
		}
		if write != nil {
			(*m)[uint8(register)] = *write
		}
		return (*m)[uint8(register)], nil
	}
	switch {
	case chip == 0x30:
		if write != nil && register >= 0x5E && register <= 0x64 {
			p.slaves[register-0x5E] = *write
		}
		if write != nil && register >= 0x66 && register <= 0x6C {
			p.aliases[register-0x66] = *write
		}
		return cell(&p.deser)
	case !p.lockedNow:
		return 0, oni.ErrNACK
	case chip == 0x58 && p.deser[0x5C] == 0xB0:
		return cell(&p.ser)
	}
	slot := slices.Index(p.aliases[:], chip<<1)
	if slot < 0 || p.slaves[slot] != chip<<1 || p.ser[0x11] == 0 || wide != (chip == 0x51) {
		return 0, oni.ErrNACK
	}
	if chip == 0x51 {
		if int(register&0x7FFF) >= len(p.eeprom) || write != nil {
			return 0, oni.ErrNACK
		}
		return p.eeprom[register], nil
	}
	return p.probe(chip, uint8(register), write)
}

func (p *plugged) probe(chip, register uint8, write *uint8) (uint8, error) {
	selected, alive, address := p.probes[0], p.ser[0x0D]&8 != 0, uint8(0x70)
	soft, status, chains := uint8(0x11), uint8(0x08), []uint8{0x0E, 0x0D, 0x0C}
	if p.two {
		address, alive = 0x10, p.ser[0x0D]&0x88 == 0x88
		soft, status, chains = 0x1F, 0x09, []uint8{0x18, 0x19, 0x1A, 0x1B, 0x17, 0x16}
		switch p.ser[0x0E] {
		case 0x19:
		case 0x99:
			selected = p.probes[1]
		default:
			selected = nil
		}
	}
	switch {
	case selected == nil || !alive:
		return 0, oni.ErrNACK
	case chip == chipFlex:
		if write != nil || int(register) >= len(selected.flex) {
			return 0, oni.ErrNACK
		}
		return selected.flex[register], nil
	case chip != address:
		return 0, oni.ErrNACK
	case write == nil && register == status:
		return selected.status(), nil
	case write == nil:
		return selected.registers[register], nil
	}
	if register == soft && *write == 0 && selected.registers[soft] == 0xFF {
		selected.fresh = true
	}
	if slices.Contains(chains, register) {
		if selected.fresh || selected.last != register {
			selected.chains[register] = append(selected.chains[register], nil)
		}
		selected.fresh, selected.last = false, register
		n := len(selected.chains[register]) - 1
		selected.chains[register][n] = append(selected.chains[register][n], *write)
	}
	selected.registers[register] = *write
	return *write, nil
}

// status is 0x80 after two equal rounds of the chain that was written last.
func (c *probeChip) status() uint8 {
	rounds := c.chains[c.last]
	if bad, ok := c.statuses[c.last]; ok {
		return bad
	}
	if n := len(rounds); n >= 2 && slices.Equal(rounds[n-1], rounds[n-2]) {
		return 0x80
	}
	return 0
}

// eepromOf is the EEPROM of a headstage. Source: onix-devices 2.8.
func eepromOf(id uint32, major, minor uint8, name string) []byte {
	seal := func(b []byte, at int) {
		sum := uint8(0)
		for _, v := range b {
			sum += v
		}
		b[at] -= sum
	}
	header := append([]byte("HSOE"), 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	seal(header, 15)
	info := append([]byte{1, 0, byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24), minor, major, byte(len(name))}, name...)
	info = append(info, make([]byte, 1+(8-(len(info)+1)%8)%8)...)
	info[1] = byte(len(info) / 8)
	seal(info, len(info)-1)
	return append(header, info...)
}

// flexOf is the EEPROM of a probe's cable.
func flexOf(at flexLayout, serial uint64, flexPart, probePart string) []byte {
	b := make([]byte, 0x60)
	for i := range 8 {
		b[int(at.serial)+i] = byte(serial >> (8 * i))
	}
	b[at.version], b[at.revision] = 1, 3
	copy(b[at.flexPart:], flexPart)
	copy(b[at.probePart:], probePart)
	return b
}
