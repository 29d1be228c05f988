package command

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	file      int // of files that were joined, from 1; 0: all
}

func (c *clockFlags) add(fl *pflag.FlagSet) {
	fl.Uint64Var(&c.clockHz, "clock-hz", 0, "rate of the acquisition clock, for files that do not state it")
	fl.IntVar(&c.file, "file", 0, "of files that were joined byte by byte the `N`th alone (default all that have the same columns)")
	fl.StringVar(&c.startTime, "start-time", "", "start-time CSV `FILE` (default the start-time_*.csv beside the file, with its suffix)")
}

// An input is a file that a command reads and never changes.
type input struct {
	path   string
	file   *os.File
	data   io.ReaderAt // of the recording: the file, or from at on a part of it
	at     int64
	size   int64             // of data
	reader *recording.Reader // nil after openRaw
	open   bool              // a recorder is writing it
	remove string            // temporary file to take away in the end
}

// openFile opens a regular file for reading and refuses anything else.
func openFile(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = fmt.Errorf("%s is a folder; name the files in it", path)
	case info.Mode()&fs.ModeNamedPipe != 0:
		err = fmt.Errorf("%s is a pipe; let it be standard input, and give - as the file", path)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// openRaw opens a file, of the size that it has at this moment, whatever it
// holds; "-" is standard input.
func openRaw(path string) (*input, error) {
	if path == stdinName {
		return openStdin()
	}
	f, info, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return &input{path: path, file: f, data: f, size: info.Size(), open: store.IsOpen(path)}, nil
}

// openInput opens a recording and completes its clock.
func (a *app) openInput(ctx context.Context, path string, c *clockFlags) (*input, error) {
	in, err := openRaw(path)
	if err != nil {
		return nil, err
	}
	if in.reader, err = a.openReader(ctx, in, c.file); err == nil {
		err = c.setClock(path, in.reader)
	}
	if err != nil {
		in.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return in, nil
}

// openReader opens what an input holds: all of it, or of joined files the nth
// alone. It tells how far it is: of streams and files without a footer all
// headers are read.
func (a *app) openReader(ctx context.Context, in *input, nth int) (*recording.Reader, error) {
	set, end := a.lateProgress("opening " + in.path)
	defer end()
	open := func() (*recording.Reader, error) {
		return recording.Open(ctx, in.data, in.size, &recording.Options{Progress: set})
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
			return nil, fmt.Errorf("file %d: there are %d files in it", nth, before+len(files))
		}
		if whole {
			return r, nil
		}
		n = min(n, len(files)-1) // the last may be several, of other columns
		f := files[n]
		before += n
		in.data, in.at, in.size = io.NewSectionReader(in.data, f.Start, f.Len()), in.at+f.Start, f.Len()
		if r, err = open(); err != nil {
			return nil, fmt.Errorf("file %d, from byte %d on: %w", nth, f.Start, err)
		}
	}
}

// setClock tells a reader what its file does not say of the clock.
func (c *clockFlags) setClock(path string, r *recording.Reader) error {
	hz, start, err := c.clock(path, r.Stream())
	r.SetClock(hz, start)
	return err
}

// clock returns the rate of the clock and the wall time of the start: what flags
// say, else what the CSV beside the file says where the file says nothing; 0 and
// the zero time leave it as it is.
func (c *clockFlags) clock(path string, s stream.Stream) (hz uint64, began time.Time, err error) {
	csv, asked := c.startTime, c.startTime != ""
	if !asked && path != stdinName && (s.AcqClockHz == 0 || s.StartUTC == "") {
		csv = store.FindStartTime(path)
	}
	hz = c.clockHz
	if csv == "" {
		return hz, began, nil
	}
	start, err := readStartTime(csv)
	if err != nil {
		if asked {
			return 0, began, err
		}
		// A file that happens to lie beside it and says nothing is no
		// reason to refuse a recording.
		return hz, began, nil
	}
	if hz == 0 && (s.AcqClockHz == 0 || asked) {
		hz = start.AcqClockHz
	}
	if s.StartUTC == "" || asked {
		began = start.Time
	}
	return hz, began, nil
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

// keepCodec is what --compression says to leave bodies as they are.
const keepCodec = "keep"

// checkCodec refuses a wrong --compression before any file is touched.
func checkCodec(name string) error {
	if _, err := recording.ParseCodec(name); err != nil {
		return usagef("--compression %q is not possible; possible: keep, none, zstd, lz4", name)
	}
	return nil
}
