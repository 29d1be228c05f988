package acquire

import (
	"sync"
	"unsafe"

	"github.com/oniscope/oniscope/hardware/oni"
)

// slabBytes is how much one block of the queue holds; blocks are recycled.
const slabBytes = 128 << 10

// A block holds frames back to back: headers and one slab of samples.
type block struct {
	frames []frame
	data   []byte
}

// A frame is one frame of a block; its sample is data[from:to].
type frame struct {
	clock    uint64
	device   int32 // index
	from, to uint32
}

// frameBytes is what the header of a frame takes.
const frameBytes = int(unsafe.Sizeof(frame{}))

// maxFrames bounds the frames of one block, for those that have few bytes or
// none.
const maxFrames = 1024

// bytes is what a block takes of memory.
func (b *block) bytes() int { return cap(b.data) + cap(b.frames)*frameBytes }

// A queue holds the frames that wait between the goroutine that owns the
// Source and the one that decodes. The memory of its blocks is bounded.
type queue struct {
	mu     sync.Mutex
	room   sync.Cond
	filled []*block
	free   []*block
	bytes  int // of blocks that are filled or taken
	limit  int
	closed bool
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.room.L = &q.mu
	return q
}

// push copies a frame into the queue, once there is room. It returns false when
// the queue is closed.
func (q *queue) push(f *oni.Frame, device int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	var b *block
	for {
		if q.closed {
			return false
		}
		if n := len(q.filled); n > 0 {
			if b = q.filled[n-1]; len(b.data)+len(f.Data) <= slabBytes && len(b.frames) < maxFrames {
				break
			}
		}
		if q.bytes == 0 || q.bytes+slabBytes+maxFrames*frameBytes <= q.limit {
			b = q.newBlock(len(f.Data))
			break
		}
		q.room.Wait()
	}
	from := len(b.data)
	b.data = append(b.data, f.Data...)
	b.frames = append(b.frames, frame{f.Clock, int32(device), uint32(from), uint32(len(b.data))})
	return true
}

// newBlock adds an empty block for a frame of so many bytes at least.
func (q *queue) newBlock(size int) (b *block) {
	if n := len(q.free); n > 0 && size <= slabBytes {
		b, q.free = q.free[n-1], q.free[:n-1]
	} else {
		b = &block{data: make([]byte, 0, max(slabBytes, size)), frames: make([]frame, 0, maxFrames)}
	}
	q.filled = append(q.filled, b)
	q.bytes += b.bytes()
	return b
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
	q.bytes -= b.bytes()
	if len(q.free) < maxFreeBlocks && cap(b.data) <= slabBytes {
		b.data, b.frames = b.data[:0], b.frames[:0]
		q.free = append(q.free, b)
	}
	q.mu.Unlock()
	q.room.Signal()
}

// waits is how many bytes wait.
func (q *queue) waits() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// close lets take end after what is there, and push refuse.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.room.Broadcast()
}
