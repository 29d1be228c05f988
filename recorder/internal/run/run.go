// Package run records one run from start to end: it joins a controller, an
// acquisition and the files on disk, and keeps their summary.
//
// It touches no terminal: words, status and signals go through Options.
package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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

	Duration time.Duration // by the acquisition clock; 0: until a signal
	Flush    time.Duration // how often streams without a constant rate are written
	Sync     time.Duration // how often files are forced to the platter

	// Signals end the run: the first completes the files, a second one more
	// than two seconds later says how long that takes, a third aborts.
	Signals <-chan os.Signal

	// Say, Warn and Status are called by one goroutine of the run's, which
	// may hang: the recording goes on.
	Say    func(text string)
	Warn   func(error)
	Status Status // nil: nobody looks

	// Controller makes what is recorded from; undo takes what must be undone
	// however the run ends. nil: what the rig file names.
	Controller func(undo func(what string, step func() error)) (oni.Controller, error)

	// Create makes the files of streams; nil: on disk.
	Create func(path string, overwrite bool) (store.File, error)
}

// A Status shows what a run does, once a second.
type Status interface {
	Show(seconds int64, text string) // seconds of the acquisition clock
	End()
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
	o       Options
	rig     *rig.Rig
	talk    *speaker
	out     wayOut
	pollers []poller

	// Of the worker, constant once acquisition is set.
	source   oni.Controller
	store    *store.Run
	codecs   map[oni.Address]recording.Codec
	expected map[string]bool // by stream: sends at least twice a second, so silence means something
	raw      bool            // devices may send that are kept as they come
	head     store.Summary   // what does not change

	acquisition atomic.Pointer[acquire.Acquisition] // from the start of acquisition on

	mu       sync.Mutex // guards what follows
	startUTC string
	reason   string // why it ends
	endUTC   string
	failed   error // of the source
	errors   []string

	summary store.Summary // after Run
}

// New checks what can be checked without the hardware.
func New(o Options) (*Run, error) {
	rec := &Run{o: o, rig: o.Rig, codecs: map[oni.Address]recording.Codec{}, expected: map[string]bool{}}
	if _, err := store.ParseSuffix(*rec.writer(rig.Writer{}).Suffix); err != nil {
		return nil, &UsageError{err}
	}
	return rec, nil
}

func ticksFromDuration(d time.Duration, clockHz uint64) uint64 {
	whole, rest := uint64(d/time.Second), uint64(d%time.Second)
	return whole*clockHz + rest*clockHz/uint64(time.Second)
}

// Path returns the path of one of the run's files.
func (rec *Run) Path(file string) string { return filepath.Join(rec.o.Dir, file) }

// errAborted ends a run whose files are not complete.
var errAborted = errors.New("aborted; oniscope recover completes the files")

// Run records until something ends it. It is the control loop.
func (rec *Run) Run() error {
	rec.talk = newSpeaker()
	defer rec.talk.end()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- rec.work(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	st := newStatus(rec)
	var asked asked
	for {
		select {
		case err := <-ended:
			rec.talk.say(st.end)
			return err
		case sig := <-rec.o.Signals:
			switch asked.hear(time.Now()) {
			case again:
			case first:
				rec.endFor(reasonOf(sig))
				cancel()
				if a := rec.acquisition.Load(); a != nil {
					a.Stop()
					rec.say("ending: completing the files")
				}
			case second:
				rec.say("completing the files; Ctrl-C once more aborts")
			case third:
				_ = rec.out.leave()
				return errAborted
			}
		case <-tick.C:
			st.show()
		}
	}
}

// An asked counts who asks the run to end.
type asked struct {
	times int
	last  time.Time
}

// What a signal is.
const (
	again = iota // of a signal that came by two ways
	first
	second
	third
)

// doubled is how far apart signals are one: a terminal's Ctrl-C reaches the
// whole group, and timeout, make and scripts forward it.
const doubled = 2 * time.Second

func (a *asked) hear(now time.Time) int {
	if a.times > 0 && now.Sub(a.last) < doubled {
		return again
	}
	a.times, a.last = min(a.times+1, third), now
	return a.times
}

// reasonOf is a signal in the summary.
func reasonOf(sig os.Signal) string {
	if sig == os.Interrupt {
		return "interrupt"
	}
	return "terminated"
}

// endFor keeps the first reason why the run ends.
func (rec *Run) endFor(reason string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.reason == "" {
		rec.reason = reason
	}
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
