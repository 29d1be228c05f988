package headstage

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

// The endings of the calibration files' names. Source: onix-devices 5.3.
const (
	fileADCs  = "ADCCalibration"
	fileGains = "gainCalValues"
)

// ErrCalibration says that a calibration file of a probe is missing or wrong.
var ErrCalibration = errors.New("calibration of the probe")

// calibration finds the calibration file of a probe and parses it; serial returns
// the serial number in what parse made.
//
// The file <serial>_ADCCalibration.csv or <serial>_gainCalValues.csv is looked for in
// the folder and those in it; if no file is called so, one whose first line says
// the serial number. The first line decides: a file of that name with another
// serial number in it is refused.
func (rig Rig) calibration(serial uint64, kind string, parse func(file []byte) (uint64, error)) (name string, err error) {
	wanted := fmt.Sprintf("%d_%s.csv", serial, kind)
	files, err := rig.calibrationFiles(kind)
	if err != nil {
		return "", fmt.Errorf("%w: reading %s: %w", ErrCalibration, rig.CalibrationName, err)
	}
	called := func(name string) bool { return strings.EqualFold(path.Base(name), wanted) }
	byName := slices.ContainsFunc(files, called)
	var found []byte
	for _, candidate := range files {
		if byName && !called(candidate) {
			continue
		}
		file, err := rig.readCalibration(candidate)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrCalibration, err)
		}
		if !byName && !isOf(file, serial) {
			continue
		}
		if found != nil && !bytes.Equal(found, file) {
			return "", fmt.Errorf("%w: %s and %s in %s are both of probe %d and differ; keep the right one", ErrCalibration, name, candidate, rig.CalibrationName, serial)
		}
		name, found = candidate, file
	}
	if found == nil {
		return "", fmt.Errorf("%w: %s is not in %s: get it from the probe's vendor by the serial number, or correct calibration: in the rig file", ErrCalibration, wanted, rig.CalibrationName)
	}
	of, err := parse(found)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %s: %w", ErrCalibration, path.Join(rig.CalibrationName, name), err)
	case of != serial:
		return "", fmt.Errorf("%w: %s is of the probe with serial number %d, plugged in is %s", ErrCalibration, path.Join(rig.CalibrationName, name), of, strconv.FormatUint(serial, 10))
	}
	return name, nil
}

// isOf reports whether the first line of a file is a serial number.
func isOf(file []byte, serial uint64) bool {
	line, _, _ := bytes.Cut(bytes.TrimPrefix(file, []byte("\xEF\xBB\xBF")), []byte("\n"))
	of, err := neuropixels.ParseSerial(string(line))
	return err == nil && of == serial
}

// checkFolder refuses a folder of calibration files that is not there, before a
// port has a voltage.
func (rig Rig) checkFolder() error {
	info, err := fs.Stat(rig.Calibration, ".")
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // its path is "."
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: the folder %s cannot be read: %w", ErrCalibration, rig.CalibrationName, err)
	case !info.IsDir():
		return fmt.Errorf("%w: %s is not a folder", ErrCalibration, rig.CalibrationName)
	}
	return nil
}

// maxCalibrationFiles that are looked at: a folder with more is another one.
const maxCalibrationFiles = 10_000

// calibrationFiles lists the files of a kind in the folder and below.
func (rig Rig) calibrationFiles(kind string) ([]string, error) {
	var names []string
	seen := 0
	err := fs.WalkDir(rig.Calibration, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			if name == "." {
				return err
			}
			return nil // a folder that may not be read has nothing for us
		}
		if seen++; seen > maxCalibrationFiles {
			return fmt.Errorf("more than %d files are in it", maxCalibrationFiles)
		}
		base := strings.ToLower(path.Base(name))
		if !entry.IsDir() && strings.Contains(base, strings.ToLower(kind)) && strings.HasSuffix(base, ".csv") && !strings.HasPrefix(base, ".") {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// readCalibration reads a file that is not larger than such files are.
func (rig Rig) readCalibration(name string) ([]byte, error) {
	const limit = 1 << 20
	info, err := fs.Stat(rig.Calibration, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, too many for a calibration file", name, info.Size())
	}
	return fs.ReadFile(rig.Calibration, name)
}

// gainsV1 finds the gains of a 1.0 probe.
func (rig Rig) gainsV1(serial uint64, gainAP, gainLFP int) (g *neuropixels.GainCalibration, name string, err error) {
	name, err = rig.calibration(serial, fileGains, func(file []byte) (uint64, error) {
		if g, err = neuropixels.ParseGainsV1(file, gainAP, gainLFP); err != nil {
			return 0, err
		}
		return g.Serial, nil
	})
	return g, name, err
}

// gainsV2 finds the gain of a 2.0 probe.
func (rig Rig) gainsV2(serial uint64) (g *neuropixels.GainCalibration, name string, err error) {
	name, err = rig.calibration(serial, fileGains, func(file []byte) (uint64, error) {
		if g, err = neuropixels.ParseGainsV2(file); err != nil {
			return 0, err
		}
		return g.Serial, nil
	})
	return g, name, err
}

// adcs finds the calibration of the converters of a 1.0 probe.
func (rig Rig) adcs(serial uint64) (c *neuropixels.ADCCalibration, name string, err error) {
	name, err = rig.calibration(serial, fileADCs, func(file []byte) (uint64, error) {
		if c, err = neuropixels.ParseADCs(file); err != nil {
			return 0, err
		}
		return c.Serial, nil
	})
	return c, name, err
}
