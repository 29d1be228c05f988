package files

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Until it is committed an output is a hidden file; then it has its name, and
// nothing else is left.
func TestAnOutputGetsItsNameAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in"), "input")
	in, err := Open(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	names := func() (list []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list
	}
	for _, c := range []struct {
		name   string
		finish func(*Output) error
		want   []string
	}{
		{"discarded", func(o *Output) error { return nil }, []string{"in"}},
		{"committed", (*Output).Commit, []string{"in", "out"}},
		{"a file appears meanwhile", func(o *Output) error {
			put(t, filepath.Join(dir, "other"), "of another program")
			o.Path = filepath.Join(dir, "other")
			if err := o.Commit(); err == nil {
				t.Error("a file of another program was replaced")
			}
			return nil
		}, []string{"in", "other", "out"}},
	} {
		out, err := Create(filepath.Join(dir, "out."+c.name), in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.WriteString("output"); err != nil {
			t.Fatal(err)
		}
		if c.name == "committed" {
			out.Path = filepath.Join(dir, "out")
		}
		if err := c.finish(out); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		out.Discard()
		if got := strings.Join(names(), " "); got != strings.Join(c.want, " ") {
			t.Errorf("%s: the folder has %s", c.name, got)
		}
	}
	for _, name := range []string{"in", "out"} {
		if _, err := Create(filepath.Join(dir, name), in); err == nil {
			t.Errorf("%s would be replaced", name)
		}
	}
}

// CommitAll names all files or none.
func TestSeveralOutputsAreNamedTogether(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in"), "input")
	in, err := Open(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var outs []*Output
	for _, name := range []string{"a", "b"} {
		out, err := Create(filepath.Join(dir, name), in)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Discard()
		outs = append(outs, out)
	}
	put(t, filepath.Join(dir, "b"), "of another program")
	if err := CommitAll(outs...); err == nil {
		t.Error("b of another program was replaced")
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
		t.Error("a is there without b")
	}
	if text, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || string(text) != "of another program" {
		t.Errorf("b is %q, %v", text, err)
	}
}

// A byte that changes on the disk after it was written is found.
func TestHashedFindsWhatChanged(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in"), "input")
	in, err := Open(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := Create(filepath.Join(dir, "out"), in)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Discard()
	h := NewHashed(out)
	for _, text := range []string{"first", "second", "third"} {
		if _, err := h.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Truncate(11); err != nil { // without the third
		t.Fatal(err)
	}
	if err := h.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for at := range 11 {
		data := []byte("firstsecond")
		data[at] ^= 1
		put(t, out.Name(), string(data))
		if err := h.Check(t.Context()); err == nil {
			t.Errorf("byte %d changed, and nobody noticed", at)
		}
	}
	if err := h.Truncate(9); err == nil {
		t.Error("cut inside a write")
	}
}

// TestAFullDiskIsSaidOfTheFileThatWasAskedFor: not of its temporary name, nor of the
// input.
func TestAFullDiskIsSaidOfTheFileThatWasAskedFor(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	defer full.Close()
	o := &Output{File: full, Path: "folder/a.arrow"}
	_, err = o.Write([]byte("x"))
	if got := fmt.Sprint(err); got != "folder/a.arrow: the disk is full; free space, or choose another output" {
		t.Error(got)
	}
	if _, hashed := NewHashed(o).Write([]byte("x")); fmt.Sprint(hashed) != fmt.Sprint(err) || !errors.Is(hashed, syscall.ENOSPC) {
		t.Error(hashed)
	}
}

// TestAPipeIsNotWaitedFor: one that nobody writes to would be opened for ever.
func TestAPipeIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe.arrow")
	if err := exec.Command("mkfifo", path).Run(); err != nil {
		t.Skip("no pipes can be made")
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path+": it is a pipe; let it be standard input") {
		t.Error(err)
	}
}
