package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

var noon = time.Date(2026, 11, 21, 4, 17, 44, 5e8, time.Local)

func clockStream(name string) *stream.Stream {
	return &stream.Stream{Name: name, AcqClockHz: 1000, Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}}}
}

// clocks is a batch of n rows that counts from a number.
func clocks(from, n int) []recording.Vector {
	var data []byte
	for i := range n {
		data = binary.LittleEndian.AppendUint64(data, uint64(from+i))
	}
	return []recording.Vector{{Data: data}}
}

func start(t *testing.T, names []string, o Options) *Run {
	t.Helper()
	run, err := Begin(names, o)
	if err == nil {
		err = run.Commit(&Summary{State: StateOpen})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Close() })
	return run
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestNamesFollowTheSuffix(t *testing.T) {
	for _, c := range []struct {
		name   string
		suffix Suffix
		there  []string // files before
		want   string
	}{
		{"None leaves the name as it is", None, nil, ""},
		{"FileCount begins at 0", FileCount, nil, "0"},
		{"FileCount counts the files of the name", FileCount, []string{"heartbeat_0.arrow", "heartbeat_1.arrow"}, "2"},
		{"FileCount counts what matches, as Bonsai does", FileCount, []string{"heartbeat_x.arrow"}, "1"},
		{"FileCount passes over a name that is taken", FileCount, []string{"heartbeat_1.arrow"}, "2"},
		{"FileCount is one for all streams", FileCount, []string{"analog-io_0.arrow", "analog-io_1.arrow", "analog-io_2.arrow"}, "3"},
		{"FileCount minds the companions too", FileCount, []string{"start-time_0.csv"}, "1"},
		{"FileCount minds nobody else's files", FileCount, []string{"other_0.arrow", "heartbeat.arrow"}, "0"},
		{"Timestamp is the local time", Timestamp, nil, "2026-11-21T04_17_44"},
		{"Timestamp never collides", Timestamp, []string{"heartbeat_2026-11-21T04_17_44.arrow"}, "2026-11-21T04_17_44_1"},
	} {
		dir := t.TempDir()
		for _, name := range c.there {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		run := start(t, []string{"heartbeat", "analog-io"}, Options{Dir: dir, Suffix: c.suffix, Now: noon})
		if run.Suffix() != c.want {
			t.Errorf("%s: suffix %q, want %q", c.name, run.Suffix(), c.want)
		}
		for _, name := range []string{"heartbeat", "analog-io"} {
			if file := StreamFile(name, c.want); !slices.Contains(list(t, dir), file) {
				t.Errorf("%s: %s was not made: %v", c.name, file, list(t, dir))
			}
		}
		for _, name := range c.there {
			if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != "old" {
				t.Errorf("%s: %s was touched", c.name, name)
			}
		}
	}
}

func TestStreamNamesBecomeFileNames(t *testing.T) {
	for name, want := range map[string]string{
		"port-a-neuropixels-1.0e": "port-a-neuropixels-1.0e_0.arrow", // dots stay
		"a/b\\c:d":                "a-b-c-d_0.arrow",
	} {
		if got := StreamFile(name, "0"); got != want {
			t.Errorf("StreamFile(%q) = %q, want %q", name, got, want)
		}
	}
	if _, err := Begin([]string{"a/b", "A-B"}, Options{Dir: t.TempDir()}); err == nil {
		t.Error("two streams share a file")
	}
}

func TestAnExistingFileIsAnErrorAndNothingIsLeft(t *testing.T) {
	for _, name := range []string{"analog-io.arrow", "recording.json", "start-time.csv"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Begin([]string{"heartbeat", "analog-io"}, Options{Dir: dir})
		exists := (*ExistsError)(nil)
		if !errors.As(err, &exists) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
		if got := list(t, dir); !reflect.DeepEqual(got, []string{name}) {
			t.Errorf("%s: left %v", name, got)
		}
	}
}

func TestOverwriteReplacesWhatItMay(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"heartbeat.arrow", "analog-io.arrow", "recording.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"heartbeat", "analog-io"}
	_, err := Begin(names, Options{Dir: dir, Overwrite: func(s string) bool { return s != "analog-io" }})
	if exists := (*ExistsError)(nil); !errors.As(err, &exists) {
		t.Fatalf("got %v", err)
	}
	if data, _ := os.ReadFile(filepath.Join(dir, "heartbeat.arrow")); string(data) != "old" {
		t.Error("a run that did not begin destroyed a file")
	}
	run := start(t, names, Options{Dir: dir, Overwrite: func(string) bool { return true }})
	if info, err := os.Stat(filepath.Join(dir, "analog-io.arrow")); err != nil || info.Size() != 0 {
		t.Errorf("analog-io.arrow: %v, %v", info, err)
	}
	if err := run.WriteStartTime(stream.StartTime{Time: noon, AcqClockHz: 1}); err != nil {
		t.Error(err)
	}
}

func TestARunWritesFilesThatReadersRead(t *testing.T) {
	dir := t.TempDir()
	run := start(t, []string{"heartbeat", "idle"}, Options{Dir: dir, Suffix: FileCount})
	var writers []*Writer
	for _, name := range []string{"heartbeat", "idle", "late"} {
		w, err := run.OpenStream(clockStream(name), recording.None)
		if err != nil {
			t.Fatal(err)
		}
		writers = append(writers, w)
	}
	for i := range 3 {
		if _, err := writers[0].WriteBatch(100, clocks(100*i, 100), nil); err != nil {
			t.Fatal(err)
		}
	}
	if p := writers[0].Progress(); p.Rows != 300 || p.Batches != 3 || p.Bytes < 2400 {
		t.Errorf("progress %+v", p)
	}
	for _, w := range writers {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]int64{"heartbeat_0.arrow": 300, "idle_0.arrow": 0, "late_0.arrow": 0} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if info, err := r.Info(t.Context()); err != nil || info.Rows != want || info.State != recording.Complete {
			t.Errorf("%s: %+v, %v, want %d rows", name, info, err, want)
		}
	}
}

func TestTheStartTimeBesideAFileIsFound(t *testing.T) {
	dir := t.TempDir()
	csv := filepath.Join(dir, "start-time_7.csv")
	if err := os.WriteFile(csv, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, words := FindStartTime(filepath.Join(dir, "x_7.arrow")); got != csv || words != "" {
		t.Errorf("got %q, %q", got, words)
	}
	if got, words := FindStartTime(filepath.Join(dir, "x_8.arrow")); got != csv || words == "" {
		t.Errorf("the only one, of another suffix: got %q, %q", got, words)
	}
	if got, words := FindStartTime(filepath.Join(dir, "no", "x_7.arrow")); got != "" || words != "" {
		t.Errorf("a folder that is not there: got %q, %q", got, words)
	}
}
