package sim_test

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

// The formulas of testdata/samples/README.md, written down a second time.
func TestPatternIsAsDocumented(t *testing.T) {
	cfg := rig(sim.Pattern)
	cfg.Ports[1] = cfg.Ports[0]
	const ticks = sim.ClockHz * 7 / 5 // the row of AP passes 12 * 1024, of analog 4 * 16384
	probe := func(latency int64) map[string]func(r, c int64) int64 {
		sampled := func(r int64) int64 { return r * 25000 / 3 }
		return map[string]func(r, c int64) int64{
			"LfpData":    func(r, c int64) int64 { k := r / 12; return (5*k + 11*c + 7*(k/1024) + 512) % 1024 },
			"SpikeData":  func(r, c int64) int64 { return (3*r + 37*c + 5*(r/1024)) % 1024 },
			"FrameCount": func(r, _ int64) int64 { return 13 * r % 1048576 },
			"HubClock":   func(r, _ int64) int64 { return 10000000000 + sampled(r) },
			"Clock":      func(r, _ int64) int64 { return sampled(r) + latency + 5*r%16 },
		}
	}
	digital := func(r int64) int64 { return 12500000*(r+1) + 1000*(r*r%97) }
	used := func(r int64) int64 { return 7654321 * r % 536870913 }
	want := map[string]map[string]func(r, c int64) int64{
		"heartbeat": {
			"HubClock": func(r, _ int64) int64 { return 10000000000 + r*2500000 },
			"Clock":    func(r, _ int64) int64 { return r*2500000 + 40 + 5*r%16 },
		},
		"analog-io": {
			"AnalogData": func(r, c int64) int64 { return 4*((3*r+683*c+r/16384)%16384) - 32768 },
			"HubClock":   func(r, _ int64) int64 { return 10000000000 + r*2500 },
			"Clock":      func(r, _ int64) int64 { return r*2500 + 60 + 5*r%16 },
		},
		"digital-io": {
			"DigitalInputs": func(r, _ int64) int64 { return r % 256 },
			"Buttons":       func(r, _ int64) int64 { return r/16%64 + 256*(r/64%16) },
			"HubClock":      func(r, _ int64) int64 { return 10000000000 + digital(r) },
			"Clock":         func(r, _ int64) int64 { return digital(r) + 80 + 5*r%16 },
		},
		"memory-monitor": {
			"BytesUsed":   func(r, _ int64) int64 { return 4 * used(r) % 4294967296 },
			"PercentUsed": func(r, _ int64) int64 { return int64(math.Float64bits(100 * float64(used(r)) / 536870912)) },
			"HubClock":    func(r, _ int64) int64 { return 10000000000 + r*25000000 },
			"Clock":       func(r, _ int64) int64 { return r*25000000 + 140 + 5*r%16 },
		},
		"port-a-neuropixels-1.0e": probe(100),
		"port-b-neuropixels-1.0e": probe(120),
	}
	rows := map[string]int{
		"heartbeat": 140, "analog-io": 140000, "digital-io": 27, "memory-monitor": 14,
		"port-a-neuropixels-1.0e": 42000, "port-b-neuropixels-1.0e": 42000,
	}
	got := take(t, start(t, cfg), ticks, nil)
	for name, d := range got {
		if want[name] == nil {
			playsItsKind(t, name, d)
		}
	}
	for name, own := range want {
		d := got[name]
		if d == nil {
			t.Fatalf("no stream %s", name)
		}
		if d.out.Rows != rows[name] {
			t.Errorf("%s: %d rows, want %d", name, d.out.Rows, rows[name])
		}
		if s := d.dec.Stats(); s.Lost+s.Faults+s.BadFrames != 0 {
			t.Errorf("%s: stats %+v", name, s)
		}
		formulas(own).check(t, name, d)
	}
}

// playsItsKind checks the clocks of a stream whose samples its kind plays; what
// is in them is checked next to the kind. L of address a is 200 + 20 a.
func playsItsKind(t *testing.T, name string, d *taken) {
	t.Helper()
	s := d.stream
	if k := device.KindOf(oni.Device{ID: s.DeviceID}, ""); k == nil || k.Play == nil {
		t.Errorf("%s: no formula, and its kind plays nothing", name)
	}
	if d.out.Rows == 0 {
		t.Errorf("%s: no rows", name)
	}
	hub, hubs := d.column(t, "HubClock")
	clock, clocks := d.column(t, "Clock")
	for r := range d.out.Rows {
		want := number(hub, hubs, r) - 10000000000 + 200 + 20*int64(s.DeviceAddress) + 5*int64(r)%16
		if got := number(clock, clocks, r); got != want {
			t.Errorf("%s: Clock of row %d is %d, want %d", name, r, got, want)
		}
	}
}

func TestFramesComeInOrderAndFillTheirSize(t *testing.T) {
	for _, signal := range []sim.Signal{sim.Pattern, sim.Neural} {
		src := start(t, rig(signal))
		var f oni.Frame
		last, frames := uint64(0), map[oni.Address]int{}
		for {
			if err := src.ReadInto(&f); err != nil {
				t.Fatal(err)
			}
			if f.Clock >= sim.ClockHz/2 {
				break
			}
			dev, ok := src.Table().Find(f.Address)
			if !ok || int(dev.ReadSize) != len(f.Data) {
				t.Fatalf("%d bytes from %v, whose entry is %+v", len(f.Data), f.Address, dev)
			}
			if f.Clock < last {
				t.Fatalf("clock %d after %d", f.Clock, last)
			}
			last = f.Clock
			frames[f.Address]++
		}
		if frames[0] != 50 || frames[6] != 50000 || frames[8] != 15000 || frames[10] != 5 || frames[7] == 0 {
			t.Errorf("signal %d: frames in half a second: %v", signal, frames)
		}
	}
}

func TestRatesCanBeSet(t *testing.T) {
	cfg := sim.Config{Settings: map[string]device.Settings{
		"heartbeat":      &device.RateSettings{RateHz: 1000},
		"memory-monitor": &device.MemoryMonitorSettings{RateSettings: device.RateSettings{RateHz: 50}},
	}}
	got := take(t, start(t, cfg), sim.ClockHz, nil)
	if n := got["heartbeat"].out.Rows; n != 1000 {
		t.Errorf("%d heartbeats", n)
	}
	if n := got["memory-monitor"].out.Rows; n != 50 {
		t.Errorf("%d rows of the memory monitor", n)
	}
	if got["port-a-neuropixels-1.0e"] != nil {
		t.Error("a probe on an empty port")
	}
}

func digest(t *testing.T, src oni.Controller, frames int) uint64 {
	t.Helper()
	h := fnv.New64a()
	var f oni.Frame
	for range frames {
		if err := src.ReadInto(&f); err != nil {
			t.Fatal(err)
		}
		h.Write(binary.LittleEndian.AppendUint64(nil, f.Clock^uint64(f.Address)<<48))
		h.Write(f.Data)
	}
	return h.Sum64()
}

func TestSameSeedSameFrames(t *testing.T) {
	const frames = 30000
	src := start(t, rig(sim.Neural))
	first := digest(t, src, frames)
	if again := digest(t, start(t, rig(sim.Neural)), frames); again != first {
		t.Error("the same seed gives other frames")
	}
	other := rig(sim.Neural)
	other.Seed = 2
	if digest(t, start(t, other), frames) == first {
		t.Error("another seed gives the same frames")
	}
	if err := src.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := src.Start(); err != nil {
		t.Fatal(err)
	}
	if digest(t, src, frames) != first {
		t.Error("started again, the controller gives other frames")
	}
}

func TestFramesComeNotBeforeTheirTime(t *testing.T) {
	cfg := rig(sim.Pattern)
	var now uint64
	var waits []uint64
	cfg.Wait = func(ticks uint64) {
		if ticks <= now {
			t.Fatalf("waits for %d at %d", ticks, now)
		}
		now = ticks
		waits = append(waits, ticks)
	}
	src := start(t, cfg)
	var f oni.Frame
	for f.Clock < sim.ClockHz/10 {
		if err := src.ReadInto(&f); err != nil {
			t.Fatal(err)
		}
		if f.Clock >= now {
			t.Fatalf("a frame of %d at %d", f.Clock, now)
		}
	}
	if len(waits) != 21 || waits[0] != 1250000 || waits[20] != 21*1250000 {
		t.Errorf("waits %v", waits)
	}
}

func TestOrderOfCalls(t *testing.T) {
	src, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var f oni.Frame
	if err := src.ReadInto(&f); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("reading before Start: %v", err)
	}
	if err := src.Stop(); err == nil {
		t.Error("stopping before Start")
	}
	if err := src.Start(); err != nil {
		t.Error(err)
	}
	if err := src.Start(); err == nil {
		t.Error("starting twice")
	}
	if err := src.ReadInto(&f); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := src.Stop(); err != nil {
			t.Error(err)
		}
		if err := src.ReadInto(&f); err != io.EOF {
			t.Errorf("reading after Stop: %v", err)
		}
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	if err := src.ReadInto(&f); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("reading after Close: %v", err)
	}
	if err := src.Start(); err == nil {
		t.Error("starting after Close")
	}
}

func TestImpossibleRigsAreRefused(t *testing.T) {
	for want, cfg := range map[string]sim.Config{
		`port b: headstage "headstage-99"`: {Ports: [2]string{"", "headstage-99"}},
		"heartbeat: rate -1":               settings("heartbeat", &device.RateSettings{RateHz: -1}),
		"memory-monitor: rate NaN":         settings("memory-monitor", &device.MemoryMonitorSettings{RateSettings: device.RateSettings{RateHz: math.NaN()}}),
		"heartbeat: rate 2e+07":            settings("heartbeat", &device.RateSettings{RateHz: 2e7}),
		`no device is called "fan"`:        settings("fan", &device.NoSettings{}),
		"signal 9":                         {Signal: 9},
		"channel 2: range 7 V":             settings("analog-io", &device.AnalogIOSettings{RangesV: []float64{5, 5, 7, 5, 5, 5, 5, 5, 5, 5, 5, 5}}),
		"fault 0: no device at 0x0009": {
			Faults: []sim.Fault{{Kind: sim.Drop, Address: 9, Count: 1}}},
		"fault 1: kind": {Faults: []sim.Fault{{Kind: sim.End}, {Kind: 77}}},
	} {
		if _, err := sim.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTableIsThatOfTheReference(t *testing.T) {
	src := start(t, rig(sim.Pattern))
	var last oni.Address
	for i, d := range src.Table() {
		if i > 0 && d.Address <= last {
			t.Errorf("%v after %v", d.Address, last)
		}
		last = d.Address
	}
	for _, want := range []oni.Device{ // onix-devices 9.1
		{Address: 0, ID: 35, Version: 1, ReadSize: 8},
		{Address: 6, ID: 22, Version: 2, ReadSize: 32, WriteSize: 24},
		{Address: 7, ID: 18, Version: 2, ReadSize: 12, WriteSize: 4},
		{Address: 8, ID: 24, Version: 3, ReadSize: 1050},
		{Address: 9, ID: 24, Version: 3},
		{Address: 10, ID: 28, Version: 2, ReadSize: 12},
	} {
		if got, ok := src.Table().Find(want.Address); !ok || got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if _, err := src.Hub(1); err == nil {
		t.Error("hub 1 answers, though a passthrough headstage has none")
	}
}
