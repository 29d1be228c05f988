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

// A Device is one device of the controller and how to decode it.
type Device struct {
	Device   oni.Device
	Config   device.Config // OnGap is set by the acquisition
	Buffered bool
	Ignore   bool // its frames are not wanted
}

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

// A source is one device and its way to the files. It may have several streams,
// as two probes that share a passthrough device; each frame is of one of them.
type source struct {
	Device
	index   int
	decoder device.Decoder // nil until the first frame of a device that is kept raw
	batches []*device.Batch
	outputs []*output
	broken  error   // why it has no decoder
	rateHz  float64 // frames a second: the rows of all its streams; 0: they come with events
	clock   clockWatch
	now     device.Stats // of the decoder, after the last frame
	before  []int        // rows of the batches before the frame that is decoded

	frames     atomic.Uint64
	dropped    atomic.Uint64        // frames that were discarded, or that no decoder took
	heard      atomic.Uint64        // Clock of the last frame, believed, + 1
	discarding bool                 // since a frame found no room
	discarded  recording.LostRows   // frames
	taken      []recording.LostRows // discarded, and not in a gap that the decoder found

	mu    sync.Mutex
	stats device.Stats // as of the last block
	past  device.Stats // of the decoder before this one
	gaps  []Gap
	name  string
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

// prepare makes the decoder of a device.
func (a *Acquisition) prepare(src *source) error {
	config := src.Config
	config.OnGap = func(g device.Gap) { a.gap(src, g) }
	decoder, err := device.New(src.Device.Device, config)
	if err != nil {
		return err
	}
	src.use(decoder)
	return nil
}

func (src *source) use(decoder device.Decoder) {
	src.decoder, src.now = decoder, device.Stats{}
	src.batches = device.NewBatches(decoder)
	streams := decoder.Streams()
	src.rateHz = 0
	for i := range streams {
		src.rateHz += RowRate(&streams[i])
	}
	src.before = make([]int, len(streams))
	src.mu.Lock()
	src.name = streams[0].Name
	src.mu.Unlock()
}

// RowRate returns how many rows a second a stream should have, 0 if its rows
// come with events.
func RowRate(s *stream.Stream) float64 {
	if clock := s.Column(stream.ClockName); clock >= 0 {
		return s.Columns[clock].RateHz
	}
	return 0
}

// RowBytes returns how many bytes a row of a stream has in memory.
func RowBytes(s *stream.Stream) (n int) {
	for i := range s.Columns {
		n += s.Columns[i].ByteWidth
	}
	return n
}

// StreamsOf returns what New's Streams will, before there is a Config.
func StreamsOf(devices []Device) ([]stream.Stream, error) {
	a, err := New(Config{Devices: devices})
	if err != nil {
		return nil, err
	}
	return a.Streams(), nil
}

// Streams returns the streams of all devices that are understood, in the order
// of Config.Devices. Others appear with their first frame.
func (a *Acquisition) Streams() []stream.Stream {
	var all []stream.Stream
	for _, src := range a.devices {
		if src.decoder != nil {
			all = append(all, src.decoder.Streams()...)
		}
	}
	return all
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
	go a.readAll()
	go a.fifo.watch()
	for _, src := range a.devices {
		if src.decoder != nil {
			a.open(src)
		}
	}
	go a.gaps.run()
	go a.decodeAll()
	return nil
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

// Stop ends acquisition at this instant: what the source has from before is
// still read and written. It may be called from any goroutine, and more than
// once.
func (a *Acquisition) Stop() {
	now := a.elapsed()
	if !a.stopped.CompareAndSwap(0, int64(max(1, now))) {
		return
	}
	if a.cfg.Wait {
		a.halted.Store(true)
		return
	}
	end := max(1, a.ticks(now))
	if read := a.fifo.clock.Load(); read >= end && read-end < a.clockHz {
		end = read + 1 // the host's clock began a little later
	}
	for {
		old := a.endTick.Load()
		if old != 0 && old <= end || a.endTick.CompareAndSwap(old, end) {
			return
		}
	}
}

// ending reports whether the source should have ended, or be about to: a read
// that does not return from then on will not, however much the controller's
// buffer still has.
func (a *Acquisition) ending() bool {
	if a.halted.Load() || a.stopped.Load() > 0 {
		return true
	}
	end := a.endTick.Load()
	return end > 0 && a.judge.timed() && a.elapsed() > time.Duration(float64(end)/float64(a.clockHz)*float64(time.Second))+silentAfter
}

// Ending reports whether nothing more is wanted of the source.
func (a *Acquisition) Ending() bool { return a.halted.Load() }

// endClock is where the recording ended, if it was asked to end there.
func (a *Acquisition) endClock() (tick uint64, inOrder bool) {
	inOrder = a.reachedEnd.Load() || a.stopped.Load() > 0 && !a.cfg.Wait
	return a.endTick.Load(), inOrder
}

// Read is closed when nothing more will be taken from the source: the reader
// has left it, or was given up.
func (a *Acquisition) Read() <-chan struct{} { return a.read }

// Hung reports whether the reader was given up: it is still inside the source.
// It is settled once Read is closed.
func (a *Acquisition) Hung() bool { return a.hung.Load() }

// readerPatience is how long a source may take to end after Stop. A controller
// whose cable was pulled may never answer; the files are completed without it.
const readerPatience = 5 * time.Second

// ErrNoAnswer says that the source neither delivered nor ended after Stop. The
// reader is still inside it, so it must not be closed.
var ErrNoAnswer = errors.New("acquire: the controller does not answer")

// ErrOverflow says that the controller's buffer was full, so that it ended
// acquisition. What it had is recorded.
var ErrOverflow = errors.New("acquire: the controller's buffer was full, so it ended acquisition")

// Wait returns when all files are complete. reached says whether the duration
// ended the acquisition; err is what went wrong at the source, not what is in
// Status.
func (a *Acquisition) Wait() (reached bool, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var calls uint64
	var since time.Time
	for waiting := true; waiting; {
		select {
		case <-a.readerDone:
			waiting = false
		case now := <-tick.C:
			if n := a.calls.Load(); n != calls || since.IsZero() || !a.ending() {
				calls, since = n, now
			}
			if calls%2 == 1 && now.Sub(since) > a.patience {
				a.queue.close()
				a.hung.Store(true)
				close(a.read)
				<-a.done
				return false, ErrNoAnswer
			}
		}
	}
	close(a.read)
	<-a.done
	return a.reachedEnd.Load(), a.readErr
}
