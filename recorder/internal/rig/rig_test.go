package rig

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
)

const exampleRig = "../../../testdata/rigs/np1e-sim.yaml"

func TestTheExampleRigIsReadWhole(t *testing.T) {
	text, err := os.ReadFile(exampleRig)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse("np1e-sim.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if r.Driver != "sim" || r.Seed != 1 || r.Pace != PaceRealTime || r.Ports["a"].Headstage != device.HeadstageNeuropixelsV1e {
		t.Errorf("got %+v", r)
	}
	for key, want := range map[string]device.Settings{
		"port-a/neuropixels-1.0e": &device.NeuropixelsV1eSettings{GainAP: 1000, GainLFP: 50, Reference: "external", Filter: true, Bank: "A"},
		"analog-io":               &device.AnalogIOSettings{RangesV: slices.Repeat([]float64{10}, 12)},
		"memory-monitor":          &device.MemoryMonitorSettings{RateSettings: device.RateSettings{RateHz: 10}},
		"heartbeat":               &device.RateSettings{RateHz: 100},
		"digital-io":              &device.NoSettings{},
	} {
		if got := r.devices[key]; !got.Enable || !reflect.DeepEqual(got.Settings, want) {
			t.Errorf("%s: got %+v, want %+v", key, got.Settings, want)
		}
	}
	if *r.Writer.Suffix != "FileCount" || *r.Writer.Overwrite || !*r.Writer.Buffered || *r.Writer.Compression != "none" {
		t.Errorf("writer: got %+v", r.Writer)
	}
}

func TestAVoltageIsTakenInTenths(t *testing.T) {
	for text, want := range map[string]int{"": 0, "auto": 0, "5": 50, "5.0": 50, "4.7": 47, "'4.7'": 47, "3.3": 33, "6.5": 65, "&v 4.7": 47} {
		r, err := Parse("rig.yaml", []byte("ports:\n  b: {headstage: neuropixels-1.0e, voltage: "+text+"}\n"))
		if err != nil || r.Ports["b"].VoltageDV != want {
			t.Errorf("voltage %q: %+v, %v", text, r, err)
		}
	}
}

func TestARigFileIsRefusedWithTheLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":             {"driver: sim\nspeed: 3\n", `rig.yaml:2: unknown key "speed"`},
		"unknown key of a port":   {"driver: sim\nports:\n  a:\n    probe: x\n", `rig.yaml:4: unknown key "probe"`},
		"unknown key of a device": {"driver: sim\ndevices:\n  heartbeat:\n    rate: 3\n", `rig.yaml:4: unknown key "rate"`},
		"another device's key":    {"devices:\n  digital-io: {rate_hz: 3}\n", `rig.yaml:2: unknown key "rate_hz"`},
		"unknown key of a writer": {"devices:\n  digital-io:\n    writer: {sufix: None}\n", `rig.yaml:3: unknown key "sufix"`},
		"unknown device":          {"devices:\n\n  analogue: {}\n", `rig.yaml:3: devices: "analogue" is not known; possible: memory-monitor`},
		"port without headstage":  {"devices:\n  port-b/neuropixels-1.0e: {}\n", `rig.yaml:2: devices: port-b/neuropixels-1.0e: ports says nothing of it; add ports: {b: {headstage: neuropixels-1.0e}}`},
		"suffix of one device":    {"devices:\n  digital-io: {writer: {suffix: None}}\n", "suffix is chosen once for the whole run"},
		"wrong suffix":            {"driver: sim\nwriter:\n  suffix: Date\n", `rig.yaml:3: writer: suffix "Date" is not known; possible: None, FileCount, Timestamp`},
		"layout of a later time":  {"writer: {layout: ree}\n", `layout "ree" is not possible in this version; possible: repeat`},
		"wrong compression":       {"devices:\n  digital-io:\n    writer:\n      compression: gzip\n", `rig.yaml:4: devices: digital-io: writer: compression "gzip" is not known; possible: none, zstd, lz4`},
		"too few ranges":          {"devices:\n  analog-io: {ranges_v: [1, 2]}\n", "rig.yaml:2: devices: analog-io: ranges_v has 2 values, want 12"},
		"range of none":           {"devices:\n  analog-io: {ranges_v: [1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]}\n", "rig.yaml:2: devices: analog-io: channel 0: range 1 V: want 2.5, 5 or 10"},
		"rate of nothing":         {"devices:\n  heartbeat: {rate_hz: 0}\n", "rig.yaml:2: devices: heartbeat: rate 0 Hz: want 0.1 to 1e+07"},
		"wrong gain":              {"ports: {a: {headstage: neuropixels-1.0e}}\ndevices: {port-a/neuropixels-1.0e: {gain_ap: 999}}\n", "rig.yaml:2: devices: port-a/neuropixels-1.0e: gain 999: want one of 50, 125, "},
		"wrong port":              {"ports:\n  c: {headstage: neuropixels-1.0e}\n", `rig.yaml:2: ports: "c" is not a port; possible: a, b`},
		"wrong headstage":         {"ports:\n  a:\n    headstage: rhd\n", `rig.yaml:3: port a: headstage "rhd" is not known; possible: neuropixels-1.0e`},
		"slip in a headstage":     {"ports: {a: {headstage: neuropixels-1.0}}\n", `headstage "neuropixels-1.0" is not known; did you mean neuropixels-1.0e?`},
		"wrong driver":            {"seed: 1\ndriver: simm\n", `rig.yaml:2: driver "simm" is not known; did you mean sim?; possible: sim, riffa, test`},
		"wrong pace":              {"driver: sim\npace: fast\n", `rig.yaml:2: pace "fast" is not known; possible: real-time, max`},
		"wrong signal":            {"signal: 5\n", `rig.yaml:1: signal "5" is not known; possible: neural, pattern`},
		"a pulse of no time":      {"driver: sim\npulse: 5\n", `rig.yaml:2: pulse "5" is not possible; want none, or from 10ms to 1h, as in 500ms`},
		"too many pulses":         {"driver: sim\npulse: 1us\n", `rig.yaml:2: pulse "1us" is not possible`},
		"too much voltage":        {"ports:\n  a: {headstage: neuropixels-1.0e, voltage: 6.6}\n", "rig.yaml:2: port a: voltage: headstage: 6.6 V"},
		"voltage in octal":        {"ports:\n  a: {headstage: headstage-64, voltage: 0o7}\n", `rig.yaml:2: port a: voltage: headstage: "0o7"`},
		"voltage with a line":     {"ports:\n  a: {headstage: headstage-64, voltage: 5_0}\n", `rig.yaml:2: port a: voltage: headstage: "5_0"`},
		"voltage of infinity":     {"ports:\n  a: {headstage: neuropixels-1.0e, voltage: .inf}\n", `rig.yaml:2: port a: voltage: headstage: ".inf"`},
		"voltage below zero":      {"ports:\n  a: {headstage: neuropixels-1.0e, voltage: -5}\n", `rig.yaml:2: port a: voltage: headstage: "-5"`},
		"voltage between steps":   {"ports:\n  a: {headstage: neuropixels-1.0e, voltage: 5.05}\n", `rig.yaml:2: port a: voltage: headstage: "5.05"`},
		"voltage of two kinds":    {"ports:\n  a: {headstage: neuropixels-1.0e, voltage: [5]}\n", "rig.yaml:2: voltage: want auto, or volts"},
		"no headstage":            {"ports: {a: {voltage: auto}}\n", "rig.yaml:1: port a: no headstage; possible: neuropixels-1.0e"},
		"a word for a number":     {"seed: many\n", "rig.yaml:1:"},
		"a list for devices":      {"devices: [a]\n", "rig.yaml:1: devices: want one key a device"},
		"no YAML":                 {"driver: [sim\n", "rig.yaml:1:"},
		"the same key twice":      {"seed: 1\nseed: 2\n", "rig.yaml:2:"},
		"empty":                   {"\n", "the file is empty"},
		"two documents":           {"driver: sim\n---\ndriver: sim\n", "2 documents"},
		"wrong reference":         {"ports: {a: {headstage: neuropixels-1.0e}}\ndevices: {port-a/neuropixels-1.0e: {reference: ground}}\n", `reference "ground" is not known`},
	} {
		_, err := Parse("rig.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %q", name, err)
		}
	}
}

func TestSettingsOfADeviceStandOverThoseOfAll(t *testing.T) {
	r, err := Parse("rig.yaml", []byte("writer: {compression: zstd, buffered: false}\ndevices:\n  heartbeat: {enable: false, writer: {compression: none}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	settings := func(key string) Device { return r.Device(device.KindForKey(key), key) }
	h := settings("heartbeat")
	if w := h.Writer.Over(r.Writer).Over(DefaultWriter()); *w.Compression != "none" || *w.Buffered || *w.Suffix != "FileCount" || h.Enable {
		t.Errorf("heartbeat: %s, buffered %v, suffix %s, enable %v", *w.Compression, *w.Buffered, *w.Suffix, h.Enable)
	}
	if w := settings("digital-io").Writer.Over(r.Writer).Over(DefaultWriter()); *w.Compression != "zstd" {
		t.Errorf("digital-io: %s", *w.Compression)
	}
}

func FuzzParseRig(f *testing.F) {
	if text, err := os.ReadFile(exampleRig); err == nil {
		f.Add(text)
	}
	f.Add([]byte("devices:\n  digital-io: &x {writer: *x}\n"))
	f.Fuzz(func(t *testing.T, text []byte) { _, _ = Parse("rig.yaml", text) })
}

// TestSettingsKeepTheDefaultsOfTheirKind: what a rig file says of a device
// leaves the rest of its settings alone.
func TestSettingsKeepTheDefaultsOfTheirKind(t *testing.T) {
	r, err := Parse("rig.yaml", []byte("ports: {a: {headstage: neuropixels-1.0e}}\ndevices: {port-a/neuropixels-1.0e: {gain_ap: 500, writer: {compression: lz4}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := r.devices["port-a/neuropixels-1.0e"]
	if want := (&device.NeuropixelsV1eSettings{GainAP: 500, GainLFP: 50, Reference: "external", Filter: true, Bank: "A"}); !reflect.DeepEqual(got.Settings, want) {
		t.Errorf("got %+v, want %+v", got.Settings, want)
	}
	if *got.Writer.Compression != "lz4" {
		t.Errorf("writer: %+v", got.Writer)
	}
}

// TestTheExampleOfTheHelpIsARig: what record --help shows can be used, and
// names every device with its defaults, whatever the headstage.
func TestTheExampleOfTheHelpIsARig(t *testing.T) {
	for _, headstage := range device.Headstages() {
		r, err := Parse("help.yaml", []byte(exampleFor(headstage)))
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range device.Kinds() {
			if k.Headstages != nil && !slices.Contains(k.Headstages, headstage) {
				continue
			}
			key := k.Key
			if k.Place != device.OnHost {
				key = "port-a/" + key
			}
			if got, ok := r.devices[key]; !ok || !reflect.DeepEqual(got.Settings, k.Settings()) {
				t.Errorf("%s: got %+v, want %+v", key, got.Settings, k.Settings())
			}
		}
	}
}
