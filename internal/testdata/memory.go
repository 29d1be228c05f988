// Package testdata is what tests of several packages are made of: streams and
// their rows, files by writer, functions that damage a file, files in memory. It
// knows the format packages up to shared/recording, and nothing above them.
package testdata

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

// A Memory is a recording.File in memory, and an io.WriterAt, that counts
// writes and fails on request.
type Memory struct {
	Data     []byte
	Writes   []int   // bytes of each write that was asked for
	Cuts     []int64 // sizes that the file was cut to
	FailAt   int     // the write that fails, from 1; 0: none
	Partial  int     // bytes of it that arrive
	FailWith error   // nil: a short write without an error
	FailCut  error   // what cutting fails with
}

func (f *Memory) Write(p []byte) (int, error) {
	f.Writes = append(f.Writes, len(p))
	if len(f.Writes) == f.FailAt {
		f.Data = append(f.Data, p[:f.Partial]...)
		return f.Partial, f.FailWith
	}
	f.Data = append(f.Data, p...)
	return len(p), nil
}

// Truncate cuts the file.
func (f *Memory) Truncate(size int64) error {
	f.Cuts = append(f.Cuts, size)
	if f.FailCut == nil {
		f.Data = f.Data[:size]
	}
	return f.FailCut
}

// WriteAt overwrites what is there.
func (f *Memory) WriteAt(p []byte, off int64) (int, error) { return copy(f.Data[off:], p), nil }

// A Counted file counts the bytes that are read of it.
type Counted struct {
	Data []byte
	N    int64
}

func (r *Counted) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, r.Data[min(off, int64(len(r.Data))):])
	r.N += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Asking returns a context that calls a function whenever it is asked for its
// error, which is what the function returns.
func Asking(ask func() error) context.Context { return asking{context.Background(), ask} }

type asking struct {
	context.Context
	ask func() error
}

func (a asking) Err() error { return a.ask() }

// EndsAfter returns a context that ends with err when it has been asked n times.
func EndsAfter(n int, err error) context.Context {
	return Asking(func() error {
		if n--; n < 0 {
			return err
		}
		return nil
	})
}

// Open opens a recording in memory.
func Open(tb testing.TB, file []byte) *recording.Reader {
	tb.Helper()
	r, err := recording.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}
