package run

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// panicking is the environment variable that makes this binary a recorder of which
// the goroutine panics that it names. Argument: folder.
const panicking = "ONISCOPE_TEST_PANIC"

// panics are the goroutines of a run, and what makes each panic after a second.
var panics = map[string]func(o *Options, s *source){
	"reader": func(_ *Options, s *source) {
		s.read = func(f *oni.Frame, next func(*oni.Frame) error) error {
			err := next(f)
			panicAfter(f.Clock)
			return err
		}
	},
	"writer": func(o *Options, _ *source) {
		o.Wrap = func(name string, f store.File) store.File {
			if strings.HasPrefix(filepath.Base(name), "analog-io") {
				return &panickyFile{File: f}
			}
			return f
		}
	},
	"words": func(o *Options, _ *source) {
		o.Show = func(s *Snapshot) { panicAfter(uint64(s.ElapsedS * aSecond)) }
	},
}

func panicAfter(clock uint64) {
	if clock > aSecond {
		panic("a fault of the program")
	}
}

// A panickyFile takes the schema and the first batch.
type panickyFile struct {
	store.File
	writes int
}

func (f *panickyFile) Write(b []byte) (int, error) {
	if f.writes++; f.writes > 2 {
		panic("a fault of the program")
	}
	return f.File.Write(b)
}

func init() {
	others := beRecorder
	beRecorder = func() (bool, error) {
		if where := os.Getenv(panicking); where != "" {
			return true, recordAndPanic(where, os.Args[1])
		}
		return others()
	}
}

func recordAndPanic(where, dir string) error {
	r, err := rig.Parse("rig.yaml", []byte("driver: sim\nsignal: pattern\n"))
	if err == nil {
		err = r.Complete()
	}
	if err != nil {
		return err
	}
	src := &source{}
	o := Options{Rig: r, Dir: dir, Duration: 20 * time.Second, Flush: time.Second, Sync: time.Second,
		Controller: func(undo func(string, func() error)) (oni.Controller, error) {
			undo("ports to 0 V", func() error { return os.WriteFile(filepath.Join(dir, "dark"), nil, 0o600) })
			c, err := sim.New(simulated(r))
			src.Controller = c
			return src, err
		}}
	panics[where](&o, src)
	rec, err := New(o)
	if err != nil {
		return err
	}
	return rec.Run()
}

// TestAPanicLeavesNoVoltage: whichever goroutine of a recorder has a fault.
func TestAPanicLeavesNoVoltage(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts recorders")
	}
	for where := range panics {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0], dir)
			cmd.Env = append(os.Environ(), panicking+"="+where)
			words, err := cmd.CombinedOutput()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || !strings.Contains(string(words), "panic: a fault of the program") {
				t.Fatalf("%v: %s", err, words)
			}
			if _, err := os.Stat(filepath.Join(dir, "dark")); err != nil {
				t.Errorf("the ports keep their voltage: %v", err)
			}
		})
	}
}

// A spoiled listener panics from its n-th status or row on.
type spoiled struct {
	*heard
	where string
	ended bool
}

func (s *spoiled) Decoded(of *stream.Stream, b *device.Batch, from int) {
	s.heard.Decoded(of, b, from)
	if s.where == "rows" {
		panic("a fault of the view")
	}
}

func (s *spoiled) Status(*Snapshot, []recording.GapRecord) {
	if s.where == "status" {
		panic("a fault of the view")
	}
}

func (s *spoiled) Ended(of *store.Summary) { s.ended = true }

// TestAFaultOfTheLiveViewEndsNoRecording: it is said once, and all is recorded.
func TestAFaultOfTheLiveViewEndsNoRecording(t *testing.T) {
	for _, where := range []string{"rows", "status"} {
		t.Run(where, func(t *testing.T) {
			inScriptedTime(t, func(t *testing.T) {
				s := newScene(t, 3*time.Second, "")
				view := &spoiled{heard: newHeard(), where: where}
				s.o.Listen = view
				s.run(nil).well()
				const words = "the live view has failed (panic: a fault of the view)"
				if n := strings.Count(s.words.String(), words); n != 1 || !view.ended {
					t.Errorf("said %d times, ended %v:\n%s", n, view.ended, s.words.String())
				}
				if did := s.src.did(); !slices.Equal(did, []string{"stop", "0 V", "close"}) {
					t.Errorf("did %v", did)
				}
			})
		})
	}
}
