package headstage

import (
	"context"
	"errors"
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

// refused is a rig that is not configured, or not ready, and why.
type refused struct {
	change  func(b *board, rig *Rig)
	rig     string // of rigs
	want    error  // nil: any
	mention []string
}

var refusals = map[string]refused{
	"nothing is plugged in": {func(b *board, _ *Rig) { b.ports[0].lockAt = 0 }, "1.0e on port a", ErrNoLink,
		[]string{"port A", "switch of port A", "cable", "from 3.3 to 5.5 V"}},
	"the user's voltage is too little": {func(b *board, r *Rig) { r.Ports[0].VoltageDV = 35 }, "1.0e on port a", ErrNoLink, []string{"at 3.5 V", "6.5"}},
	"no EEPROM":                        {func(b *board, _ *Rig) { b.ports[0].eeprom = nil }, "1.0e on port a", oni.ErrNACK, []string{"port A", "EEPROM of the headstage does not answer"}},
	"another headstage": {func(b *board, _ *Rig) { b.ports[1].eeprom = eepromOf(6, 1, 0, "NP1.0e") }, "2.0e on port b", nil,
		[]string{"port B", "ID 6", "(ID 8)", "Headstage Neuropixels 1.0e"}},
	"an early revision":       {func(b *board, _ *Rig) { b.ports[1].eeprom = eepromOf(8, 0, 9, "x") }, "2.0e on port b", nil, []string{"revision 0.9, want 1.0"}},
	"a damaged EEPROM":        {func(b *board, _ *Rig) { b.ports[1].eeprom[5] = 1 }, "2.0e on port b", nil, []string{"checksum of its header"}},
	"1.0e: no probe":          {func(b *board, _ *Rig) { b.ports[0].probes[0] = nil }, "1.0e on port a", ErrProbe, []string{"no probe answers", "seated"}},
	"1.0e: a cable that ends": {func(b *board, _ *Rig) { b.ports[0].probes[0].flex = b.ports[0].probes[0].flex[:20] }, "1.0e on port a", ErrProbe, []string{"stops answering", "seated"}},
	"2.0e: neither probe":     {func(b *board, _ *Rig) { b.ports[1].probes = [2]*probeChip{} }, "2.0e on port b", ErrProbe, []string{"neither probe A nor B"}},
	"1.0e: a shift register": {func(b *board, _ *Rig) { b.ports[0].probes[0].statuses[0x0C] = 0x00 }, "1.0e on port a", ErrProbe,
		[]string{"register 0x0c has status 0x00", "want 0x80"}},
	"2.0e: a base's shift register": {func(b *board, _ *Rig) { b.ports[1].probes[1].statuses[0x16] = 0x82 }, "2.0e on port b", ErrProbe,
		[]string{"probe B", "register 0x16 has status 0x82"}},
	"no folder of calibrations":  {func(_ *board, r *Rig) { r.Calibration = nil }, "1.0e on port a", nil, []string{"port-a/neuropixels-1.0e", "calibration: FOLDER"}},
	"no ADC calibration":         {func(_ *board, r *Rig) { delete(r.Calibration.(fstest.MapFS), "18194819542_ADCCalibration.csv") }, "1.0e on port a", ErrCalibration, []string{"18194819542_ADCCalibration.csv is not in calibration"}},
	"no gain calibration":        {func(_ *board, r *Rig) { delete(r.Calibration.(fstest.MapFS), "18194819542_gainCalValues.csv") }, "1.0e on port a", ErrCalibration, []string{"18194819542_gainCalValues.csv is not in calibration"}},
	"2.0e: no gain calibration":  {func(_ *board, r *Rig) { r.Calibration = fstest.MapFS{} }, "2.0e on port b", ErrCalibration, []string{"20097907811_gainCalValues.csv is not in calibration"}},
	"no folder where it is said": {func(_ *board, r *Rig) { r.Calibration = noFolder{} }, "2.0e on port b", ErrCalibration, []string{"the folder calibration cannot be read"}},
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
	"an old port controller":      {func(b *board, _ *Rig) { b.table[1].Version = 1 }, "1.0e on port a", nil, []string{"port A", "version 1", "want 2"}},
	"an old passthrough device":   {func(b *board, _ *Rig) { b.table[7].Version = 2 }, "1.0e on port a", nil, []string{"port A", "version 2", "want 3"}},
	"old analog inputs":           {func(b *board, _ *Rig) { b.table[5].Version = 1 }, "breakout board", nil, []string{"analog-io", "version 1", "want 2", "enable: false"}},
	"no passthrough device":       {func(b *board, _ *Rig) { b.table[7].ID = 0 }, "1.0e on port a", oni.ErrNoDevice, []string{"port A"}},
	"a headstage of later":        {func(_ *board, r *Rig) { r.Ports[1].Headstage = "headstage-64" }, "breakout board", nil, []string{"port B", "Headstage-64", "later version"}},
	"a headstage of nobody":       {func(_ *board, r *Rig) { r.Ports[1].Headstage = "np3" }, "breakout board", nil, []string{"port B", `"np3"`, "neuropixels-1.0e"}},
	"a voltage without headstage": {func(_ *board, r *Rig) { r.Ports[1].VoltageDV = 50 }, "breakout board", ErrVoltage, []string{"port B"}},
	"a voltage above the ceiling": {func(_ *board, r *Rig) { r.Ports[0].VoltageDV = 66 }, "1.0e on port a", ErrVoltage, []string{"port A", "6.6 V", "3.3 to 6.5 V"}},
	"a gain of none":              {func(_ *board, r *Rig) { r.Device = always(&device.NeuropixelsV1eSettings{GainAP: 7}) }, "1.0e on port a", nil, []string{"port-a/neuropixels-1.0e", "gain 7"}},
	"a probe file of none": {func(_ *board, r *Rig) {
		r.Device = always(&device.NeuropixelsV1eSettings{Probe: "x.json", ProbeFile: []byte("{}")})
	}, "1.0e on port a", neuropixels.ErrProbe, []string{"port-a/neuropixels-1.0e", "x.json"}},
	"the link goes with the last reset":   {func(b *board, _ *Rig) { b.ports[0].loseAfter = 3 }, "1.0e on port a", ErrNoLink, []string{"port A", "lost"}},
	"the link goes with the second reset": {func(b *board, _ *Rig) { b.ports[0].loseAfter = 2 }, "1.0e on port a", nil, []string{"port A"}},
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
			t.Errorf("%s: a report with an error", name)
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
		if c.ready && err != nil || !c.ready && (!errors.Is(err, ErrNoLink) || !strings.Contains(err.Error(), "port A")) {
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
