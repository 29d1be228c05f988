package stream

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A StartTime is what a start-time CSV says about a recording.
type StartTime struct {
	Time           time.Time // UTC; written before acquisition starts, by seconds in Bonsai's files
	AcqClockHz     uint64    // rate of Clock
	BlockReadSize  uint64    // bytes; 0 unknown
	BlockWriteSize uint64    // bytes; 0 unknown
}

// StartTimeHeader is the first line of a start-time CSV of ours. Beginning
// with "# " it is read right by NumPy with and without skip_header=1.
// Source: onix-devices 5.1.
const StartTimeHeader = "# Timestamp,AcquisitionClockHz,BlockReadSize,BlockWriteSize"

// startTimeLayout has seven fractional digits, as .NET's round-trip format.
const startTimeLayout = "2006-01-02T15:04:05.0000000Z07:00"

// maxStartTimeBytes bounds what is looked at: the file has two short lines.
const maxStartTimeBytes = 64 << 10

// Errors of ParseStartTime.
var (
	ErrStartTimeEmpty = errors.New("stream: start time: no data line")
	ErrStartTimeShape = errors.New("stream: start time: neither the 4 nor the 10 columns of a start-time CSV")
)

// CSV returns the two lines of a start-time CSV, in UTC.
//
// The offset is written as +00:00, which .NET and NumPy's loaders in use
// accept, and never as a Z.
func (s StartTime) CSV() []byte {
	stamp := strings.TrimSuffix(s.Time.UTC().Format(startTimeLayout), "Z") + "+00:00"
	return fmt.Appendf(nil, "%s\n%s,%d,%d,%d\n", StartTimeHeader, stamp, s.AcqClockHz, s.BlockReadSize, s.BlockWriteSize)
}

// ParseStartTime reads a start-time CSV: a header line, with or without "# ",
// or none; then one data line of 4 columns (shape A) or of all members of the
// context (shape B, the time stamp first or last). The offset of the time
// stamp is honoured; a time stamp without one is taken as UTC.
//
// Source: onix-devices 5.1; samples in testdata/foreign.
func ParseStartTime(data []byte) (StartTime, error) {
	if len(data) > maxStartTimeBytes {
		return StartTime{}, fmt.Errorf("stream: start time: %d bytes, more than the %d that such a file can have", len(data), maxStartTimeBytes)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	var header, fields []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		cells := strings.Split(strings.TrimSpace(strings.TrimPrefix(line, "#")), ",")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if strings.HasPrefix(line, "#") || isHeader(cells) {
			if header == nil {
				header = cells
			}
			continue
		}
		fields = cells
		break
	}
	if fields == nil {
		return StartTime{}, ErrStartTimeEmpty
	}
	if header != nil && len(header) == len(fields) {
		return startTimeByName(header, fields)
	}
	return startTimeByPlace(fields)
}

// isHeader reports whether no cell is a number or a time: every data line has
// several of them.
func isHeader(cells []string) bool {
	for _, cell := range cells {
		if _, err := strconv.ParseUint(cell, 10, 64); err == nil {
			return false
		}
		if _, err := parseStamp(cell); err == nil {
			return false
		}
	}
	return true
}

func startTimeByName(header, fields []string) (StartTime, error) {
	var s StartTime
	var stamped bool
	for i, name := range header {
		if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
			name = name[dot+1:]
		}
		var err error
		switch name {
		case "Timestamp":
			s.Time, err = parseStamp(fields[i])
			stamped = true
		case "AcquisitionClockHz":
			s.AcqClockHz, err = strconv.ParseUint(fields[i], 10, 64)
		case "BlockReadSize":
			s.BlockReadSize, err = strconv.ParseUint(fields[i], 10, 64)
		case "BlockWriteSize":
			s.BlockWriteSize, err = strconv.ParseUint(fields[i], 10, 64)
		}
		if err != nil {
			return StartTime{}, fmt.Errorf("stream: start time: column %s: %w", header[i], err)
		}
	}
	return checkStartTime(s, stamped)
}

// startTimeByPlace reads a data line without header: the time stamp is known
// by its form, the numbers by their order (onix-devices 5.1).
func startTimeByPlace(fields []string) (StartTime, error) {
	var s StartTime
	var stamped bool
	var numbers []uint64
	for _, field := range fields {
		if stamp, err := parseStamp(field); err == nil {
			s.Time, stamped = stamp, true
			continue
		}
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return StartTime{}, fmt.Errorf("stream: start time: %q is neither a number nor a time", field)
		}
		numbers = append(numbers, n)
	}
	switch len(numbers) {
	case 3: // shape A: AcquisitionClockHz, BlockReadSize, BlockWriteSize
		s.AcqClockHz, s.BlockReadSize, s.BlockWriteSize = numbers[0], numbers[1], numbers[2]
	case 9: // shape B: SystemClockHz, AcquisitionClockHz, ..., BlockReadSize, BlockWriteSize
		s.AcqClockHz, s.BlockReadSize, s.BlockWriteSize = numbers[1], numbers[7], numbers[8]
	default:
		return StartTime{}, ErrStartTimeShape
	}
	return checkStartTime(s, stamped)
}

func checkStartTime(s StartTime, stamped bool) (StartTime, error) {
	if !stamped {
		return StartTime{}, errors.New("stream: start time: no time stamp")
	}
	if s.AcqClockHz == 0 {
		return StartTime{}, errors.New("stream: start time: no acquisition clock rate")
	}
	return s, nil
}

func parseStamp(text string) (time.Time, error) {
	stamp, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		stamp, err = time.Parse("2006-01-02T15:04:05.999999999", text)
	}
	return stamp.UTC(), err
}
