// Package acquire turns the frames of a controller into batches on their way
// to files.
//
//	Source -> reader -> queue -> decoder -> one output a stream -> Writer
//
// The reader goroutine alone owns the Source. It copies each frame into a
// queue of bounded size. The decoder goroutine alone owns the decoders and
// fills batches. Each output writes in a goroutine of its own, so that a slow
// file delays no other; what may wait for it is bounded in bytes.
//
// Nothing that the controller still has is thrown away: an output without room
// delays the decoder, a full queue the reader, and then frames wait in the
// controller's own buffer. Only when that is nearly full (fifo.go) frames are
// discarded, of the streams whose output has no room, from the first that finds
// none until there is room again: one gap, counted and recorded. If the machine
// is too slow to decode, frames of all large streams are. Streams of less than
// 1 MB a second always have room.
//
// What a frame says of time is judged before it is believed (judge.go): one
// garbled Clock ends nothing.
package acquire

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Limits. The queue takes what the decoder needs to wake up; what a slow disk
// needs waits as batches.
const (
	defaultQueueBytes = 64 << 20 // 2 s of a Neuropixels 1.0e probe
	waitQueueBytes    = 4 << 20  // of a source that waits for the disk
	waitingBatches    = 2        // of one stream of such a source
	eventBatch        = 16 << 20 // bytes of a batch without a fixed size, for that
	maxPendingRows    = 100_000  // of a stream without a fixed batch size
	maxGapsKept       = 1000     // of one device; all are counted
)

// Config describes an acquisition. Source, AcqClockHz, Devices and Open are needed.
type Config struct {
	Source     oni.Source // started and stopped here; the caller that made it closes it, but not after ErrNoAnswer
	AcqClockHz uint64     // of the frames
	Devices    []Device   // that may send frames; whose samples are not understood are kept raw, from their first frame on

	// Begun is called when acquisition has begun, before any Open. After an
	// error of it acquisition stops, and Start returns the error. nil: nothing.
	Begun func(started time.Time) error

	// Open makes the writer of a stream, once acquisition runs. It must not
	// keep s. The stream of gaps is opened by a goroutine of its own, all
	// others by Start or by the decoder.
	Open func(s *stream.Stream) (Writer, error)

	// Describe fills in what only the caller knows, before Open. nil: nothing.
	Describe func(s *stream.Stream, started time.Time)

	// Buffer is how many bytes of a stream may wait for its file; negative:
	// without a bound. nil: 2 GiB for each.
	Buffer func(s *stream.Stream) int64

	// FIFO says how full the controller's buffer is. nil: a source that waits
	// as long as it must.
	FIFO     func() (oni.Fill, error)
	WireRate float64 // bytes a second that go into it; for when FIFO does not answer

	// Tap is called by the decoder's goroutine with rows that were decoded, of
	// each stream in turn and without a hole, every 33 ms and before a batch is
	// handed over: the rows of a batch from one on. It copies what it wants and
	// returns: frames wait meanwhile. Rows that no file will take are among
	// them. nil: nobody looks.
	Tap func(s *stream.Stream, b *device.Batch, from int)

	// Find is called for each frame whose Clock cannot be, or that comes
	// short, and for each device whose decoder failed. The decoder's goroutine
	// calls it. nil: nobody listens.
	Find func(Finding)

	DurationTicks uint64 // rows with Clock at or after it are not recorded; 0: until Stop
	FlushTicks    uint64 // how often streams without a fixed batch size are written; 0: each second

	// Panicked is called when a goroutine of the acquisition panics, before that
	// ends the process: voltages must not outlast it. nil: nothing is done.
	Panicked func()

	// Wait says that the source runs as fast as its frames are taken: its clock
	// has nothing to do with the host's.
	Wait       bool
	QueueBytes int // of frames that wait for the decoder, with their headers; 0 means 64 MiB
}

// An Acquisition is one run of a controller, from Start to its end. New, Start, then Wait; Stop at any time.
type Acquisition struct {
	cfg     Config
	clockHz uint64
	queue   *queue
	fifo    *fifo
	judge   judge

	reached   uint64 // the reference when passed looked last
	reachedAt time.Duration
	gaps      *gapLog
	tap       tap
	devices   []*source               // in the order of Config.Devices
	at        map[oni.Address]*source // nil: ignored
	started   time.Time

	patience   time.Duration
	endTick    atomic.Uint64 // rows at or after it are not recorded; 0: none
	stopped    atomic.Int64  // when Stop was called, in ns since started; 0: not
	halted     atomic.Bool   // the reader is to stop the source
	calls      atomic.Uint64 // of ReadInto, counted when it is entered and left: odd while the reader is inside
	hung       atomic.Bool   // the reader was given up
	readerDone chan struct{} // the reader has left the source
	read       chan struct{} // or was given up; closed by Wait
	done       chan struct{}
	readErr    error // set before readerDone is closed
	reachedEnd atomic.Bool
	strays     atomic.Uint64
	frames     atomic.Uint64
	clock      atomic.Uint64 // of the last frame that was decoded, as far as clocks can be believed
	first      atomic.Uint64 // clock of the first frame + 1
	waiting    atomic.Bool   // the decoder waits for a file

	mu      sync.Mutex // guards what follows
	outputs []*output
}

// New prepares an acquisition: the decoders of all devices that are understood. It
// does not touch the source.
func New(cfg Config) (*Acquisition, error) {
	if cfg.QueueBytes == 0 {
		cfg.QueueBytes = defaultQueueBytes
		if cfg.Wait {
			cfg.QueueBytes = waitQueueBytes
		}
	}
	if cfg.Buffer == nil {
		cfg.Buffer = func(*stream.Stream) int64 { return 2 << 30 }
	}
	if cfg.Find == nil {
		cfg.Find = func(Finding) {}
	}
	a := &Acquisition{
		cfg: cfg, clockHz: cfg.AcqClockHz,
		queue: newQueue(cfg.QueueBytes), gaps: newGapLog(cfg.Open),
		at: map[oni.Address]*source{}, patience: readerPatience,
		readerDone: make(chan struct{}), read: make(chan struct{}), done: make(chan struct{}),
	}
	a.tap.to = cfg.Tap
	a.fifo = &fifo{a: a}
	a.judge = judge{a: a, second: max(1, a.clockHz)}
	a.endTick.Store(cfg.DurationTicks)
	if a.cfg.FlushTicks == 0 {
		a.cfg.FlushTicks = max(1, a.clockHz)
	}
	for _, d := range cfg.Devices {
		if d.Ignore {
			a.at[d.Device.Address] = nil
			continue
		}
		src := &source{Device: d, index: len(a.devices), name: fmt.Sprintf("device %v", d.Device.Address)}
		if device.Supported(d.Device, d.Config) {
			if err := a.prepare(src); err != nil {
				return nil, fmt.Errorf("acquire: %w", err)
			}
		}
		a.devices = append(a.devices, src)
		a.at[d.Device.Address] = src
	}
	return a, nil
}

// Start begins acquisition, then makes the writers of all known streams: their
// schemas hold the time of the start. Frames wait meanwhile.
func (a *Acquisition) Start() error {
	if err := a.cfg.Source.Start(); err != nil {
		return fmt.Errorf("acquire: %w", err)
	}
	a.started = time.Now()
	if a.cfg.Begun != nil {
		if err := a.cfg.Begun(a.started); err != nil {
			return errors.Join(err, a.cfg.Source.Stop())
		}
	}
	a.start(a.readAll)
	a.start(a.fifo.watch)
	for _, src := range a.devices {
		if src.decoder != nil {
			a.open(src)
		}
	}
	a.start(a.gaps.run)
	a.start(a.decodeAll)
	return nil
}

// start runs do in a goroutine of its own.
func (a *Acquisition) start(do func()) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				if a.cfg.Panicked != nil {
					a.cfg.Panicked()
				}
				panic(p)
			}
		}()
		do()
	}()
}

// Started returns when acquisition began.
func (a *Acquisition) Started() time.Time { return a.started }

// elapsed is how long acquisition runs, by the host's monotonic clock.
func (a *Acquisition) elapsed() time.Duration { return time.Since(a.started) }

// ticks converts.
func (a *Acquisition) ticks(d time.Duration) uint64 {
	whole, rest := uint64(max(0, d)/time.Second), uint64(max(0, d)%time.Second)
	return whole*a.clockHz + rest*a.clockHz/uint64(time.Second)
}

// open makes the outputs of a device. One that cannot be made fails like one
// whose disk is full: its rows are counted as lost.
func (a *Acquisition) open(src *source) {
	src.outputs = nil
	for _, described := range src.decoder.Streams() {
		if a.cfg.Describe != nil {
			a.cfg.Describe(&described, a.started)
		}
		w, err := a.cfg.Open(&described)
		limit := a.cfg.Buffer(&described)
		batch := int64(described.RowsPerBatch * RowBytes(&described))
		if batch == 0 {
			batch = eventBatch
		}
		if a.cfg.Wait {
			limit = waitingBatches * batch
		}
		if limit >= 0 {
			limit += int64(described.RowsPerBatch*RowBytes(&described)) * 9 / 8 // the one that is written, and what buffers are larger than their rows
		}
		if err != nil {
			w = closedWriter{}
		}
		o := newOutput(&described, w, src.Buffered && err == nil, limit, a.gaps)
		o.tap = a.tap.to
		if o.buffered {
			a.start(o.write)
		}
		if err != nil {
			o.fail(err)
		}
		src.outputs = append(src.outputs, o)
		a.mu.Lock()
		a.outputs = append(a.outputs, o)
		a.mu.Unlock()
	}
}

// A closedWriter takes the place of a file that could not be made.
type closedWriter struct{}

func (closedWriter) WriteBatch(int, []recording.Vector, []recording.LostRows) (recording.Block, error) {
	return recording.Block{}, io.ErrClosedPipe
}
func (closedWriter) Tend(time.Time) error { return nil }
func (closedWriter) Close() error         { return nil }
func (closedWriter) Progress() Progress   { return Progress{} }
