//go:build unix

package command

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestASuspendedRecorderKeepsItsFiles: however long it is still, nobody
// else writes what it writes. When it is killed they are free at once.
func TestASuspendedRecorderKeepsItsFiles(t *testing.T) {
	t.Parallel()
	rig := write(t, "rig.yaml", []byte("driver: sim\nwriter: {suffix: None, overwrite: true}\n"))
	dir := t.TempDir()
	var words bytes.Buffer
	recorder := exec.Command("oniscope", "record", "--rig", rig, "--out", dir) // testscript.Main made it
	recorder.Stderr = &words
	if err := recorder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { recorder.Process.Kill(); recorder.Wait() })
	beat := filepath.Join(dir, "heartbeat.arrow")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if info, err := os.Stat(beat); err == nil && info.Size() > 4000 { // some batches
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing was recorded: %s", words.String())
		}
	}
	if err := recorder.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	before := read(t, beat)
	// An age of a marker would have let these through.
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"recording.json", "heartbeat.arrow"} {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, _ := try("info", "--json", beat); code != exitDone || !strings.Contains(out, `"state": "open"`) {
		t.Errorf("info: exit code %d: %s", code, out)
	}
	if code, _, words := try("record", "--rig", rig, "--out", dir, "--pace", "max", "--duration", "1s"); code != exitFailed || !strings.Contains(words, "another program is writing these files; choose another --out or --suffix") {
		t.Errorf("second recorder: exit code %d: %s", code, words)
	}
	if code, _, words := try("recover", "--in-place", beat); code != exitFailed || !strings.Contains(words, "writing") {
		t.Errorf("recover: exit code %d: %s", code, words)
	}
	if after := read(t, beat); !bytes.Equal(before, after) {
		t.Errorf("a suspended recorder's file changed: %d bytes, then %d", len(before), len(after))
	}
	if err := recorder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	recorder.Wait()
	if code, out, _ := try("info", "--json", beat); code != exitDone || !strings.Contains(out, `"state": "unfinished"`) {
		t.Errorf("info of what is left: exit code %d: %s", code, out)
	}
	if code, out, words := try("recover", "--in-place", beat); code != exitDone {
		t.Errorf("recover of what is left: exit code %d: %s%s", code, out, words)
	}
}
