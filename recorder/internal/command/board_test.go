//go:build linux && (amd64 || arm64)

package command

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Recordings from a board that answers in real time: the stand-in's driver
// riffa, in processes of their own, with faults by environment variables.

func TestABreakoutBoardInRealTime(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, "devices:\n  harp-sync: {}\n", map[string]string{"SAVED_VOLTAGE": "50"}, "--duration", "2s")
	if code := r.wait(30 * time.Second); code != exitDone {
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
	rows := map[string]int64{}
	s := r.summary()
	for _, f := range s.Streams {
		rows[f.Name] = f.Rows
	}
	for name, want := range map[string]int64{"analog-io": 200_000, "heartbeat": 200, "memory-monitor": 20, "harp-sync": 2} {
		if got := rows[name]; got < want-1 || got > want {
			t.Errorf("%s: %d rows, want %d", name, got, want)
		}
	}
	if s.Simulated || s.Driver != "riffa" {
		t.Errorf("driver %s, simulated %v", s.Driver, s.Simulated)
	}
	lines := r.journal()
	first := -1
	for i, line := range lines {
		if strings.HasPrefix(line, "w ") || strings.HasPrefix(line, "option") {
			first = i
			break
		}
	}
	if first < 0 || !strings.HasPrefix(lines[first], "w 0x0001 0x3 0 ") {
		t.Errorf("the first thing that is written is %q", lines[max(0, first)])
	}
	if last := lines[len(lines)-1]; last != "destroy" {
		t.Errorf("the last call is %q", last)
	}
}

func TestBesideAHungReadTheVoltagesGoFirst(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, calibration(t)+"ports: {a: {headstage: neuropixels-1.0e}}\n", map[string]string{"A": "np1e", "HANG_AFTER": "200000"})
	r.until("run 1")
	time.Sleep(2 * time.Second)
	before := len(r.journal())
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := r.wait(10 * time.Second); code != exitLoss { // what came before is recorded
		t.Errorf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	for _, line := range r.journal()[before:] {
		if strings.HasPrefix(line, "w ") && !strings.HasPrefix(line, "w 0x0000 ") { // but for the heartbeat, which was to wake the reader
			if line != "w 0x0001 0x3 0 0" {
				t.Errorf("the first thing that is undone is %s", line)
			}
			break
		}
	}
}

func TestAHungDriverCostsNoFile(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, "", map[string]string{"HANG_AFTER": "150000", "SAVED_VOLTAGE": "40"})
	r.until("run 1")
	time.Sleep(2 * time.Second)
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	code := r.wait(10 * time.Second)
	if code != exitLoss {
		t.Errorf("exit code %d: %s", code, r.words.String())
	}
	t.Logf("ended after %v with exit code %d: %s", time.Since(asked).Round(100*time.Millisecond), code, r.words.String())
	r.dark()
	r.complete()
	for _, line := range r.journal() {
		if line == "destroy" {
			t.Error("the context was destroyed under the reader")
		}
	}
	for _, f := range r.summary().Streams {
		if f.Name == "analog-io" && f.Rows < 145_000 { // what came before is written: all but the block that hangs
			t.Errorf("%d rows of analog-io", f.Rows)
		}
	}
}

// A block for 100 000 samples a second takes heartbeats half a minute to fill.
func TestStopIsNoticedThoughAllButTheHeartbeatIsSilent(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, "", map[string]string{"MUTE_AFTER": "700"})
	r.until("run 1")
	time.Sleep(1500 * time.Millisecond)
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	code := r.wait(10 * time.Second)
	if took := time.Since(asked); took > 12*time.Second { // two, where nothing else runs
		t.Errorf("it took %v, exit code %d: %s", took, code, r.words.String())
	}
	r.dark()
	r.complete()
	if lines := r.journal(); lines[len(lines)-1] != "destroy" {
		t.Errorf("the board was left open: %q", lines[len(lines)-1])
	}
}

func TestAMalformedFrameCostsNoFinishedBatch(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, "", map[string]string{"MALFORMED_AFTER": "350000"})
	if code := r.wait(30 * time.Second); code != 2 || !strings.Contains(r.words.String(), "Zero-sized frame") { // as Go ends after SIGABRT
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	analog := filepath.Join(r.dir, "analog-io_0.arrow")
	code, out, errs := try("recover", "--json", analog)
	var report struct {
		Outcome string `json:"outcome"`
		Rows    int64  `json:"rows_recovered"`
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != exitDone || report.Outcome != "lossless" || report.Rows < 200_000 {
		t.Errorf("exit code %d, %+v, %v: %s", code, report, err, errs)
	}
}

func TestASignalWhileAHeadstageIsConfigured(t *testing.T) {
	for _, at := range []string{"w 0x0001 0x3 33", "w 0x0001 0x3 35", "w 0x0008 0x8001", "w 0x0008 0x2630", "w 0x0008 0xb90"} { // voltages, passthrough device, deserialiser, probe
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			r := recordBoard(t, calibration2e(t)+"ports: {a: {headstage: neuropixels-2.0e}}\n", map[string]string{"A": "np2e", "LOCK_A": "36"})
			r.until(at)
			if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code := r.wait(5 * time.Second); code != exitFailed || !strings.Contains(r.words.String(), "nothing was recorded") {
				t.Errorf("exit code %d: %s", code, r.words.String())
			}
			r.dark()
		})
	}
}

// TestNoWayOutOfRigInitLeavesAVoltage: the terminal that closes, and Ctrl-\, too.
func TestNoWayOutOfRigInitLeavesAVoltage(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			r := onBoard(t, map[string]string{"A": "np2e", "LOCK_A": "36"}, "rig", "init", "--port-a", "neuropixels-2.0e")
			r.until("w 0x0001 0x3 35")
			if err := r.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := r.wait(5 * time.Second); code != exitFailed {
				t.Errorf("exit code %d: %s", code, r.words.String())
			}
			r.dark()
		})
	}
}

func TestNoLink(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, calibration(t)+"ports: {b: {headstage: neuropixels-1.0e}}\n", nil)
	if code := r.wait(30 * time.Second); code != exitFailed || !strings.Contains(r.words.String(), "port B") || !strings.Contains(r.words.String(), "no link") {
		t.Errorf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
}

func TestOff(t *testing.T) {
	for name, c := range map[string]struct {
		faults map[string]string
		driver string
		code   int
		says   string
	}{
		"two ports with a saved voltage": {map[string]string{"SAVED_VOLTAGE": "50"}, "riffa", exitDone, "ports A and B: 0 V"},
		"a port that does not answer":    {map[string]string{"SAVED_VOLTAGE": "50", "NACK": "1"}, "riffa", exitFailed, "switch"},
		"a board that does not answer":   {map[string]string{"INIT": "-22"}, "riffa", exitFailed, "NOT set to 0 V"},
		"a board without ports":          {nil, "test", exitFailed, "no ports"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := onBoard(t, c.faults, "off", "--driver", c.driver)
			if code := r.wait(10 * time.Second); code != c.code || !strings.Contains(r.words.String(), c.says) {
				t.Errorf("exit code %d: %s", code, r.words.String())
			}
			if c.code == exitDone {
				r.dark()
			}
			if c.faults["NACK"] == "1" { // the other port is dark all the same
				text := strings.Join(r.journal(), "\n")
				if !strings.Contains(text, "w 0x0002 0x3 0 0") {
					t.Errorf("port b was not set to 0 V:\n%s", text)
				}
			}
		})
	}
}

func TestRigInitPowersNothingThatWasNotNamed(t *testing.T) {
	t.Parallel()
	r := onBoard(t, map[string]string{"A": "np2e", "B": "np1e"}, "rig", "init")
	if code := r.wait(10 * time.Second); code != exitDone {
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	for _, line := range r.journal() {
		if strings.HasPrefix(line, "w ") && !strings.HasSuffix(line, " 0x3 0 0") {
			t.Errorf("rig init writes %s", line)
		}
	}
	rig := r.result.String()
	for _, words := range []string{"driver: riffa\n", "FMC host 1.3, firmware 2.2", "\n  analog-io: {", "# a: {headstage: "} {
		if !strings.Contains(rig, words) {
			t.Errorf("%q is not in\n%s", words, rig)
		}
	}
	file := write(t, "rig.yaml", []byte(rig))
	dir := filepath.Join(t.TempDir(), "run")
	record := onBoard(t, nil, "record", "--rig", file, "--out", dir, "--duration", "200ms") // as it is
	if code := record.wait(20 * time.Second); code != exitDone {
		t.Errorf("recording with that file: exit code %d: %s", code, record.words.String())
	}
	if again := onBoard(t, nil, "rig", "init", "-o", file); again.wait(10*time.Second) != exitFailed || !strings.Contains(again.words.String(), "exists") {
		t.Errorf("an existing file: %s", again.words.String())
	}
	if wrong := onBoard(t, nil, "rig", "init", "--port-a", "neuropixels"); wrong.wait(10*time.Second) != exitUsage {
		t.Errorf("a headstage that is not known: %s", wrong.words.String())
	}
}
