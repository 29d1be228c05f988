package command

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// clockFlags give files without metadata their clock.
type clockFlags struct {
	clockHz   uint64
	startTime string
	column    string // the time axis, where it is not Clock; "": as found
	file      int    // of files that were joined, from 1; 0: all
}

func (c *clockFlags) add(fl *pflag.FlagSet) {
	fl.Uint64Var(&c.clockHz, "clock-hz", 0, "rate of the acquisition clock, for files that do not state it")
	fl.IntVar(&c.file, "file", 0, "of files that were joined byte by byte the `N`th alone (default all that have the same columns)")
	fl.StringVar(&c.column, "time-column", "", "`NAME` of a column of timestamps that takes the place of Clock (default the only one, where there is no Clock)")
	fl.StringVar(&c.startTime, "start-time", "", "start-time CSV `FILE` (default the start-time_*.csv next to the file, with its suffix)")
}

// An input is a recording that a command reads and never changes.
type input struct {
	*files.Input
	reader *recording.Reader // nil after openRaw
}

// openRaw opens a file whatever its bytes are.
func openRaw(path string) (*input, error) {
	in, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	return &input{Input: in}, nil
}

// createOutput begins a file that is made of in, at a path that does not exist.
func createOutput(path string, in *input) (*files.Output, error) {
	if path == files.Stdin {
		return nil, usagef("-o - is not a file; standard output is what oniscope cat writes to")
	}
	return files.Create(path, in.Input)
}

// openInput opens a recording and completes its clock.
func (a *app) openInput(ctx context.Context, path string, c *clockFlags) (*input, error) {
	path, err := files.One(path)
	if err != nil {
		return nil, err
	}
	in, err := openRaw(path)
	if err != nil {
		return nil, err
	}
	if in.reader, err = a.openReader(ctx, in, c.file); err == nil {
		err = a.setClock(path, in.reader, c)
	}
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return in, nil
}

// openReader opens what is in an input: all of it, or of joined files the nth
// alone. It shows how far it is: of streams and files without a footer all
// headers are read.
func (a *app) openReader(ctx context.Context, in *input, nth int) (*recording.Reader, error) {
	set, end := a.lateProgress("opening " + in.Path)
	defer end()
	open := func() (*recording.Reader, error) {
		return recording.Open(ctx, in.Data, in.Size, &recording.Options{Progress: set})
	}
	r, err := open()
	if err != nil || nth == 0 {
		return r, err
	}
	for before := 0; ; {
		files := r.Files()
		n := nth - 1 - before
		whole := n == 0 && len(files) == 1
		if n < 0 || n >= len(files) && len(files) == 1 {
			return nil, fmt.Errorf("file %d: it has %s", nth, plural(before+len(files), "file"))
		}
		if whole {
			return r, nil
		}
		n = min(n, len(files)-1) // the last may be several, of other columns
		f := files[n]
		before += n
		in.Narrow(f.Start, f.Len())
		if r, err = open(); err != nil {
			return nil, fmt.Errorf("file %d, from byte %d on: %w", nth, f.Start, err)
		}
	}
}

// setClock tells a reader what its file does not say of the clock, and the person
// where that is from.
func (a *app) setClock(path string, r *recording.Reader, c *clockFlags) error {
	if c.column != "" {
		if err := r.SetTimeColumn(c.column); err != nil {
			return err
		}
	}
	found, err := c.clock(path, r.Stream())
	for _, words := range found.words {
		a.sayf("%s: %s", path, words)
	}
	r.SetClock(found.hz, found.began)
	return err
}

// A clockFound is what is known of a clock beside what its file says: 0 and the
// zero time leave that as it is.
type clockFound struct {
	hz    uint64
	began time.Time
	words []string // what is to be said of the CSV beside the file
}

// clock returns the rate of the clock and the wall time of the start: what flags
// say, else what the CSV beside the file says where the file says nothing.
func (c *clockFlags) clock(path string, s stream.Stream) (found clockFound, err error) {
	csv, asked := c.startTime, c.startTime != ""
	found.hz = c.clockHz
	say := func(words string) {
		if words != "" {
			found.words = append(found.words, words)
		}
	}
	if s.TimeColumn != "" && !asked && s.AcqClockHz != 0 {
		return found, nil // it says itself when
	}
	if !asked && path != files.Stdin && (s.AcqClockHz == 0 && c.clockHz == 0 || s.StartUTC == "") {
		words := ""
		csv, words = store.FindStartTime(path)
		if s.AcqClockHz == 0 && c.clockHz == 0 { // else it is the time of the start alone that is missing
			say(words)
		} else if words != "" {
			csv = "" // which would be a guess
		}
	}
	if csv == "" {
		return found, nil
	}
	start, err := readStartTime(csv)
	if err != nil {
		if asked {
			return clockFound{}, err
		}
		// A file that happens to be next to it and says nothing is no
		// reason to refuse a recording.
		_, why, _ := strings.Cut(err.Error(), "start time: ")
		say(filepath.Base(csv) + " beside it is not used: " + why)
		return found, nil
	}
	if start.Note != "" {
		say(filepath.Base(csv) + ": " + start.Note)
	}
	if found.hz == 0 && (s.AcqClockHz == 0 || asked) {
		found.hz = start.AcqClockHz
	}
	if s.StartUTC == "" || asked {
		found.began = start.Time
	}
	return found, nil
}

// maxStartTimeBytes keeps a wrong file from being read whole.
const maxStartTimeBytes = 1 << 20

func readStartTime(path string) (stream.StartTime, error) {
	f, info, err := files.OpenRegular(path)
	if err != nil {
		return stream.StartTime{}, err
	}
	defer f.Close()
	if info.Size() > maxStartTimeBytes {
		return stream.StartTime{}, fmt.Errorf("%s: %d bytes; this is not a start-time CSV", path, info.Size())
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

// keepCodec is what --compression says to leave bodies as they are.
const keepCodec = "keep"

// checkCodec refuses a wrong --compression before any file is touched.
func checkCodec(name string) error {
	if _, err := recording.ParseCodec(name); err != nil {
		return usagef("--compression %q is not possible; possible: keep, none, zstd, lz4", name)
	}
	return nil
}
