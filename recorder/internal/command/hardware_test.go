package command

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/standin"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// What drives hardware is tried on a stand-in of liboni.

func TestAMillionFramesOfTheTestDriver(t *testing.T) {
	library, dir := standin.Library(t), t.TempDir()
	code, out, errs := try("record", "--driver", "test", "--liboni", library, "--pace", "max", "--duration", "5ms", "--out", dir, "--json")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var s store.Summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	rows := int64(0)
	for _, f := range s.Streams {
		if f.Name == recording.GapStreamName || f.DroppedRows > 0 || f.State != store.StateComplete {
			t.Errorf("stream %+v", f)
		}
		rows += f.Rows
	}
	if rows != 1_000_000 || len(s.Streams) != 16 || s.LastClock != 999_999 || s.Driver != "test" || s.Simulated {
		t.Errorf("%d rows in %d streams, last clock %d, driver %s, simulated %v", rows, len(s.Streams), s.LastClock, s.Driver, s.Simulated)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.arrow"))
	if err != nil || len(files) != 16 {
		t.Fatalf("files %v, %v", files, err)
	}
	if code, _, errs := try(append([]string{"verify", "--quiet"}, files...)...); code != exitDone {
		t.Errorf("verify: exit code %d: %s", code, errs)
	}
}

func TestADriverThatCannotBeOpened(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "liboni.so")
	code, _, errs := try("record", "--driver", "test", "--liboni", missing, "--out", filepath.Join(t.TempDir(), "out"))
	if code != exitFailed || !strings.Contains(errs, missing) || !strings.Contains(errs, "no such file") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	code, _, errs = try("record", "--driver", "xillybus", "--rig", write(t, "rig.yaml", []byte("seed: 1\n")), "--out", "x")
	if code != exitUsage || !strings.Contains(errs, "possible: sim, riffa, test") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
