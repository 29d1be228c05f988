package run

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// The fault table: each test is a sentence of what the recorder promises, on the
// simulator with a source that a test can spoil, on a disk that it can spoil,
// with the rows that must be left and `verify` on them.

// A source is the simulator with something between it and the reader.
type source struct {
	oni.Controller
	read  func(f *oni.Frame, next func(*oni.Frame) error) error // nil: as it is
	start func() error
	undo  error // of the way out
	mu    sync.Mutex
	calls []string // "stop", "close", steps that were undone
}

func (s *source) ReadInto(f *oni.Frame) error {
	if s.read != nil {
		return s.read(f, s.Controller.ReadInto)
	}
	return s.Controller.ReadInto(f)
}

func (s *source) Start() error {
	if s.start != nil {
		if err := s.start(); err != nil {
			return err
		}
	}
	return s.Controller.Start()
}

func (s *source) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, what)
}

func (s *source) did() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *source) Stop() error {
	s.note("stop")
	return s.Controller.Stop()
}

func (s *source) Close() error {
	s.note("close")
	return s.Controller.Close()
}

// inScriptedTime runs a test in parallel with others, on a clock that goes on
// only when every goroutine waits for it: a minute takes as long as its frames take
// to decode, and on a busy machine nothing comes late. Scenes are made in it.
func inScriptedTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(time.Minute) // every goroutine must end; some say a last word
		test(t)
	})
}

// A scene is a run with something that goes wrong.
type scene struct {
	t       *testing.T
	rig     string // text; driver and signal are added
	o       Options
	src     *source
	dir     string
	disk    *slowDisk
	fifo    uint64 // bytes of the controller's buffer; 0: as it is
	patient bool   // it has time enough for a busy machine

	signals chan os.Signal
	words   words
	rec     *Run
	err     error        // of Run
	verdict error        // of Judge
	late    atomic.Int64 // the longest time that a sleeper was not woken, ns
}

// watchMachine notes how late a sleeper is woken.
func (s *scene) watchMachine(end <-chan struct{}) {
	const nap = 20 * time.Millisecond
	for {
		begin := time.Now()
		select {
		case <-end:
			return
		case <-time.After(nap):
			s.late.Store(max(s.late.Load(), int64(time.Since(begin)-nap)))
		}
	}
}

// unlessBusy skips what follows where the machine was too busy with other things
// for a test in real time that counts on being woken within a time.
func (s *scene) unlessBusy(most time.Duration) *scene {
	s.t.Helper()
	if late := time.Duration(s.late.Load()); late > most {
		s.t.Skipf("the machine is too busy: a sleeper was woken %v late, and the test has %v", late, most)
	}
	return s
}

// words are what a run says.
type words struct {
	mu    sync.Mutex
	list  []string
	shown []*Snapshot
}

func (w *words) say(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, text)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.list, "\n")
}

func (w *words) snapshots() []*Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.shown)
}

// newScene is a breakout board in real time, for a duration.
func newScene(t *testing.T, duration time.Duration, rigText string) *scene {
	t.Helper()
	s := &scene{t: t, rig: rigText, dir: t.TempDir(), signals: make(chan os.Signal, 8), src: &source{}, disk: &slowDisk{}}
	s.o = Options{
		Dir: s.dir, Duration: duration, Flush: 200 * time.Millisecond, Sync: time.Second, Signals: s.signals,
		Say: s.words.say, Warn: func(err error) { s.words.say(err.Error()) },
		Show: func(now *Snapshot) {
			s.words.mu.Lock()
			defer s.words.mu.Unlock()
			s.words.shown = append(s.words.shown, now)
		},
	}
	return s
}

// start makes the run.
func (s *scene) start() *scene {
	s.t.Helper()
	r, err := rig.Parse("rig.yaml", []byte("driver: sim\nsignal: pattern\n"+s.rig))
	if err == nil {
		err = r.Complete()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.o.Rig = r
	s.o.Wrap = s.disk.wrap
	s.o.Controller = func(undo func(string, func() error)) (oni.Controller, error) {
		config := simulated(r)
		config.FIFOBytes = s.fifo
		c, err := sim.New(config)
		if err != nil {
			return nil, err
		}
		s.src.Controller = c
		undo("ports to 0 V", func() error { s.src.note("0 V"); return s.src.undo })
		return s.src, nil
	}
	if s.rec, err = New(s.o); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// run runs it to its end; beside, if not nil, runs at the same time.
func (s *scene) run(beside func()) *scene {
	s.t.Helper()
	return s.start().runStarted(beside)
}

// runStarted is run after start.
func (s *scene) runStarted(beside func()) *scene {
	s.t.Helper()
	var others sync.WaitGroup
	end := make(chan struct{})
	defer close(end)
	go s.watchMachine(end)
	if beside != nil {
		others.Go(beside)
	}
	s.err = s.rec.Run()
	others.Wait()
	if s.err == nil {
		s.verdict = s.rec.Judge()
	}
	if !s.patient && !strings.Contains(s.rig, "pace: max") {
		s.unlessBusy(250 * time.Millisecond) // in real time
	}
	return s
}

// well checks that the run ended in order, lost nothing, and that verify finds
// nothing.
func (s *scene) well() {
	s.t.Helper()
	if s.err != nil || s.verdict != nil || s.rec.Summary().State != store.StateComplete {
		s.t.Errorf("run: %v, verdict: %v, state %s\n%s", s.err, s.verdict, s.rec.Summary().State, s.words.String())
	}
	s.verifies(0)
}

// loses checks that the run ended in order and is incomplete.
func (s *scene) loses() {
	s.t.Helper()
	loss := (*LossError)(nil)
	if s.err != nil || !errors.As(s.verdict, &loss) || s.rec.Summary().State != store.StateIncomplete {
		s.t.Errorf("run: %v, verdict: %v, state %s\n%s", s.err, s.verdict, s.rec.Summary().State, s.words.String())
	}
}

func (s *scene) says(parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		if !strings.Contains(s.words.String(), part) {
			s.t.Errorf("nothing is said of %q:\n%s", part, s.words.String())
		}
	}
}
