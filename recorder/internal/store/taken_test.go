package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// TestWhatIsTakenAwayIsWrittenUnderAnotherName covers a file that is deleted,
// renamed or replaced, and a folder that is deleted, while it is written.
func TestWhatIsTakenAwayIsWrittenUnderAnotherName(t *testing.T) {
	for name, c := range map[string]struct {
		take func(dir, path string) error
		said string
	}{
		"deleted":        {func(_, path string) error { return os.Remove(path) }, "it was deleted; what was written is in heartbeat_0_001.arrow"},
		"renamed":        {func(dir, path string) error { return os.Rename(path, filepath.Join(dir, "other.arrow")) }, "it was renamed or moved; what was written"},
		"replaced":       {func(dir, path string) error { return replaceWith(path, "something else") }, "it was replaced by another file; what was written"},
		"folder deleted": {func(dir, _ string) error { return os.RemoveAll(dir) }, "it was deleted; what was written"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "today")
			d := &disk{left: 1e9}
			_, w := heartbeat(t, d.options(dir))
			mustWriteEach(t, w, 3, 100)
			path := filepath.Join(dir, "heartbeat_0.arrow")
			if err := c.take(dir, path); err != nil {
				t.Fatal(err)
			}
			if err := w.Tend(time.Now()); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(d.said(), c.said) {
				t.Errorf("said %s", d.said())
			}
			mustWrite(t, w, 300, 100)
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			counts(t, 0, 400, filepath.Join(dir, "heartbeat_0_001.arrow"))
			if parts := w.Parts(); len(parts) != 1 || parts[0].File != "heartbeat_0_001.arrow" {
				t.Errorf("parts %+v", parts)
			}
			if name == "replaced" {
				if text, _ := os.ReadFile(path); string(text) != "something else" {
					t.Error("the file of the other program was changed")
				}
			}
		})
	}
}

func replaceWith(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// TestADeletedFileIsNoticedAtTheEndToo: between the last look and the end.
func TestADeletedFileIsNoticedAtTheEndToo(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9}
	_, w := heartbeat(t, d.options(dir))
	mustWrite(t, w, 0, 100)
	if err := os.Remove(filepath.Join(dir, "heartbeat_0.arrow")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	counts(t, 0, 100, filepath.Join(dir, "heartbeat_0_001.arrow"))
}

func TestAMovedFolderTakesTheRecordingAlong(t *testing.T) {
	parent := t.TempDir()
	dir, other := filepath.Join(parent, "today"), filepath.Join(parent, "yesterday")
	d := &disk{left: 1e9}
	run, w := heartbeat(t, d.options(dir))
	for i := range 3 {
		mustWrite(t, w, 100*i, 100)
		if i == 1 {
			if err := os.Rename(dir, other); err != nil {
				t.Fatal(err)
			}
			if err := w.Tend(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !strings.Contains(d.said(), "today was moved; its files go on where it is now") {
		t.Errorf("said %s", d.said())
	}
	late, err := run.OpenStream(clockStream("late"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), late.Close(), run.Close(), run.Save(&Summary{State: StateComplete})); err != nil {
		t.Error(err)
	}
	counts(t, 0, 300, filepath.Join(other, "heartbeat_0.arrow"))
	if s, err := ReadSummary(filepath.Join(other, "recording_0.json")); err != nil || s.State != StateComplete {
		t.Errorf("marker %+v, %v", s, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder came back")
	}
}

// TestAFileThatAnotherProgramCutIsGivenUp: writing on would leave a hole.
func TestAFileThatAnotherProgramCutIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9}
	_, w := heartbeat(t, d.options(dir))
	var size int64
	for i := range 5 {
		mustWrite(t, w, 100*i, 100)
		if i == 2 {
			size = w.Progress().Bytes
		}
	}
	if err := os.Truncate(filepath.Join(dir, "heartbeat_0.arrow"), size+7); err != nil {
		t.Fatal(err)
	}
	_ = w.Tend(time.Now())
	mustWrite(t, w, 500, 100)
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "200 rows from 300 on are lost") {
		t.Errorf("got %v", err)
	}
	if parts := w.Parts(); len(parts) != 2 || parts[0].LostRows != 200 || parts[0].State != StateFailed {
		t.Errorf("parts %+v", parts)
	}
	counts(t, 500, 600, filepath.Join(dir, "heartbeat_0_001.arrow"))
}
