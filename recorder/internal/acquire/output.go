package acquire

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Writer takes the batches of one stream; store.Writer is one.
type Writer interface {
	// WriteBatch writes rows; columns are as recording.Writer wants them, with
	// validity and run ends where the stream has them, and are not kept; lost
	// are rows that are missing before them. It returns where the batch is.
	WriteBatch(rows int, columns []recording.Vector, lost []recording.LostRows) (recording.Block, error)
	SyncIfDue(now time.Time) error
	Close() error
	Progress() (rows int64, batches int, bytes int64)
}

// maxSpareBatches is how many empty batches a stream keeps for reuse.
const maxSpareBatches = 3

// An output is one stream on its way to its file: batches that wait, and the
// goroutine that writes them.
type output struct {
	stream  *stream.Stream
	writer  Writer
	width   int // bytes of one row
	clock   int // column Clock, or -1
	gaps    *gapLog
	waiting chan filled
	spare   chan *device.Batch
	budget  *budget
	wait    bool
	done    chan struct{}
	vectors []recording.Vector // of the batch that is written

	lost []recording.LostRows // of the decoding goroutine: before the next batch

	dropped atomic.Uint64 // rows
	last    atomic.Pointer[recording.Block]
	once    sync.Once
	failed  atomic.Pointer[error]
}

// A filled batch waits, with what is missing before it.
type filled struct {
	*device.Batch
	lost []recording.LostRows
}

// A budget bounds the bytes of all batches that wait for the disk.
type budget struct {
	mu   sync.Mutex
	room sync.Cond
	size int64
	used int64
}

func newBudget(bytes int64) *budget {
	b := &budget{size: bytes}
	b.room.L = &b.mu
	return b
}

// get takes bytes from the budget. Where there is no room it waits, or returns
// false. One batch is always let through when nothing else waits.
func (b *budget) get(bytes int64, wait bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.used > 0 && b.used+bytes > b.size {
		if !wait {
			return false
		}
		b.room.Wait()
	}
	b.used += bytes
	return true
}

func (b *budget) put(bytes int64) {
	b.mu.Lock()
	b.used -= bytes
	b.mu.Unlock()
	b.room.Broadcast()
}

// newOutput makes an output; buffered ones write in a goroutine of their own,
// all others in the one that decodes.
func newOutput(s *stream.Stream, w Writer, buffered bool, bud *budget, gaps *gapLog, depth int, wait bool) *output {
	o := &output{stream: s, writer: w, budget: bud, gaps: gaps, clock: s.Column("Clock"), wait: wait, spare: make(chan *device.Batch, maxSpareBatches)}
	for i := range s.Columns {
		o.vectors = append(o.vectors, recording.Vector{Column: i, Type: s.Columns[i].Type, Width: s.Columns[i].ByteWidth})
		o.width += s.Columns[i].ByteWidth
	}
	if buffered {
		o.waiting = make(chan filled, depth)
		o.done = make(chan struct{})
		go o.write()
	}
	return o
}

// lose notes rows that are missing before the next batch.
func (o *output) lose(lost recording.LostRows) {
	if n := len(o.lost); n > 0 && o.lost[n-1].Cause == lost.Cause && lost.Cause == recording.CauseDisk {
		o.lost[n-1].LastClock, o.lost[n-1].Rows = lost.LastClock, o.lost[n-1].Rows+lost.Rows
		return
	}
	if len(o.lost) < maxGapsKept {
		o.lost = append(o.lost, lost)
	}
}

// put hands over a batch and returns an empty one in its place.
func (o *output) put(b *device.Batch) *device.Batch {
	if b.Rows == 0 {
		return b
	}
	next := filled{b, o.lost}
	switch size := int64(b.Rows) * int64(o.width); {
	case o.failed.Load() != nil:
		o.drop(b)
		return b
	case o.waiting == nil:
		o.writeOne(next)
		o.lost = nil
		b.Reset()
		return b
	case o.wait:
		o.budget.get(size, true)
		o.waiting <- next
	default:
		if !o.budget.get(size, false) {
			o.drop(b)
			return b
		}
		select {
		case o.waiting <- next:
		default:
			o.budget.put(size)
			o.drop(b)
			return b
		}
	}
	o.lost = nil
	select {
	case b = <-o.spare:
		return b
	default:
		return device.NewBatch(o.stream, o.stream.RowsPerBatch)
	}
}

// drop counts a batch that will never be written and empties it.
func (o *output) drop(b *device.Batch) {
	o.lose(o.refuse(b))
	b.Reset()
}

// refuse counts a batch that the disk does not take.
func (o *output) refuse(b *device.Batch) recording.LostRows {
	o.dropped.Add(uint64(b.Rows))
	lost := recording.LostRows{Rows: int64(b.Rows), Cause: recording.CauseDisk}
	lost.FirstClock, lost.LastClock = o.ends(b)
	o.gaps.add(o.stream.Name, lost)
	return lost
}

func (o *output) writeOne(b filled) {
	if o.failed.Load() != nil {
		o.refuse(b.Batch)
		return
	}
	for i := range o.vectors {
		o.vectors[i].Len, o.vectors[i].Data = b.Rows, b.Columns[i]
	}
	block, err := o.writer.WriteBatch(b.Rows, o.vectors, b.lost)
	if err != nil {
		o.fail(err)
	}
	// A failure to sync comes after the rows are in the file.
	if block.Rows == 0 {
		o.refuse(b.Batch)
		return
	}
	o.last.Store(&block)
}

func (o *output) fail(err error) {
	o.once.Do(func() { o.failed.Store(&err) })
}

// write is the goroutine of a buffered output. It goes on after a failure, so
// that what waits is counted and nobody is blocked.
func (o *output) write() {
	defer close(o.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case b, ok := <-o.waiting:
			if !ok {
				return
			}
			size := int64(b.Rows) * int64(o.width)
			o.writeOne(b)
			o.budget.put(size)
			b.Reset()
			select {
			case o.spare <- b.Batch:
			default:
			}
		case now := <-tick.C:
			if o.failed.Load() == nil {
				if err := o.writer.SyncIfDue(now); err != nil {
					o.fail(err)
				}
			}
		}
	}
}

// close writes what waits and completes the file.
func (o *output) close() {
	if o.waiting != nil {
		close(o.waiting)
		<-o.done
	}
	if err := o.writer.Close(); err != nil {
		o.fail(err)
	}
}

// err returns why the output takes no more rows, nil if it does.
func (o *output) err() error {
	if p := o.failed.Load(); p != nil {
		return *p
	}
	return nil
}
