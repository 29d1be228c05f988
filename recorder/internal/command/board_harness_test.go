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

// wait returns the exit code; the recorder must end within a time, of which a machine
// with much else to do has three times as much.
func (r *boardRun) wait(limit time.Duration) int {
	r.t.Helper()
	select {
	case err := <-r.ended:
		exit := (*exec.ExitError)(nil)
		if err != nil && !errors.As(err, &exit) {
			r.t.Fatal(err)
		}
		return r.cmd.ProcessState.ExitCode()
	case <-time.After(3 * limit):
		r.cmd.Process.Signal(syscall.SIGABRT) // shows where it hangs
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

// voltages are the last that were written to each port, in tenths of a volt. Nothing
// forbidden may be among what was written.
func (r *boardRun) voltages() map[string]string {
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
	return last
}

// dark checks that the last word on both ports is 0 V.
func (r *boardRun) dark() {
	r.t.Helper()
	last := r.voltages()
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
