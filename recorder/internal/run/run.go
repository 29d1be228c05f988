// Package run records one run from start to end: it joins a controller, an
// acquisition and the files on disk, and keeps their summary.
//
// It touches no terminal: words, status and signals go through Options.
package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/headstage"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// Options of a run. Rig and Dir are needed.
type Options struct {
	Rig    *rig.Rig   // complete
	Liboni string     // file of the library that drives hardware; "": where it is usually
	Writer rig.Writer // what is set here goes over the rig file
	Dir    string

	Duration time.Duration // 0: until a signal
	Flush    time.Duration // how often streams without a constant rate are written
	Sync     time.Duration // how often files are forced to the platter, as in store.Options
	Roll     time.Duration // after which a stream goes on in its next part; 0: never

	Buffer       time.Duration // of each large stream that may wait for the disk; 0: 40 s
	BufferMemory int64         // bytes that all buffers together may take; 0: half of what is free

	// Signals end the run: the first completes the files, a second one more
	// than two seconds later says how long that takes, a third aborts.
	Signals <-chan os.Signal

	// Say, Warn and Show are called by one goroutine of the run's, which may
	// hang: the recording goes on. Show gets the state about once a second.
	Say  func(text string)
	Warn func(error)
	Show func(*Snapshot)

	// Listen follows the recording. nil: nobody does. Needs are streams that it
	// wants to follow: without them nothing is recorded.
	Listen Listener
	Needs  []Need

	// Controller makes what is recorded from; undo takes what must be undone
	// however the run ends. nil: what the rig file names.
	Controller func(undo func(what string, step func() error)) (oni.Controller, error)

	// Wrap and Free are those of store.Options.
	Wrap func(name string, f store.File) store.File
	Free func() (int64, error)
}

// A UsageError is something that the rig file or a flag cannot mean.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// A LossError says that a run ended in order, but data were lost.
type LossError struct{ Err error }

func (e *LossError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *LossError) Unwrap() error { return e.Err }

// A Run is one recording. New, Run, then Summary and Judge.
//
// Three kinds of goroutines: the worker (work), which opens, records and
// completes, and may wait for the disk and the hardware; the control loop
// (Run), which hears signals and the clock and waits for nothing else; and those
// beside (beside.go), which show, poll and keep the marker.
type Run struct {
	o         Options
	rig       *rig.Rig
	talk      *speaker
	out       wayOut
	pollers   []poller
	polling   sync.WaitGroup
	pollStop  chan struct{}
	darkFirst sync.Once
	pollOnce  sync.Once

	// Of the worker, constant once acquisition is set.
	source  oni.Controller
	store   *store.Run
	codecs  map[oni.Address]recording.Codec
	codecOf map[string]recording.Codec // of streams that share a device
	keys    map[oni.Address]device.Settings
	plan    *Plan
	wire    float64           // bytes a second into the controller's buffer
	head    store.Summary     // what does not change
	report  *headstage.Report // nil: nothing was configured
	raw     bool              // devices may send that are kept as they come

	acquisition atomic.Pointer[acquire.Acquisition] // from the start of acquisition on
	completing  atomic.Bool                         // nothing more is read
	asking      atomic.Bool                         // the file system for free space
	shown       time.Time                           // of the control loop: when Show was called
	last        atomic.Pointer[Snapshot]
	pulse       atomic.Pointer[Pulse]
	stops       chan string // reasons to end
	notes       notebook

	mu        sync.Mutex // guards what follows
	startUTC  string
	reason    string // why it ends
	endUTC    string
	failed    error // of the source
	errors    []string
	events    []store.RunEvent
	findings  []store.Finding
	found     int
	foundOf   map[string]int // by device and kind
	facts     map[oni.Address]map[string]any
	lostLinks map[uint8]uint64       // Clock at which a port lost its link
	alone     bool                   // nothing went on after that
	troubles  map[string]store.Event // of files, the last by stream
	writers   []*store.Writer

	summary store.Summary // after Run
}

// New checks what can be checked without the hardware.
func New(o Options) (*Run, error) {
	if o.Buffer == 0 {
		o.Buffer = defaultBuffer
	}
	if o.BufferMemory == 0 {
		o.BufferMemory = freeMemory() / 2
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	rec := &Run{
		o: o, pollStop: make(chan struct{}), stops: make(chan string, 1), rig: o.Rig, codecs: map[oni.Address]recording.Codec{}, codecOf: map[string]recording.Codec{}, keys: map[oni.Address]device.Settings{},
		foundOf: map[string]int{}, facts: map[oni.Address]map[string]any{}, lostLinks: map[uint8]uint64{}, troubles: map[string]store.Event{},
	}
	if _, err := store.ParseSuffix(*rec.writer(rig.Writer{}).Suffix); err != nil {
		return nil, &UsageError{err}
	}
	if o.Listen != nil {
		rec.o.Listen = &guest{to: o.Listen, say: func(text string) { rec.alarm("", text) }}
	}
	return rec, nil
}

func ticksFromDuration(d time.Duration, clockHz uint64) uint64 {
	whole, rest := uint64(d/time.Second), uint64(d%time.Second)
	return whole*clockHz + rest*clockHz/uint64(time.Second)
}

// duration is what ticks of the acquisition clock are.
func (rec *Run) duration(ticks uint64) time.Duration {
	hz := rec.head.AcqClockHz
	if hz == 0 {
		return 0
	}
	return time.Duration(ticks/hz)*time.Second + time.Duration(ticks%hz*uint64(time.Second)/hz)
}

// untimed reports whether the source runs as fast as it is read.
func (rec *Run) untimed() bool {
	return rec.rig.Driver == rig.DriverSim && rec.rig.Pace == rig.PaceMax || rec.rig.Driver == rig.DriverTest
}

// Path returns the path of one of the run's files, which may have moved.
func (rec *Run) Path(file string) string {
	if now := rec.store.MovedTo(); now != "" {
		return filepath.Join(now, file)
	}
	return filepath.Join(rec.o.Dir, file)
}

// Pattern returns the path of the run's files with * for the stream.
func (rec *Run) Pattern() string { return rec.Path(store.FileName("*", rec.store.Suffix(), ".arrow")) }

// errAborted ends a run whose files are not complete.
var errAborted = errors.New("aborted; oniscope recover completes the files")

// How often the control loop looks, and how often it shows.
const (
	lookEvery = 250 * time.Millisecond
	showEvery = 4 // looks
)

// Run records until something ends it. It is the control loop.
func (rec *Run) Run() error {
	rec.talk = newSpeaker(rec.dark)
	defer rec.talk.end()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- rec.work(ctx) }()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	defer rec.dark() // the first of them
	see := newObserver(rec, !rec.untimed())
	looks := 0
	var asked asked
	for {
		select {
		case err := <-ended:
			rec.show(see, stateEnded)
			return err
		case sig := <-rec.o.Signals:
			switch asked.hear(time.Now()) {
			case again:
			case first:
				rec.endNow(reasonOf(sig), cancel)
			case second:
				rec.say(rec.completingText() + "; Ctrl-C once more aborts")
			case third:
				dark := rec.leave()
				return errors.Join(errAborted, dark)
			}
		case reason := <-rec.stops:
			rec.endNow(reason, cancel)
		case <-tick.C:
			a := rec.acquisition.Load()
			if a == nil {
				continue
			}
			if !rec.completing.Load() {
				st := a.Status()
				see.look(&st)
			}
			if looks++; looks%showEvery == 0 || rec.o.Listen != nil {
				rec.show(see, stateRecording)
			}
		}
	}
}

// endNow ends acquisition in order.
func (rec *Run) endNow(reason string, cancel func()) {
	rec.endFor(reason)
	cancel()
	if a := rec.acquisition.Load(); a != nil {
		a.Stop()
	}
}

// Stop asks the run to end in order, for a reason. Any goroutine may call it.
func (rec *Run) Stop(reason string) {
	select {
	case rec.stops <- reason:
	default: // it was asked already
	}
}

// show publishes the state.
func (rec *Run) show(see *observer, state string) {
	a := rec.acquisition.Load()
	if a == nil {
		return
	}
	if state == stateRecording && rec.completing.Load() {
		state = stateCompleting
	}
	st := rec.status(a)
	s := see.snapshot(&st, state)
	rec.last.Store(s)
	if l := rec.o.Listen; l != nil {
		l.Status(s, st.Lost)
	}
	if now := time.Now(); rec.o.Show != nil && (state != stateRecording || now.Sub(rec.shown) > (showEvery-1)*lookEvery) {
		rec.shown = now
		rec.talk.show(func() { rec.o.Show(s) })
	}
}

// Snapshot returns the state as it was published last, nil before the first.
// Any goroutine may call it.
func (rec *Run) Snapshot() *Snapshot { return rec.last.Load() }

// completingText says what waits, and about how long that takes.
func (rec *Run) completingText() string {
	s := rec.last.Load()
	if s == nil {
		return "completing the files"
	}
	text := fmt.Sprintf("completing: %.0f s of data wait", s.WaitS+s.LagS)
	if s.LeftS >= 0 {
		text += fmt.Sprintf(", about %.0f s left", s.LeftS)
	}
	return text
}

// trouble returns whether the last thing that happened to a stream's file was
// that the disk is full.
func (rec *Run) trouble(stream string) (full, ok bool) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	e, ok := rec.troubles[stream]
	return e.Kind == store.DiskFull, ok
}

// askFree asks how much room the disk has, unless the last question hangs.
func (rec *Run) askFree(answer chan<- int64) {
	if !rec.asking.CompareAndSwap(false, true) {
		return
	}
	go func() {
		free, err := rec.store.Free()
		if err != nil {
			free = -1
		}
		select {
		case answer <- free:
		default:
		}
		rec.asking.Store(false)
	}()
}

// endFor keeps the first reason why the run ends.
func (rec *Run) endFor(reason string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.reason == "" {
		rec.reason = reason
	}
}

// ending reports whether the run was asked to end, or has reached its end.
func (rec *Run) ending() bool {
	rec.mu.Lock()
	asked := rec.reason != ""
	rec.mu.Unlock()
	a := rec.acquisition.Load()
	return asked || a != nil && a.Ending()
}

// say and warn may be called by any goroutine, and never block.
func (rec *Run) say(text string) { rec.talk.say(func() { rec.o.Say(text) }) }

// warn keeps a failure that does not end the recording.
func (rec *Run) warn(err error) {
	rec.mu.Lock()
	known := slices.Contains(rec.errors, err.Error()) // a full disk fails each second
	if !known && len(rec.errors) < maxErrors {
		rec.errors = append(rec.errors, err.Error())
	}
	rec.mu.Unlock()
	if !known {
		rec.talk.say(func() { rec.o.Warn(err) })
	}
}

// maxErrors bounds what a summary keeps of them.
const maxErrors = 1000
