package command

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// stdinName is the FILE that means standard input.
const stdinName = "-"

const stdinHelp = `- as FILE reads standard input: a file that is redirected there is read as it
lies, a pipe is first copied into a temporary file (in TMPDIR) that nobody sees.`

// openStdin returns standard input as a file that can be read at any place.
func openStdin() (*input, error) {
	in := &input{path: stdinName}
	err := in.takeStdin()
	var info os.FileInfo
	if err == nil {
		info, err = in.file.Stat()
	}
	if err != nil {
		in.close()
		return nil, fmt.Errorf("standard input: %w", err)
	}
	in.data, in.size = in.file, info.Size()
	return in, nil
}

func (in *input) takeStdin() error {
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
			in.file = os.Stdin
			return nil
		}
	}
	return in.spool(os.Stdin)
}

// spool copies what comes from a pipe into a temporary file, which loses its
// name at once, so that nothing is left however the process ends. Where a file
// in use cannot lose it, close takes it away.
func (in *input) spool(r io.Reader) error {
	f, err := os.CreateTemp("", "oniscope-stdin-*")
	if err != nil {
		return err
	}
	in.file = f
	if os.Remove(f.Name()) != nil {
		in.remove = f.Name()
	}
	_, err = io.Copy(f, r)
	return err
}

// close gives the file back.
func (in *input) close() {
	if in.file != nil && in.file != os.Stdin {
		in.file.Close()
	}
	if in.remove != "" {
		os.Remove(in.remove)
	}
}
