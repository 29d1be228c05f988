package store

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

func everything(string) bool { return true }

// put makes files with a text.
func put(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// same checks that files are as put made them.
func same(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != "old" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

// TestOverwriteMeansNothingWithACount: whatever names earlier runs left, none is
// replaced.
func TestOverwriteMeansNothingWithACount(t *testing.T) {
	for _, suffix := range []Suffix{FileCount, Timestamp} {
		dir := t.TempDir()
		stamp := noon.Format(timestampLayout)
		old := []string{
			"heartbeat_1.arrow", "recording_1.json", "start-time_1.csv", // run 0 was moved away
			"heartbeat_" + stamp + ".arrow", "recording_" + stamp + ".json",
		}
		put(t, dir, old...)
		for range 3 {
			run := start(t, []string{"heartbeat"}, Options{Dir: dir, Suffix: suffix, Now: noon, Overwrite: everything})
			w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(w.Close(), run.Close(), run.Save(&Summary{State: StateComplete})); err != nil {
				t.Fatal(err)
			}
		}
		same(t, dir, old...)
		if n := len(list(t, dir)); n != len(old)+6 { // marker and file of three runs
			t.Errorf("%s: %v", suffix, list(t, dir))
		}
	}
}

// TestAStartThatFailsLeavesAllAsItWas: every file is opened before the first is
// emptied, and none is until acquisition has begun.
func TestAStartThatFailsLeavesAllAsItWas(t *testing.T) {
	names := []string{"heartbeat", "analog-io", "memory-monitor"}
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"a folder in the place of the last file": func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "memory-monitor.arrow"), 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"a folder in the place of the start time": func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "start-time.csv"), 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"another program writes one of the files": func(t *testing.T, dir string) {
			f, err := os.Create(filepath.Join(dir, "memory-monitor.arrow"))
			if err == nil {
				err = Lock(f)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
		},
		"nothing; the controller does not start": nil,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, "heartbeat.arrow", "recording.json")
			if spoil != nil {
				spoil(t, dir)
			}
			before := list(t, dir)
			run, err := Begin(names, Options{Dir: dir, Overwrite: everything})
			switch {
			case spoil == nil && err == nil:
				run.Abandon()
			case err == nil:
				t.Error("the run began")
			}
			same(t, dir, "heartbeat.arrow", "recording.json")
			if got := list(t, dir); !reflect.DeepEqual(got, before) {
				t.Errorf("left %v, there was %v", got, before)
			}
			if IsOpen(filepath.Join(dir, "heartbeat.arrow")) || IsOpen(filepath.Join(dir, "recording.json")) {
				t.Error("a file is still locked")
			}
		})
	}
}

// TestStartsAtOneInstantHaveNamesOfTheirOwn: whatever the suffix, and however
// many begin.
func TestStartsAtOneInstantHaveNamesOfTheirOwn(t *testing.T) {
	for _, suffix := range []Suffix{FileCount, Timestamp} {
		dir := t.TempDir()
		const starters, times = 8, 6
		var all sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]bool{}
		for range starters {
			all.Go(func() {
				for range times {
					run, err := Begin([]string{"heartbeat", "analog-io"}, Options{Dir: dir, Suffix: suffix, Now: noon, Overwrite: everything, Free: func() (int64, error) { return 0, nil }})
					if err != nil {
						t.Errorf("%s: %v", suffix, err)
						return
					}
					mu.Lock()
					if seen[run.Suffix()] {
						t.Errorf("%s: two runs are %q", suffix, run.Suffix())
					}
					seen[run.Suffix()] = true
					mu.Unlock()
					if err := run.Commit(&Summary{State: StateOpen}); err != nil {
						t.Error(err)
					}
					if err := errors.Join(run.Close(), run.Save(&Summary{State: StateComplete})); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if len(seen) != starters*times {
			t.Errorf("%s: %d names", suffix, len(seen))
		}
	}
}

// TestOverwritersAtOneInstantDoNotShareFiles: one of them begins.
func TestOverwritersAtOneInstantDoNotShareFiles(t *testing.T) {
	for range 15 {
		dir := t.TempDir()
		put(t, dir, "heartbeat.arrow", "recording.json")
		var all sync.WaitGroup
		begun := make(chan *Run, 6)
		for range 6 {
			all.Go(func() {
				run, err := Begin([]string{"heartbeat"}, Options{Dir: dir, Overwrite: everything, Free: func() (int64, error) { return 0, nil }})
				if err == nil {
					err = run.Commit(&Summary{State: StateOpen})
				}
				if err == nil {
					begun <- run
				} else if !errors.Is(err, ErrInUse) {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		if len(begun) != 1 {
			t.Errorf("%d of six overwriters began", len(begun))
		}
		for range len(begun) {
			(<-begun).Close()
		}
	}
}

func TestWhatExistsIsNamedWithItsRun(t *testing.T) {
	dir := t.TempDir()
	run := start(t, []string{"heartbeat"}, Options{Dir: dir})
	began := time.Date(2026, 11, 21, 4, 17, 44, 0, time.UTC)
	if err := errors.Join(run.Close(), run.Save(&Summary{State: StateComplete, StartUTC: began.Format(time.RFC3339Nano), ElapsedS: 12.34})); err != nil {
		t.Fatal(err)
	}
	_, err := Begin([]string{"heartbeat"}, Options{Dir: dir})
	want := "recording.json exists: a run of " + began.Local().Format("2006-01-02 15:04:05") + ", 12.3 s long, complete"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestTheMarkerIsWholeAlways: on a disk that takes no second one, the first
// stays.
func TestTheMarkerIsWholeAlways(t *testing.T) {
	dir := t.TempDir()
	run := start(t, []string{"heartbeat"}, Options{Dir: dir})
	if err := os.Mkdir(filepath.Join(dir, "recording.json.tmp"), 0o755); err != nil { // no new file can be made
		t.Fatal(err)
	}
	if err := run.Save(&Summary{State: StateComplete, Rig: strings.Repeat("x", 100_000)}); err == nil {
		t.Error("a marker that could not be written is no error")
	}
	if s, err := ReadSummary(run.MarkerPath()); err != nil || s.State != StateOpen {
		t.Errorf("the marker is %+v, %v", s, err)
	}
}
