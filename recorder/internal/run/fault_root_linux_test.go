package run

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What needs a real file system runs as root only.

func needsRoot(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes real time, as a real disk does")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root: it mounts file systems")
	}
}

// tmpfs mounts a small file system.
func tmpfs(t *testing.T, dir, size string) {
	t.Helper()
	needsRoot(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mounting tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
}

// loop mounts an ext4 file system that lies in a file.
func loop(t *testing.T, image, dir, size string) {
	t.Helper()
	needsRoot(t)
	for _, args := range [][]string{
		{"truncate", "-s", size, image}, {"mkfs.ext4", "-q", image}, {"mount", "-o", "loop", image, dir},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmounting: %v: %s", err, out)
		}
	})
}

// TestARealDiskThatIsFull: the footer is there at once, and rows go on in a next
// file when something is deleted.
func TestARealDiskThatIsFull(t *testing.T) {
	t.Parallel()
	s := newScene(t, 9*time.Second, "")
	tmpfs(t, s.dir, "80m")
	s.o.Buffer = time.Second
	ballast := filepath.Join(s.dir, "ballast")
	s.run(func() {
		time.Sleep(500 * time.Millisecond)
		if err := os.WriteFile(ballast, make([]byte, 64<<20), 0o644); err != nil {
			t.Error(err)
		}
		s.saidSoonWithin("the disk is full", 8*time.Second)
		// A reader can open the file while the recorder waits.
		if found := verify(t, filepath.Join(s.dir, "analog-io_0.arrow")); len(found) > 0 {
			t.Errorf("verify: %+v", found)
		}
		time.Sleep(1500 * time.Millisecond)
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	})
	f := s.stream("analog-io")
	if len(f.Parts) != 2 || f.Rows+f.LostRows < 899_998 || f.Rows+f.LostRows > 900_001 {
		t.Errorf("%+v\n%s", f, s.words.String())
	}
	if f.LostRows > 0 {
		s.oneGap("analog-io", "disk", aSecond/100_000)
	}
	s.noGaps("heartbeat", 100, 9)
}

// saidSoonWithin is for a run that goes on.
func (s *scene) saidSoonWithin(text string, most time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(s.words.String(), text) {
			return
		}
	}
	s.t.Errorf("nothing is said of %q:\n%s", text, s.words.String())
}

// TestARealDiskThatFreezes: fsfreeze holds up every write and sync.
func TestARealDiskThatFreezes(t *testing.T) {
	t.Parallel()
	s := newScene(t, 7*time.Second, "")
	image := filepath.Join(t.TempDir(), "disk")
	loop(t, image, s.dir, "200M")
	s.o.Buffer = 2 * time.Second
	s.run(func() {
		time.Sleep(1500 * time.Millisecond)
		if out, err := exec.Command("fsfreeze", "-f", s.dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
			return
		}
		time.Sleep(4 * time.Second)
		if out, err := exec.Command("fsfreeze", "-u", s.dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}).well()
	s.noGaps("analog-io", 100_000, 7)
	if n := len(s.words.snapshots()); n < 6 {
		t.Errorf("%d snapshots: the status stood still", n)
	}
}

// TestARealDiskThatFails: what lies below the file system has no room, so that
// syncing gives an error of input and output.
func TestARealDiskThatFails(t *testing.T) {
	t.Parallel()
	s := newScene(t, 12*time.Second, "pace: real-time\n")
	below := t.TempDir()
	tmpfs(t, below, "24m")
	loop(t, filepath.Join(below, "disk"), s.dir, "300M")
	s.o.Sync = time.Second
	s.run(nil)
	if s.err != nil || s.verdict == nil {
		t.Errorf("run %v, verdict %v", s.err, s.verdict)
	}
	s.says("forcing it to the disk failed")
	f := s.stream("analog-io")
	if f.DurableBytes >= f.Bytes || f.Error == "" {
		t.Errorf("%+v", f)
	}
	if strings.Contains(s.words.String(), "the disk is full") {
		t.Errorf("a failed sync is called a full disk:\n%s", s.words.String())
	}
}
