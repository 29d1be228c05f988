package rig

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A Draft is what a rig file is made from: what a board consists of, and what
// its user says is plugged in.
type Draft struct {
	Driver     string
	About      string            // the board, for the first line
	Table      oni.DeviceTable   // of the board
	Headstages map[string]string // by port, "a" or "b"; "" or missing: nothing
	Notes      map[string]string // by port, and by key of a device: what was found there
	Absent     []string          // keys of devices that are not plugged in
	Serials    []string          // of the probes found, whose calibration files are needed
}

// Text returns the rig file: commented, with every device of the board and its
// defaults; devices that are off if the file does not name them are comments.
func (d Draft) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by oniscope rig init%s.\n# Every key is explained by `oniscope record --help`.\n", lead(" from ", d.About))
	fmt.Fprintf(&b, "driver: %s\n", d.Driver)
	if d.Driver == DriverSim {
		b.WriteString("seed: 1                # of the simulated data\n")
	}
	b.WriteString("pace: real-time\n")
	switch {
	case len(d.Serials) > 0:
		fmt.Fprintf(&b, "calibration: calibration   # folder, next to this file, with the vendor's files of the probes %s\n", strings.Join(d.Serials, ", "))
	case slices.ContainsFunc(PortNames, func(port string) bool { return d.Headstages[port] != "" }):
		b.WriteString("# calibration: calibration   # folder, next to this file, with the vendor's files of probes\n")
	}
	b.WriteString("ports:                 # a port that is not named stays at 0 V\n")
	any := false
	for _, port := range PortNames {
		if kind := d.Headstages[port]; kind != "" {
			fmt.Fprintf(&b, "  %s: {headstage: %s, voltage: auto}%s\n", port, kind, lead("   # ", d.Notes[port]))
			any = true
		}
	}
	if !any {
		b.WriteString("  # a: {headstage: " + headstages()[0] + ", voltage: auto}\n")
	}
	b.WriteString("devices:               # each takes enable: false, and writer: {...} of its own\n")
	for _, key := range DeviceKeys() {
		kind := device.KindForKey(key)
		if !d.has(key, kind) {
			continue
		}
		off := ""
		if kind.Optional {
			off = "# "
		}
		settings := flow(kind.Settings())
		if slices.Contains(d.Absent, key) {
			settings = "{enable: false}"
		}
		fmt.Fprintf(&b, "  %s%s: %s%s\n", off, key, settings, lead("   # ", d.Notes[key]))
	}
	b.WriteString("writer: " + flow(DefaultWriter()) + "   # of all streams\n")
	return b.String()
}

// has reports whether a device is there, or would be with the headstage that
// was named.
func (d Draft) has(key string, kind *device.Kind) bool {
	port, _, _ := strings.Cut(strings.TrimPrefix(key, "port-"), "/")
	if kind.Headstages != nil {
		return slices.Contains(kind.Headstages, d.Headstages[port])
	}
	for _, dev := range d.Table {
		if slices.Contains(kind.IDs, dev.ID) && kind.KeyAt(dev.Address) == key {
			return true
		}
	}
	return false
}

func lead(words, text string) string {
	if text == "" {
		return ""
	}
	return words + text
}

// flow writes settings on one line.
func flow(settings any) string {
	text, err := yaml.MarshalWithOptions(settings, yaml.Flow(true))
	if err != nil {
		panic(err) // settings are plain structs
	}
	return wholeFloat.ReplaceAllString(strings.TrimSpace(string(text)), "$1")
}
