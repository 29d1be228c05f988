//go:build linux && (amd64 || arm64)

package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/internal/standin"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// Recordings from a board that answers in real time: the stand-in's driver
// riffa, in processes of their own, with faults by environment variables.

// A boardRun is a command on the stand-in.
type boardRun struct {
	t      *testing.T
	dir    string // of a recording
	log    string // what the board was asked
	cmd    *exec.Cmd
	words  bytes.Buffer
	result bytes.Buffer
	ended  chan error
}

// recordBoard starts a recorder with a rig file.
func recordBoard(t *testing.T, rig string, faults map[string]string, args ...string) *boardRun {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	r := onBoard(t, faults, append([]string{"record", "--rig", write(t, "rig.yaml", []byte("driver: riffa\n"+rig)), "--out", dir, "--json"}, args...)...)
	r.dir = dir
	return r
}

// onBoard starts a command.
func onBoard(t *testing.T, faults map[string]string, args ...string) *boardRun {
	t.Helper()
	r := &boardRun{t: t, log: filepath.Join(t.TempDir(), "journal"), ended: make(chan error, 1)}
	r.cmd = exec.Command(os.Args[0], append(args, "--liboni", standin.Library(t))...)
	r.cmd.Args[0] = "oniscope" // as what the test binary then runs
	r.cmd.Env = append(os.Environ(), "STANDIN_LOG="+r.log)
	for name, value := range faults {
		r.cmd.Env = append(r.cmd.Env, "STANDIN_"+name+"="+value)
	}
	r.cmd.Stdout, r.cmd.Stderr = &r.result, &r.words
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	t.Cleanup(func() { r.cmd.Process.Kill() })
	return r
}

// wait returns the exit code; the recorder must end within a time.
func (r *boardRun) wait(limit time.Duration) int {
	r.t.Helper()
	select {
	case err := <-r.ended:
		exit := (*exec.ExitError)(nil)
		if err != nil && !errors.As(err, &exit) {
			r.t.Fatal(err)
		}
		return r.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		r.cmd.Process.Signal(syscall.SIGQUIT)
		<-r.ended
		r.t.Fatalf("no end within %v:\n%s", limit, r.words.String())
		return -1
	}
}

// until waits for a line of the journal that begins with these words.
func (r *boardRun) until(words string) {
	r.t.Helper()
	for range 2000 {
		for _, line := range r.journal() {
			if strings.HasPrefix(line, words) {
				return
			}
		}
		select {
		case err := <-r.ended:
			r.t.Fatalf("it ended (%v) before %q: %s", err, words, r.words.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	r.t.Fatalf("no %q in the journal", words)
}

func (r *boardRun) journal() []string {
	text, err := os.ReadFile(r.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// dark checks that the last word on both ports is 0 V, that it comes after any
// other, and that nothing forbidden was written.
func (r *boardRun) dark() {
	r.t.Helper()
	last := map[string]string{}
	for i, line := range r.journal() {
		var address, register, value uint32
		var code int
		if n, _ := fmt.Sscanf(line, "w 0x%x 0x%x %d %d", &address, &register, &value, &code); n != 4 || address != 1 && address != 2 {
			continue
		}
		switch register {
		case 3:
			last[fmt.Sprint(address)] = fmt.Sprint(value)
			if value > 65 {
				r.t.Errorf("line %d: %d dV on port %d", i, value, address)
			}
		case 1, 4:
			r.t.Errorf("line %d writes what is never written: %s", i, line)
		}
	}
	for _, port := range []string{"1", "2"} {
		if last[port] != "0" {
			r.t.Errorf("port %s: the last voltage is %q:\n%s", port, last[port], r.words.String())
		}
	}
}

// summary is what the recorder wrote about the run.
func (r *boardRun) summary() (s store.Summary) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "recording_0.json"))
	if err != nil {
		r.t.Fatalf("%v: %s", err, r.words.String())
	}
	if err := json.Unmarshal(text, &s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// complete checks that every file of the run is whole.
func (r *boardRun) complete() {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, "*.arrow"))
	if err != nil || len(files) == 0 {
		r.t.Fatalf("files %v, %v: %s", files, err, r.words.String())
	}
	for _, f := range files {
		if code, out, errs := try("info", "--json", f); code != exitDone || !strings.Contains(out, `"state": "complete"`) {
			r.t.Errorf("%s: exit code %d: %s%s", f, code, out, errs)
		}
	}
}

// Serial numbers of the stand-in's probes A and B of a headstage on port A.
const (
	probeA = "20240001"
	probeB = "20240002"
)

// calibration makes a folder with the files of the stand-in's probes, and
// returns the line of a rig file that names it.
func calibration(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{
		probeA + "_ADCCalibration.csv": "V1_ADCCalibration.csv", probeA + "_gainCalValues.csv": "V1_gainCalValues.csv", probeB + "_gainCalValues.csv": "V2B_gainCalValues.csv",
	} {
		copyCalibration(t, from, filepath.Join(dir, name))
	}
	return "calibration: " + dir + "\n"
}

// calibration2e is calibration for the two probes of a Neuropixels 2.0e headstage.
func calibration2e(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copyCalibration(t, "V2A_gainCalValues.csv", filepath.Join(dir, probeA+"_gainCalValues.csv"))
	copyCalibration(t, "V2B_gainCalValues.csv", filepath.Join(dir, probeB+"_gainCalValues.csv"))
	return "calibration: " + dir + "\n"
}

// copyCalibration copies a file of calibration and gives it the serial number
// that its new name has.
func copyCalibration(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../testdata/calibration", from))
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(string(text), "\n")
	serial, _, _ := strings.Cut(filepath.Base(to), "_")
	if err := os.WriteFile(to, []byte(serial+"\n"+lines), 0o644); err != nil {
		t.Fatal(err)
	}
}

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
	if took := time.Since(asked); took > 4*time.Second {
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

func TestNoLink(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, calibration(t)+"ports: {b: {headstage: neuropixels-1.0e}}\n", nil)
	if code := r.wait(30 * time.Second); code != exitFailed || !strings.Contains(r.words.String(), "port b") || !strings.Contains(r.words.String(), "no link") {
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
		"two ports with a saved voltage": {map[string]string{"SAVED_VOLTAGE": "50"}, "riffa", exitDone, "ports a and b: 0 V"},
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

func TestAHeadstageIsConfiguredAndRecorded(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, calibration(t)+"ports: {a: {headstage: neuropixels-1.0e}}\n", map[string]string{"A": "np1e", "LOCK_A": "37"}, "--duration", "2s")
	if code := r.wait(60 * time.Second); code != exitDone {
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
	for _, f := range r.summary().Streams {
		if f.Name == "port-a-neuropixels-1.0e" && (f.Rows < 59_000 || f.Rows > 60_100) {
			t.Errorf("%d rows of %s", f.Rows, f.Name)
		}
	}
	code, out, errs := try("info", "--json", filepath.Join(r.dir, "port-a-neuropixels-1.0e_0.arrow"))
	for _, words := range []string{`"port_voltage_dv": "47"`, `"lock_voltage_dv": "37"`, `"headstage_id": "6"`, `"probe_serial": "` + probeA + `"`, `"probe": "`} {
		if code != exitDone || !strings.Contains(out, words) {
			t.Errorf("exit code %d, %s is not in the metadata: %s", code, words, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(r.dir, "port-a-neuropixels-1.0e-probe_0.json")); err != nil {
		t.Error(err)
	}
}

func TestTwoProbesOfAHeadstageAreRecorded(t *testing.T) {
	t.Parallel()
	rig := calibration2e(t) + "ports: {a: {headstage: neuropixels-2.0e, voltage: 4.5}}\ndevices: {port-a/neuropixels-2.0e-probe-b: {bank: B}, analog-io: {enable: false}}\n"
	r := recordBoard(t, rig, map[string]string{"A": "np2e"}, "--duration", "2s")
	if code := r.wait(60 * time.Second); code != exitDone {
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
	probes := 0
	for _, f := range r.summary().Streams {
		if strings.Contains(f.Name, "probe") {
			if probes++; f.Rows < 59_990 || f.Rows > 60_010 {
				t.Errorf("%d rows of %s", f.Rows, f.Name)
			}
		}
	}
	for probe, serial := range map[string]string{"a": probeA, "b": probeB} {
		code, out, errs := try("info", "--json", filepath.Join(r.dir, "port-a-neuropixels-2.0e-probe-"+probe+"_0.arrow"))
		for _, words := range []string{`"port_voltage_dv": "45"`, `"headstage_id": "8"`, `"probe_serial": "` + serial + `"`} {
			if code != exitDone || !strings.Contains(out, words) {
				t.Errorf("probe %s: exit code %d, %s is not in the metadata: %s", probe, code, words, errs)
			}
		}
	}
	if probes != 2 {
		t.Errorf("%d probes", probes)
	}
}

func TestARefusedConfigurationLeavesThePortsDark(t *testing.T) {
	np1 := "ports: {a: {headstage: neuropixels-1.0e, voltage: 5}}\n"
	for name, c := range map[string]struct {
		rig  string
		says string
	}{
		"no folder of calibration":   {np1, "calibration"},
		"no file in that folder":     {"calibration: .\n" + np1, probeA},
		"another headstage":          {calibration2e(t) + strings.Replace(np1, "1.0e", "2.0e", 1), "the headstage says that it is"},
		"one of a later version":     {"ports: {a: {headstage: headstage-64}}\n", "later version"},
		"the voltage does not reach": {calibration(t) + strings.Replace(np1, "5", "3.5", 1), "no link"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := recordBoard(t, c.rig, map[string]string{"A": "np1e", "LOCK_A": "37", "SAVED_VOLTAGE": "60"})
			if code := r.wait(30 * time.Second); code != exitFailed || !strings.Contains(r.words.String(), c.says) {
				t.Errorf("exit code %d: %s", code, r.words.String())
			}
			r.dark()
			if files, _ := filepath.Glob(filepath.Join(r.dir, "*")); len(files) != 0 {
				t.Errorf("files are left: %v", files)
			}
		})
	}
}

func TestALostLinkIsSaidAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, calibration(t)+"ports: {a: {headstage: neuropixels-1.0e}}\n", map[string]string{"A": "np1e", "LOSE_A": "1500"}, "--duration", "4s")
	if code := r.wait(60 * time.Second); code != exitLoss || !strings.Contains(r.words.String(), "port A lost its link") {
		t.Errorf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
	s := r.summary()
	for _, f := range s.Streams {
		if f.Name == "analog-io" && f.Rows < 399_000 || f.Name == "port-a-neuropixels-1.0e" && (f.Rows < 43_000 || f.Rows > 46_000) {
			t.Errorf("%d rows of %s", f.Rows, f.Name)
		}
	}
	told := false
	for _, e := range s.Events {
		told = told || strings.Contains(e.Text, "port A lost its link") && e.AtS > 1.4 && e.AtS < 2.5
	}
	if !told {
		t.Errorf("events %+v", s.Events)
	}
	csv := filepath.Join(t.TempDir(), "gaps.csv")
	if code, _, errs := try("export", filepath.Join(r.dir, "gaps_0.arrow"), "-o", csv); code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if text, err := os.ReadFile(csv); err != nil || !strings.Contains(string(text), "port-a-neuropixels-1.0e,") || !strings.Contains(string(text), ",link") {
		t.Errorf("gaps: %s, %v", text, err)
	}
}

// TestALostLinkOfTheOnlyHeadstageFails: nothing goes on.
func TestALostLinkOfTheOnlyHeadstageFails(t *testing.T) {
	t.Parallel()
	const others = "devices: {heartbeat: {enable: false}, analog-io: {enable: false}, digital-io: {enable: false}, memory-monitor: {enable: false}}\n"
	r := recordBoard(t, calibration(t)+"ports: {a: {headstage: neuropixels-1.0e}}\n"+others, map[string]string{"A": "np1e", "LOSE_A": "1500"}, "--duration", "3s")
	if code := r.wait(60 * time.Second); code != exitFailed || !strings.Contains(r.words.String(), "nothing was recorded from ") {
		t.Errorf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
}

func TestRigInitLooksAtTheHeadstageThatWasNamed(t *testing.T) {
	t.Parallel()
	r := onBoard(t, map[string]string{"A": "np2e", "B": "np1e", "LOCK_A": "37", "SAVED_VOLTAGE": "50"}, "rig", "init", "--port-a", "neuropixels-2.0e")
	if code := r.wait(30 * time.Second); code != exitDone {
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	for _, line := range r.journal() {
		if strings.HasPrefix(line, "w 0x0002 0x3 ") && line != "w 0x0002 0x3 0 0" {
			t.Errorf("port b, of which nothing was said: %s", line)
		}
	}
	rig := r.result.String()
	for _, words := range []string{
		"\n  a: {headstage: neuropixels-2.0e, voltage: auto}   # locks at 3.7 V, runs at 4.7 V\n",
		"files of the probes " + probeA + ", " + probeB + "\n", "\n  port-a/neuropixels-2.0e-probe-b: {", "# serial number " + probeB,
	} {
		if !strings.Contains(rig, words) {
			t.Errorf("%q is not in\n%s", words, rig)
		}
	}
	wrong := onBoard(t, map[string]string{"A": "np2e", "SAVED_VOLTAGE": "50"}, "rig", "init", "--port-b", "neuropixels-2.0e") // nothing there
	if code := wrong.wait(30 * time.Second); code != exitFailed || !strings.Contains(wrong.words.String(), "no link") {
		t.Errorf("exit code %d: %s", code, wrong.words.String())
	}
	wrong.dark()
}
