package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/headstage"
)

// TestProbeFilesAreReadBesideTheRigFile: from whatever folder the program runs.
func TestProbeFilesAreReadBesideTheRigFile(t *testing.T) {
	dir := t.TempDir()
	want, err := neuropixels.V2Single.Bank("C", 0)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("single.json", neuropixels.FormatProbe(neuropixels.V2Single, want, true, nil))
	write("empty.json", nil)
	if err := os.Mkdir(filepath.Join(dir, "folder.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	read := func(probe string) (*Rig, error) {
		text := "driver: sim\nports: {b: {headstage: neuropixels-2.0e}}\ndevices:\n  port-b/neuropixels-2.0e-probe-a: {shanks: 1, probe: " + probe + "}\n"
		r, err := Parse(filepath.Join(dir, "rig.yaml"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return r, r.Complete()
	}
	for _, name := range []string{"single.json", "./single.json", filepath.Join(dir, "single.json")} {
		r, err := read(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := r.devices["port-b/neuropixels-2.0e-probe-a"].Settings.(*device.NeuropixelsV2Settings).Electrodes()
		if err != nil || got != want {
			t.Errorf("%s: %v, the selection of the file: %v", name, err, got == want)
		}
	}
	for name, word := range map[string]string{"none.json": "none.json", "folder.json": "is not a file", "empty.json": "empty.json"} {
		if _, err := read(name); err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "rig.yaml: devices: port-b/neuropixels-2.0e-probe-a: probe:") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// voltagesWithinLimits fails if a rig file that was accepted asks for a voltage that
// its headstage does not take, or for one without a headstage.
func voltagesWithinLimits(t *testing.T, text string, r *Rig) {
	t.Helper()
	ceilings := map[string]int{ // onix-devices 6.0
		"headstage-64": 100, "rhs2116": 64, "neuropixels-1.0e": 65, "neuropixels-1.0f": 80, "neuropixels-2.0e": 65, "neuropixels-2.0e-beta": 65,
		"neuropixels-2.0e-rhd2000": 68, "nric1384": 62, "miniscope-v4": 60, "intan-spi": 68,
	}
	for name, p := range r.Ports {
		if most := ceilings[p.Headstage]; p.VoltageDV != 0 && (p.VoltageDV < 33 || p.VoltageDV > most) {
			t.Errorf("%q: port %s, %q: %d tenths of a volt, at most %d", text, name, p.Headstage, p.VoltageDV, most)
		}
	}
}

// TestVoltagesOfEveryHeadstage: what the table says of each, as a rig file has it.
func TestVoltagesOfEveryHeadstage(t *testing.T) {
	for _, kind := range headstage.Kinds() {
		for voltage, ok := range map[string]bool{
			"auto": true, "3.3": true, "'3.3'": true, "3.30": true, "~": true, "6": true, "0": false, "3.2": false, "10.1": false, "-4": false, "-0.0": false, ".nan": false, ".inf": false, "-.inf": false, "four": false,
			"0x21": false, "3.3e0": false, "1_0": false, "055": true, "[4]": false, "{v: 4}": false, "true": false, "4,0": false, "99999999999999999999": false, "4.55": false, "+4": false,
		} {
			text := fmt.Sprintf("driver: sim\nports: {a: {headstage: %s, voltage: %s}}\n", kind, voltage)
			if voltage == "4,0" {
				text = strings.Replace(text, "4,0", `"4,0"`, 1)
			}
			r, err := Parse("rig.yaml", []byte(text))
			if voltage == "055" { // 55 volts, whatever YAML makes of it
				ok = false
			}
			if ok != (err == nil) {
				t.Errorf("%s, voltage: %s: %v", kind, voltage, err)
			}
			if err == nil {
				voltagesWithinLimits(t, text, r)
			} else if !strings.HasPrefix(err.Error(), "rig.yaml:2:") {
				t.Errorf("%s, voltage: %s: no line: %v", kind, voltage, err)
			}
		}
	}
}

// FuzzVoltages: whatever a rig file says, no voltage above a ceiling comes out.
func FuzzVoltages(f *testing.F) {
	for _, text := range []string{
		"driver: riffa\nports:\n  a: {headstage: neuropixels-2.0e, voltage: 6.5}\n  b: {headstage: headstage-64, voltage: 10}\n",
		"ports: {a: {headstage: rhs2116, voltage: &v 6.4}, b: {headstage: neuropixels-1.0e, voltage: *v}}",
		"ports:\n  a: &p {headstage: headstage-64, voltage: 9.9}\n  b:\n    <<: *p\n    headstage: miniscope-v4\n",
		"ports: {a: {headstage: intan-spi, voltage: !!str 6.8}}",
		"ports: {a: {headstage: intan-spi, voltage: !!float 6.8}}",
		"ports: {a: {headstage: nric1384, voltage: |\n  6.2\n}}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse("rig.yaml", text)
		if err != nil {
			if r != nil {
				t.Error("a rig with an error")
			}
			return
		}
		voltagesWithinLimits(t, string(text), r)
		for i, name := range PortNames {
			p, there := r.Ports[name]
			one := headstage.Rig{}
			one.Ports[i] = headstage.Port{Headstage: p.Headstage, VoltageDV: p.VoltageDV}
			if err := headstage.Check(one); errors.Is(err, headstage.ErrVoltage) || !there && err != nil {
				t.Errorf("%q: port %s: %v", text, name, err)
			}
		}
	})
}
