package neuropixels

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrCalibration says that a calibration file is not what its probe's vendor
// writes.
var ErrCalibration = errors.New("not a calibration file")

// ADCs is how many converters a 1.0 probe has.
const ADCs = 32

// An ADC is the calibration of one converter.
type ADC struct {
	CompP, CompN      int // 0 to 31
	Slope             int // 0 to 7
	Coarse, Fine      int // 0 to 3
	Cfix              int // 0 to 15
	Offset, Threshold int // codes, 0 to 1023: those above Threshold are Offset too large
}

// An ADCCalibration is that of all converters of one probe.
type ADCCalibration struct {
	Serial uint64
	ADCs   [ADCs]ADC
}

// ParseADCs reads <serial>_ADCCalibration.csv of a 1.0 probe: 33 lines, the first
// is the serial number, each other the number of the ADC and eight integers.
// Spaces, CRLF and empty lines at the end are allowed. It returns
// ErrCalibration with the line for anything else.
//
// Source: onix-devices 5.3.
func ParseADCs(file []byte) (*ADCCalibration, error) {
	serial, rows, err := table(file, ADCs, 9)
	if err != nil {
		return nil, err
	}
	c := &ADCCalibration{Serial: serial}
	for i, row := range rows {
		a := &c.ADCs[i]
		for field, f := range []struct {
			name  string
			value *int
			limit int
		}{
			{"CompP", &a.CompP, 31}, {"CompN", &a.CompN, 31}, {"Slope", &a.Slope, 7}, {"Coarse", &a.Coarse, 3}, {"Fine", &a.Fine, 3},
			{"Cfix", &a.Cfix, 15}, {"Offset", &a.Offset, 1023}, {"Threshold", &a.Threshold, 1023},
		} {
			text := row[1+field]
			v, err := strconv.Atoi(text)
			if err != nil || v < 0 || v > f.limit {
				return nil, fmt.Errorf("neuropixels: %w: line %d: %s is %q: want 0 to %d", ErrCalibration, i+2, f.name, text, f.limit)
			}
			*f.value = v
		}
	}
	return c, nil
}

// A GainCalibration is by what values are to be multiplied.
type GainCalibration struct {
	Serial  uint64
	AP, LFP float64 // LFP is 0 for 2.0 probes, which have none
}

// ParseGainsV1 reads <serial>_gainCalValues.csv of a 1.0 probe for the gains of its
// amplifiers: 961 lines, the first is the serial number, each other the number
// of the electrode, 8 corrections of AP and 8 of LFP. All electrodes have the
// same, but for reference contacts, which have 1. It returns ErrCalibration with
// the line for anything else, ErrSetting for a gain that the probe lacks.
//
// Source: onix-devices 5.3.
func ParseGainsV1(file []byte, gainAP, gainLFP int) (*GainCalibration, error) {
	ap, lfp := slices.Index(GainsV1, gainAP), slices.Index(GainsV1, gainLFP)
	if ap < 0 || lfp < 0 {
		return nil, fmt.Errorf("neuropixels: %w: gains %d and %d: want two of %v", ErrSetting, gainAP, gainLFP, GainsV1)
	}
	serial, rows, err := table(file, contactsV1, 1+2*len(GainsV1))
	if err != nil {
		return nil, err
	}
	g := &GainCalibration{Serial: serial}
	if g.AP, err = theCorrection(rows, 1+ap); err != nil {
		return nil, err
	}
	if g.LFP, err = theCorrection(rows, 1+len(GainsV1)+lfp); err != nil {
		return nil, err
	}
	return g, nil
}

// ParseGainsV2 reads <serial>_gainCalValues.csv of a 2.0 probe: 385 lines, the
// first is the serial number, each other the number of the channel and its
// correction, the same for all. It returns ErrCalibration with the line for
// anything else.
//
// Source: onix-devices 5.3.
func ParseGainsV2(file []byte) (*GainCalibration, error) {
	serial, rows, err := table(file, Channels, 2)
	if err != nil {
		return nil, err
	}
	g := &GainCalibration{Serial: serial}
	if g.AP, err = theCorrection(rows, 1); err != nil {
		return nil, err
	}
	return g, nil
}

// theCorrection is the one value of a column, reference contacts apart.
func theCorrection(rows [][]string, column int) (float64, error) {
	var values []float64
	for i, row := range rows {
		v, err := decimal(row[column])
		if err != nil || !(v > 0.1 && v < 10) {
			return 0, fmt.Errorf("neuropixels: %w: line %d: a correction of %q: want about 1, with a decimal point", ErrCalibration, i+2, row[column])
		}
		if slices.Contains(values, v) {
			continue
		}
		if values = append(values, v); len(values) > 2 || len(values) == 2 && !slices.Contains(values, 1) {
			return 0, fmt.Errorf("neuropixels: %w: line %d: a correction of %v, others have %v: want the same for all", ErrCalibration, i+2, v, values[0])
		}
	}
	if len(values) == 2 && values[0] == 1 {
		return values[1], nil
	}
	return values[0], nil
}

// decimal reads a number with a decimal point, and no other of the ways in which
// Go writes numbers.
func decimal(text string) (float64, error) {
	if strings.Trim(text, "0123456789.+-eE") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// maxCalibrationBytes is some times what such a file has.
const maxCalibrationBytes = 1 << 20

// table reads a calibration file: the serial number, then rows of fields, whose
// first counts from 0.
func table(file []byte, rows, fields int) (serial uint64, cells [][]string, err error) {
	if len(file) > maxCalibrationBytes {
		return 0, nil, fmt.Errorf("neuropixels: %w: %d bytes are too many", ErrCalibration, len(file))
	}
	file = bytes.TrimPrefix(file, []byte("\xEF\xBB\xBF"))
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(file), "\r\n", "\n"), " \t\r\n"), "\n")
	if serial, err = ParseSerial(lines[0]); err != nil {
		return 0, nil, err
	}
	if len(lines) != 1+rows {
		return 0, nil, fmt.Errorf("neuropixels: %w: %d lines, want %d", ErrCalibration, len(lines), 1+rows)
	}
	for i, line := range lines[1:] {
		row := strings.Split(line, ",")
		for f := range row {
			row[f] = strings.TrimSpace(row[f])
		}
		if len(row) != fields {
			return 0, nil, fmt.Errorf("neuropixels: %w: line %d has %d fields, want %d", ErrCalibration, i+2, len(row), fields)
		}
		if row[0] != strconv.Itoa(i) {
			return 0, nil, fmt.Errorf("neuropixels: %w: line %d begins with %q, want %d", ErrCalibration, i+2, row[0], i)
		}
		cells = append(cells, row)
	}
	return serial, cells, nil
}

// ParseSerial reads the first line of a calibration file.
func ParseSerial(line string) (uint64, error) {
	serial, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("neuropixels: %w: line 1 is %.40q, want the serial number", ErrCalibration, line)
	}
	return serial, nil
}
