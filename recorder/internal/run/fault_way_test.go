package run

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

func TestAControllerThatSendsNothingIsSaid(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 3*time.Second, "")
		hang := make(chan struct{})
		s.src.read = func(f *oni.Frame, next func(*oni.Frame) error) error {
			if err := next(f); err != nil || f.Clock < aSecond {
				return err
			}
			<-hang
			return io.EOF
		}
		s.run(func() {
			time.Sleep(2500 * time.Millisecond)
			s.saidSoon("the controller sends nothing")
			s.signals <- os.Interrupt
			time.AfterFunc(7*time.Second, func() { close(hang) })
		})
		// The reader never comes back: the files are completed without it, the ports
		// are at 0 V, and the source is left open.
		if s.err != nil || s.verdict == nil || !strings.Contains(s.verdict.Error(), "does not answer") {
			t.Errorf("run %v, verdict %v", s.err, s.verdict)
		}
		if did := s.src.did(); !slices.Equal(did, []string{"0 V"}) {
			t.Errorf("did %v", did)
		}
		rows := s.rows("analog-io")
		if rows < 99_000 || rows > 101_000 {
			t.Errorf("%d rows", rows)
		}
		s.verifies(0)
		// What it should have sent until Ctrl-C is missing, and nothing else.
		f := s.stream("analog-io")
		if f.ExpectedRows < 249_000 || f.ExpectedRows > 255_000 || f.Rows+f.LostRows < f.ExpectedRows-1 || f.Rows+f.LostRows > f.ExpectedRows || len(f.Missing) != 1 || !strings.Contains(f.Missing[0].Text, "the controller sent nothing from 1.0 s on: check its cable and power") {
			t.Errorf("%+v", f)
		}
		for _, now := range s.words.snapshots() {
			for _, f := range now.Streams {
				if silent := strings.HasPrefix(f.Word, "SILENT"); now.State == stateRecording && f.ExpectedHz > 0 && silent != (now.ElapsedS > 2.1) {
					t.Errorf("at %.1f s: %+v", now.ElapsedS, f)
				}
			}
		}
	})
}

// saidSoon is for a run that goes on.
func (s *scene) saidSoon(text string) {
	s.t.Helper()
	for range 100 {
		if strings.Contains(s.words.String(), text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Errorf("nothing is said of %q:\n%s", text, s.words.String())
}

// TestEverySignalCompletesTheFiles: also one that comes twice.
func TestEverySignalCompletesTheFiles(t *testing.T) {
	for _, c := range []struct {
		reason  string
		signals []os.Signal
	}{
		{"interrupt", []os.Signal{os.Interrupt}},
		{"interrupt", []os.Signal{os.Interrupt, os.Interrupt}},
		{"terminated", []os.Signal{syscall.SIGTERM}},
		{"hangup", []os.Signal{syscall.SIGHUP, syscall.SIGTERM, os.Interrupt}},
		{"output closed", []os.Signal{syscall.SIGPIPE}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			inScriptedTime(t, func(t *testing.T) {
				s := newScene(t, 0, "")
				var at time.Time
				s.run(func() {
					time.Sleep(1500 * time.Millisecond)
					at = time.Now()
					for _, sig := range c.signals {
						s.signals <- sig
						time.Sleep(30 * time.Millisecond)
					}
				}).well()
				if took := time.Since(at); took > 4*time.Second {
					t.Errorf("it took %v", took)
				}
				if got := s.rec.Summary().EndReason; got != c.reason {
					t.Errorf("ended by %s", got)
				}
				if did := s.src.did(); !slices.Equal(did, []string{"stop", "0 V", "close"}) {
					t.Errorf("did %v", did)
				}
				rows := s.rows("analog-io")
				if rows < 100_000 || rows > 300_000 {
					t.Errorf("%d rows", rows)
				}
				s.noGaps("analog-io", 100_000, float64(rows)/100_000)
			})
		})
	}
}

// TestOnlyAThirdSignalAborts: while a disk that stands still holds up what waits,
// the first is answered at once, one that comes twice is one, the second is told how
// much waits, what was written before the third is there, and a port that may have
// a voltage is named.
func TestOnlyAThirdSignalAborts(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 0, "")
		defer s.disk.freeze(nil)
		s.src.undo = errors.New("port a may still be powered")
		begin := time.Now()
		s.run(func() {
			time.Sleep(3200 * time.Millisecond)
			s.disk.freeze(all)
			for _, at := range []time.Duration{6, 8, 11} { // seconds
				time.Sleep(at*time.Second - time.Since(begin))
				s.signals <- os.Interrupt
				time.Sleep(20 * time.Millisecond)
				s.signals <- os.Interrupt
			}
		})
		if took := time.Since(begin); !errors.Is(s.err, errAborted) || !errors.Is(s.err, s.src.undo) || took < 11*time.Second || took > 12*time.Second {
			t.Errorf("run %v after %v", s.err, took)
		}
		s.says("completing: 3 s of data wait", "; Ctrl-C once more aborts")
		if did := s.src.did(); !slices.Equal(did, []string{"stop", "0 V"}) {
			t.Errorf("did %v", did)
		}
		if left, _, _ := leftOf(t, filepath.Join(s.dir, "analog-io_0.arrow")); left.rows != 300_000 {
			t.Errorf("%d rows are left", left.rows)
		}
		for _, now := range s.words.snapshots() {
			if now.ElapsedS > 7.1 && now.State != stateCompleting {
				t.Errorf("at %.1f s: %s", now.ElapsedS, now.State)
			}
		}
	})
}

// TestASlowDiskIsWaitedForAfterCtrlC: everything that was read is written, and the
// screen says how long that takes.
func TestASlowDiskIsWaitedForAfterCtrlC(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 0, "")
		s.disk.setRate(func(_ string, bytes int) time.Duration {
			return time.Duration(float64(bytes) / 1e6 * float64(time.Second)) // of 4 MB a second
		})
		s.run(func() {
			time.Sleep(5 * time.Second)
			s.signals <- os.Interrupt
			time.Sleep(5 * time.Second)
			s.signals <- os.Interrupt
		}).well()
		s.noGaps("analog-io", 100_000, float64(s.rows("analog-io"))/100_000)
		if rows := s.rows("analog-io"); rows < 500_000 || rows > 505_000 {
			t.Errorf("%d rows", rows)
		}
		s.says("of data wait, about ", " s left; Ctrl-C once more aborts")
	})
}

// TestASignalBeforeTheBeginningLeavesNothing.
func TestASignalBeforeTheBeginningLeavesNothing(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 0, "").start()
		open := s.o.Controller
		opening := make(chan struct{})
		s.o.Controller = func(undo func(string, func() error)) (oni.Controller, error) {
			close(opening)
			time.Sleep(300 * time.Millisecond) // a voltage search
			return open(undo)
		}
		s.rec, _ = New(s.o)
		go func() {
			<-opening
			s.signals <- os.Interrupt
		}()
		if err := s.rec.Run(); !errors.Is(err, errEarly) {
			t.Errorf("got %v", err)
		}
		if did := s.src.did(); !slices.Equal(did, []string{"0 V", "close"}) {
			t.Errorf("did %v", did)
		}
		if entries, _ := os.ReadDir(s.dir); len(entries) > 0 {
			t.Errorf("left %v", entries)
		}
	})
}

func TestASourceThatEndsCompletesTheFiles(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 5*time.Second, "")
		s.src.read = func(f *oni.Frame, next func(*oni.Frame) error) error {
			if err := next(f); err != nil || f.Clock < aSecond {
				return err
			}
			return errors.New("the cable was pulled")
		}
		s.run(nil)
		if s.err != nil || s.verdict == nil || !strings.Contains(s.verdict.Error(), "the cable was pulled") || s.rec.Summary().State != store.StateFailed {
			t.Errorf("run %v, verdict %v, state %s", s.err, s.verdict, s.rec.Summary().State)
		}
		s.verifies(0)
		s.noGaps("analog-io", 100_000, 1)
		if did := s.src.did(); !slices.Equal(did, []string{"0 V", "close"}) {
			t.Errorf("did %v", did)
		}
	})
}

// TestAControllerThatDoesNotStartLeavesAllAsItWas.
func TestAControllerThatDoesNotStartLeavesAllAsItWas(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, time.Second, "pace: max\nwriter: {suffix: None, overwrite: true}\n")
		s.run(nil).well()
		before := s.rows("analog-io")
		failing := newScene(t, time.Second, s.rig)
		failing.dir, failing.o.Dir = s.dir, s.dir
		failing.src.start = func() error { return errors.New("no link") }
		failing.run(nil)
		if failing.err == nil || !strings.Contains(failing.err.Error(), "no link") {
			t.Errorf("got %v", failing.err)
		}
		if got := s.rows("analog-io"); got != before || before == 0 {
			t.Errorf("%d rows, there were %d", got, before)
		}
		if did := failing.src.did(); !slices.Equal(did, []string{"0 V", "close"}) {
			t.Errorf("did %v", did)
		}
		s.verifies(0)
	})
}

// TestAStuckTerminalHoldsUpNothing: whoever reads the words is gone or asleep.
func TestAStuckTerminalHoldsUpNothing(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 3*time.Second, "")
		stuck := make(chan struct{})
		t.Cleanup(func() { close(stuck) })
		s.o.Say = func(string) { <-stuck }
		s.o.Show = func(*Snapshot) { <-stuck }
		begin := time.Now()
		s.run(nil).well()
		if took := time.Since(begin); took > 6500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		s.noGaps("analog-io", 100_000, 3)
	})
}

// TestARigWithNothingEnabledIsRefused: devices that send only when they are set up
// for it are nothing to record.
func TestARigWithNothingEnabledIsRefused(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, time.Second, "devices: {heartbeat: {enable: false}, analog-io: {enable: false}, digital-io: {enable: false}, memory-monitor: {enable: false}}\n").start()
		usage := (*UsageError)(nil)
		if err := s.rec.Run(); !errors.As(err, &usage) || !strings.Contains(err.Error(), "no device is enabled") {
			t.Errorf("%v", err)
		}
		if files, _ := os.ReadDir(s.dir); len(files) > 0 {
			t.Errorf("files are left: %v", files)
		}
	})
}
