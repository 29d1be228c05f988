package run

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// Addresses of the breakout board's devices. Source: onix-devices 2.3.
const (
	heartbeatAt = oni.Address(0)
	analogAt    = oni.Address(6)
)

// aSecond of the acquisition clock, in ticks.
const aSecond = sim.ClockHz

// breakoutWire is what a breakout board sends a second. Source: onix-devices 3.0.
const breakoutWire = 48*100_000 + 24*100 + 28*10

// smallFIFO gives the controller a buffer of some seconds.
func (s *scene) smallFIFO(seconds float64) { s.fifo = uint64(seconds * breakoutWire) }

// pauseAt stops the reader once, at a tick, as a process that is stopped.
func pauseAt(tick uint64, pause time.Duration) func(*oni.Frame, func(*oni.Frame) error) error {
	done := false
	return func(f *oni.Frame, next func(*oni.Frame) error) error {
		err := next(f)
		if !done && err == nil && f.Clock >= tick {
			done = true
			time.Sleep(pause)
		}
		return err
	}
}

func TestAStoppedProcessLosesNothingWhileTheFIFOIsNotFull(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 4*time.Second, "")
		s.src.read = pauseAt(aSecond, 1900*time.Millisecond) // 95 % of the buffer
		s.smallFIFO(2)
		s.run(nil).well()
		s.noGaps("analog-io", 100_000, 4)
		s.noGaps("heartbeat", 100, 4)
		if most := s.rec.Summary().HighestFIFO; most < 94 {
			t.Errorf("the buffer was %.0f %% full; the test shows nothing", most)
		}
		s.says("the controller's buffer is")
	})
}

func TestAFIFOThatOverflowsEndsInWholeFiles(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 8*time.Second, "")
		s.src.read = pauseAt(aSecond, 3*time.Second)
		s.smallFIFO(2)
		s.run(nil).loses()
		if !strings.Contains(s.verdict.Error(), "the controller's buffer was full, so it ended acquisition at 3.0 s") {
			t.Errorf("verdict %v", s.verdict)
		}
		rows := float64(s.rows("analog-io"))
		s.noGaps("analog-io", 100_000, rows/100_000)
		s.verifies(0)
		if f := s.stream("analog-io"); f.Rows < 299_900 || f.Rows > 300_100 || s.rec.Summary().LastClock < 2.999*aSecond {
			t.Errorf("%+v, last clock %d", f, s.rec.Summary().LastClock)
		}
	})
}

// TestASourceThatIsSilentAndThenSendsAllAtOnce.
func TestASourceThatIsSilentAndThenSendsAllAtOnceLosesNothing(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 3*time.Second, "")
		held := false
		s.src.read = func(f *oni.Frame, next func(*oni.Frame) error) error {
			err := next(f)
			if f.Clock >= aSecond && !held {
				held = true
				time.Sleep(1500 * time.Millisecond)
			}
			return err
		}
		s.run(nil).well()
		s.noGaps("analog-io", 100_000, 3)
	})
}

func TestAFrozenDiskLosesNothingForBufferPlusFIFO(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 6*time.Second, "")
		s.o.Buffer = time.Second
		s.smallFIFO(2)
		s.run(func() {
			time.Sleep(1500 * time.Millisecond)
			s.disk.freeze(all)
			time.Sleep(3500 * time.Millisecond)
			s.disk.freeze(nil)
		}).well()
		for stream, hz := range map[string]float64{"analog-io": 100_000, "heartbeat": 100, "memory-monitor": 10} {
			s.noGaps(stream, hz, 6)
		}
		// Status went on meanwhile, and showed that rows wait.
		longest := 0.0
		for _, now := range s.words.snapshots() {
			longest = max(longest, now.FIFO.Percent)
		}
		if n := len(s.words.snapshots()); n < 4 || longest < 5 {
			t.Errorf("%d snapshots, at most %.0f %% in the controller's buffer", n, longest)
		}
	})
}

func TestADiskThatStaysFrozenCostsOneGapAStream(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 9*time.Second, "")
		s.o.Buffer = time.Second
		s.smallFIFO(2)
		s.run(func() {
			time.Sleep(1500 * time.Millisecond)
			s.disk.freeze(all)
			time.Sleep(6500 * time.Millisecond)
			s.disk.freeze(nil)
		}).loses()
		g := s.oneGap("analog-io", "fifo", aSecond/100_000)
		f := s.stream("analog-io")
		if f.LostRows != g.rows || f.Rows+g.rows < 899_998 || f.Rows+g.rows > 900_001 {
			t.Errorf("%d rows and %d lost, the stream of gaps says %d", f.Rows, f.LostRows, g.rows)
		}
		if len(f.Missing) != 1 || f.Missing[0].Cause != "fifo" || f.Missing[0].Rows != g.rows || f.Missing[0].Seconds < 0.5 {
			t.Errorf("missing %+v", f.Missing)
		}
		// Small streams are never dropped.
		s.noGaps("heartbeat", 100, 9)
		s.noGaps("memory-monitor", 10, 9)
		s.verifies(1)
		s.says("analog-io: loses rows")
	})
}

func TestADiskSlowerThanTheRigForAWhileLosesNothing(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 3*time.Second, "")
		s.o.Buffer = 2 * time.Second
		begin := time.Now()
		s.disk.rate = func(_ string, bytes int) time.Duration {
			if time.Since(begin) > 2500*time.Millisecond {
				return 0
			}
			return time.Duration(float64(bytes) / 2e6 * float64(time.Second)) // of 4 MB a second
		}
		s.run(nil).well()
		s.noGaps("analog-io", 100_000, 3)
	})
}

// silence drops the frames of a device between two ticks.
func silence(device oni.Address, from, to uint64) func(*oni.Frame, func(*oni.Frame) error) error {
	return func(f *oni.Frame, next func(*oni.Frame) error) error {
		for {
			err := next(f)
			if err != nil || f.Address != device || f.Clock < from || f.Clock >= to {
				return err
			}
		}
	}
}

func TestADeviceThatNeverSendsIsSaidWithinASecond(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 3*time.Second, "")
		s.src.read = silence(analogAt, 0, 1<<62)
		s.run(nil).loses()
		f := s.stream("analog-io")
		if f.State != store.StateIncomplete || f.ExpectedRows != 300_000 || f.LostRows < 299_990 || len(f.Missing) != 1 || f.Missing[0].Cause != "silent" || !strings.Contains(f.Missing[0].Text, "never sent anything") {
			t.Errorf("%+v", f)
		}
		s.saidAt("analog-io: silent", 0, 1.3)
		s.noGaps("heartbeat", 100, 3)
	})
}

// saidAt checks when an alarm was raised, in seconds since the start.
func (s *scene) saidAt(text string, from, to float64) {
	s.t.Helper()
	for _, e := range s.rec.Summary().Events {
		if strings.Contains(e.Text, text) {
			if e.AtS < from || e.AtS > to {
				s.t.Errorf("%q was said at %.2f s, want %.1f to %.1f", e.Text, e.AtS, from, to)
			}
			return
		}
	}
	s.t.Errorf("nothing is said of %q: %+v", text, s.rec.Summary().Events)
}

func TestADeviceThatStopsIsSaidWithinASecondAndMissingAtTheEnd(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 4*time.Second, "")
		s.src.read = silence(heartbeatAt, 2*aSecond, 1<<62)
		s.run(nil).loses()
		f := s.stream("heartbeat")
		if f.Rows != 200 || f.LostRows < 199 || f.LostRows > 200 || f.ExpectedRows != 400 || f.State != store.StateIncomplete || !strings.Contains(f.Missing[0].Text, "silent from 2.0 s on: check cable and headstage") {
			t.Errorf("%+v", f)
		}
		s.saidAt("heartbeat: silent", 2, 3.3)
		if g := s.gaps("heartbeat"); len(g) != 1 || g[0].cause != "link" || g[0].rows != f.LostRows {
			t.Errorf("gaps %+v", g)
		}
		s.noGaps("analog-io", 100_000, 4)
		for _, now := range s.words.snapshots() {
			if now.State != stateRecording && slices.ContainsFunc(now.Streams, func(f StreamSnapshot) bool { return f.Word != "" }) {
				t.Errorf("after the end: %+v", now.Streams)
			}
		}
		s.missesMeanwhile("heartbeat", 100)
	})
}

// missesMeanwhile: while a device is silent the state says how many rows are
// missing by then, and that the link is why.
func (s *scene) missesMeanwhile(stream string, rateHz float64) {
	s.t.Helper()
	silent := 0
	for _, now := range s.words.snapshots() {
		for _, f := range now.Streams {
			if f.Name != stream || !strings.HasPrefix(f.Word, Silent) {
				continue
			}
			if silent++; math.Abs(float64(f.LostRows)-f.AgeS*rateHz) > 0.1*rateHz || f.Cause != "link" {
				s.t.Errorf("at %.1f s: %+v", now.ElapsedS, f)
			}
		}
	}
	if silent == 0 {
		s.t.Errorf("%s was never silent", stream)
	}
}

// TestADeviceThatComesBackWithItsClockReset: no counter shows what is missing.
func TestADeviceThatComesBackWithItsClockReset(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 5*time.Second, "")
		quiet := silence(heartbeatAt, 2*aSecond, 3*aSecond)
		s.src.read = func(f *oni.Frame, next func(*oni.Frame) error) error {
			err := quiet(f, next)
			if err == nil && f.Address == heartbeatAt && f.Clock >= 3*aSecond {
				f.Data = withHubClock(f.Data, f.Clock-3*aSecond)
			}
			return err
		}
		s.run(nil).loses()
		g := s.gaps("heartbeat")
		if len(g) != 1 || g[0].rows != 100 || g[0].cause != "link" {
			t.Errorf("gaps %+v", g)
		}
		s.says("heartbeat: silent", "heartbeat: sends again")
	})
}

func TestADeviceSlowerThanItsRateComesShort(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 3*time.Second, "pace: max\n")
		n := 0
		s.src.read = func(f *oni.Frame, next func(*oni.Frame) error) error {
			for {
				err := next(f)
				if err != nil || f.Address != heartbeatAt {
					return err
				}
				if n++; n%3 != 0 { // every third beat is missing, and its clock runs as if none were
					f.Data = withHubClock(f.Data, uint64(n)*aSecond/100*2/3)
					return nil
				}
			}
		}
		s.run(nil).loses()
		if f := s.stream("heartbeat"); f.ExpectedRows != 300 || len(f.Missing) != 1 || f.Missing[0].Cause != "short" {
			t.Errorf("%+v", f)
		}
	})
}
