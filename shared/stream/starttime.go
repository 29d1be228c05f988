package stream

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A StartTime is what a start-time CSV says about a recording.
type StartTime struct {
	Time           time.Time // UTC; written before acquisition starts, by seconds in Bonsai's files
	AcqClockHz     uint64    // rate of Clock
	BlockReadSize  uint64    // bytes; 0 unknown
	BlockWriteSize uint64    // bytes; 0 unknown
	Note           string    // for people: why Time is zero, or which of two lines was taken; "" nothing
}

// StartTimeHeader is the first line of a start-time CSV of ours. Beginning
// with "# " it is read right by NumPy with and without skip_header=1.
// Source: onix-devices 5.1.
const StartTimeHeader = "# Timestamp,AcquisitionClockHz,BlockReadSize,BlockWriteSize"

// startTimeLayout has seven fractional digits, as .NET's round-trip format.
const startTimeLayout = "2006-01-02T15:04:05.0000000Z07:00"

// maxStartTimeBytes bounds what is looked at: the file has two short lines.
const maxStartTimeBytes = 64 << 10

// ErrStartTimeEmpty says that a start-time CSV has no line with a time and a rate.
var ErrStartTimeEmpty = errors.New("stream: start time: no data line")

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
// Spreadsheets may have written it anew: with semicolons or tabs, quotes, decimal
// commas, numbers like 2.5E+08, dates of other countries, in UTF-16 or with a
// byte-order mark. Where the rate is plain and the time is not, the time is zero
// and Note says why.
//
// Source: onix-devices 5.1; samples in testdata/foreign.
func ParseStartTime(data []byte) (StartTime, error) {
	if len(data) > maxStartTimeBytes {
		return StartTime{}, fmt.Errorf("stream: start time: %d bytes, more than the %d that such a file can have", len(data), maxStartTimeBytes)
	}
	var header []string
	var taken *StartTime
	var from int
	for _, line := range csvLines(data) {
		if strings.HasPrefix(line.text, "#") || isHeader(line.cells) {
			if header == nil && namesColumns(line.cells) {
				header = line.cells
			}
			continue
		}
		s, err := startTimeOf(header, line.cells)
		if taken != nil { // a file has one; of two that differ people must know which it is
			if err == nil && (s.AcqClockHz != taken.AcqClockHz || !s.Time.Equal(taken.Time)) {
				taken.Note = strings.TrimPrefix(taken.Note+fmt.Sprintf("; line %d says something else; line %d is taken", line.number, from), "; ")
				break
			}
			continue
		}
		if err != nil {
			return StartTime{}, fmt.Errorf("stream: start time: line %d: %w", line.number, err)
		}
		if s.Note != "" {
			s.Note = fmt.Sprintf("line %d: %s; the time of the start is not taken", line.number, s.Note)
		}
		taken, from = &s, line.number
	}
	if taken == nil {
		return StartTime{}, ErrStartTimeEmpty
	}
	return *taken, nil
}

// startTimeOf reads a data line. Where it has more cells than the header, commas
// inside of numbers and times have cut some: they are put together again in the way
// that gives something to read.
func startTimeOf(header, cells []string) (s StartTime, err error) {
	more := len(cells) - len(header)
	if header == nil || more < 0 || more > maxCutCells || len(cells) > maxCells {
		return startTimeByPlace(joinedStamp(cells))
	}
	failed := errors.New("")
	for _, joined := range joinings(cells, more) {
		if s, err = startTimeByName(header, joined); err == nil && s.Note == "" {
			return s, nil
		}
		if err != nil && failed.Error() == "" {
			failed = err
		}
	}
	if s, err = startTimeByName(header, joinings(cells, more)[0]); err == nil {
		return s, nil
	}
	return StartTime{}, failed
}

// maxCutCells is how many decimal commas a line of such a file can have, and
// maxCells how many cells.
const (
	maxCutCells = 3
	maxCells    = 16
)

// joinings are the ways to put n pairs of neighbours together, with a comma.
func joinings(cells []string, n int) (list [][]string) {
	if n == 0 {
		return [][]string{cells}
	}
	for i := 0; i+1 < len(cells); i++ {
		joined := append(append(append([]string{}, cells[:i]...), cells[i]+","+cells[i+1]), cells[i+2:]...)
		list = append(list, joinings(joined, n-1)...)
	}
	return list
}

// joinedStamp puts the fraction of a second back that a decimal comma cut off.
func joinedStamp(cells []string) []string {
	for i := 0; i+1 < len(cells); i++ {
		if _, why := parseStamp(cells[i] + "," + cells[i+1]); why == "" {
			return joinings(cells, 1)[i]
		}
	}
	return cells
}

// isHeader reports whether no cell is a number or a time: every data line has
// several of them.
func isHeader(cells []string) bool {
	for _, cell := range cells {
		if _, err := parseWhole(cell); err == nil {
			return false
		}
		if _, why := parseStamp(cell); why == "" {
			return false
		}
	}
	return true
}

// namesColumns reports whether a line is the header of a start-time CSV.
func namesColumns(cells []string) bool {
	for _, cell := range cells {
		if strings.HasSuffix(strings.ToLower(cell), "acquisitionclockhz") {
			return true
		}
	}
	return false
}

func startTimeByName(header, fields []string) (StartTime, error) {
	var s StartTime
	var stamped bool
	for i, name := range header {
		if dot := strings.LastIndexAny(name, "._"); dot >= 0 { // MATLAB makes one of the other
			name = name[dot+1:]
		}
		var err error
		switch strings.ToLower(name) {
		case "timestamp":
			s.Time, s.Note = parseStamp(fields[i])
			stamped = true
		case "acquisitionclockhz":
			s.AcqClockHz, err = parseWhole(fields[i])
		case "blockreadsize":
			s.BlockReadSize, err = parseWhole(fields[i])
		case "blockwritesize":
			s.BlockWriteSize, err = parseWhole(fields[i])
		}
		if err != nil {
			return StartTime{}, fmt.Errorf("column %s: %w", header[i], err)
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
		if n, err := parseWhole(field); err == nil {
			numbers = append(numbers, n)
			continue
		}
		stamp, why := parseStamp(field)
		if why != "" && !strings.Contains(why, " may be ") {
			return StartTime{}, fmt.Errorf("%q is neither a number nor a time", field)
		}
		s.Time, s.Note, stamped = stamp, why, true
	}
	switch len(numbers) {
	case 3: // shape A: AcquisitionClockHz, BlockReadSize, BlockWriteSize
		s.AcqClockHz, s.BlockReadSize, s.BlockWriteSize = numbers[0], numbers[1], numbers[2]
	case 9: // shape B: SystemClockHz, AcquisitionClockHz, ..., BlockReadSize, BlockWriteSize
		s.AcqClockHz, s.BlockReadSize, s.BlockWriteSize = numbers[1], numbers[7], numbers[8]
	default:
		return StartTime{}, errors.New("neither the 4 nor the 10 columns of a start-time CSV")
	}
	return checkStartTime(s, stamped)
}

func checkStartTime(s StartTime, stamped bool) (StartTime, error) {
	if !stamped {
		return StartTime{}, errors.New("no time stamp")
	}
	if s.AcqClockHz == 0 {
		return StartTime{}, errors.New("no acquisition clock rate")
	}
	return s, nil
}
