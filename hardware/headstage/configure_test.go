package headstage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A setup is a board and the rig that describes it.
type setup struct {
	board *board
	rig   Rig
}

// rigs are those of this version.
var rigs = map[string]func(t testing.TB) setup{
	"breakout board": func(t testing.TB) setup { b := newBoard(); return setup{b, b.rigOf(t, "", "")} },
	"1.0e on port a": func(t testing.TB) setup {
		b := newBoard()
		b.plugV1e(0, 37)
		return setup{b, b.rigOf(t, "neuropixels-1.0e", "")}
	},
	"2.0e on port b": func(t testing.TB) setup {
		b := newBoard()
		b.plugV2e(1, 33)
		return setup{b, b.rigOf(t, "", "neuropixels-2.0e")}
	},
	"both": func(t testing.TB) setup {
		b := newBoard()
		b.plugV2e(0, 40)
		b.plugV1e(1, 35)
		return setup{b, b.rigOf(t, "neuropixels-2.0e", "neuropixels-1.0e")}
	},
}

func TestEveryRigIsConfigured(t *testing.T) {
	for name, make := range rigs {
		s := make(t)
		var undo undoStack
		report, err := Configure(context.Background(), s.board, s.rig, undo.add)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := report.Ready(s.board); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(report.Warnings) != 0 || len(report.Absent) != 0 {
			t.Errorf("%s: warnings %q, absent %q", name, report.Warnings, report.Absent)
		}
		t.Logf("%s: %d accesses, %v of waits", name, len(s.board.journal), s.board.slept)
		if err := undo.run(); err != nil {
			t.Errorf("%s: undo: %v", name, err)
		}
		s.dark(t, name)
	}
}

// dark fails unless the last word on both ports is 0 V, and PORTFUNC is clear.
func (s setup) dark(t *testing.T, name string) {
	t.Helper()
	for port := range s.board.ports {
		words := s.board.words(port)
		if len(words) == 0 || words[len(words)-1] != 0 || s.board.voltage(port) != 0 {
			t.Errorf("%s: port %s has %d tenths of a volt, after %v", name, portName(port), s.board.voltage(port), words)
		}
	}
	if s.board.portFunc != 0 {
		t.Errorf("%s: PORTFUNC is %d", name, s.board.portFunc)
	}
}

// TestTheOrder is that of onix-devices 2.6, with what is between.
func TestTheOrder(t *testing.T) {
	s := rigs["both"](t)
	s.board.portFunc = 0b1010 // bits of others are left alone
	var undo undoStack
	report, err := Configure(context.Background(), s.board, s.rig, undo.add)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Ready(s.board); err != nil {
		t.Fatal(err)
	}
	configured := len(s.board.journal)
	if err := undo.run(); err != nil {
		t.Fatal(err)
	}
	// Each is the first of its kind after the one before it.
	at := 0
	for _, next := range []struct {
		what  string
		match func(e event) bool
	}{
		{"port a to 0 V", write(1, 3, 0)},
		{"port b to 0 V", write(2, 3, 0)},
		{"PORTFUNC", func(e event) bool { return e.what == "SET" && e.value == 0b1111 }},
		{"reset", reset},
		{"ENABLE of port a", write(1, 0, 1)},
		{"DESPWR of port a", write(1, 2, 1)},
		{"0 V before the first voltage", write(1, 3, 0)},
		{"the first voltage of port a", write(1, 3, 33)},
		{"the voltage of port a", write(1, 3, 51)},
		{"ENABLE of port b", write(2, 0, 1)},
		{"DESPWR of port b", write(2, 2, 1)},
		{"the voltage of port b", write(2, 3, 45)},
		{"reset", reset},
		{"the heartbeat", write(0, 1, 2_500_000)},
		{"ENABLE of the analog inputs", write(6, 0, 1)},
		{"ENABLE of the load tester", write(0xB, 0, 0)},
		{"the DS90UB9x device of port a", write(8, 0x8000, 0)},
		{"the magic word of port a", write(8, 0x8008, 0x2E)},
		{"the deserialiser of port a", write(8, 0x4C<<7|0x30, 1)},
		{"ENABLE of the data of port a", write(8, 0x8000, 1)},
		{"the DS90UB9x device of port b", write(9, 0x8000, 0)},
		{"ENABLE of the data of port b", write(9, 0x8000, 1)},
		{"reset", reset},
		{"LINKFLAGS of port a", write(1, 7, 3)},
		{"LINKFLAGS of port b", write(2, 7, 3)},
		{"LINKFLAGS read", func(e event) bool { return e.what == "R" && e.address == 2 && e.register == 7 }},
	} {
		i := slices.IndexFunc(s.board.journal[at:configured], next.match)
		if i < 0 {
			t.Fatalf("%s does not follow access %d", next.what, at)
		}
		at += i + 1
	}
	if n := resets(s.board.journal[:configured]); n != 3 {
		t.Errorf("%d resets, want 3: of the controller, link and device stages", n)
	}
	// The undo in reverse.
	at = configured
	for _, next := range []struct {
		what  string
		match func(e event) bool
	}{
		{"probes of port b in reset", write(9, 0x0D<<7|0x58, 0x11)},
		{"outputs of port b", write(9, 0x0E<<7|0x58, 0x91)},
		{"probes of port a in reset", write(8, 0x0D<<7|0x58, 0x11)},
		{"outputs of port a", write(8, 0x0E<<7|0x58, 0x11)},
		{"port b to 0 V", write(2, 3, 0)},
		{"port a to 0 V", write(1, 3, 0)},
		{"PORTFUNC", func(e event) bool { return e.what == "SET" && e.value == 0b1010 }},
		{"reset", reset},
		{"port a to 0 V once more", write(1, 3, 0)},
		{"port b to 0 V once more", write(2, 3, 0)},
	} {
		i := slices.IndexFunc(s.board.journal[at:], next.match)
		if i < 0 {
			t.Fatalf("undo: %s does not follow access %d", next.what, at)
		}
		at += i + 1
	}
}

func write(a oni.Address, r, v uint32) func(event) bool {
	return func(e event) bool { return e == event{"W", a, r, v} }
}

func reset(e event) bool { return e.what == "RESET" }

func resets(journal []event) (n int) {
	for _, e := range journal {
		if reset(e) {
			n++
		}
	}
	return n
}

// TestACancelAtEveryAccess: ctx ends in the middle of each access of each rig, as a
// signal ends it. Nothing but the undo follows, and both ports are dark.
func TestACancelAtEveryAccess(t *testing.T) {
	for name, make := range rigs {
		whole := make(t)
		if _, err := Configure(context.Background(), whole.board, whole.rig, func(string, func() error) {}); err != nil {
			t.Fatal(err)
		}
		n := len(whole.board.journal)
		for at := range n {
			if (testing.Short() || name == "both") && alike(whole.board.journal, at) {
				continue
			}
			s := make(t)
			ctx, cancel := context.WithCancel(context.Background())
			s.board.before = func(i int) error {
				if i == at {
					cancel()
				}
				return nil
			}
			var undo undoStack
			_, err := Configure(ctx, s.board, s.rig, undo.add)
			after := len(s.board.journal) - at - 1
			cancel()
			if at == n-1 && err == nil {
				continue // nothing was left to do
			}
			// Dark looks at no ctx: it has four accesses; a search takes its voltage away in two.
			if !errors.Is(err, context.Canceled) || after > 4 {
				t.Errorf("%s, cancelled at access %d of %d: %v, %d more accesses", name, at, n, err, after)
			}
			if err := undo.run(); err != nil {
				t.Errorf("%s, cancelled at access %d: undo: %v", name, at, err)
			}
			s.dark(t, fmt.Sprintf("%s, cancelled at access %d", name, at))
			if t.Failed() {
				return
			}
		}
	}
}

// alike reports whether an access is one in a row of bytes for one register, and
// not one of the few of them that stand for all.
func alike(journal []event, at int) bool {
	e := journal[at]
	return at > 0 && at+1 < len(journal) && at%101 != 0 && e.what == "W" && e.address >= 8 &&
		journal[at-1].register == e.register && journal[at+1].register == e.register && journal[at-1].what == "W"
}

// TestAFaultOrAPanicAtEveryAccess: whatever the hardware refuses, whatever goes wrong in
// this program, the undo makes both ports dark.
func TestAFaultOrAPanicAtEveryAccess(t *testing.T) {
	errBroken := errors.New("the board is gone for a moment")
	for name, make := range rigs {
		whole := make(t)
		if _, err := Configure(context.Background(), whole.board, whole.rig, func(string, func() error) {}); err != nil {
			t.Fatal(err)
		}
		n := len(whole.board.journal)
		for at := range n {
			if alike(whole.board.journal, at) {
				continue
			}
			for _, fault := range []error{errBroken, oni.ErrNACK, nil} {
				s := make(t)
				s.board.before = func(i int) error {
					if i == at && fault == nil {
						panic("at this access")
					}
					if i == at {
						return fault
					}
					return nil
				}
				var undo undoStack
				err := guarded(func() error {
					_, err := Configure(context.Background(), s.board, s.rig, undo.add)
					return err
				})
				if fault == errBroken && err == nil && at > 3 { // Dark tries twice
					t.Errorf("%s: an error at access %d, %+v, went unseen", name, at, s.board.journal[at])
				}
				s.board.before = nil
				if err := undo.run(); err != nil {
					t.Errorf("%s, %v at access %d: undo: %v", name, fault, at, err)
				}
				s.dark(t, fmt.Sprintf("%s, %v at access %d", name, fault, at))
				if t.Failed() {
					return
				}
			}
		}
	}
}

func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}

// TestTheUndoGoesOnWhateverFails: each access of the undo fails in turn, and both
// ports are dark as far as they can be reached.
func TestTheUndoGoesOnWhateverFails(t *testing.T) {
	for at := range 40 {
		s := rigs["both"](t)
		var undo undoStack
		if _, err := Configure(context.Background(), s.board, s.rig, undo.add); err != nil {
			t.Fatal(err)
		}
		begin := len(s.board.journal)
		s.board.before = func(i int) error {
			if i == begin+at {
				return errors.New("no")
			}
			return nil
		}
		_ = undo.run()
		for port := range s.board.ports {
			if v := s.board.voltage(port); v != 0 {
				t.Errorf("access %d of the undo failed: port %s has %d tenths of a volt", at, portName(port), v)
			}
		}
	}
}

// TestTheUndoBesideAReadThatHangs: no reset is possible then, and none is needed.
func TestTheUndoBesideAReadThatHangs(t *testing.T) {
	s := rigs["both"](t)
	var undo undoStack
	if _, err := Configure(context.Background(), s.board, s.rig, undo.add); err != nil {
		t.Fatal(err)
	}
	s.board.running = true
	if err := undo.run(); err != nil {
		t.Error(err)
	}
	s.dark(t, "a read hangs")
}

// TestWhatGoesIntoTheProbes: the bytes of the shift registers as the chips got them
// are those of onix-devices 6.13, twice where they are compared.
func TestWhatGoesIntoTheProbes(t *testing.T) {
	s := rigs["both"](t)
	report, err := Configure(context.Background(), s.board, s.rig, func(string, func() error) {})
	if err != nil {
		t.Fatal(err)
	}
	v2 := map[uint8]string{0x17: "e9dffcc823835882", 0x16: "e9dffcc823835882", 0x1B: "7f32834838658eec", 0x1A: "85fa7404dea1592f", 0x19: "85fa7404dea1592f", 0x18: "85fa7404dea1592f"}
	for _, c := range []struct {
		name   string
		probe  *probeChip
		chains map[uint8]string
		once   uint8 // this one is written once
		values map[uint8]uint8
	}{
		{"probe A of 2.0e", s.board.ports[0].probes[0], v2, 0, map[uint8]uint8{0: 0x40, 0x15: 0x18, 0x14: 0x61, 0x13: 0x86, 0x0A: 0xB9, 0x1D: 161, 0x1C: 0}},
		{"probe B of 2.0e", s.board.ports[0].probes[1], v2, 0, map[uint8]uint8{0: 0x40, 0x15: 0x18, 0x0B: 0x61, 0x0A: 0xB9}},
		{"probe of 1.0e", s.board.ports[1].probes[0], map[uint8]string{0x0E: "3f1978ffd7e69919", 0x0D: "73c317e8eec75043", 0x0C: "e670661cf1058eb5"}, 0x0E,
			map[uint8]uint8{0: 0x40, 1: 0xC0, 2: 0, 3: 0, 7: 0, 9: 0, 0x10: 306 % 256, 0x0F: 1}},
	} {
		for register, want := range c.chains {
			rounds, times := c.probe.chains[register], 2
			if register == c.once {
				times = 1
			}
			if len(rounds) != times {
				t.Errorf("%s: register 0x%02x was written %d times, want %d", c.name, register, len(rounds), times)
			}
			for _, bytes := range rounds {
				if sum := sha256.Sum256(bytes); hex.EncodeToString(sum[:8]) != want {
					t.Errorf("%s: register 0x%02x got %d bytes with hash %x, want %s", c.name, register, len(bytes), sum[:8], want)
				}
			}
		}
		if len(c.probe.chains) != len(c.chains) {
			t.Errorf("%s: %d shift registers were written, want %d", c.name, len(c.probe.chains), len(c.chains))
		}
		for register, want := range c.values {
			if got := c.probe.registers[register]; got != want {
				t.Errorf("%s: register 0x%02x is 0x%02x, want 0x%02x", c.name, register, got, want)
			}
		}
	}
	// Source: onix-devices 6.6 step 2, 6.8 step 2.
	for a, registers := range map[oni.Address][13]uint32{
		9: {1, 851973, 0, 0, 0x01130001, 0, 0, 0xC00003FF, 816, 0, 913, 0x3245106B, 0xFFFFFFFF},
		8: {1, 0x00100009, 0, 0, 0, 0, 0, 0xC000003F, 0x2E, 0, 0x200002B5, 0xFFFFF8A6, 0xFFFFF97B},
	} {
		for i, want := range registers {
			if got := s.board.cells[a][0x8000+uint32(i)]; got != want {
				t.Errorf("%v: register 0x%x is 0x%x, want 0x%x", a, 0x8000+i, got, want)
			}
		}
	}
	for port, want := range []map[uint8]uint8{{0x0D: 0x99, 0x0E: 0x11, 0x11: 25, 0x12: 25}, {0x0D: 0x19, 0x0E: 0x91, 0x11: 25, 0x12: 25}} {
		for register, value := range want {
			if got := s.board.ports[port].ser[register]; got != value {
				t.Errorf("port %s: register 0x%02x of the serialiser is 0x%02x, want 0x%02x", portName(port), register, got, value)
			}
		}
	}
	checkReport(t, report)
}

// checkReport looks at what the rig "both" reports.
func checkReport(t *testing.T, report *Report) {
	t.Helper()
	for key, want := range map[string]map[string]string{
		"port-a/neuropixels-2.0e-probe-b": {"port_voltage_dv": "51", "lock_voltage_dv": "41", "headstage_id": "8", "headstage_revision": "1.2", "headstage_name": "NP2.0e", "probe_serial": "20097907811",
			"probe_part_number": "NP2014", "flex_part_number": "NP2_FLEX", "flex_revision": "1.3", "gain_calibration_file": "probe 2/20097907811_gainCalValues.csv"},
		"port-b/neuropixels-1.0e": {"port_voltage_dv": "45", "lock_voltage_dv": "35", "headstage_id": "6", "headstage_revision": "1.0", "headstage_name": "NP1.0e", "probe_serial": "18194819542",
			"probe_part_number": "PRB_1_4_0480_1", "flex_part_number": "NP_FLEX", "flex_revision": "1.3",
			"adc_calibration_file": "18194819542_ADCCalibration.csv", "gain_calibration_file": "18194819542_gainCalValues.csv"},
		"port-b/status": {"port_voltage_dv": "45", "lock_voltage_dv": "35", "headstage_id": "6", "headstage_revision": "1.0", "headstage_name": "NP1.0e"},
		"analog-io":     {},
	} {
		got := report.Facts(key)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: facts %v, want %v", key, got, want)
		}
	}
	v1 := report.Settings["port-b/neuropixels-1.0e"].(*device.NeuropixelsV1eSettings)
	if v1.APCorrection != 0.97 || v1.LFPCorrection != 1.0273 || len(v1.ADC) != 32 || v1.ADC[1] != (device.ADCOffset{Threshold: 391, Offset: 8}) {
		t.Errorf("settings of 1.0e: %v, %v, %d ADCs", v1.APCorrection, v1.LFPCorrection, len(v1.ADC))
	}
	if v2 := report.Settings["port-a/neuropixels-2.0e-probe-a"].(*device.NeuropixelsV2Settings); v2.GainCorrection != 0.97 {
		t.Errorf("settings of 2.0e: %v", v2.GainCorrection)
	}
	if m := report.Settings["memory-monitor"].(*device.MemoryMonitorSettings); m.TotalWords != 1<<29 {
		t.Errorf("memory monitor: %d words", m.TotalWords)
	}
	for key, m := range map[string]neuropixels.Model{"port-b/neuropixels-1.0e": neuropixels.V1, "port-a/neuropixels-2.0e-probe-a": neuropixels.V2Four, "port-a/neuropixels-2.0e-probe-b": neuropixels.V2Four} {
		want, err := m.Bank("A", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range [][]byte{report.Probes[key].Full(), report.Probes[key].Connected()} {
			if got, err := neuropixels.ParseProbe(m, file); err != nil || got != want {
				t.Errorf("%s: probe map: %v, the default bank: %v", key, err, got == want)
			}
		}
	}
}

// refused is a rig that is not configured, or not ready, and why.
type refused struct {
	change  func(b *board, rig *Rig)
	rig     string // of rigs
	want    error  // nil: any
	mention []string
}

var refusals = map[string]refused{
	"nothing is plugged in": {func(b *board, _ *Rig) { b.ports[0].lockAt = 0 }, "1.0e on port a", ErrNoLink,
		[]string{"port a", "switch of port a", "cable", "from 3.3 to 5.5 V"}},
	"the user's voltage is too little": {func(b *board, r *Rig) { r.Ports[0].VoltageDV = 35 }, "1.0e on port a", ErrNoLink, []string{"at 3.5 V", "6.5"}},
	"no EEPROM":                        {func(b *board, _ *Rig) { b.ports[0].eeprom = nil }, "1.0e on port a", oni.ErrNACK, []string{"port a", "EEPROM of the headstage does not answer"}},
	"another headstage": {func(b *board, _ *Rig) { b.ports[1].eeprom = eepromOf(6, 1, 0, "NP1.0e") }, "2.0e on port b", nil,
		[]string{"port b", "ID 6", "(ID 8)", "Headstage Neuropixels 1.0e"}},
	"an early revision":       {func(b *board, _ *Rig) { b.ports[1].eeprom = eepromOf(8, 0, 9, "x") }, "2.0e on port b", nil, []string{"revision 0.9, want 1.0"}},
	"a damaged EEPROM":        {func(b *board, _ *Rig) { b.ports[1].eeprom[5] = 1 }, "2.0e on port b", nil, []string{"checksum of its header"}},
	"1.0e: no probe":          {func(b *board, _ *Rig) { b.ports[0].probes[0] = nil }, "1.0e on port a", ErrProbe, []string{"no probe answers", "seated"}},
	"1.0e: a cable that ends": {func(b *board, _ *Rig) { b.ports[0].probes[0].flex = b.ports[0].probes[0].flex[:20] }, "1.0e on port a", ErrProbe, []string{"stops answering", "seated"}},
	"2.0e: neither probe":     {func(b *board, _ *Rig) { b.ports[1].probes = [2]*probeChip{} }, "2.0e on port b", ErrProbe, []string{"neither probe A nor B"}},
	"1.0e: a shift register": {func(b *board, _ *Rig) { b.ports[0].probes[0].statuses[0x0C] = 0x00 }, "1.0e on port a", ErrProbe,
		[]string{"register 0x0c has status 0x00", "want 0x80"}},
	"2.0e: a base's shift register": {func(b *board, _ *Rig) { b.ports[1].probes[1].statuses[0x16] = 0x82 }, "2.0e on port b", ErrProbe,
		[]string{"probe b", "register 0x16 has status 0x82"}},
	"no folder of calibrations":  {func(_ *board, r *Rig) { r.Calibration = nil }, "1.0e on port a", nil, []string{"port-a/neuropixels-1.0e", "calibration: FOLDER"}},
	"no ADC calibration":         {func(_ *board, r *Rig) { delete(r.Calibration.(fstest.MapFS), "18194819542_ADCCalibration.csv") }, "1.0e on port a", ErrCalibration, []string{"18194819542_ADCCalibration.csv is not in calibration"}},
	"no gain calibration":        {func(_ *board, r *Rig) { delete(r.Calibration.(fstest.MapFS), "18194819542_gainCalValues.csv") }, "1.0e on port a", ErrCalibration, []string{"18194819542_gainCalValues.csv is not in calibration"}},
	"2.0e: no gain calibration":  {func(_ *board, r *Rig) { r.Calibration = fstest.MapFS{} }, "2.0e on port b", ErrCalibration, []string{"20097907811_gainCalValues.csv is not in calibration"}},
	"no folder where it is said": {func(_ *board, r *Rig) { r.Calibration = noFolder{} }, "2.0e on port b", ErrCalibration, []string{"reading calibration"}},
	"the file of another probe": {func(_ *board, r *Rig) {
		f := r.Calibration.(fstest.MapFS)
		f["18194819542_ADCCalibration.csv"] = &fstest.MapFile{Data: []byte(strings.Replace(string(f["18194819542_ADCCalibration.csv"].Data), "18194819542", "18194819543", 1))}
	}, "1.0e on port a", ErrCalibration, []string{"18194819542_ADCCalibration.csv", "serial number 18194819543, plugged in is 18194819542"}},
	"a file that is cut": {func(_ *board, r *Rig) {
		f := r.Calibration.(fstest.MapFS)
		f["18194819542_gainCalValues.csv"] = &fstest.MapFile{Data: f["18194819542_gainCalValues.csv"].Data[:5000]}
	}, "1.0e on port a", ErrCalibration, []string{"18194819542_gainCalValues.csv", "lines, want 961"}},
	"two files that differ": {func(_ *board, r *Rig) {
		f := r.Calibration.(fstest.MapFS)
		f["old/20097907811_gaincalvalues.CSV"] = &fstest.MapFile{Data: []byte("20097907811\n")}
	}, "2.0e on port b", ErrCalibration, []string{"differ", "old/20097907811_gaincalvalues.CSV"}},
	"firmware of another time":    {func(b *board, _ *Rig) { b.firmware = "3.0" }, "breakout board", nil, []string{"firmware 3.0", "2.x"}},
	"an old port controller":      {func(b *board, _ *Rig) { b.table[1].Version = 1 }, "1.0e on port a", nil, []string{"port a", "version 1", "want 2"}},
	"an old passthrough device":   {func(b *board, _ *Rig) { b.table[7].Version = 2 }, "1.0e on port a", nil, []string{"port a", "version 2", "want 3"}},
	"old analog inputs":           {func(b *board, _ *Rig) { b.table[5].Version = 1 }, "breakout board", nil, []string{"analog-io", "version 1", "want 2", "enable: false"}},
	"no passthrough device":       {func(b *board, _ *Rig) { b.table[7].ID = 0 }, "1.0e on port a", oni.ErrNoDevice, []string{"port a"}},
	"a headstage of later":        {func(_ *board, r *Rig) { r.Ports[1].Headstage = "headstage-64" }, "breakout board", nil, []string{"port b", "Headstage-64", "later version"}},
	"a headstage of nobody":       {func(_ *board, r *Rig) { r.Ports[1].Headstage = "np3" }, "breakout board", nil, []string{"port b", `"np3"`, "neuropixels-1.0e"}},
	"a voltage without headstage": {func(_ *board, r *Rig) { r.Ports[1].VoltageDV = 50 }, "breakout board", ErrVoltage, []string{"port b"}},
	"a voltage above the ceiling": {func(_ *board, r *Rig) { r.Ports[0].VoltageDV = 66 }, "1.0e on port a", ErrVoltage, []string{"port a", "6.6 V", "3.3 to 6.5 V"}},
	"a gain of none":              {func(_ *board, r *Rig) { r.Device = always(&device.NeuropixelsV1eSettings{GainAP: 7}) }, "1.0e on port a", nil, []string{"port-a/neuropixels-1.0e", "gain 7"}},
	"a probe file of none": {func(_ *board, r *Rig) {
		r.Device = always(&device.NeuropixelsV1eSettings{Probe: "x.json", ProbeFile: []byte("{}")})
	}, "1.0e on port a", neuropixels.ErrProbe, []string{"port-a/neuropixels-1.0e", "x.json"}},
	"the link goes with the last reset":   {func(b *board, _ *Rig) { b.ports[0].loseAfter = 3 }, "1.0e on port a", ErrNoLink, []string{"port a", "lost"}},
	"the link goes with the second reset": {func(b *board, _ *Rig) { b.ports[0].loseAfter = 2 }, "1.0e on port a", nil, []string{"port a"}},
}

// always returns the settings for the probes, defaults for everything else.
func always(probe device.Settings) func(*device.Kind, string) Device {
	return func(k *device.Kind, key string) Device {
		if k.Place == device.Headstage {
			return Device{Enable: true, Settings: probe}
		}
		return Device{Enable: !k.Optional}
	}
}

// noFolder is a folder that is not there.
type noFolder struct{}

func (noFolder) Open(string) (fs.File, error) { return nil, errors.New("no such folder") }

func TestWhatIsRefused(t *testing.T) {
	for name, c := range refusals {
		s := rigs[c.rig](t)
		c.change(s.board, &s.rig)
		var undo undoStack
		report, err := Configure(context.Background(), s.board, s.rig, undo.add)
		if err == nil {
			t.Errorf("%s: configured", name)
			continue
		}
		if report != nil {
			t.Errorf("%s: a report beside an error", name)
		}
		if c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		for _, word := range c.mention {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v: want %q in it", name, err, word)
			}
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "0x8000") {
			t.Errorf("%s: not for people: %q", name, err)
		}
		if err := undo.run(); err != nil {
			t.Errorf("%s: undo: %v", name, err)
		}
		s.dark(t, name)
	}
}

// TestReadyRefusesALinkThatWasLost: also if it came back.
func TestReadyRefusesALinkThatWasLost(t *testing.T) {
	for name, c := range map[string]struct {
		flags, state uint32
		old, ready   bool
	}{
		"as it was":         {0, 3, false, true},
		"lost and back":     {1, 3, false, false},
		"parity was lost":   {2, 3, false, false},
		"lost":              {0, 0, false, false},
		"old gateware":      {3, 3, true, true},
		"old gateware lost": {0, 2, true, false},
	} {
		s := rigs["1.0e on port a"](t)
		s.board.noLinkFlags = c.old
		report, err := Configure(context.Background(), s.board, s.rig, func(string, func() error) {})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s.board.cells[1][5], s.board.cells[1][7] = c.state, c.flags
		err = report.Ready(s.board)
		if c.ready && err != nil || !c.ready && (!errors.Is(err, ErrNoLink) || !strings.Contains(err.Error(), "port a")) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestWhatIsLeftOut: probes that are not there or not wanted.
func TestWhatIsLeftOut(t *testing.T) {
	const probeA, probeB = "port-b/neuropixels-2.0e-probe-a", "port-b/neuropixels-2.0e-probe-b"
	set := func(a, b Device) func(*device.Kind, string) Device {
		return func(k *device.Kind, key string) Device {
			switch key {
			case probeA:
				return a
			case probeB:
				return b
			}
			return Device{Enable: !k.Optional}
		}
	}
	for name, c := range map[string]struct {
		device   func(*device.Kind, string) Device
		absent   bool // probe B is
		want     []string
		refused  bool
		opModeB  uint8
		enabled  uint32
		warnings int
	}{
		"both":                          {set(Device{Enable: true}, Device{Enable: true}), false, nil, false, 0x40, 1, 0},
		"b is not there":                {set(Device{Enable: true}, Device{Enable: true}), true, []string{probeB}, false, 0, 1, 1},
		"b is not there but named":      {set(Device{Enable: true}, Device{Enable: true, Named: true}), true, nil, true, 0, 1, 0},
		"b is not wanted":               {set(Device{Enable: true}, Device{}), false, nil, false, 0x80, 1, 0},
		"b is neither there nor wanted": {set(Device{Enable: true}, Device{Named: true}), true, nil, false, 0, 1, 0},
		"neither is wanted":             {set(Device{}, Device{}), false, nil, false, 0x80, 0, 0},
	} {
		s := rigs["2.0e on port b"](t)
		s.rig.Device = c.device
		chip := s.board.ports[1].probes[1]
		if c.absent {
			s.board.ports[1].probes[1] = nil
		}
		report, err := Configure(context.Background(), s.board, s.rig, func(string, func() error) {})
		if c.refused {
			if !errors.Is(err, ErrProbe) || !strings.Contains(err.Error(), probeB+": {enable: false}") {
				t.Errorf("%s: got %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(report.Absent, c.want) || len(report.Warnings) != c.warnings {
			t.Errorf("%s: absent %v, warnings %q", name, report.Absent, report.Warnings)
		}
		if got := chip.registers[0]; got != c.opModeB {
			t.Errorf("%s: OP_MODE of probe B is 0x%02x, want 0x%02x", name, got, c.opModeB)
		}
		if got := s.board.cells[9][0x8000]; got != c.enabled {
			t.Errorf("%s: ENABLE is %d, want %d", name, got, c.enabled)
		}
		if got := s.board.ports[1].ser[0x0E]; got != 0x11 {
			t.Errorf("%s: a probe is still selected: 0x%02x", name, got)
		}
	}
}

func TestAShankThatMayBeDamagedIsAWarning(t *testing.T) {
	s := rigs["2.0e on port b"](t)
	s.board.ports[1].probes[0].statuses[0x19] = 0
	report, err := Configure(context.Background(), s.board, s.rig, func(string, func() error) {})
	if err != nil || len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], "shank 3 may be damaged") {
		t.Errorf("got %v, %+v", err, report)
	}
}

// TestTheBreakoutBoard: what each register holds in the end. Source: onix-devices 6.2.
func TestTheBreakoutBoard(t *testing.T) {
	s := rigs["breakout board"](t)
	s.rig.Device = func(k *device.Kind, key string) Device {
		d := Device{Enable: key != "digital-io"}
		switch key {
		case "analog-io":
			d.Settings = &device.AnalogIOSettings{RangesV: []float64{10, 5, 2.5, 10, 10, 10, 10, 10, 10, 10, 10, 5}}
		case "heartbeat":
			d.Settings = &device.RateSettings{RateHz: 50}
		}
		return d
	}
	if _, err := Configure(context.Background(), s.board, s.rig, func(string, func() error) {}); err != nil {
		t.Fatal(err)
	}
	for a, want := range map[oni.Address]map[uint32]uint32{
		0: {0: 1, 1: 5_000_000}, 1: {0: 1, 1: 0, 3: 0, 6: 0}, 2: {0: 1, 3: 0}, 5: {1: 0, 5: 1},
		6: {0: 1, 1: 0, 2: 0, 3: 2, 4: 1, 5: 0, 13: 2}, 7: {0: 0, 1: 3, 2: 3, 6: 9, 7: 9}, 8: {0x8000: 0}, 9: {0x8000: 0},
		0xA: {0: 1, 1: 25_000_000}, 0xB: {0: 0}, 0xC: {0: 1, 1: 0},
	} {
		for r, v := range want {
			if got := s.board.cells[a][r]; got != v {
				t.Errorf("%v: register %d is %d, want %d", a, r, got, v)
			}
		}
	}
}

// TestAHeartbeatIsNeverSwitchedOff: it bounds the time that a read can block.
func TestAHeartbeatIsNeverSwitchedOff(t *testing.T) {
	s := rigs["breakout board"](t)
	s.board.table[0].ID = device.IDHeartbeat
	s.board.cells[0][0] = 0
	s.rig.Device = func(*device.Kind, string) Device { return Device{} }
	if _, err := Configure(context.Background(), s.board, s.rig, func(string, func() error) {}); err != nil {
		t.Fatal(err)
	}
	if s.board.cells[0][0] != 1 || s.board.cells[0][1] != 2_500_000 {
		t.Errorf("ENABLE %d, CLK_DIV %d", s.board.cells[0][0], s.board.cells[0][1])
	}
	for _, a := range []oni.Address{1, 2, 6, 7, 0xA, 0xB, 0xC} {
		if s.board.cells[a][0] != 0 {
			t.Errorf("%v is enabled", a)
		}
	}
}

// TestARegisterThatForgetsIsRefused: what was written and can be read is compared.
func TestARegisterThatForgetsIsRefused(t *testing.T) {
	s := rigs["breakout board"](t)
	s.board.after = func(e event) {
		if reset(e) {
			s.board.cells[6][4] = 1
		}
	}
	_, err := Configure(context.Background(), s.board, s.rig, func(string, func() error) {})
	if err == nil || !strings.Contains(err.Error(), "analog-io: register 4") {
		t.Errorf("got %v", err)
	}
}

// TestInspectSetsNothing but what is needed to look.
func TestInspectSetsNothing(t *testing.T) {
	s := rigs["both"](t)
	s.rig.Calibration = nil
	var undo undoStack
	report, err := Inspect(context.Background(), s.board, s.rig, undo.add)
	if err != nil {
		t.Fatal(err)
	}
	if f := report.Facts("port-b/neuropixels-1.0e"); f["probe_serial"] != "18194819542" || f["headstage_id"] != "6" || f["lock_voltage_dv"] != "35" {
		t.Errorf("facts %v", f)
	}
	if f := report.Facts("port-a/neuropixels-2.0e-probe-b"); f["probe_serial"] != "20097907811" || f["headstage_id"] != "8" {
		t.Errorf("facts %v", f)
	}
	for _, e := range s.board.journal {
		if e.what == "W" && (e.address == 8 || e.address == 9) && e.register >= 0x8000 && e.register <= 0x8014 {
			t.Errorf("%+v was written", e)
		}
	}
	for port, p := range s.board.ports {
		for _, probe := range p.probes {
			if probe != nil && len(probe.registers) != 0 {
				t.Errorf("port %s: registers of the probe %v", portName(port), probe.registers)
			}
		}
	}
	if err := undo.run(); err != nil {
		t.Error(err)
	}
	s.dark(t, "inspected")
}

// TestWaits: those of onix-devices 6.14, which come from settling.
func TestWaits(t *testing.T) {
	for name, want := range map[string]time.Duration{
		"breakout board": 0,
		// (33, 35, 37, 47) x (200 + 200) ms, 100 ms of the link
		"1.0e on port a": 1700 * time.Millisecond,
		// (33, 43) x 400 ms, 100 ms, 2 + 2 x 2 times 20 ms
		"2.0e on port b": 1020 * time.Millisecond,
	} {
		s := rigs[name](t)
		if _, err := Configure(context.Background(), s.board, s.rig, func(string, func() error) {}); err != nil {
			t.Fatal(err)
		}
		if s.board.slept != want {
			t.Errorf("%s: %v of waits, want %v", name, s.board.slept, want)
		}
	}
}

// TestHurry: the divider that is possible, and back.
func TestHurry(t *testing.T) {
	for hz, divider := range map[uint32]uint32{20_000: 12_500, 1: 250_000_000, 10_000_000: 25, 100_000_000: 25, 0: 250_000_000} {
		b := newBoard()
		b.cells[0][1] = 777
		restore, err := Hurry(b, hz)
		if err != nil || b.cells[0][1] != divider {
			t.Errorf("%d Hz: %v, divider %d, want %d", hz, err, b.cells[0][1], divider)
		}
		if err := restore(); err != nil || b.cells[0][1] != 777 {
			t.Errorf("%d Hz: %v, divider %d after it was put back", hz, err, b.cells[0][1])
		}
	}
	b := newBoard()
	b.table = b.table[1:]
	if restore, err := Hurry(b, 10); restore != nil || err != nil {
		t.Errorf("without a heartbeat: %v", err)
	}
}
