package run

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

var full = flag.Bool("full", false, "run TestStallsAtFullSize: eight minutes, 3 GB of memory, 7 GB of disk")

// TestStallsAtFullSize is the fault table's stalls with the numbers of a real
// rig, one Neuropixels 1.0e and breakout board: 40 s of buffer and a FIFO of 2 GB,
// which lasts 52 s. The other tests are the same, scaled down.
func TestStallsAtFullSize(t *testing.T) {
	if !*full {
		t.Skip("takes eight minutes; -full runs it")
	}
	const probe = "port-a-neuropixels-1.0e"
	frozen := func(d time.Duration) func(s *scene) {
		return func(s *scene) {
			time.Sleep(3 * time.Second)
			s.disk.freeze(all)
			time.Sleep(d)
			s.disk.freeze(nil)
		}
	}
	for _, c := range []struct {
		name    string
		seconds int
		read    func(*oni.Frame, func(*oni.Frame) error) error
		beside  func(*scene)
		gap     bool
	}{
		{name: "process stopped for 20 s", seconds: 30, read: pauseAt(2*aSecond, 20*time.Second)},
		{name: "process stopped for 45 s", seconds: 60, read: pauseAt(2*aSecond, 45*time.Second)},
		{name: "source silent for 30 s, then all at once", seconds: 40, read: pauseAt(5*aSecond, 30*time.Second)},
		{name: "disk frozen for 20 s", seconds: 30, beside: frozen(20 * time.Second)},
		{name: "disk frozen for 60 s", seconds: 75, beside: frozen(60 * time.Second)},
		{name: "disk slower than the rig for a minute", seconds: 70, beside: func(s *scene) {
			end := time.Now().Add(time.Minute)
			s.disk.setRate(func(_ string, bytes int) time.Duration {
				if time.Now().After(end) {
					return 0
				}
				return time.Duration(float64(bytes) / 30e6 * float64(time.Second)) // of 47 MB a second
			})
		}},
		{name: "disk frozen for 110 s", seconds: 125, beside: frozen(110 * time.Second), gap: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, time.Duration(c.seconds)*time.Second, "ports: {a: {headstage: neuropixels-1.0e}}\n")
			s.src.read, s.patient = c.read, true
			s.o.Flush, s.o.Sync = time.Second, 5*time.Second
			s.run(func() {
				if c.beside != nil {
					c.beside(s)
				}
			})
			rows := s.stream(probe).Rows
			t.Logf("%d rows of the probe, at most %.0f %% in the FIFO, %d lost", rows, s.rec.Summary().HighestFIFO, s.stream(probe).LostRows)
			if !c.gap {
				if s.err != nil || s.verdict != nil {
					t.Errorf("run %v, verdict %v\n%s", s.err, s.verdict, s.words.String())
				}
				s.noGaps("analog-io", 100_000, float64(c.seconds))
				if want := int64(c.seconds) * 30_000; rows < want-24 || rows > want {
					t.Errorf("%d rows, want %d", rows, want)
				}
			} else {
				s.loses()
				if g := s.oneGap(probe, "fifo", aSecond/30_000.0); g.rows+rows < int64(c.seconds)*30_000-24 || g.rows+rows > int64(c.seconds)*30_000 {
					t.Errorf("%d rows and %d lost", rows, g.rows)
				}
				s.oneGap("analog-io", "fifo", aSecond/100_000)
			}
			s.noGaps("heartbeat", 100, float64(c.seconds))
			verifyFile(t, s.files(probe)[0], c.gap)
		})
	}
}

// verifyFile is verify for a file that does not fit into memory.
func verifyFile(t *testing.T, path string, lost bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for found, err := range recovery.Verify(t.Context(), f, info.Size(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if found.Severity == recording.SeverityWarning || found.Severity == recording.SeverityError && !lost {
			t.Errorf("%s: %s", path, found.Reason)
		}
	}
}
