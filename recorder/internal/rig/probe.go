package rig

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

// maxProbeBytes of a probe-interface file: that of the largest probe has 0.4 MB.
const maxProbeBytes = 16 << 20

// readProbes reads the probe-interface files that settings name, relative to
// the folder of the rig file, and refuses what the probe cannot be set to.
func (r *Rig) readProbes() error {
	for _, key := range slices.Sorted(maps.Keys(r.devices)) {
		var name string
		var file *[]byte
		var electrodes func() (neuropixels.Selection, error)
		switch s := r.devices[key].Settings.(type) {
		case *device.NeuropixelsV1eSettings:
			name, file, electrodes = s.Probe, &s.ProbeFile, s.Electrodes
		case *device.NeuropixelsV2Settings:
			name, file, electrodes = s.Probe, &s.ProbeFile, s.Electrodes
		}
		if name == "" {
			continue
		}
		var err error
		if *file, err = readSmall(r.beside(name)); err == nil {
			_, err = electrodes()
		}
		if err != nil {
			return fmt.Errorf("%s: devices: %s: probe: %w", r.File, key, err)
		}
	}
	return nil
}

// beside is a path that a rig file names, seen from where the program runs.
func (r *Rig) beside(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(r.File), name)
}

// readSmall reads a regular file that is not larger than such files are.
func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name) // before it is opened: a pipe would wait for its writer
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxProbeBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxProbeBytes:
		return nil, fmt.Errorf("%s is larger than %d bytes, too large for a probe-interface file", name, maxProbeBytes)
	}
	return text, nil
}
