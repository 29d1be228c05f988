package run

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
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
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// The fault table: each test is a sentence of what the recorder promises, on the
// simulator with a source that a test can spoil, on a disk that it can spoil,
// with the rows that must be left and `verify` on them.

// A source is the simulator with something between it and the reader.
type source struct {
	oni.Controller
	read  func(f *oni.Frame, next func(*oni.Frame) error) error // nil: as it is
	start func() error
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
		undo("ports to 0 V", func() error { s.src.note("0 V"); return nil })
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

// verifies checks that all files are complete, and how many findings verify has.
func (s *scene) verifies(findings int) {
	s.t.Helper()
	n := 0
	for _, path := range s.files("") {
		for _, f := range verify(s.t, path) {
			if f.Severity != recording.SeverityInfo {
				n++
				if findings == 0 {
					s.t.Errorf("%s: %s", filepath.Base(path), f.Reason)
				}
			}
		}
	}
	if n < findings {
		s.t.Errorf("verify has %d findings, want %d at least", n, findings)
	}
}

func (s *scene) files(stream string) []string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, stream+"*.arrow"))
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

func verify(t *testing.T, path string) (list []recording.Finding) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for f, err := range recovery.Verify(t.Context(), bytes.NewReader(data), int64(len(data)), nil) {
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list = append(list, f)
	}
	return list
}

// column returns a column of 64 bits of all parts of a stream.
func (s *scene) column(stream, name string) (values []uint64) {
	s.t.Helper()
	for _, path := range s.files(stream) {
		f, err := os.Open(path)
		if err != nil {
			s.t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			s.t.Fatal(err)
		}
		r, err := recording.NewReader(f, info.Size())
		if err != nil {
			s.t.Fatalf("%s: %v", path, err)
		}
		all, err := r.Info(s.t.Context())
		if err != nil || all.State != recording.Complete {
			s.t.Fatalf("%s: %v, %v", path, all.State, err)
		}
		column := r.Stream().Column(name)
		for i := range all.Batches {
			b, err := r.ReadBatch(i, []int{column})
			if err != nil {
				s.t.Fatal(err)
			}
			values = append(values, recording.Values[uint64](&b.Columns[0])...)
		}
		f.Close()
	}
	return values
}

// rows is how many rows a stream has.
func (s *scene) rows(stream string) int { return len(s.column(stream, "Clock")) }

// leftOf looks at a file that was being written. What is whole of it by another
// way than recovery, batch after batch, is what recovery keeps; torn is what
// comes after it.
func leftOf(t *testing.T, path string) (left whole, torn int64, ok bool) {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return whole{}, 0, false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	left = wholeBatches(f, info.Size())
	plan, err := recovery.Examine(t.Context(), f, info.Size(), nil)
	if err != nil {
		if left.rows > 0 {
			t.Errorf("%s: %v, though %d rows are there", filepath.Base(path), err, left.rows)
		}
		return left, 0, true
	}
	if plan.Report.RowsRecovered != left.rows {
		t.Errorf("%s: %d rows recovered, %d are there", filepath.Base(path), plan.Report.RowsRecovered, left.rows)
	}
	return left, plan.Report.BytesSkipped, true
}

type whole struct {
	rows int64
	last uint64 // Clock
}

func wholeBatches(f io.ReaderAt, size int64) (w whole) {
	r, err := recording.NewReader(f, size)
	if err != nil {
		return w
	}
	clock := r.Stream().Column("Clock")
	for i := range r.NumBatches() {
		b, err := r.ReadBatch(i, []int{clock})
		if err != nil {
			break
		}
		if ticks := recording.Values[uint64](&b.Columns[0]); len(ticks) > 0 {
			w.rows, w.last = w.rows+int64(len(ticks)), ticks[len(ticks)-1]
		}
	}
	return w
}

// summary of a stream.
func (s *scene) stream(name string) store.StreamSummary {
	s.t.Helper()
	for _, f := range s.rec.Summary().Streams {
		if f.Name == name {
			return f
		}
	}
	s.t.Fatalf("no stream %s", name)
	return store.StreamSummary{}
}

// A gap is a record of the stream of gaps.
type gap struct {
	device, cause string
	first, last   uint64
	rows          int64
}

// gaps are the records of the run's stream of gaps, of one device.
func (s *scene) gaps(device string) (list []gap) {
	s.t.Helper()
	for _, path := range s.files(recording.GapStreamName) {
		data, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			s.t.Fatal(err)
		}
		info, err := r.Info(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range info.Batches {
			b, err := r.ReadBatch(i, []int{0, 1, 2, 3, 4})
			if err != nil {
				s.t.Fatal(err)
			}
			first, last := recording.Values[uint64](&b.Columns[1]), recording.Values[uint64](&b.Columns[2])
			rows := recording.Values[int64](&b.Columns[3])
			for k := range rows {
				name, _ := b.Columns[0].Text(k)
				cause, _ := b.Columns[4].Text(k)
				if name == device {
					list = append(list, gap{name, cause, first[k], last[k], rows[k]})
				}
			}
		}
	}
	return list
}

// oneGap checks that a stream has one gap, with a cause, and that rows and gap
// together are what was sent: none twice, none missing without a word. sent is
// the number of rows, -1: as many as the clock says.
func (s *scene) oneGap(stream, cause string, periodTicks float64) gap {
	s.t.Helper()
	list := s.gaps(stream)
	if len(list) != 1 || list[0].cause != cause {
		s.t.Fatalf("%s: gaps %+v, want one of cause %s\n%s", stream, list, cause, s.words.String())
	}
	g := list[0]
	clocks := s.column(stream, "Clock")
	for i := 1; i < len(clocks); i++ {
		step := float64(clocks[i]-clocks[i-1]) / periodTicks
		switch {
		case step < 1.5 && clocks[i] > clocks[i-1]:
		case clocks[i-1] < g.first && clocks[i] > g.last:
			if want := int64(step+0.5) - 1; want != g.rows {
				s.t.Errorf("%s: the gap before row %d has room for %d rows, and %d are recorded as lost", stream, i, want, g.rows)
			}
		default:
			s.t.Fatalf("%s: a gap before row %d, from %d to %d, that is not recorded: %+v", stream, i, clocks[i-1], clocks[i], g)
		}
	}
	return g
}

// noGaps checks that a stream has every row of so many seconds.
func (s *scene) noGaps(stream string, rateHz, seconds float64) {
	s.t.Helper()
	if list := s.gaps(stream); len(list) > 0 {
		s.t.Errorf("%s: gaps %+v", stream, list)
	}
	if got, want := s.rows(stream), int(rateHz*seconds+0.5); got < want-1 || got > want+1 {
		s.t.Errorf("%s: %d rows, want %d\n%s", stream, got, want, s.words.String())
	}
	clocks := s.column(stream, "Clock")
	for i := 1; i < len(clocks); i++ {
		if step := float64(clocks[i]-clocks[i-1]) * rateHz / sim.ClockHz; step < 0.5 || step > 1.5 {
			s.t.Fatalf("%s: a step of %.2f rows before row %d", stream, step, i)
		}
	}
}

// clockOf replaces the hub clock in a sample.
func withHubClock(data []byte, hub uint64) []byte {
	out := bytes.Clone(data)
	binary.LittleEndian.PutUint64(out, hub)
	return out
}

func (s *scene) says(parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		if !strings.Contains(s.words.String(), part) {
			s.t.Errorf("nothing is said of %q:\n%s", part, s.words.String())
		}
	}
}
