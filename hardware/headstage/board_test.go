package headstage

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A board is a controller for the tests of this package: registers that keep
// what is written, ports with headstages, and a journal. It refuses
// what hardware would not answer, so that a wrong order shows. It is not the
// simulator: it sends no frames, and knows only what is configured here.
type board struct {
	table    oni.DeviceTable
	firmware string
	cells    map[oni.Address]map[uint32]uint32
	portFunc uint32
	ports    [2]*plugged
	running  bool

	journal []event
	slept   time.Duration
	before  func(n int) error // before access n, from 0; an error is the access's
	after   func(e event)

	noLinkFlags bool // old gateware
}

// An event is one access: R, W, RESET, GET and SET (PORTFUNC).
type event struct {
	what     string
	address  oni.Address
	register uint32
	value    uint32
}

// newBoard is a host with its breakout board. Source: onix-devices 9.1.
func newBoard() *board {
	b := &board{firmware: "2.1", cells: map[oni.Address]map[uint32]uint32{}, ports: [2]*plugged{{}, {}}}
	b.table = oni.DeviceTable{
		{Address: 0x0, ID: 35, Version: 1, ReadSize: 8}, {Address: 0x1, ID: 23, Version: 2, ReadSize: 10}, {Address: 0x2, ID: 23, Version: 2, ReadSize: 10},
		{Address: 0x3}, {Address: 0x5, ID: 20, Version: 1}, {Address: 0x6, ID: 22, Version: 2, ReadSize: 32, WriteSize: 24},
		{Address: 0x7, ID: 18, Version: 2, ReadSize: 12, WriteSize: 4}, {Address: 0x8, ID: 24, Version: 3}, {Address: 0x9, ID: 24, Version: 3},
		{Address: 0xA, ID: 28, Version: 2, ReadSize: 12}, {Address: 0xB, ID: 27, Version: 2, ReadSize: 16, WriteSize: 8}, {Address: 0xC, ID: 30, Version: 2, ReadSize: 12},
	}
	for _, d := range b.table {
		b.cells[d.Address] = map[uint32]uint32{}
	}
	for a, registers := range map[oni.Address]map[uint32]uint32{
		0x0: {0: 1, 1: 0, 2: 250_000_000, 3: 10},
		0x1: {0: 7, 1: 0, 2: 0, 3: 61, 5: 0, 6: 0, 7: 0}, 0x2: {0: 7, 1: 0, 2: 0, 3: 44, 5: 0, 6: 0, 7: 0},
		0x5: {0: 0, 1: 1, 2: 1, 3: 1, 4: 0, 5: 1, 6: 250_000_000},
		0x7: {0: 7, 1: 3, 2: 3, 5: 250_000_000, 6: 9, 7: 9},
		0x8: {0x8000: 1}, 0x9: {0x8000: 1},
		0xA: {0: 7, 1: 0, 2: 250_000_000, 3: 1 << 29, 4: 0},
		0xB: {0: 1}, 0xC: {0: 1, 1: 1},
	} {
		b.cells[a] = registers
	}
	for r := uint32(0); r < 14; r++ {
		b.cells[0x6][r] = 3
	}
	return b
}

func (b *board) access(e event) error {
	n := len(b.journal)
	b.journal = append(b.journal, e)
	if b.after != nil {
		defer b.after(e)
	}
	if b.before != nil {
		return b.before(n)
	}
	return nil
}

func (b *board) Table() oni.DeviceTable { return b.table }
func (b *board) AcqClockHz() uint64     { return 250_000_000 }
func (b *board) Hub(uint8) (oni.Hub, error) {
	return oni.Hub{ID: 1, Firmware: b.firmware, Revision: "1.3", ClockHz: 250_000_000}, nil
}
func (b *board) BlockSizes() (r, w uint32)          { return 2048, 2048 }
func (b *board) SetBlockSizes(uint32, uint32) error { return nil }
func (b *board) FIFOFill() (oni.Fill, error)        { return oni.Fill{}, nil }
func (b *board) Close() error                       { return nil }
func (b *board) Start() error                       { b.running = true; return nil }
func (b *board) Stop() error                        { b.running = false; return nil }
func (b *board) ReadInto(*oni.Frame) error          { return io.EOF }

func (b *board) Option(o oni.Option) (uint32, error) {
	if o != oni.OptionPortFunc {
		return 0, oni.ErrOption
	}
	return b.portFunc, b.access(event{what: "GET"})
}

func (b *board) SetOption(o oni.Option, v uint32) error {
	if o != oni.OptionPortFunc {
		return oni.ErrOption
	}
	if err := b.access(event{what: "SET", value: v}); err != nil {
		return err
	}
	b.portFunc = v
	return nil
}

func (b *board) Reset() error {
	if b.running {
		return oni.ErrState
	}
	if err := b.access(event{what: "RESET"}); err != nil {
		return err
	}
	for i, p := range b.ports {
		p.resets++
		b.relock(i, true)
	}
	return nil
}

func (b *board) voltage(port int) int { return int(b.cells[portController(port)][3]) }

// relock says whether the link of a port is there now.
func (b *board) relock(port int, reset bool) {
	p := b.ports[port]
	was := p.lockedNow
	p.lockedNow = p.lockAt > 0 && b.voltage(port) >= p.lockAt && (!p.needReset || reset || was) && (p.loseAfter == 0 || p.resets < p.loseAfter)
	if was && !p.lockedNow {
		b.cells[portController(port)][7] = 3
	}
	if !p.lockedNow {
		p.ser, p.aliases, p.slaves = map[uint8]uint8{}, [8]uint8{}, [8]uint8{}
	}
	b.cells[portController(port)][5] = 0
	if p.lockedNow {
		b.cells[portController(port)][5] = 3
	}
}

func (b *board) ReadRegister(a oni.Address, r uint32) (uint32, error) {
	err := b.access(event{"R", a, r, 0})
	v := uint32(0)
	if err == nil {
		v, err = b.read(a, r)
	}
	if err != nil {
		return 0, &oni.RegisterError{Address: a, Register: r, Err: err}
	}
	return v, nil
}

func (b *board) read(a oni.Address, r uint32) (uint32, error) {
	if cells, ok := b.cells[a]; ok {
		if v, ok := cells[r]; ok && !(b.noLinkFlags && r == 7 && isPortController(b.table, a)) {
			return v, nil
		}
		if a == 8 || a == 9 {
			v, err := b.ports[a-8].i2c(r, nil)
			return uint32(v), err
		}
		return 0, oni.ErrNACK
	}
	return 0, oni.ErrNoDevice
}

func (b *board) WriteRegister(a oni.Address, r, v uint32) error {
	err := b.access(event{"W", a, r, v})
	if err == nil {
		err = b.write(a, r, v)
	}
	if err != nil {
		return &oni.RegisterError{Address: a, Register: r, Write: true, Err: err}
	}
	return nil
}

func (b *board) write(a oni.Address, r, v uint32) error {
	cells, ok := b.cells[a]
	if !ok {
		return oni.ErrNoDevice
	}
	if d, _ := b.table.Find(a); d.ID == device.IDPersistentHeartbeat && r == 0 {
		return oni.ErrNACK
	}
	if a == 8 || a == 9 {
		if r >= 0x8000 && r <= 0x8014 {
			cells[r] = v
			return nil
		}
		value := uint8(v)
		_, err := b.ports[a-8].i2c(r, &value)
		return err
	}
	if _, ok := cells[r]; !ok || b.noLinkFlags && r == 7 && isPortController(b.table, a) {
		return oni.ErrNACK
	}
	if isPortController(b.table, a) && r == 7 {
		v = cells[r] &^ v
	}
	cells[r] = v
	if isPortController(b.table, a) && r == 3 {
		b.relock(int(a)-1, false)
	}
	return nil
}

const (
	serialV1 = 18194819542
	serialV2 = 20097907811
)

// plugV1e and plugV2e plug a headstage with its probes into a port.
func (b *board) plugV1e(port, lockAt int) *plugged {
	p := &plugged{lockAt: lockAt, eeprom: eepromOf(6, 1, 0, "NP1.0e")}
	p.probes[0] = newProbe(flexOf(flexV1e, serialV1, "NP_FLEX", "PRB_1_4_0480_1"))
	b.ports[port] = p
	b.table[7+port].ReadSize = 1050
	return p
}

func (b *board) plugV2e(port, lockAt int) *plugged {
	p := &plugged{lockAt: lockAt, two: true, eeprom: eepromOf(8, 1, 2, "NP2.0e")}
	p.probes[0] = newProbe(flexOf(flexV2e, serialV2, "NP2_FLEX", "NP2014"))
	p.probes[1] = newProbe(flexOf(flexV2e, serialV2, "NP2_FLEX", "NP2014"))
	b.ports[port] = p
	b.table[7+port].ReadSize = 1162
	return p
}

// files are the calibration files of the probes above; a copy of the map.
func files(t testing.TB) fstest.MapFS {
	t.Helper()
	found, err := readFiles()
	if err != nil {
		t.Fatal(err)
	}
	return maps.Clone(found)
}

var readFiles = sync.OnceValues(func() (fstest.MapFS, error) {
	found := fstest.MapFS{}
	for name, from := range map[string]string{
		"18194819542_ADCCalibration.csv":        "V1_ADCCalibration.csv",
		"18194819542_gainCalValues.csv":         "V1_gainCalValues.csv",
		"probe 2/20097907811_gainCalValues.csv": "V2A_gainCalValues.csv",
	} {
		text, err := os.ReadFile("../../testdata/calibration/" + from)
		if err != nil {
			return nil, err
		}
		found[name] = &fstest.MapFile{Data: text}
	}
	return found, nil
})

// undoStack runs its steps last first, as a recorder does.
type undoStack []func() error

func (u *undoStack) add(_ string, step func() error) { *u = append(*u, step) }

func (u *undoStack) run() error {
	var errs []error
	for i := len(*u) - 1; i >= 0; i-- {
		errs = append(errs, (*u)[i]())
	}
	*u = nil
	return errors.Join(errs...)
}

// rigOf is a rig whose waits take no time and are counted.
func (b *board) rigOf(t testing.TB, a, c string) Rig {
	return Rig{
		Ports: [2]Port{{Headstage: a}, {Headstage: c}}, Calibration: files(t), CalibrationName: "calibration",
		Sleep: func(ctx context.Context, d time.Duration) error { b.slept += d; return ctx.Err() },
	}
}

// words are all values that PORTVOLTAGE of a port had.
func (b *board) words(port int) (values []int) {
	for _, e := range b.journal {
		if e.what == "W" && e.address == portController(port) && e.register == regPortVoltage {
			values = append(values, int(e.value))
		}
	}
	return values
}
