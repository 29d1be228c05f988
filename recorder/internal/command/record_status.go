package command

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/oniscope/oniscope/recorder/internal/run"
)

// A statusSink gives the state of a recording to other programs: one JSON
// object a line to a pipe, a terminal or standard output; a file is replaced
// each time, so that a reader finds one whole object.
type statusSink struct {
	slot chan *run.Snapshot
	done chan struct{}
}

// newStatusSink returns nil for no path.
func (a *app) newStatusSink(path string) (*statusSink, error) {
	if path == "" {
		return nil, nil
	}
	write, err := a.statusWriter(path)
	if err != nil {
		return nil, err
	}
	s := &statusSink{slot: make(chan *run.Snapshot, 1), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for now := range s.slot {
			line, err := json.Marshal(now)
			if err == nil {
				err = write(append(line, '\n'))
			}
			if err != nil {
				for range s.slot { // nobody reads any more; the recording goes on
				}
				return
			}
		}
	}()
	return s, nil
}

func (a *app) statusWriter(path string) (func(line []byte) error, error) {
	lines := func(to io.Writer) func([]byte) error {
		return func(line []byte) error {
			_, err := to.Write(line)
			return err
		}
	}
	if path == "-" {
		return lines(a.stdout), nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return nil, usagef("--status-json %s: this is a folder", path)
		}
		if info.Mode()&os.ModeNamedPipe != 0 {
			return pipeWriter(path, lines), nil
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return lines(f), nil
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, usagef("--status-json %s: there is no folder %s", path, filepath.Dir(path))
	}
	return func(line []byte) error {
		temporary := path + ".tmp"
		if err := os.WriteFile(temporary, line, 0o666); err != nil {
			return nil // a disk that is full now may have room later
		}
		_ = os.Rename(temporary, path)
		return nil
	}, nil
}

// pipeWriter opens a named pipe with the first state: that waits until somebody
// reads, which a recording does not.
func pipeWriter(path string, lines func(io.Writer) func([]byte) error) func([]byte) error {
	var write func([]byte) error
	return func(line []byte) error {
		if write == nil {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			write = lines(f)
		}
		return write(line)
	}
}

// put replaces what waits; it never blocks.
func (s *statusSink) put(now *run.Snapshot) {
	if s == nil {
		return
	}
	select {
	case <-s.slot:
	default:
	}
	select {
	case s.slot <- now:
	default:
	}
}

// end lets the last state be written, unless nobody reads it.
func (s *statusSink) end() {
	if s == nil {
		return
	}
	close(s.slot)
	waitAMoment(s.done)
}

// A goneWriter writes to a pipe or terminal, and says once when nobody reads it
// any more: then the recording ends in order.
type goneWriter struct {
	io.Writer
	gone func()
	said atomic.Bool
}

func (w *goneWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if isGone(err) && w.said.CompareAndSwap(false, true) {
		w.gone()
	}
	return n, err
}

// Fd lets a terminal be recognised.
func (w *goneWriter) Fd() uintptr {
	if f, ok := w.Writer.(*os.File); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// isGone reports whether an error says that nobody reads any more.
func isGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.EIO) || errors.Is(err, io.ErrClosedPipe) || isBrokenPipe(err)
}
