package command

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// A fullDisk is a file that takes only so many bytes, and those of a footer.
type fullDisk struct {
	store.File
	left int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if bytes.HasSuffix(p, []byte("ARROW1")) { // the reserve is for this
		return d.File.Write(p)
	}
	n := min(len(p), d.left)
	d.left -= n
	n, err := d.File.Write(p[:n])
	if err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
}

// recordOn records two seconds of a breakout board where the files with the
// given names hold only 3000 bytes.
func recordOn(t *testing.T, full ...string) (code int, summary store.Summary, words, dir string) {
	t.Helper()
	dir = t.TempDir()
	rig := write(t, "rig.yaml", []byte("driver: sim\npace: max\n"))
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, wrap: func(name string, f store.File) store.File {
		left := 1 << 40
		for _, full := range full {
			if strings.Contains(name, full) {
				left = 3000
			}
		}
		return &fullDisk{f, left}
	}}
	code = a.run("record", "--rig", rig, "--out", dir, "--duration", "2s", "--json")
	if err := json.Unmarshal(out.Bytes(), &summary); err != nil {
		t.Fatalf("%v in %s%s", err, out.Bytes(), errs.Bytes())
	}
	return code, summary, errs.String(), dir
}

func TestAFullDiskStopsItsStreamAndNoOther(t *testing.T) {
	code, summary, words, dir := recordOn(t, "heartbeat")
	if code != exitLoss || !strings.Contains(words, "heartbeat_0.arrow: the disk is full") {
		t.Errorf("exit code %d: %s", code, words)
	}
	gaps := false
	for _, s := range summary.Streams {
		gaps = gaps || s.Name == "gaps" && s.Rows > 0
		want := store.StateComplete
		if s.Name == "heartbeat" {
			want = store.StateFailed
			if s.Rows+int64(s.DroppedRows) != 200 || s.DroppedRows == 0 || s.Error == "" {
				t.Errorf("heartbeat: %+v", s)
			}
		}
		if s.State != want {
			t.Errorf("%s: state %s, want %s", s.Name, s.State, want)
		}
	}
	csv := filepath.Join(dir, "gaps.csv")
	if code, _, errs := try("export", filepath.Join(dir, "gaps_0.arrow"), "-o", csv); !gaps || code != exitDone {
		t.Errorf("gaps in the summary %v, exported with exit code %d: %s", gaps, code, errs)
	}
	if text, err := os.ReadFile(csv); err != nil || !strings.Contains(string(text), "heartbeat,") || !strings.Contains(string(text), ",disk") {
		t.Errorf("gaps: %s, %v", text, err)
	}
	if code, text, _ := try("info", "--json", filepath.Join(dir, "heartbeat_0.arrow")); code != exitDone || !strings.Contains(text, `"state": "complete"`) {
		t.Errorf("info: exit code %d, %s", code, text)
	}
	if code, text, _ := try("info", "--json", filepath.Join(dir, "analog-io_0.arrow")); code != exitDone || !strings.Contains(text, `"rows": 200000,`) {
		t.Errorf("info: exit code %d, %s", code, text)
	}
}

// TestADiskThatIsFullForAllIsWaitedFor: somebody may free space.
func TestADiskThatIsFullForAllIsWaitedFor(t *testing.T) {
	code, summary, words, _ := recordOn(t, ".arrow")
	if code != exitLoss || !strings.Contains(words, "the disk is full") || summary.EndReason != "duration" || summary.State != store.StateIncomplete {
		t.Errorf("exit code %d: %s", code, words)
	}
	for _, s := range summary.Streams {
		if s.Name != recording.GapStreamName && s.State != store.StateFailed { // what was lost still fits
			t.Errorf("%s: state %s", s.Name, s.State)
		}
	}
}

// stuck makes files whose first batch never gets to the disk.
func stuck(release <-chan struct{}) func(string, store.File) store.File {
	return func(_ string, f store.File) store.File { return &stuckFile{File: f, release: release} }
}

type stuckFile struct {
	store.File
	writes  int
	release <-chan struct{}
}

func (f *stuckFile) Write(p []byte) (int, error) {
	if f.writes++; f.writes > 1 { // the first is the schema
		<-f.release
	}
	return f.File.Write(p)
}

// TestOnlyAThirdLaterCtrlCAborts: the disk hangs, so that the files cannot be
// completed meanwhile.
func TestOnlyAThirdLaterCtrlCAborts(t *testing.T) {
	t.Parallel()
	// Not t.TempDir: what was aborted may still write when the test has ended.
	dir, err := os.MkdirTemp("", "oniscope-abort-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	interrupts := make(chan os.Signal)
	var words lockedBuffer
	a := &app{stdout: io.Discard, stderr: &words, interrupts: interrupts, wrap: stuck(release)}
	ended := make(chan int, 1)
	go func() { ended <- a.run("record", "--rig", write(t, "rig.yaml", []byte("driver: sim\n")), "--out", dir) }()
	for _, pause := range []time.Duration{1500 * time.Millisecond, 20 * time.Millisecond, 2100 * time.Millisecond, 20 * time.Millisecond} {
		time.Sleep(pause)
		select {
		case interrupts <- os.Interrupt:
		case code := <-ended:
			t.Fatalf("ended with %d: %s", code, words.String())
		}
	}
	time.Sleep(2100 * time.Millisecond)
	if len(ended) > 0 {
		t.Fatalf("ended with %d: %s", <-ended, words.String())
	}
	interrupts <- os.Interrupt
	if code := <-ended; code != exitFailed || !strings.Contains(words.String(), "oniscope: aborted") {
		t.Errorf("exit code %d: %s", code, words.String())
	}
}

// A lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestOptionalDevicesAreRecordedIfTheRigNamesThem covers every kind that is
// off otherwise, with what the simulator plays.
func TestOptionalDevicesAreRecordedIfTheRigNamesThem(t *testing.T) {
	const probe = "driver: sim\npace: max\nports: {a: {headstage: neuropixels-1.0e}}\n"
	var names []string
	named := probe + "devices:\n"
	for _, k := range device.Kinds() {
		if !k.Optional {
			continue
		}
		key := k.Key
		if k.Place != device.OnHost {
			key = "port-a/" + key
		}
		names = append(names, strings.ReplaceAll(key, "/", "-"))
		named += "  " + key + ": {}\n"
	}
	for _, rig := range []string{probe, named} {
		var out, errs bytes.Buffer
		a := &app{stdout: &out, stderr: &errs}
		if code := a.run("record", "--rig", write(t, "rig.yaml", []byte(rig)), "--out", t.TempDir(), "--duration", "2s", "--json"); code != exitDone {
			t.Fatalf("exit code %d: %s", code, errs.Bytes())
		}
		var summary store.Summary
		if err := json.Unmarshal(out.Bytes(), &summary); err != nil {
			t.Fatal(err)
		}
		rows := map[string]int64{}
		for _, s := range summary.Streams {
			rows[s.Name] = s.Rows
		}
		for _, name := range names {
			if _, ok := rows[name]; ok != (rig == named) || ok && rows[name] == 0 {
				t.Errorf("%s: recorded %v with %d rows by\n%s", name, ok, rows[name], rig)
			}
		}
	}
}
