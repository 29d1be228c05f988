package body

import (
	"fmt"
	"hash/maphash"
	"io"
)

// WindowBytes is how much one read asks for: a browser takes a millisecond for
// a read of any size below that, and a batch has a thousand buffers.
const WindowBytes = 4 << 20

// A window reads a stretch of a file forward, some megabytes at a time. One
// goroutine at a time may use it.
type Window struct {
	File io.ReaderAt
	Size int64
	// work counts bytes that were read or decoded, and yields; nil: nobody asks.
	Work func(n int64) error

	data      []byte
	at        int64
	Scattered bool // reads jump about: nothing is read ahead

	end    int64 // of the stretch that is hashed; 0: none
	hashed int64 // up to here
	pieces []Piece
}

// A Piece is the hash of a piece of the file.
type Piece struct {
	Offset, Length int64
	Hash           uint64
}

// Seed is the same as long as the process lives.
var Seed = maphash.MakeSeed()

// Begin makes the window one of the stretch [from, to); hash says that its
// bytes are hashed as they are read.
func (w *Window) Begin(from, to int64, hash bool) {
	w.data, w.at = w.data[:0], from
	w.end, w.hashed, w.pieces = 0, from, nil
	if hash {
		w.end = to
	}
}

// Finish reads what is left of the stretch and returns the hashes of all of it.
func (w *Window) Finish() ([]Piece, error) {
	for w.hashed < w.end {
		if err := w.load(w.hashed, min(WindowBytes, w.end-w.hashed)); err != nil {
			return nil, err
		}
	}
	return w.pieces, nil
}

// load fills the window from off on, and hashes what has not been.
func (w *Window) load(off, n int64) error {
	w.data, w.at = Grown(w.data, n), off
	got, err := w.File.ReadAt(w.data, off)
	if int64(got) < n {
		w.data = w.data[:0]
		return ReadError(n, off, err)
	}
	if to := min(off+n, w.end); off <= w.hashed && w.hashed < to {
		w.pieces = append(w.pieces, Piece{w.hashed, to - w.hashed, maphash.Bytes(Seed, w.data[w.hashed-off:to-off])})
		w.hashed = to
	}
	return nil
}

func ReadError(n, off int64, err error) error {
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF // the file is shorter than it was said to be
	}
	return fmt.Errorf("recording: reading %d bytes at %d: %w", n, off, err)
}

// Fill fills p from offset off.
func (w *Window) Fill(p []byte, off int64) error {
	if ahead := w.inside(int64(len(p)), off); ahead != nil {
		copy(p, ahead)
		return w.worked(int64(len(p)))
	}
	if n, err := w.File.ReadAt(p, off); n < len(p) {
		return ReadError(int64(len(p)), off, err)
	}
	return w.worked(int64(len(p)))
}

// view is readAt without a copy where it can: the bytes are valid until the
// next read, or lie in buf.
func (w *Window) view(n, off int64, buf *[]byte) ([]byte, error) {
	if ahead := w.inside(n, off); ahead != nil {
		return ahead, w.worked(n)
	}
	*buf = Grown(*buf, n)
	return *buf, w.Fill(*buf, off)
}

func (w *Window) worked(n int64) error {
	if w.Work == nil {
		return nil
	}
	return w.Work(n)
}

// inside returns n bytes from off as a part of the window, nil if they are
// better read by themselves. Reads go forward mostly, so a window is read and
// the next reads are served from it.
func (w *Window) inside(n, off int64) []byte {
	if d := off - w.at; d >= 0 && d+n <= int64(len(w.data)) {
		return w.data[d : d+n]
	}
	if w.Scattered {
		return nil
	}
	from := off
	if d := off - w.hashed; w.end > 0 && d > 0 && d+n < WindowBytes {
		from = w.hashed // the bytes between are hashed as well
	}
	limit := w.Size
	if w.end > off+n {
		limit = w.end
	}
	ahead := min(WindowBytes, limit-from)
	if off-from+n > ahead || n >= WindowBytes {
		return nil
	}
	if w.load(from, ahead) != nil {
		return nil // what cannot be read may lie after these bytes
	}
	return w.data[off-from : off-from+n]
}
