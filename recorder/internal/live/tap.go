package live

import (
	"sync"
	"sync/atomic"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/shared/stream"
)

// What may be under way from the decoder to those who look, at most.
const (
	maxPieces     = 512
	maxPieceBytes = 24 << 20
)

// A piece is some rows of a stream, as the decoder had them: one buffer a column,
// of those that somebody wants.
type piece struct {
	src     *source
	rows    int
	columns [][]byte // nil: nobody wants it
	bytes   int64
	slab    []byte // that the columns lie in
}

// spareSlabs is how many slabs are kept for pieces to come, so that the decoder
// makes no garbage while somebody looks.
const spareSlabs = 8

// slab is room for so many bytes.
func (h *Hub) slab(bytes int64) []byte {
	select {
	case slab := <-h.slabs:
		if int64(cap(slab)) >= bytes {
			return slab[:0]
		}
	default:
	}
	return make([]byte, 0, bytes)
}

// A tap copies the rows of a stream that somebody looks at.
type tap struct {
	wanted  atomic.Pointer[[]bool] // by column; nil: nobody looks
	skipped *atomic.Uint64         // rows that found no room

	mu      sync.Mutex // guards what follows
	takers  map[taker]struct{}
	columns map[taker][]int
}

// A taker gets the pieces of streams, and keeps nothing of them. It must not wait:
// all others are served by the same goroutine.
type taker interface{ take(p *piece) }

// Decoded is called by the decoder: it copies, if somebody looks and there is room.
func (h *Hub) Decoded(s *stream.Stream, b *device.Batch, from int) {
	src := (*h.taps.Load())[s]
	if src == nil {
		return
	}
	wanted := src.tap.wanted.Load()
	if wanted == nil {
		return
	}
	rows := b.Rows - from
	p := &piece{src: src, rows: rows, columns: make([][]byte, len(b.Columns))}
	for i, w := range *wanted {
		if w {
			p.bytes += int64(aligned(rows * s.Columns[i].ByteWidth))
		}
	}
	if h.held.Add(p.bytes) > maxPieceBytes {
		h.held.Add(-p.bytes)
		src.tap.skipped.Add(uint64(rows))
		return
	}
	slab := h.slab(p.bytes)
	for i, w := range *wanted {
		if w {
			width := s.Columns[i].ByteWidth
			start := len(slab)
			slab = append(slab, b.Columns[i][from*width:b.Rows*width]...)
			p.columns[i] = slab[start:len(slab):len(slab)]
			slab = slab[:aligned(len(slab))]
		}
	}
	p.slab = slab
	select {
	case h.pieces <- p:
	default:
		h.held.Add(-p.bytes)
		src.tap.skipped.Add(uint64(rows))
	}
}

// aligned rounds up, so that numbers are read where they are.
func aligned(n int) int { return (n + 7) &^ 7 }

// share gives pieces to those who want them.
func (h *Hub) share() {
	for {
		select {
		case <-h.end:
			return
		case p := <-h.pieces:
			t := &p.src.tap
			t.mu.Lock()
			for to := range t.takers {
				to.take(p)
			}
			t.mu.Unlock()
			h.held.Add(-p.bytes)
			select {
			case h.slabs <- p.slab: // takers have copied what they want
			default:
			}
		}
	}
}

// want gives a taker the pieces of a stream from now on, with these columns and
// Clock; of no columns nothing any more.
func (src *source) want(to taker, columns []int) {
	t := &src.tap
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.takers == nil {
		t.takers, t.columns = map[taker]struct{}{}, map[taker][]int{}
	}
	if len(columns) == 0 {
		delete(t.takers, to)
		delete(t.columns, to)
	} else {
		t.takers[to], t.columns[to] = struct{}{}, columns
	}
	if len(t.takers) == 0 {
		t.wanted.Store(nil)
		return
	}
	wanted := make([]bool, len(src.stream.Columns))
	for _, list := range t.columns {
		for _, c := range list {
			wanted[c] = true
		}
	}
	if clock := src.stream.Column(stream.ClockName); clock >= 0 {
		wanted[clock] = true
	}
	t.wanted.Store(&wanted)
}
