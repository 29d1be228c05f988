package files

import (
	"context"
	"fmt"
	"hash/maphash"
)

// A Hashed output remembers the hash of everything that is written to it, so
// that it can be read back and compared. It is written from its beginning on.
type Hashed struct {
	*Output
	seed   maphash.Seed
	pieces []hashedPiece
	size   int64
}

type hashedPiece struct {
	n    int
	hash uint64
}

// NewHashed wraps an output that is empty.
func NewHashed(out *Output) *Hashed {
	return &Hashed{Output: out, seed: maphash.MakeSeed()}
}

func (w *Hashed) Write(p []byte) (int, error) {
	n, err := w.Output.Write(p)
	if n > 0 {
		w.pieces, w.size = append(w.pieces, hashedPiece{n, maphash.Bytes(w.seed, p[:n])}), w.size+int64(n)
	}
	return n, err
}

// Truncate cuts off what was written last, in whole writes.
func (w *Hashed) Truncate(size int64) error {
	if err := w.Output.Truncate(size); err != nil {
		return err
	}
	for w.size > size {
		last := len(w.pieces) - 1
		w.size -= int64(w.pieces[last].n)
		w.pieces = w.pieces[:last]
	}
	if w.size != size {
		return fmt.Errorf("the file was cut inside a write")
	}
	return nil
}

// Check reads everything back and compares it with what was written.
func (w *Hashed) Check(ctx context.Context) error {
	var buf []byte
	at := int64(0)
	for _, piece := range w.pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		if cap(buf) < piece.n {
			buf = make([]byte, piece.n)
		}
		if _, err := w.ReadAt(buf[:piece.n], at); err != nil {
			return fmt.Errorf("reading %d bytes at %d: %w", piece.n, at, NoEOF(err))
		}
		if maphash.Bytes(w.seed, buf[:piece.n]) != piece.hash {
			return fmt.Errorf("the %d bytes from %d on are not those that were written", piece.n, at)
		}
		at += int64(piece.n)
	}
	return nil
}
