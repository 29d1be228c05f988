package run

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// TestADeletedFileIsSaidAtOnceAndNothingIsLost: the file of the largest stream,
// while it is written.
func TestADeletedFileIsSaidAtOnceAndNothingIsLost(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 4*time.Second, "")
		s.run(func() {
			time.Sleep(2500 * time.Millisecond)
			if err := os.Remove(filepath.Join(s.dir, "analog-io_0.arrow")); err != nil {
				t.Error(err)
			}
		}).well()
		s.saidAt("analog-io_0.arrow: it was deleted; what was written is in analog-io_0_001.arrow", 2.5, 3.6)
		s.noGaps("analog-io", 100_000, 4)
		if f := s.stream("analog-io"); f.File != "analog-io_0_001.arrow" || f.Rows < 399_999 {
			t.Errorf("%+v", f)
		}
	})
}

// TestAFileThatAnotherProgramCuts: what it took away is lost, and nothing else.
func TestAFileThatAnotherProgramCuts(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 4*time.Second, "")
		s.run(func() {
			time.Sleep(2500 * time.Millisecond)
			if err := os.Truncate(filepath.Join(s.dir, "analog-io_0.arrow"), 5_000_000); err != nil { // in its second batch
				t.Error(err)
			}
		}).loses()
		s.saidAt("another program cut it to 5000000 of ", 2.5, 3.6)
		f := s.stream("analog-io")
		if f.Rows != 300_000 || f.LostRows != 100_000 || f.ExpectedRows != 400_000 || len(f.Missing) != 1 || f.Missing[0].Rows != 100_000 || len(f.Parts) != 2 || f.Parts[1].FirstRow != 200_000 {
			t.Errorf("%+v", f)
		}
		if left, _, _ := leftOf(t, filepath.Join(s.dir, "analog-io_0.arrow")); left.rows != 100_000 {
			t.Errorf("%d rows are left in the file that was cut", left.rows)
		}
	})
}

// TestAFileThatAnotherProgramCutsBetweenTwoBatches: the next one would leave a hole
// in it, long before the second is over after which it is looked at.
func TestAFileThatAnotherProgramCutsBetweenTwoBatches(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 5*time.Second, "pace: max\n").start()
		s.o.Wrap = func(name string, f store.File) store.File {
			if name == "analog-io_0.arrow" {
				return &cutFile{File: f, path: filepath.Join(s.dir, name)}
			}
			return f
		}
		s.rec, _ = New(s.o)
		s.runStarted(nil).loses()
		s.says("another program cut it to 5000000 of ")
		f := s.stream("analog-io")
		if f.Rows != 400_000 || f.LostRows != 100_000 || len(f.Parts) != 2 {
			t.Errorf("%+v", f)
		}
		if found := verify(t, filepath.Join(s.dir, "analog-io_0_001.arrow")); len(found) > 0 {
			t.Errorf("verify: %+v", found)
		}
	})
}

// A cutFile is cut after its second batch.
type cutFile struct {
	store.File
	path   string
	writes int
}

func (f *cutFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if f.writes++; f.writes == 3 { // after the schema
		err = os.Truncate(f.path, 5_000_000)
	}
	return n, err
}

// TestAMovedFolderIsNamedWhereItIs.
func TestAMovedFolderIsNamedWhereItIs(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 3*time.Second, "")
		above := s.dir
		s.dir = filepath.Join(above, "today")
		s.o.Dir = s.dir
		s.run(func() {
			time.Sleep(1500 * time.Millisecond)
			s.dir = filepath.Join(above, "moved")
			if err := os.Rename(s.o.Dir, s.dir); err != nil {
				t.Error(err)
			}
		}).well()
		s.noGaps("analog-io", 100_000, 3)
		if got, want := s.rec.Pattern(), filepath.Join(s.dir, "*_0.arrow"); got != want {
			t.Errorf("the files are said to be %s, want %s", got, want)
		}
	})
}

func TestADeletedFolderIsMadeAgain(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 4*time.Second, "")
		s.dir = filepath.Join(s.dir, "today")
		s.o.Dir = s.dir
		s.run(func() {
			time.Sleep(1500 * time.Millisecond)
			if err := os.RemoveAll(s.dir); err != nil {
				t.Error(err)
			}
		})
		if s.err != nil || s.verdict != nil || strings.Contains(s.words.String(), "cannot be copied") {
			t.Errorf("run %v, verdict %v\n%s", s.err, s.verdict, s.words.String())
		}
		s.noGaps("analog-io", 100_000, 4)
		s.noGaps("heartbeat", 100, 4)
		s.verifies(0)
		if m, err := store.ReadSummary(filepath.Join(s.dir, "recording_0.json")); err != nil || m.State != store.StateComplete {
			t.Errorf("marker %+v, %v", m, err)
		}
		if _, err := os.Stat(filepath.Join(s.dir, "start-time_0.csv")); err != nil {
			t.Errorf("a small file is not written again: %v", err)
		}
	})
}

// TestAStreamWhoseDiskIsFullGoesOnWhenThereIsRoom: the others go on meanwhile.
func TestAStreamWhoseDiskIsFullGoesOnWhenThereIsRoom(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 7*time.Second, "")
		s.o.Buffer = time.Second
		full := &fullFor{name: "analog-io", from: 1500 * time.Millisecond, to: 5 * time.Second, begin: time.Now()}
		s.start()
		s.o.Wrap = func(name string, f store.File) store.File { return &fullFile{f, name, full} }
		s.rec, _ = New(s.o)
		s.runStarted(nil).loses()
		g := s.oneGap("analog-io", "disk", aSecond/100_000)
		f := s.stream("analog-io")
		if f.LostRows != g.rows || f.Rows+g.rows < 699_998 || f.Rows+g.rows > 700_001 || len(f.Parts) != 2 {
			t.Errorf("%+v, gap %+v", f, g)
		}
		s.noGaps("heartbeat", 100, 7)
		s.saidAt("analog-io_0.arrow: the disk is full", 1.4, 4)
		s.says("analog-io_0_001.arrow: the stream goes on here")
		s.verifies(1) // the gap
	})
}

// fullFor is a disk that is full for some files between two moments.
type fullFor struct {
	name     string
	from, to time.Duration
	begin    time.Time
}

type fullFile struct {
	store.File
	name string
	when *fullFor
}

func (f *fullFile) Write(p []byte) (int, error) {
	now := time.Since(f.when.begin)
	footer := len(p) > 6 && string(p[len(p)-6:]) == "ARROW1"
	if strings.HasPrefix(f.name, f.when.name) && now > f.when.from && now < f.when.to && !footer {
		n, _ := f.File.Write(p[:len(p)/3])
		return n, syscall.ENOSPC
	}
	return f.File.Write(p)
}

// TestAFileThatCannotBeSyncedIsSaid, and the stream goes on in another.
func TestAFileThatCannotBeSyncedIsSaid(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 4*time.Second, "")
		s.o.Sync = store.SyncBatch
		s.start()
		n := 0
		s.o.Wrap = func(name string, f store.File) store.File {
			if name == "heartbeat_0.arrow" {
				return &badSync{f, &n}
			}
			return f
		}
		s.rec, _ = New(s.o)
		s.runStarted(nil).loses()
		s.says("heartbeat_0.arrow: forcing it to the disk failed (input/output error): its rows from ", "oniscope verify says which")
		f := s.stream("heartbeat")
		if f.Rows != 400 || f.State != store.StateFailed || len(f.Parts) != 2 || f.Parts[0].GoodRows >= f.Parts[0].Rows || f.Parts[1].State != store.StateComplete {
			t.Errorf("%+v", f)
		}
		s.noGaps("analog-io", 100_000, 4)
	})
}

type badSync struct {
	store.File
	n *int
}

func (f *badSync) Sync() error {
	if *f.n++; *f.n > 2 {
		return syscall.EIO
	}
	return f.File.Sync()
}

func TestADiskWithoutRoomForTenSecondsIsRefused(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, time.Second, "pace: max\n")
		s.o.Free = func() (int64, error) { return 30e6, nil }
		s.run(nil)
		if s.err == nil || !strings.Contains(s.err.Error(), "has room for 30.0 MB, and ten seconds of this rig take 40.0 MB") {
			t.Errorf("got %v", s.err)
		}
		if entries, _ := os.ReadDir(s.dir); len(entries) > 0 {
			t.Errorf("left %v", entries)
		}
		if did := s.src.did(); strings.Join(did, " ") != "0 V close" {
			t.Errorf("did %v", did)
		}
	})
}

func TestARolledRunHasEveryRowOnce(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 5*time.Second, "pace: max\n")
		s.o.Roll = 2 * time.Second
		s.run(nil).well()
		s.noGaps("analog-io", 100_000, 5)
		s.noGaps("heartbeat", 100, 5)
		if f := s.stream("heartbeat"); len(f.Parts) != 3 || f.Parts[1].FirstRow != f.Parts[0].Rows || f.Parts[0].File != "heartbeat_0_000.arrow" {
			t.Errorf("%+v", f)
		}
	})
}

// TestTheSummaryHoldsWhatTheRunWas: flags, settings, machine.
func TestTheSummaryHoldsWhatTheRunWas(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 20*time.Millisecond, "pace: max\nports: {a: {headstage: neuropixels-1.0e}}\ndevices: {port-a/neuropixels-1.0e: {gain_ap: 500, reference: tip}}\n")
		s.o.Flush = 500 * time.Millisecond
		s.run(nil).well()
		m, err := store.ReadSummary(filepath.Join(s.dir, "recording_0.json"))
		if err != nil {
			t.Fatal(err)
		}
		if m.Options["flush"] != "500ms" || m.Options["duration"] != "20ms" || m.Options["compression"] != "none" || m.Machine.OS == "" || m.Machine.CPUs == 0 || m.Host == "" {
			t.Errorf("options %v, machine %+v", m.Options, m.Machine)
		}
		for _, d := range m.Devices {
			if settings, _ := d.Settings.(map[string]any); d.Name == "port-a-neuropixels-1.0e" && (settings["gain_ap"] != float64(500) || settings["reference"] != "tip") {
				t.Errorf("settings %v", d.Settings)
			}
		}
	})
}
