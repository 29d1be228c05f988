package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/oniscope/oniscope/recorder/internal/store"
	"golang.org/x/term"
)

// Stdin is the path that means standard input: a file that is redirected there
// is read where it lies, a pipe is first copied into a temporary file without a
// name.
const Stdin = "-"

// openStdin returns standard input as a file that can be read at any place.
func openStdin() (*Input, error) {
	in := &Input{Path: Stdin}
	err := in.takeStdin()
	var info os.FileInfo
	if err == nil {
		info, err = in.File.Stat()
	}
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("standard input: %w", err)
	}
	in.Data, in.Size = in.File, info.Size()
	return in, nil
}

func (in *Input) takeStdin() error {
	info, err := os.Stdin.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder; redirect a recording or pipe one into it")
	case term.IsTerminal(int(os.Stdin.Fd())):
		return errors.New("it is a terminal; redirect a recording or pipe one into it")
	case info.Mode().IsRegular():
		if at, err := os.Stdin.Seek(0, io.SeekCurrent); err == nil && at == 0 {
			in.File = os.Stdin
			return nil
		}
	}
	return in.spool(os.Stdin)
}

// spool copies what comes from a pipe into a temporary file, which loses its
// name at once, so that nothing is left however the process ends. Where a file
// in use cannot lose it, close takes it away.
func (in *Input) spool(r io.Reader) error {
	f, err := os.CreateTemp("", "oniscope-stdin-*")
	if err != nil {
		return err
	}
	in.File = f
	if os.Remove(f.Name()) != nil {
		in.remove = f.Name()
	}
	if _, err = io.Copy(f, r); store.IsFull(err) {
		return &PathError{filepath.Dir(f.Name()), "the disk is full; save what comes to a file, or let TMPDIR be a folder with room", err}
	}
	return err
}
