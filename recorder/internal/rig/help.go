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
	kinds := Wrapped("headstages: "+strings.Join(device.Headstages(), ", "), "    # ")
	return fmt.Sprintf(example, headstage, kinds, deviceHelp(headstage))
}

// Wrapped breaks text at spaces so that no line has more than 80 characters with
// what all of them begin with.
func Wrapped(text, begin string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		if column > 0 && column+1+len(word) <= 80 {
			b.WriteString(" ")
			column++
		} else {
			if column > 0 {
				b.WriteString("\n")
			}
			b.WriteString(begin)
			column = len(begin)
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

const example = `  driver: sim          # or riffa: a board; or test: liboni without hardware
  seed: 1              # of the simulator
  pace: real-time      # of the simulator; max: as fast as the disk takes it
  signal: neural       # of the simulator; pattern: values by a formula
  pulse: none          # of the simulator; 500ms: a pulse on channel 0, so often
  calibration: calibration  # folder with the files of the probes' vendor
  ports:               # others stay at 0 V; voltage: auto, or volts as in 4.5
    a: {headstage: %s, voltage: auto}
%s
  devices:             # all have the keys enable: true, writer: {...}
%s  writer: {suffix: FileCount, overwrite: false, buffered: true,
    compression: none, layout: repeat}`

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
		const glue = "\x00" // no line ends between a key and its value
		line := strings.ReplaceAll(key+": "+flow(device.KindForKey(key).Settings()), ": ", ":"+glue)
		line = strings.ReplaceAll(Wrapped(line, "      "), glue, " ")
		b.WriteString(strings.TrimPrefix(line, "  ") + "\n")
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
