package engine

import (
	"io"
	"sync"

	"github.com/oniscope/oniscope/shared/recording"
)

// How a forward reads: pieces of so many bytes, so many of them ahead, once so
// much has been read from one end of the file towards the other.
const (
	forwardPiece  = cutBytes / 2
	forwardPieces = 4
	forwardAfter  = 2 << 20
)

// A forward reads ahead for a caller that goes over a whole file: while it works
// on some bytes the next ones are under way. Others it costs nothing. Buffers are
// used again. It may be called from several goroutines, though one of them should
// be ahead of the others.
type forward struct {
	source io.ReaderAt
	size   int64

	mu     sync.Mutex
	ways   [2]forwardWay          // the one that is read ahead, and one that may be the next
	pieces map[int64]*forwardRead // by number
	free   [][]byte
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
	data []byte
	err  error
	done chan struct{}
	uses int // callers that copy from it
	old  bool
}

// goForward wraps a source whose reads wait for a browser; others gain nothing.
func goForward(source io.ReaderAt, size int64) io.ReaderAt {
	if _, ok := source.(recording.RangesReader); !ok {
		return source
	}
	return &forward{source: source, size: size, pieces: map[int64]*forwardRead{}}
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
			from := max(0, off-(first+int64(i))*forwardPiece)
			n += copy(p[n:], piece.data[from:])
		}
	}
	f.mu.Lock()
	for _, piece := range wanted {
		piece.uses--
		f.reuse(piece)
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
	size := min(forwardPiece, f.size-at)
	piece := &forwardRead{done: make(chan struct{})}
	if k := len(f.free) - 1; k >= 0 {
		piece.data, f.free = f.free[k][:size], f.free[:k]
	} else {
		piece.data = make([]byte, size, forwardPiece)
	}
	f.pieces[n] = piece
	go func() {
		defer close(piece.done)
		piece.err = Guard("read", nil, func() error {
			got, err := f.source.ReadAt(piece.data, at)
			if got == len(piece.data) {
				err = nil
			}
			return err
		})
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
			f.reuse(piece)
		}
	}
}

// reuse takes the buffer of a piece that nobody needs any more.
func (f *forward) reuse(piece *forwardRead) {
	if !piece.old || piece.uses > 0 || piece.data == nil {
		return
	}
	select {
	case <-piece.done:
		f.free = append(f.free, piece.data)
		piece.data = nil
	default: // still being read
	}
}
