package run

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
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
		file := store.FileName(streamOf(key)+"-probe", rec.store.Suffix(), ".json")
		if err := rec.writeBeside(file, rec.report.Probes[key].Full()); err != nil {
			rec.warn(err)
		}
	}
}

// writeBeside writes a small file next to the recording, and replaces one only
// where files may be replaced.
func (rec *Run) writeBeside(file string, text []byte) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if *rec.writer(rig.Writer{}).Overwrite {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(rec.Path(file), flags, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}
