package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// clockFlags give files without metadata their clock.
type clockFlags struct {
	clockHz   uint64
	startTime string
}

func (c *clockFlags) add(fl *pflag.FlagSet) {
	fl.Uint64Var(&c.clockHz, "clock-hz", 0, "rate of the acquisition clock, for files that do not state it")
	fl.StringVar(&c.startTime, "start-time", "", "start-time CSV `FILE` (default the start-time_*.csv beside the file, with its suffix)")
}

// An input is a file that a command reads and never changes.
type input struct {
	path   string
	file   *os.File
	size   int64
	reader *recording.Reader // nil after openRaw
	open   bool              // a recorder is writing it
}

// openFile opens a file for reading and refuses what is none.
func openFile(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// openRaw opens a file, of the size that it has at this moment, whatever it
// holds.
func openRaw(path string) (*input, error) {
	f, info, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return &input{path: path, file: f, size: info.Size(), open: store.IsOpen(path, time.Now())}, nil
}

// openInput opens a recording and completes its clock.
func openInput(path string, c *clockFlags) (*input, error) {
	in, err := openRaw(path)
	if err != nil {
		return nil, err
	}
	if in.reader, err = recording.NewReader(in.file, in.size); err == nil {
		err = c.complete(path, in.reader.Stream())
	}
	if err != nil {
		in.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return in, nil
}

func (in *input) close() { in.file.Close() }

// complete fills in the clock and the wall time of a stream: what flags say,
// else what the file says, else what the CSV beside it says.
func (c *clockFlags) complete(path string, s *stream.Stream) error {
	csv, asked := c.startTime, c.startTime != ""
	if !asked && (s.AcqClockHz == 0 || s.StartUTC == "") {
		csv = store.FindStartTime(path)
	}
	if csv != "" {
		start, err := readStartTime(csv)
		switch {
		case err == nil:
			if s.AcqClockHz == 0 || asked {
				s.AcqClockHz = start.AcqClockHz
			}
			if s.StartUTC == "" || asked {
				s.StartUTC = start.Time.Format(time.RFC3339Nano)
			}
		case asked:
			return err
		}
		// A file that happens to lie beside it and says nothing is no
		// reason to refuse a recording.
	}
	if c.clockHz != 0 {
		s.AcqClockHz = c.clockHz
	}
	s.Complete()
	return nil
}

// maxStartTimeBytes keeps a wrong file from being read whole.
const maxStartTimeBytes = 1 << 20

func readStartTime(path string) (stream.StartTime, error) {
	f, info, err := openFile(path)
	if err != nil {
		return stream.StartTime{}, err
	}
	defer f.Close()
	if info.Size() > maxStartTimeBytes {
		return stream.StartTime{}, fmt.Errorf("%s: %d bytes; this is no start-time CSV", path, info.Size())
	}
	data := make([]byte, info.Size())
	if _, err := f.ReadAt(data, 0); err != nil {
		return stream.StartTime{}, fmt.Errorf("%s: %w", path, err)
	}
	start, err := stream.ParseStartTime(data)
	if err != nil {
		return stream.StartTime{}, fmt.Errorf("%s: %w", path, err)
	}
	return start, nil
}

// ticksFromSeconds converts a decimal number of seconds exactly, upwards: the
// first tick that is not before it.
func ticksFromSeconds(text string, clockHz uint64) (uint64, error) {
	seconds, ok := new(big.Rat).SetString(text)
	if !ok || strings.ContainsAny(text, "/xXpP_") || len(text) > 40 || strings.ContainsAny(text, "eE") {
		return 0, fmt.Errorf("%q is not a number of seconds", text)
	}
	if seconds.Sign() < 0 {
		return 0, fmt.Errorf("%s s is before the clock began", text)
	}
	ticks := seconds.Mul(seconds, new(big.Rat).SetInt(new(big.Int).SetUint64(clockHz)))
	whole, rest := new(big.Int).QuoRem(ticks.Num(), ticks.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	if !whole.IsUint64() {
		return 0, fmt.Errorf("%s s is more than the clock can count", text)
	}
	return whole.Uint64(), nil
}

// chooseColumns returns the columns that names and globs name, in the order of
// the file; all of them if there are no patterns.
func chooseColumns(r *recording.Reader, patterns []string) ([]int, error) {
	columns := r.Stream().Columns
	chosen := make([]bool, len(columns))
	for _, pattern := range patterns {
		if !strings.ContainsAny(pattern, "*?[") {
			i, err := r.Column(pattern)
			if err != nil {
				return nil, err
			}
			chosen[i] = true
			continue
		}
		found := false
		for i := range columns {
			match, err := path.Match(pattern, columns[i].Name)
			if err != nil {
				return nil, usagef("--columns %s: %v", pattern, err)
			}
			if match {
				chosen[i], found = true, true
			}
		}
		if !found {
			if _, err := r.Column(pattern); err != nil {
				return nil, err
			}
		}
	}
	var list []int
	for i := range columns {
		if chosen[i] || len(patterns) == 0 {
			list = append(list, i)
		}
	}
	return list, nil
}

// parseCodec returns the codec of a name.
func parseCodec(name string) (recording.Codec, error) {
	for _, c := range []recording.Codec{recording.None, recording.Zstd} {
		if name == c.String() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("compression %q is not known; possible: none, zstd", name)
}

// keepCodec is what --compression says to leave bodies as they are.
const keepCodec = "keep"

// codecOr returns the codec of a name, or with "keep" that of the file.
func codecOr(name string, r *recording.Reader) (recording.Codec, error) {
	if name != keepCodec {
		return parseCodec(name)
	}
	codec, err := parseCodec(r.Codec())
	if err != nil {
		return 0, fmt.Errorf("cannot keep compression %s; say --compression none or zstd", r.Codec())
	}
	return codec, nil
}

// checkCodec refuses a wrong --compression before any file is touched.
func checkCodec(name string) error {
	if name == keepCodec {
		return nil
	}
	if _, err := parseCodec(name); err != nil {
		return usagef("--compression %q is not possible; possible: keep, none, zstd", name)
	}
	return nil
}

// An output is a file in the making: written under a temporary name in its
// folder, and renamed when everything is well. It never replaces a file.
type output struct {
	*os.File
	path string
	done bool
}

// createOutput begins a file at a path that does not exist.
func createOutput(path string, in *input) (*output, error) {
	if info, err := os.Lstat(path); err == nil {
		if mine, err := in.file.Stat(); err == nil && os.SameFile(info, mine) {
			return nil, fmt.Errorf("%s is the input itself; choose another output", path)
		}
		return nil, fmt.Errorf("%s exists; nothing is overwritten, choose another output", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	dir, name := ".", path
	if i := strings.LastIndexFunc(path, func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) }); i >= 0 {
		dir, name = path[:i+1], path[i+1:]
	}
	f, err := os.CreateTemp(dir, "."+name+".partial-*")
	if err != nil {
		return nil, err
	}
	return &output{File: f, path: path}, nil
}

// Truncate cuts the file; the next Write continues there.
func (o *output) Truncate(size int64) error {
	if err := o.File.Truncate(size); err != nil {
		return err
	}
	_, err := o.Seek(size, 0)
	return err
}

// commit syncs the file and gives it its name.
func (o *output) commit() error {
	if err := o.Chmod(0o644); err != nil {
		return err
	}
	if err := o.Sync(); err != nil {
		return err
	}
	if err := o.Close(); err != nil {
		return err
	}
	// A link fails where a file of that name has appeared; a rename would
	// replace it. Where links are not possible, looking must do.
	err := os.Link(o.Name(), o.path)
	if err == nil {
		err = os.Remove(o.Name())
	} else if _, statErr := os.Lstat(o.path); errors.Is(statErr, fs.ErrNotExist) {
		err = os.Rename(o.Name(), o.path)
	} else {
		err = fmt.Errorf("%s appeared meanwhile; nothing is overwritten", o.path)
	}
	o.done = err == nil
	return err
}

// discard removes what commit did not name.
func (o *output) discard() {
	if !o.done {
		o.Close()
		os.Remove(o.Name())
	}
}
