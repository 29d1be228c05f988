// Package acquire turns the frames of a controller into batches on their way
// to files.
//
//	Source -> reader -> queue -> decoder -> one output a stream -> Writer
//
// The reader goroutine alone owns the Source. It copies each frame into a
// queue of bounded size; where that is full the frame is dropped and counted
// for its device, because a controller does not wait (a simulator that runs as
// fast as it can does: Config.Wait). The decoder goroutine alone owns the
// decoders and fills batches. Each output writes in a goroutine of its own, so
// that a slow file costs no other stream a row; batches that wait are bounded
// too, and one that finds no room is dropped whole and counted.
//
// A stream whose writer fails takes no more rows; the others go on.
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
	defaultBatchBytes = 2 << 30  // half a minute of one
	bufferedBatches   = 40       // of one stream; each is about a second
	waitingBatches    = 2        // of one stream, when the source waits for the disk
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
	Source     oni.Source // started and stopped here; who made it closes it, but not after ErrNoAnswer
	AcqClockHz uint64     // of the frames
	Devices    []Device   // that may send frames; whose samples are not understood are kept raw, from their first frame on

	// Open makes the writer of a stream, once acquisition runs. It must not
	// keep s.
	Open func(s *stream.Stream) (Writer, error)

	// Describe fills in what only the caller knows, before Open. nil: nothing.
	Describe func(s *stream.Stream, started time.Time)

	DurationTicks uint64 // rows with Clock at or behind it are not recorded; 0: until Stop
	FlushTicks    uint64 // how often streams without a fixed batch size are written; 0: each second
	Wait          bool   // the source waits when the queue is full; nothing is dropped
	QueueBytes    int    // of frames; 0 means 64 MiB
	BatchBytes    int64  // of batches that wait for the disk; 0 means 2 GiB
}

// An Acquisition is one run of a controller, from Start to its end. New, Start, then Wait; Stop at any time.
type Acquisition struct {
	cfg     Config
	clockHz uint64
	queue   *queue
	budget  *budget
	gaps    *gapLog
	devices []*source               // in the order of Config.Devices
	at      map[oni.Address]*source // nil: ignored
	started time.Time

	patience   time.Duration
	stopping   atomic.Bool
	readerDone chan struct{} // the reader has left the source
	read       chan struct{} // or was given up; closed by Wait
	done       chan struct{}
	readErr    error // set before readerDone is closed
	reachedEnd bool  // the duration, likewise
	strays     atomic.Uint64
	frames     atomic.Uint64
	clock      atomic.Uint64 // of the last frame
	first      atomic.Uint64 // clock of the first frame + 1

	mu      sync.Mutex // guards what Status reads of the decoder's
	outputs []*output
}

// A source is one device and its way to the files.
type source struct {
	Device
	decoder device.Decoder // nil until the first frame of a device that is kept raw
	batches []*device.Batch
	outputs []*output
	broken  error // why it has no decoder

	frames, dropped atomic.Uint64
	refused         refused              // by the queue
	taken           []recording.LostRows // of them, those before the frame that is decoded

	mu    sync.Mutex
	stats device.Stats // as of the last block
	gaps  []Gap
	name  string
}

// New prepares an acquisition: the decoders of all devices that are understood. It
// does not touch the source.
func New(cfg Config) (*Acquisition, error) {
	if cfg.QueueBytes == 0 {
		cfg.QueueBytes = defaultQueueBytes
	}
	if cfg.BatchBytes == 0 {
		cfg.BatchBytes = defaultBatchBytes
	}
	a := &Acquisition{
		cfg: cfg, clockHz: cfg.AcqClockHz,
		queue: newQueue(cfg.QueueBytes), budget: newBudget(cfg.BatchBytes), gaps: newGapLog(cfg.Open),
		at: map[oni.Address]*source{}, patience: readerPatience,
		readerDone: make(chan struct{}), read: make(chan struct{}), done: make(chan struct{}),
	}
	if a.cfg.FlushTicks == 0 {
		a.cfg.FlushTicks = max(1, a.clockHz)
	}
	for _, d := range cfg.Devices {
		if d.Ignore {
			a.at[d.Device.Address] = nil
			continue
		}
		src := &source{Device: d, name: fmt.Sprintf("device %v", d.Device.Address)}
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
	src.decoder = decoder
	src.batches = device.NewBatches(decoder)
	src.mu.Lock()
	src.name = decoder.Streams()[0].Name
	src.mu.Unlock()
	return nil
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
// schemas hold the time of the start. Frames wait in the queue meanwhile.
func (a *Acquisition) Start() error {
	if err := a.cfg.Source.Start(); err != nil {
		return fmt.Errorf("acquire: %w", err)
	}
	a.started = time.Now()
	go a.readAll()
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

// open makes the outputs of a device. One that cannot be made fails like one
// whose disk is full: its rows are counted as dropped.
func (a *Acquisition) open(src *source) {
	for _, described := range src.decoder.Streams() {
		if a.cfg.Describe != nil {
			a.cfg.Describe(&described, a.started)
		}
		w, err := a.cfg.Open(&described)
		depth := bufferedBatches
		if a.cfg.Wait {
			depth = waitingBatches
		}
		if err != nil {
			w = closedWriter{}
		}
		o := newOutput(&described, w, src.Buffered && err == nil, a.budget, a.gaps, depth, a.cfg.Wait)
		if err != nil {
			o.fail(err)
		}
		src.outputs = append(src.outputs, o)
		a.mu.Lock()
		a.outputs = append(a.outputs, o)
		a.mu.Unlock()
	}
}

// A closedWriter stands for a file that could not be made.
type closedWriter struct{}

func (closedWriter) WriteBatch(int, []recording.Vector, []recording.LostRows) (recording.Block, error) {
	return recording.Block{}, io.ErrClosedPipe
}
func (closedWriter) SyncIfDue(time.Time) error              { return nil }
func (closedWriter) Close() error                           { return nil }
func (closedWriter) Progress() (rows int64, _ int, _ int64) { return 0, 0, 0 }

// Stop ends acquisition; what was read is still written. It may be called from
// any goroutine, and more than once.
func (a *Acquisition) Stop() { a.stopping.Store(true) }

// readAll is the goroutine that owns the Source.
func (a *Acquisition) readAll() {
	defer close(a.readerDone)
	defer a.queue.close()
	var f oni.Frame
	var stopped bool
	for {
		if !stopped && a.stopping.Load() {
			stopped = true
			if err := a.cfg.Source.Stop(); err != nil {
				a.readErr = err
				return
			}
		}
		if err := a.cfg.Source.ReadInto(&f); err != nil {
			switch {
			case !errors.Is(err, io.EOF):
				a.readErr = err
			case !stopped && !a.stopping.Load():
				a.readErr = errors.New("the controller ended acquisition")
			}
			return
		}
		if a.cfg.DurationTicks > 0 && f.Clock >= a.cfg.DurationTicks {
			a.reachedEnd = true
			a.stopping.Store(true)
			continue // the frames that still wait are late too, or in time
		}
		src, known := a.at[f.Address]
		if src == nil {
			if !known {
				a.strays.Add(1)
			}
			continue
		}
		a.first.CompareAndSwap(0, f.Clock+1)
		a.clock.Store(f.Clock)
		a.frames.Add(1)
		src.frames.Add(1)
		if a.queue.push(&f, a.cfg.Wait) {
			src.refused.going = false
		} else {
			src.dropped.Add(1)
			src.refused.add(f.Clock)
		}
	}
}

// Read is closed when nothing more will be taken from the source: the reader
// has left it, or was given up.
func (a *Acquisition) Read() <-chan struct{} { return a.read }

// readerPatience is how long a source may take to end after Stop. A controller
// whose cable was pulled may never answer; the files are completed without it.
const readerPatience = 5 * time.Second

// ErrNoAnswer says that the source neither delivered nor ended after Stop. The
// reader is still inside it, so it must not be closed.
var ErrNoAnswer = errors.New("acquire: the controller does not answer")

// Wait returns when all files are complete. reached tells that the duration
// ended the acquisition; err is what went wrong at the source, not what is in
// Status.
func (a *Acquisition) Wait() (reached bool, err error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var since time.Time
	for waiting := true; waiting; {
		select {
		case <-a.readerDone:
			waiting = false
		case now := <-tick.C:
			if a.stopping.Load() {
				if since.IsZero() {
					since = now
				}
				if now.Sub(since) > a.patience {
					a.queue.close()
					close(a.read)
					<-a.done
					return false, ErrNoAnswer
				}
			}
		}
	}
	close(a.read)
	<-a.done
	if a.readErr != nil {
		return a.reachedEnd, fmt.Errorf("acquire: %w", a.readErr)
	}
	return a.reachedEnd, nil
}
