package run

import (
	"maps"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/shared/stream"
)

// What a configuration found out, on its way into the files: voltages, serial
// numbers, electrodes.

// keyOf returns the rig file's key for the device of a stream, "" if it has none.
func keyOf(name string) string {
	for _, key := range rig.DeviceKeys() {
		if streamOf(key) == name {
			return key
		}
	}
	return ""
}

// streamOf is what the stream of a device is called.
func streamOf(key string) string { return strings.ReplaceAll(key, "/", "-") }

// describeFound fills in what is known of the device of a stream: its electrodes,
// and voltages, serial numbers and the like as further metadata.
func (rec *Run) describeFound(s *stream.Stream) {
	key := keyOf(s.Name)
	if rec.report == nil || key == "" {
		return
	}
	facts := rec.report.Facts(key)
	for _, fact := range slices.Sorted(maps.Keys(facts)) {
		s.Extra = append(s.Extra, stream.KeyValue{Key: fact, Value: facts[fact]})
	}
	if probe, ok := rec.report.Probes[key]; ok {
		s.Probe = string(probe.Connected())
	}
}

// writeProbes writes which electrodes are connected, next to the recording.
func (rec *Run) writeProbes() {
	if rec.report == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(rec.report.Probes)) {
		if err := rec.store.WriteBeside(streamOf(key)+"-probe", ".json", rec.report.Probes[key].Full()); err != nil {
			rec.warn(err)
		}
	}
}
