package engine

import (
	"io"
	"sort"

	"github.com/oniscope/oniscope/shared/recording"
)

// How far a readAhead looks: so many reads at most, none longer than this.
const (
	minAhead      = 8
	maxAhead      = 64
	maxAheadBytes = 32 << 10
)

// Where reads go forward in small steps, so many in a row, a window of the file is read,
// twice as long as the way so far: a read takes as long as 400 kB of one, and a look aside
// ends soon.
const (
	nearStep    = 64 << 10
	nearInARow  = 4
	windowBytes = 1 << 20
)

// A readAhead reads what will probably be asked for next: a file without a
// footer is walked from batch header to batch header, each a round trip through
// the browser, and in most recordings they lie equally far apart. Where the
// last reads were so, the next ones are made side by side with the one that is
// asked for. Where they were near each other, as headers of compressed batches or of events
// are, what lies between them is read too.
//
// One caller at a time.
type readAhead struct {
	source interface {
		io.ReaderAt
		recording.RangesReader
	}
	size   int64
	last   int64 // where the last short read was
	stride int64 // how far it was after the one before
	near   int   // how many reads in a row were near the one before
	from   int64 // where the first of them was
	depth  int   // reads that are made at once
	at     []int64
	bufs   [][]byte // what was read ahead, from at
}

// ahead wraps a source that can read side by side; others gain nothing.
func ahead(source io.ReaderAt, size int64) io.ReaderAt {
	if side, ok := source.(interface {
		io.ReaderAt
		recording.RangesReader
	}); ok {
		return &readAhead{source: side, size: size, depth: minAhead}
	}
	return source
}

// ReadAt implements io.ReaderAt.
func (a *readAhead) ReadAt(p []byte, off int64) (int, error) {
	if len(p) > maxAheadBytes || off < 0 || int64(len(p)) > a.size-off {
		return a.source.ReadAt(p, off)
	}
	stride := off - a.last
	steady := stride == a.stride && stride > int64(len(p))
	a.last, a.stride = off, stride
	if a.near++; stride <= 0 || stride > nearStep {
		a.near, a.from = 0, off
	}
	if a.read(p, off) {
		return len(p), nil
	}
	if !steady {
		a.depth = minAhead
		if n := min(windowBytes, 2*(off-a.from), a.size-off); a.near >= nearInARow && n > int64(len(p)) {
			return a.fill(p, off, [][]byte{make([]byte, n)}, off)
		}
		return a.source.ReadAt(p, off)
	}
	a.at, a.bufs = a.at[:0], a.bufs[:0]
	for at := off; len(a.at) < a.depth && at <= a.size-int64(len(p)); at += stride {
		a.at, a.bufs = append(a.at, at), append(a.bufs, make([]byte, len(p)))
	}
	a.depth = min(maxAhead, 2*a.depth)
	return a.fill(p, off, a.bufs, a.at...)
}

// fill fills p from what it reads ahead.
func (a *readAhead) fill(p []byte, off int64, bufs [][]byte, at ...int64) (int, error) {
	a.at, a.bufs = at, bufs
	if err := a.source.ReadRanges(a.at, a.bufs); err != nil {
		a.at, a.bufs = nil, nil // one of those that nobody has asked for may be to blame
		return a.source.ReadAt(p, off)
	}
	a.read(p, off)
	return len(p), nil
}

// read fills p from what was read ahead, if it is there.
func (a *readAhead) read(p []byte, off int64) bool {
	i := sort.Search(len(a.at), func(i int) bool { return a.at[i] > off }) - 1
	if i < 0 || off+int64(len(p)) > a.at[i]+int64(len(a.bufs[i])) {
		return false
	}
	copy(p, a.bufs[i][off-a.at[i]:])
	return true
}

// ReadRanges implements recording.RangesReader.
func (a *readAhead) ReadRanges(offsets []int64, bufs [][]byte) error {
	return a.source.ReadRanges(offsets, bufs)
}

// ReadExactRanges implements recording.ExactRangesReader.
func (a *readAhead) ReadExactRanges(offsets []int64, bufs [][]byte) error {
	if exact, ok := a.source.(recording.ExactRangesReader); ok {
		return exact.ReadExactRanges(offsets, bufs)
	}
	return a.source.ReadRanges(offsets, bufs)
}
