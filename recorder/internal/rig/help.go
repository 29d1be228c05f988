package rig

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/hardware/device"
)

// Example is a rig file that names every device with its defaults, with a
// Neuropixels 1.0e headstage on port A; each line begins with two spaces.
func Example() string { return exampleFor(device.HeadstageNeuropixelsV1e) }

// exampleFor is Example with another headstage.
func exampleFor(headstage string) string {
	return fmt.Sprintf(example, headstage, strings.Join(device.Headstages(), ", "), deviceHelp(headstage))
}

const example = `  driver: sim            # riffa: a board; sim: simulated data; test: liboni without hardware
  seed: 1                # of the simulator
  pace: real-time        # or max, of the simulator: as fast as the disk takes it
  signal: neural         # or pattern, of the simulator: every value follows a formula
  pulse: none            # or 500ms, of the simulator: channel 0 of every probe and amplifier at its highest code for 2 ms, so often
  calibration: calibration  # folder with the files of the probes' vendor, found by serial number
  ports:                 # one that is not named stays at 0 V; voltage: auto, or volts as in 4.5
    a: {headstage: %s, voltage: auto}  # possible: %s
  devices:               # all have the keys enable: true, writer: {...}
%s  writer: {suffix: FileCount, overwrite: false, buffered: true, compression: none, layout: repeat}`

// deviceHelp lists every device that a rig file can name, with its defaults,
// where port A has a headstage.
func deviceHelp(headstage string) string {
	var b strings.Builder
	for _, key := range DeviceKeys() {
		if strings.HasPrefix(key, "port-b/") {
			continue // as port-a
		}
		if k := device.KindForKey(key); k.Headstages != nil && !slices.Contains(k.Headstages, headstage) {
			continue
		}
		fmt.Fprintf(&b, "    %s: %s\n", key, flow(device.KindForKey(key).Settings()))
	}
	return b.String()
}

// wholeFloat finds 10.0, which people write as 10.
var wholeFloat = regexp.MustCompile(`\b(\d+)\.0\b`)

// Optional names the devices that are off if the rig file does not name them.
func Optional() string {
	var keys []string
	for _, k := range device.Kinds() {
		if k.Optional {
			keys = append(keys, k.Key)
		}
	}
	return strings.Join(keys, " and ")
}
