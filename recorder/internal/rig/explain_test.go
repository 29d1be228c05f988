package rig

import (
	"strings"
	"testing"
)

// TestAMistakeIsExplainedToPeople: with line, key and what is possible, and
// without a word of the program's own.
func TestAMistakeIsExplainedToPeople(t *testing.T) {
	const port = "ports: {a: {headstage: neuropixels-1.0e}}\n"
	for name, c := range map[string]struct{ text, want string }{
		"a number below 0":             {"driver: sim\nseed: -3\n", "rig.yaml:2: seed: -3: want a whole number, 0 or more"},
		"a word for a number":          {"devices:\n  heartbeat: {rate_hz: ten}\n", "rig.yaml:2: rate_hz: ten: want a number"},
		"a text for a truth value":     {"writer: {overwrite: \"yes\"}\n", `rig.yaml:1: overwrite: "yes": want true or false`},
		"a number with a unit":         {port + "devices:\n  port-a/neuropixels-1.0e:\n    gain_ap: \"1000x\"\n", `rig.yaml:4: gain_ap: "1000x": want a whole number`},
		"a value that is not possible": {port + "devices:\n  port-a/neuropixels-1.0e:\n    gain_lfp: 50\n    gain_ap: 999\n", "rig.yaml:5: devices: port-a/neuropixels-1.0e: gain 999: want one of"},
		"a slip in a key":              {"driver: sim\ndevcies: {}\n", `rig.yaml:2: unknown key "devcies"; did you mean devices?`},
		"a slip in a device":           {"devices:\n  hartbeat: {}\n", `rig.yaml:2: devices: "hartbeat" is not known; did you mean heartbeat?`},
		"a slip in a setting":          {"devices:\n  heartbeat: {rate_Hz: 3}\n", `rig.yaml:2: unknown key "rate_Hz"; did you mean rate_hz?`},
		"a port without a headstage":   {"ports:\n  a: {voltage: auto}\n", "port a: no headstage; possible: neuropixels-1.0e"},
		"a fraction for a number":      {"driver: sim\nseed: 1.5\n", "rig.yaml:2: seed: 1.5: want a whole number, 0 or more"},
		"a fraction in a setting":      {port + "devices:\n  port-a/neuropixels-1.0e:\n    gain_ap: 500.9\n", "rig.yaml:4: gain_ap: 500.9: want a whole number"},
		"a fraction, named elsewhere":  {"seed: &n 1.5\n", "rig.yaml:1: seed: 1.5: want a whole number"},
		"a list for a word":            {"driver: [sim, riffa]\n", "rig.yaml:1: driver: want text, not a list"},
		"keys for a word":              {"driver: {sim: 1}\n", "rig.yaml:1: driver: want text, not keys and values"},
		"a word for keys":              {"ports: {a: neuropixels-1.0e}\n", "rig.yaml:1: a: neuropixels-1.0e: want keys and values, as in {headstage: neuropixels-1.0e}"},
		"a key twice":                  {"driver: sim\nseed: 1\ndriver: sim\n", `rig.yaml:3: "driver" is there twice, first in line 1`},
		"a tab":                        {"driver: sim\n\tpace: max\n", "rig.yaml:2: a tab; indent with spaces"},
		"an empty port":                {"ports:\n  a:\n", "port a: no headstage"},
	} {
		_, err := Parse("rig.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
			continue
		}
		for _, word := range []string{"Go ", "struct", "unmarshal", "uint", "strconv", "device:"} {
			if strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q speaks of %q", name, err, word)
			}
		}
	}
}

// TestWhatIsMeantIsUnderstood: a byte-order mark, UTF-16 as Windows calls
// Unicode, words in other capitals.
func TestWhatIsMeantIsUnderstood(t *testing.T) {
	r, err := Parse("rig.yaml", []byte("\ufeffdriver: sim\nwriter: {compression: ZSTD, suffix: filecount}\n"))
	if err != nil || r.Driver != "sim" {
		t.Fatalf("%+v, %v", r, err)
	}
	if codec, err := ParseCodec(*r.Writer.Compression); err != nil || codec.String() != "zstd" {
		t.Errorf("%v, %v", codec, err)
	}
	utf16 := []byte("\xff\xfe")
	for _, c := range "driver: Sim\npace: MAX\nsignal: Pattern\n" {
		utf16 = append(utf16, byte(c), 0)
	}
	r, err = Parse("rig.yaml", utf16)
	if err != nil || r.Driver != DriverSim || r.Pace != PaceMax || r.Signal != SignalPattern {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNearNames(t *testing.T) {
	names := []string{"record", "recover", "info", "verify", "cat"}
	for word, want := range map[string]string{"recrod": "record", "recod": "record", "verfy": "verify", "inof": "info", "banana": "", "cta": "cat", "x": ""} {
		if got := Near(word, names); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}
