package headstage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

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
