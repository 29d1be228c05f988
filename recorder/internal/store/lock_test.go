package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

func TestARunThatIsWrittenIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	yes := func(string) bool { return true }
	first := start(t, []string{"heartbeat", "analog-io"}, Options{Dir: dir})
	w, err := first.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteBatch(10, clocks(0, 10), nil); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, "heartbeat.arrow")) // readers read
	if err != nil || len(before) == 0 {
		t.Fatalf("%d bytes, %v", len(before), err)
	}
	second := func() error {
		run, err := Begin([]string{"heartbeat"}, Options{Dir: dir, Overwrite: yes})
		if err == nil {
			err = errors.Join(run.Commit(&Summary{State: StateOpen}), run.Close(), run.Save(&Summary{State: StateComplete}))
		}
		return err
	}
	for range 3 { // also after the marker was saved anew
		if err := second(); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "recording.json") {
			t.Errorf("got %v", err)
		}
		if err := first.Save(&Summary{State: StateOpen}); err != nil {
			t.Fatal(err)
		}
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "heartbeat.arrow")); !slices.Equal(before, after) {
		t.Error("a run that did not begin changed a file")
	}
	// Without its marker the files themselves are locked.
	if err := os.Remove(first.MarkerPath()); err != nil {
		t.Fatal(err)
	}
	if err := second(); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "heartbeat.arrow") {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(w.Close(), first.Close(), first.Save(&Summary{State: StateComplete})); err != nil {
		t.Fatal(err)
	}
	if err := second(); err != nil {
		t.Errorf("the run is over: %v", err)
	}
}

func TestAFileIsOpenAsLongAsItIsLocked(t *testing.T) {
	dir := t.TempDir()
	run := start(t, []string{"heartbeat", "idle"}, Options{Dir: dir, Suffix: FileCount})
	open := func(name string, want bool) {
		t.Helper()
		if got := IsOpen(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: open %v, want %v", name, got, want)
		}
	}
	open("heartbeat_0.arrow", true) // before its first byte
	open("other_0.arrow", false)
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	open("heartbeat_0.arrow", true)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	open("heartbeat_0.arrow", false)
	open("idle_0.arrow", true)
	open("recording_0.json", true)

	late, err := run.OpenStream(clockStream("late"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	open("late_0.arrow", true)
	late.failed(errors.New("medium error"), 0)
	open("late_0.arrow", false) // it takes no more rows: recover may have it

	if err := errors.Join(run.Close(), run.Save(&Summary{State: StateComplete})); err != nil {
		t.Fatal(err)
	}
	open("idle_0.arrow", false)
	open("recording_0.json", false)
	if got := list(t, dir); slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, ".tmp") }) {
		t.Errorf("left %v", got)
	}
}

// TestAMarkerThatSaysOpenIsNotBelieved: what a killed recorder left behind.
func TestAMarkerThatSaysOpenIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"recording_0.json": `{"state":"open"}`, "heartbeat_0.arrow": "ARROW1"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if IsOpen(filepath.Join(dir, name)) {
			t.Errorf("%s is open", name)
		}
	}
}

// TestAskingKeepsNobodyFromRecording: the question holds a shared lock for an
// instant.
func TestAskingKeepsNobodyFromRecording(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.arrow")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					IsOpen(path)
				}
			}
		})
	}
	for range 200 {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := Lock(f); err != nil {
			t.Errorf("locked out by a question: %v", err)
		}
		f.Close()
	}
	close(stop)
	asking.Wait()
}
