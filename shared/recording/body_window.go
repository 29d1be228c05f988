package recording

import (
	"fmt"
	"hash/maphash"
	"io"
)

// windowBytes is how much one read asks for: a browser takes a millisecond for
// a read of any size below that, and a batch has a thousand buffers.
const windowBytes = 4 << 20

// A window reads a stretch of a file forward, some megabytes at a time. One
// goroutine at a time may use it.
type window struct {
	r    io.ReaderAt
	size int64
	// work counts bytes that were read or decoded, and yields; nil: nobody asks.
	work func(n int64) error

	data      []byte
	at        int64
	scattered bool // reads jump about: nothing is read ahead

	end    int64 // of the stretch that is hashed; 0: none
	hashed int64 // up to here
	pieces []piecehash
}

// A piecehash is the hash of a piece of the file.
type piecehash struct {
	off, n int64
	hash   uint64
}

// hashSeed is the same as long as the process lives.
var hashSeed = maphash.MakeSeed()

// begin makes the window one of the stretch [from, to); hash says that its
// bytes are hashed as they are read.
func (w *window) begin(from, to int64, hash bool) {
	w.data, w.at = w.data[:0], from
	w.end, w.hashed, w.pieces = 0, from, nil
	if hash {
		w.end = to
	}
}

// finish reads what is left of the stretch and returns the hashes of all of it.
func (w *window) finish() ([]piecehash, error) {
	for w.hashed < w.end {
		if err := w.load(w.hashed, min(windowBytes, w.end-w.hashed)); err != nil {
			return nil, err
		}
	}
	return w.pieces, nil
}

// load fills the window from off on, and hashes what has not been.
func (w *window) load(off, n int64) error {
	w.data, w.at = grown(w.data, n), off
	got, err := w.r.ReadAt(w.data, off)
	if int64(got) < n {
		w.data = w.data[:0]
		return readError(n, off, err)
	}
	if to := min(off+n, w.end); off <= w.hashed && w.hashed < to {
		w.pieces = append(w.pieces, piecehash{w.hashed, to - w.hashed, maphash.Bytes(hashSeed, w.data[w.hashed-off:to-off])})
		w.hashed = to
	}
	return nil
}

func readError(n, off int64, err error) error {
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF // the file is shorter than it was said to be
	}
	return fmt.Errorf("recording: reading %d bytes at %d: %w", n, off, err)
}

// readAt fills p from offset off.
func (w *window) readAt(p []byte, off int64) error {
	if ahead := w.inside(int64(len(p)), off); ahead != nil {
		copy(p, ahead)
		return w.worked(int64(len(p)))
	}
	if n, err := w.r.ReadAt(p, off); n < len(p) {
		return readError(int64(len(p)), off, err)
	}
	return w.worked(int64(len(p)))
}

// view is readAt without a copy where it can: the bytes are valid until the
// next read, or lie in buf.
func (w *window) view(n, off int64, buf *[]byte) ([]byte, error) {
	if ahead := w.inside(n, off); ahead != nil {
		return ahead, w.worked(n)
	}
	*buf = grown(*buf, n)
	return *buf, w.readAt(*buf, off)
}

func (w *window) worked(n int64) error {
	if w.work == nil {
		return nil
	}
	return w.work(n)
}

// inside returns n bytes from off as a part of the window, nil if they are
// better read by themselves. Reads go forward mostly, so a window is read and
// the next reads are served from it.
func (w *window) inside(n, off int64) []byte {
	if d := off - w.at; d >= 0 && d+n <= int64(len(w.data)) {
		return w.data[d : d+n]
	}
	if w.scattered {
		return nil
	}
	from := off
	if d := off - w.hashed; w.end > 0 && d > 0 && d+n < windowBytes {
		from = w.hashed // the bytes between are hashed as well
	}
	limit := w.size
	if w.end > off+n {
		limit = w.end
	}
	ahead := min(windowBytes, limit-from)
	if off-from+n > ahead || n >= windowBytes {
		return nil
	}
	if w.load(from, ahead) != nil {
		return nil // what cannot be read may lie after these bytes
	}
	return w.data[off-from : off-from+n]
}
