package acquire

import (
	"encoding/binary"
	"errors"
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
	//
	// An error with a method Later() bool that reports true says that no file
	// takes rows at this time: the same batch is offered again. After any other
	// error the rows are lost.
	WriteBatch(rows int, columns []recording.Vector, lost []recording.LostRows) (recording.Block, error)
	// Tend is called about once a second. Its error says that no file takes
	// rows now.
	Tend(now time.Time) error
	Close() error
	Progress() Progress
}

// Progress is how far a file is.
type Progress struct {
	Rows    int64
	Batches int
	Bytes   int64
	Durable int64 // bytes that were forced to the platter
}

// isLater reports whether a batch may be offered again.
func isLater(err error) bool {
	var later interface{ Later() bool }
	return errors.As(err, &later) && later.Later()
}

// maxSpareBatches is how many empty batches a stream keeps for reuse.
const maxSpareBatches = 1

// offerEvery is how often a batch is offered to a writer without a file.
const offerEvery = 200 * time.Millisecond

// An output is one stream on its way to its file: batches that wait, and the
// goroutine that writes them.
type output struct {
	stream   *stream.Stream
	writer   Writer
	width    int     // bytes of one row
	rateHz   float64 // rows a second; 0: they come with events
	clock    int     // column Clock, or -1
	gaps     *gapLog
	buffered bool
	limit    int64 // bytes that may wait; negative: no bound
	vectors  []recording.Vector
	tap      func(s *stream.Stream, b *device.Batch, from int) // nil: nobody looks

	lost     []recording.LostRows // of the decoding goroutine: before the next batch
	dropping recording.LostRows   // likewise: batches that were dropped since the last one that was put
	handed   uint64               // likewise: rows of batches before this one
	tapped   int                  // likewise: rows of the batch in hand that were shown
	seen     uint64               // likewise: Clock of the last frame that gave a row, believed, + 1
	refused  recording.LostRows   // of the writing goroutine

	mu      sync.Mutex
	changed sync.Cond // something was put, or has left
	queue   []filled
	bytes   int64 // of the batches in the queue, and of the one that is written
	spare   []*device.Batch
	ended   bool // nothing more will come
	closing sync.Once
	closed  chan struct{}

	newest  atomic.Uint64 // Clock of the last row that was put, + 1
	written atomic.Uint64 // of the last row in a file, + 1
	held    atomic.Int64  // rows that wait
	dropped atomic.Uint64 // rows that no file took
	missing atomic.Uint64 // rows that never were decoded

	decoded  atomic.Uint64 // rows, as of the last block
	lastSeen atomic.Uint64 // seen, likewise

	last   atomic.Pointer[recording.Block]
	lacks  atomic.Pointer[error] // why no file takes rows now
	failed atomic.Pointer[error] // why none ever will; the first failure
	tended time.Time             // of outputs that are not buffered
}

// A filled batch waits, with what is missing before it.
type filled struct {
	*device.Batch
	lost []recording.LostRows
	size int64
}

// newOutput makes an output; buffered ones write in a goroutine of their own,
// which their maker starts, all others in the one that decodes.
func newOutput(s *stream.Stream, w Writer, buffered bool, limit int64, gaps *gapLog) *output {
	o := &output{stream: s, writer: w, limit: limit, gaps: gaps, buffered: buffered, clock: s.Column(stream.ClockName), width: RowBytes(s), rateHz: RowRate(s), closed: make(chan struct{}), tended: time.Now()}
	o.changed.L = &o.mu
	for i := range s.Columns {
		o.vectors = append(o.vectors, recording.Vector{Column: i, Type: s.Columns[i].Type, Width: s.Columns[i].ByteWidth})
	}
	return o
}

// full is how many rows make a batch that must be handed over.
func (o *output) full() int {
	if n := o.stream.RowsPerBatch; n > 0 {
		return n
	}
	if o.limit < 0 {
		return maxPendingRows
	}
	return int(min(maxPendingRows, max(1, o.limit/pendingPart/int64(max(1, o.width)))))
}

// pendingPart is the part of what may wait that may wait to be flushed, of a
// stream without a fixed batch size.
const pendingPart = 8

// sizeOf is what a batch takes of memory.
func sizeOf(b *device.Batch) (n int64) {
	for i := range b.Columns {
		n += int64(cap(b.Columns[i]))
	}
	return n + 64*int64(len(b.Columns))
}

// room reports whether a batch may be put now. One is always taken when nothing
// else waits.
func (o *output) room(b *device.Batch) bool {
	if !o.buffered || o.limit < 0 {
		return true
	}
	size := sizeOf(b)
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes == 0 || o.bytes+size <= o.limit
}

// waitForRoom returns when something has left, or after a moment.
func (o *output) waitForRoom(most time.Duration) {
	timer := time.AfterFunc(most, o.changed.Broadcast)
	defer timer.Stop()
	o.mu.Lock()
	o.changed.Wait()
	o.mu.Unlock()
}

// lacksFile reports whether no file takes rows now.
func (o *output) lacksFile() bool { return o.lacks.Load() != nil || o.failed.Load() != nil }

// lose notes rows that are missing before the next batch.
func (o *output) lose(lost recording.LostRows) {
	if len(o.lost) < maxGapsKept {
		o.lost = append(o.lost, lost)
	}
}

// put hands over a batch, whether there is room or not, and returns an empty
// one in its place.
func (o *output) put(b *device.Batch) *device.Batch {
	if b.Rows == 0 {
		return b
	}
	o.show(b)
	o.tapped = 0
	o.handed += uint64(b.Rows)
	if o.failed.Load() != nil {
		o.drop(b)
		return b
	}
	if _, last := o.ends(b); last > 0 {
		o.newest.Store(last + 1)
	}
	if o.dropping.Rows > 0 {
		o.lose(o.dropping)
		o.note(&o.dropping)
	}
	next := filled{b, o.lost, sizeOf(b)}
	o.lost = nil
	if !o.buffered {
		o.offer(next, false)
		b.Reset()
		return b
	}
	o.held.Add(int64(b.Rows))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, next)
	o.bytes += next.size
	o.changed.Broadcast()
	if n := len(o.spare); n > 0 {
		b, o.spare = o.spare[n-1], o.spare[:n-1]
		return b
	}
	return device.NewBatch(o.stream, o.stream.RowsPerBatch)
}

// drop counts a batch that will never be written and empties it. Batches that are
// dropped one after another are one gap.
func (o *output) drop(b *device.Batch) {
	o.refuse(b, &o.dropping)
	b.Reset()
}

// refuse adds a batch that the disk does not take to a gap.
func (o *output) refuse(b *device.Batch, gap *recording.LostRows) {
	o.dropped.Add(uint64(b.Rows))
	first, last := o.ends(b)
	if gap.Rows == 0 {
		gap.FirstClock, gap.Cause = first, recording.CauseDisk
	}
	gap.LastClock = last
	gap.Rows += int64(b.Rows)
}

// note writes a gap down that is over.
func (o *output) note(gap *recording.LostRows) {
	if gap.Rows > 0 {
		o.gaps.add(o.stream.Name, *gap)
		*gap = recording.LostRows{}
	}
}

// ends are Clock of the first and last row of a batch that is not empty.
func (o *output) ends(b *device.Batch) (first, last uint64) {
	if o.clock < 0 {
		return 0, 0
	}
	ticks := b.Columns[o.clock]
	return binary.LittleEndian.Uint64(ticks), binary.LittleEndian.Uint64(ticks[len(ticks)-8:])
}

// offer writes a batch, and again for as long as the writer lacks a file, if
// patient is set and more is to come.
func (o *output) offer(b filled, patient bool) {
	for i := range o.vectors {
		o.vectors[i].Len, o.vectors[i].Data = b.Rows, b.Columns[i]
	}
	for {
		block, err := o.writer.WriteBatch(b.Rows, o.vectors, b.lost)
		switch {
		case err == nil:
			o.lacks.Store(nil)
			o.last.Store(&block)
			if _, last := o.ends(b.Batch); last > 0 {
				o.written.Store(last + 1)
			}
			return
		case !isLater(err):
			o.fail(err)
			o.refuse(b.Batch, &o.refused)
			return
		}
		o.lacks.Store(&err)
		if !patient || !o.pause(offerEvery) {
			o.refuse(b.Batch, &o.refused)
			return
		}
	}
}

// pause waits, with what is due each second. It returns false when nothing more
// will come.
func (o *output) pause(d time.Duration) bool {
	end := time.Now().Add(d)
	for {
		o.mu.Lock()
		ended := o.ended
		o.mu.Unlock()
		if ended || time.Now().After(end) {
			return !ended
		}
		time.Sleep(min(d, 20*time.Millisecond))
	}
}

func (o *output) fail(err error) { o.failed.CompareAndSwap(nil, &err) }

// write is the goroutine of a buffered output.
func (o *output) write() {
	tick := time.AfterFunc(time.Second, o.changed.Broadcast)
	defer tick.Stop()
	next := time.Now().Add(time.Second)
	for {
		o.mu.Lock()
		for len(o.queue) == 0 && !o.ended && time.Now().Before(next) {
			o.changed.Wait()
		}
		var b filled
		if len(o.queue) > 0 {
			b = o.queue[0]
			o.queue[0] = filled{}
			o.queue = o.queue[1:]
		}
		ended := o.ended
		o.mu.Unlock()
		if now := time.Now(); !now.Before(next) {
			o.tendNow(now)
			next = now.Add(time.Second)
			tick.Reset(time.Second)
		}
		if b.Batch != nil {
			o.offer(b, true)
			o.took(b)
		} else if ended {
			o.complete()
			return
		}
	}
}

// took gives back what a batch occupied.
func (o *output) took(b filled) {
	o.held.Add(-int64(b.Rows))
	b.Reset()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes -= b.size
	if len(o.spare) < maxSpareBatches {
		o.spare = append(o.spare, b.Batch)
	}
	o.changed.Broadcast()
}

func (o *output) tendNow(now time.Time) {
	if o.failed.Load() != nil {
		return
	}
	if err := o.writer.Tend(now); err == nil {
		o.lacks.Store(nil)
	} else {
		o.lacks.Store(&err)
	}
}

// tend is for outputs that are not buffered, whose file nobody else looks
// after.
func (o *output) tend() {
	if now := time.Now(); !o.buffered && now.Sub(o.tended) >= time.Second {
		o.tended = now
		o.tendNow(now)
	}
}

// close writes what waits and completes the file.
func (o *output) close() {
	if !o.buffered {
		o.complete()
		return
	}
	o.mu.Lock()
	o.ended = true
	o.changed.Broadcast()
	o.mu.Unlock()
}

func (o *output) complete() {
	o.closing.Do(func() {
		o.note(&o.refused)
		if err := o.writer.Close(); err != nil {
			o.fail(err)
		}
		close(o.closed)
	})
}

// rows is what the output got: rows that wait, are written or were lost.
func (o *output) rows() int64 {
	return o.held.Load() + o.writer.Progress().Rows + int64(o.dropped.Load())
}

// err returns why the output takes no more rows, nil if it does.
func (o *output) err() error {
	if p := o.failed.Load(); p != nil {
		return *p
	}
	if p := o.lacks.Load(); p != nil {
		return *p
	}
	return nil
}
