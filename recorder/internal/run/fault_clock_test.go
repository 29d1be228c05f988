package run

import (
	"errors"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// garble changes the Clock of frames of a device, by their number.
func garble(device oni.Address, change func(n int, f *oni.Frame)) func(*oni.Frame, func(*oni.Frame) error) error {
	n := 0
	return func(f *oni.Frame, next func(*oni.Frame) error) error {
		err := next(f)
		if err == nil && f.Address == device {
			change(n, f)
			n++
		}
		return err
	}
}

// TestAFrameWhoseClockCannotBeIsAFinding: recording, flushing and duration go
// on, in real time and as fast as possible.
func TestAFrameWhoseClockCannotBeIsAFinding(t *testing.T) {
	const odd, rows = 110_000, 200_000 // of analog-io, in two seconds
	for name, c := range map[string]struct {
		read func() func(*oni.Frame, func(*oni.Frame) error) error
		kind string
		row  uint64
		n    int // findings
	}{
		"one garbled far ahead": {func() func(*oni.Frame, func(*oni.Frame) error) error {
			return garble(analogAt, func(n int, f *oni.Frame) {
				if n == odd {
					f.Clock = 1 << 62
				}
			})
		}, "garbled", odd, 1},
		"one garbled to zero": {func() func(*oni.Frame, func(*oni.Frame) error) error {
			return garble(analogAt, func(n int, f *oni.Frame) {
				if n == odd {
					f.Clock = 0
				}
			})
		}, "garbled", odd, 1},
		"out of order": {func() func(*oni.Frame, func(*oni.Frame) error) error {
			return garble(analogAt, func(n int, f *oni.Frame) {
				if n == odd {
					f.Clock -= 10_000
				}
			})
		}, "out of order", odd, 1},
		"twice": {func() func(*oni.Frame, func(*oni.Frame) error) error {
			last := uint64(0)
			return garble(analogAt, func(n int, f *oni.Frame) {
				if n == odd {
					f.Clock = last
				}
				last = f.Clock
			})
		}, "twice", odd, 1},
		"a jump there and back": {func() func(*oni.Frame, func(*oni.Frame) error) error {
			return garble(analogAt, func(n int, f *oni.Frame) {
				if n >= odd && n < odd+50 {
					f.Clock += 100 * aSecond
				}
			})
		}, "jump", odd, 2},
		"the first frame of all": {func() func(*oni.Frame, func(*oni.Frame) error) error {
			return garble(heartbeatAt, func(n int, f *oni.Frame) {
				if n == 0 {
					f.Clock = 1 << 61
				}
			})
		}, "garbled", 0, 1},
	} {
		for _, pace := range []string{"real-time", "max"} {
			if testing.Short() && pace == "max" {
				continue
			}
			t.Run(name+" at "+pace, func(t *testing.T) {
				inScriptedTime(t, func(t *testing.T) {
					s := newScene(t, 2*time.Second, "pace: "+pace+"\n")
					s.src.read = c.read()
					s.run(nil)
					loss := (*LossError)(nil)
					if s.err != nil || !errors.As(s.verdict, &loss) || s.rec.Summary().State != store.StateComplete || s.rec.Summary().EndReason != "duration" {
						t.Errorf("run: %v, verdict %v, state %s, ended by %s", s.err, s.verdict, s.rec.Summary().State, s.rec.Summary().EndReason)
					}
					found := s.rec.Summary().Findings
					if len(found) != c.n || found[0].Kind != c.kind || found[0].Row != c.row {
						t.Fatalf("findings %+v", found)
					}
					if got := s.rows("analog-io"); got < rows-1 || got > rows+1 {
						t.Errorf("analog-io: %d rows", got)
					}
					if f := s.stream("heartbeat"); f.Rows != 200 || f.Batches < 9 {
						t.Errorf("heartbeat: %+v", f)
					}
					if clock := s.column(found[0].Device, "Clock")[c.row]; clock != found[0].Clock {
						t.Errorf("the row has Clock %d, the finding %d", clock, found[0].Clock)
					}
				})
			})
		}
	}
}

// TestAClockThatJumpsForAllDevices: the host's clock says when the duration is
// over.
func TestAClockThatJumpsForAllDevices(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 2500*time.Millisecond, "")
		s.src.read = func(f *oni.Frame, next func(*oni.Frame) error) error {
			err := next(f)
			if f.Clock >= aSecond {
				f.Clock += 10 * aSecond
			}
			return err
		}
		s.run(nil)
		if len(s.rec.Summary().Findings) == 0 || s.rec.Summary().Findings[0].Kind != "jump" {
			t.Errorf("findings %+v", s.rec.Summary().Findings)
		}
		if rows := s.rows("analog-io"); rows < 248_500 || rows > 251_500 {
			t.Errorf("%d rows, want those of 2.5 s", rows)
		}
	})
}

func TestFramesThatComeShortAreCountedOnce(t *testing.T) {
	const odd = 110_000
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 2*time.Second, "pace: max\n")
		s.src.read = garble(analogAt, func(n int, f *oni.Frame) {
			if n >= odd && n < odd+50 {
				f.Data = f.Data[:len(f.Data)/2]
			}
		})
		s.run(nil).loses()
		for _, d := range s.rec.Summary().Devices {
			if d.Name == "analog-io" && (d.Bad != 50 || d.Lost != 0) {
				t.Errorf("%d bad, %d lost", d.Bad, d.Lost)
			}
		}
		if f := s.stream("analog-io"); f.LostRows != 50 || f.Rows+50 < 199_999 || s.rec.Summary().Found != 50 || s.rec.Summary().Findings[0].Kind != "short" {
			t.Errorf("%+v, findings %+v", f, s.rec.Summary().Findings)
		}
		g := s.oneGap("analog-io", "link", aSecond/100_000)
		if g.rows != 50 {
			t.Errorf("gap %+v", g)
		}
	})
}
