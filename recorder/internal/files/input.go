// Package files opens what commands read, and makes what they write.
//
// An input is never changed. An output is written under a temporary name in its
// folder and gets its own name when all of it is there; nothing is overwritten,
// and a failure leaves nothing.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// An Input is a file that is read and never changed. Its methods may be called
// by one goroutine at a time; its Data may be read by any number.
type Input struct {
	Path string      // as given; Stdin for standard input
	File *os.File    // of which Data is all or a part
	Data io.ReaderAt // what is to be read: File, or Size bytes of it from At on
	At   int64       // where Data begins in File, bytes
	Size int64       // of Data, bytes, at the moment of opening
	Open bool        // a recorder is writing the file

	remove string // temporary file to take away in the end
}

// OpenRegular opens a regular file for reading and refuses anything else.
func OpenRegular(path string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(path) // before it is opened: a pipe would wait for its writer
	if err != nil {
		return nil, nil, unreadable(path, err)
	}
	if err := isFile(path, info); err != nil {
		return nil, nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, unreadable(path, err)
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, nil, unreadable(path, err)
	}
	return f, info, nil
}

// isFile says why a path is no file of bytes.
func isFile(path string, info fs.FileInfo) error {
	why := "it is not a regular file"
	switch {
	case info.Mode().IsRegular():
		return nil
	case info.IsDir():
		why = "it is a folder; name the files in it"
	case info.Mode()&fs.ModeNamedPipe != 0:
		why = "it is a pipe; let it be standard input, and give - as the file"
	}
	return fmt.Errorf("%s: %s", path, why)
}

// Open opens a file, of the size that it has at this moment, whatever its
// bytes are; Stdin is standard input. The caller closes it.
func Open(path string) (*Input, error) {
	if path == Stdin {
		return openStdin()
	}
	f, info, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	return &Input{Path: path, File: f, Data: f, Size: info.Size(), Open: store.IsOpen(path)}, nil
}

// Narrow makes n bytes of Data from byte from on all that there is to read.
func (in *Input) Narrow(from, n int64) {
	in.Data, in.At, in.Size = io.NewSectionReader(in.Data, from, n), in.At+from, n
}

// Close closes the file. Standard input stays open.
func (in *Input) Close() {
	if in.File != nil && in.File != os.Stdin {
		in.File.Close()
	}
	if in.remove != "" {
		os.Remove(in.remove)
	}
}

// NoEOF returns err, and io.ErrUnexpectedEOF in place of io.EOF: the file ends
// before it should.
func NoEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
