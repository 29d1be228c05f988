package engine

import (
	"io"
	"math"
	"sync"
)

// A Holder is a source that reads into memory of its own, from where bytes are copied
// when they are wanted.
type Holder interface {
	io.ReaderAt
	// Hold reads n bytes from off on, all of them or none.
	Hold(off, n int64) (Held, error)
}

// Held are bytes in memory that is not Go's.
type Held interface {
	// CopyTo copies the bytes from a place on. Several goroutines may call it.
	CopyTo(p []byte, from int)
	// Release gives the memory back. It must be called once, after the last CopyTo.
	Release()
}

// How a forward reads: pieces of so many bytes, so many of them ahead, once so
// much has been read from one end of the file towards the other.
const (
	forwardPiece  = cutBytes
	forwardPieces = 3
	forwardAfter  = 2 << 20
)

// A forward reads ahead for a caller that goes over a whole file: while it works
// on some bytes the next ones are under way. Others it costs nothing. It may be called
// from several goroutines, though one of them should be ahead of the others.
type forward struct {
	source Holder
	size   int64

	mu     sync.Mutex
	ways   [2]forwardWay          // the one that is read ahead, and one that may be the next
	pieces map[int64]*forwardRead // by number
}

// A forwardWay is where a caller goes: bytes read one after another. One that looks aside
// now and then, as for the clocks of a batch before its other columns, is still on its way.
type forwardWay struct {
	last int64 // where the last read ended
	run  int64 // bytes up to there
}

// near reports whether a read goes on there.
func (w *forwardWay) near(off int64) bool {
	skipped := off - w.last
	return skipped >= -forwardPiece && skipped <= forwardPiece
}

// A forwardRead is a piece that is read, or was.
type forwardRead struct {
	held Held // nil: it could not be read, or was released
	err  error
	done chan struct{}
	uses int // callers that copy from it
	old  bool
}

// goForward wraps a source whose reads wait for a browser; others gain nothing. end gives
// the memory back: nobody may read any more.
func goForward(source io.ReaderAt, size int64) (forwards io.ReaderAt, end func()) {
	holder, ok := source.(Holder)
	if !ok || size <= forwardAfter {
		return source, func() {}
	}
	f := &forward{source: holder, size: size, pieces: map[int64]*forwardRead{}}
	return f, f.end
}

// ReadAt implements io.ReaderAt.
func (f *forward) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	end := off + int64(len(p))
	way := &f.ways[0]
	if !way.near(off) {
		if way = &f.ways[1]; !way.near(off) {
			*way = forwardWay{last: off}
		}
	}
	way.run += max(0, end-way.last)
	way.last = max(way.last, end)
	if way == &f.ways[1] && way.run >= forwardAfter {
		f.ways[0], f.ways[1] = f.ways[1], forwardWay{}
		way = &f.ways[0]
	}
	if way.run < forwardAfter || off < 0 || int64(len(p)) > f.size-off || len(p) > forwardPiece {
		f.mu.Unlock()
		return f.source.ReadAt(p, off)
	}
	first, last := off/forwardPiece, (off+int64(len(p))-1)/forwardPiece
	f.forget(first - 1)
	var wanted []*forwardRead
	for n := first; n < last+forwardPieces && n*forwardPiece < f.size; n++ {
		piece := f.pieces[n]
		if piece == nil {
			piece = f.start(n)
		}
		if n <= last {
			piece.uses++
			wanted = append(wanted, piece)
		}
	}
	f.mu.Unlock()
	n := 0
	var err error
	for i, piece := range wanted {
		<-piece.done
		if err == nil {
			err = piece.err
		}
		if err == nil {
			at := off + int64(n)
			part := int(min(end-at, (first+int64(i)+1)*forwardPiece-at))
			piece.held.CopyTo(p[n:n+part], int(at%forwardPiece))
			n += part
		}
	}
	f.mu.Lock()
	for _, piece := range wanted {
		piece.uses--
		f.release(piece)
	}
	f.mu.Unlock()
	if err != nil { // perhaps of bytes that nobody has asked for
		return f.source.ReadAt(p, off)
	}
	return n, nil
}

// start begins to read a piece; the caller holds f.mu.
func (f *forward) start(n int64) *forwardRead {
	at := n * forwardPiece
	piece := &forwardRead{done: make(chan struct{})}
	f.pieces[n] = piece
	go func() {
		piece.err = Guard("read", nil, func() (err error) {
			piece.held, err = f.source.Hold(at, min(forwardPiece, f.size-at))
			return err
		})
		f.mu.Lock()
		close(piece.done)
		f.release(piece) // if it has been forgotten meanwhile
		f.mu.Unlock()
	}()
	return piece
}

// forget drops what lies before piece n, and what is far after it; the caller holds
// f.mu.
func (f *forward) forget(n int64) {
	for k, piece := range f.pieces {
		if k < n || k > n+2*forwardPieces {
			delete(f.pieces, k)
			piece.old = true
			f.release(piece)
		}
	}
}

// release gives the memory of a piece back that nobody needs any more; the caller holds
// f.mu.
func (f *forward) release(piece *forwardRead) {
	if !piece.old || piece.uses > 0 {
		return
	}
	select {
	case <-piece.done:
		if piece.held != nil {
			piece.held.Release()
			piece.held = nil
		}
	default: // still being read
	}
}

func (f *forward) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(math.MaxInt64)
}
