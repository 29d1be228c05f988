package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// TestARecorderOnADiskThatIsFull: it is said at once, what is there is complete at
// once, and the stream goes on when there is room, in its next part with one gap.
func TestARecorderOnADiskThatIsFull(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root: it mounts a small file system")
	}
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("mounting tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	p := recorder(t, "", "--duration", "7s", "--buffer", "1s", "--json", "--quiet")
	p.dir = filepath.Join(disk, "run")
	for i, arg := range p.Args {
		if arg == "--out" {
			p.Args[i+1] = p.dir
		}
	}
	var out bytes.Buffer
	var said lockedBuffer
	p.Stdout, p.Stderr = &out, &said
	p.begin()
	ballast := filepath.Join(disk, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	if f.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); !strings.Contains(said.String(), "analog-io_0.arrow: the disk is full"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing is said of a full disk:\n%s", said.String())
		}
	}
	if code, words, errs := try("verify", filepath.Join(p.dir, "analog-io_0.arrow")); code != exitDone {
		t.Errorf("verify while the disk is full: exit code %d: %s%s", code, words, errs)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if code := p.ends(patience); code != exitLoss && code != exitDone {
		t.Errorf("exit code %d", code)
	}
	var s store.Summary
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Streams {
		if f.Name != "analog-io" {
			continue
		}
		if len(f.Parts) != 2 || f.Rows+f.LostRows != 700_000 || !strings.Contains(said.String(), "analog-io_0_001.arrow: the stream goes on here") {
			t.Errorf("%+v\n%s", f, said.String())
		}
	}
	files, err := filepath.Glob(filepath.Join(p.dir, "*.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		want := exitDone
		if strings.Contains(path, "analog-io_0_001") && s.State != store.StateComplete {
			want = exitLoss // its gap
		}
		if code, words, errs := try("verify", path); code != want {
			t.Errorf("verify: exit code %d, want %d: %s%s", code, want, words, errs)
		}
	}
}

// TestARecorderWhoseFilesMayNotGrow: a stream that has reached the limit goes on
// in another file, without a row lost.
func TestARecorderWhoseFilesMayNotGrow(t *testing.T) {
	t.Parallel()
	p := recorder(t, "", "--duration", "5s", "--json", "--quiet")
	var out bytes.Buffer
	var said lockedBuffer
	p.Stdout, p.Stderr = &out, &said
	p.begin()
	if err := unix.Prlimit(p.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 14e6, Max: 14e6}, nil); err != nil {
		t.Fatal(err)
	}
	if code := p.ends(patience); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	var s store.Summary
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Streams {
		if f.Name == "analog-io" && (len(f.Parts) != 2 || f.Rows != 500_000 || f.LostRows != 0 || f.State != store.StateComplete) {
			t.Errorf("%+v", f)
		}
	}
	if !strings.Contains(said.String(), "analog-io_0.arrow: writing failed (file too large); the stream goes on in another file") {
		t.Errorf("said: %s", said.String())
	}
	p.complete("duration")
}
