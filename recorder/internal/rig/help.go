package rig

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/oniscope/oniscope/hardware/device"
)

// Example is a rig file that names every device with its defaults; each line
// begins with two spaces.
func Example() string {
	return fmt.Sprintf(example, deviceHelp())
}

const example = `  driver: sim            # sim: simulated data; there is no default
  seed: 1                # of the simulator
  pace: real-time        # or max: as fast as the disk takes it
  signal: neural         # or pattern: every value follows a formula
  ports:
    a: {headstage: neuropixels-1.0e, voltage: auto}
  devices:               # all have the keys enable: true, writer: {...}
%s  writer: {suffix: FileCount, overwrite: false, buffered: true, compression: none, layout: repeat}`

// deviceHelp lists every device that a rig file can name, with its defaults.
func deviceHelp() string {
	var b strings.Builder
	for _, key := range DeviceKeys() {
		if strings.HasPrefix(key, "port-b/") {
			continue // as port-a
		}
		text, err := yaml.MarshalWithOptions(device.KindForKey(key).Settings(), yaml.Flow(true))
		if err != nil {
			panic(err) // settings are plain structs
		}
		fmt.Fprintf(&b, "    %s: %s\n", key, wholeFloat.ReplaceAllString(strings.TrimSpace(string(text)), "$1"))
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
