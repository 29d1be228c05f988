package acquire

import (
	"sync"

	"github.com/oniscope/oniscope/hardware/oni"
)

// slabBytes is how much one block of the queue holds; blocks are recycled.
const slabBytes = 256 << 10

// A block holds frames back to back: headers beside one slab of samples.
type block struct {
	frames []frame
	data   []byte
}

// A frame is one frame of a block; its sample is data[from:to].
type frame struct {
	clock    uint64
	address  oni.Address
	from, to int
}

// A queue holds the frames that wait between the goroutine that owns the
// Source and the one that decodes. Its size in bytes is bounded.
type queue struct {
	mu     sync.Mutex
	room   sync.Cond
	filled []*block
	free   []*block
	bytes  int // of samples waiting
	limit  int
	closed bool
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.room.L = &q.mu
	return q
}

// push copies a frame into the queue. If it is full, it waits for room, or
// returns false if wait is not set. It returns false too when the queue is
// closed.
func (q *queue) push(f *oni.Frame, wait bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && q.bytes > 0 && q.bytes+len(f.Data) > q.limit {
		if !wait {
			return false
		}
		q.room.Wait()
	}
	if q.closed {
		return false
	}
	var b *block
	if n := len(q.filled); n > 0 && len(q.filled[n-1].data)+len(f.Data) <= slabBytes {
		b = q.filled[n-1]
	} else if n := len(q.free); n > 0 {
		b, q.free = q.free[n-1], q.free[:n-1]
		q.filled = append(q.filled, b)
	} else {
		b = &block{data: make([]byte, 0, max(slabBytes, len(f.Data)))}
		q.filled = append(q.filled, b)
	}
	from := len(b.data)
	b.data = append(b.data, f.Data...)
	b.frames = append(b.frames, frame{f.Clock, f.Address, from, len(b.data)})
	q.bytes += len(f.Data)
	return true
}

// take returns the oldest block, or nil if there is none. The caller owns it
// until give. ended is true when nothing more will come.
func (q *queue) take() (b *block, ended bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.filled) == 0 {
		return nil, q.closed
	}
	b = q.filled[0]
	q.filled = q.filled[1:]
	return b, false
}

// maxFreeBlocks bounds what is kept for reuse after a stall.
const maxFreeBlocks = 16

// give returns a block that was taken; only then its bytes leave the queue.
func (q *queue) give(b *block) {
	q.mu.Lock()
	q.bytes -= len(b.data)
	if len(q.free) < maxFreeBlocks {
		b.data, b.frames = b.data[:0], b.frames[:0]
		q.free = append(q.free, b)
	}
	q.mu.Unlock()
	q.room.Signal()
}

// close lets take end after what is there, and push refuse.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.room.Broadcast()
}
