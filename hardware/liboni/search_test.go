//go:build linux && (amd64 || arm64)

package liboni

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/standin"
)

// says checks that an error has all of these words.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in: %v", w, err)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("several lines: %v", err)
	}
}

func TestAMissingLibrarySaysWhereItWasLookedFor(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(LibraryVariable, "")
	if _, err := Open(Config{Driver: "riffa"}); err == nil {
		t.Log("this machine has a liboni; the text for machines without one is not seen")
	} else {
		says(t, err, "liboni.so.1", "next to the program", "LD_LIBRARY_PATH", "/usr/local/lib", "ldconfig", "--liboni", LibraryVariable, project)
	}
	missing := filepath.Join(dir, "liboni.so")
	_, err := Open(Config{Driver: "riffa", Library: missing})
	says(t, err, missing, "no such file", "build liboni 4")
	t.Setenv(LibraryVariable, missing)
	_, err = Open(Config{Driver: "riffa"})
	says(t, err, missing, LibraryVariable)
	_, err = Open(Config{Driver: "riffa", Library: dir})
	says(t, err, dir, "is a folder", "liboni.so.1")
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte(strings.Repeat("no library", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Open(Config{Driver: "riffa", Library: text})
	says(t, err, text, "invalid ELF header")
}

func TestAFileNameIsLookedUpInTheWorkingFolder(t *testing.T) {
	path := standin.Library(t)
	t.Chdir(filepath.Dir(path))
	for _, variable := range []bool{false, true} {
		config := Config{Driver: DriverTest, Library: filepath.Base(path)}
		if variable {
			t.Setenv(LibraryVariable, config.Library)
			config.Library = ""
		}
		c, err := Open(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestALibraryThatIsNotLiboni4(t *testing.T) {
	f := newFake(t)
	f.fault("version", 5)
	_, err := Open(Config{Driver: "riffa", Library: f.path})
	says(t, err, f.path, "version 5.6.0", "want 4.x")

	dir := t.TempDir()
	source, other := filepath.Join(dir, "other.c"), filepath.Join(dir, "libother.so")
	if err := os.WriteFile(source, []byte("void oni_version(int *a, int *b, int *c) { *a = 4, *b = *c = 0; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("gcc", "-shared", "-fPIC", "-o", other, source).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, text)
	}
	_, err = Open(Config{Driver: "riffa", Library: other})
	says(t, err, other, "it lacks the function oni_", "not liboni 4")
}

func TestAMissingDriverSaysWhichFile(t *testing.T) {
	f := newFake(t)
	f.fault("riffa", 0)
	folder := filepath.Dir(f.path)
	_, err := Open(Config{Driver: "riffa", Library: f.path})
	says(t, err, "driver riffa", "libonidriver_riffa.so", folder, "cannot open shared object file", "RIFFA package", "sudo ldconfig")
	_, err = Open(Config{Driver: "ft600", Library: f.path})
	says(t, err, "libonidriver_ft600.so", "drivers/ft600")
	if n := f.contexts(); n != 0 {
		t.Errorf("%d contexts are left", n)
	}
	for _, name := range []string{"", "RIFFA", "../x", "/tmp/x", "a b", strings.Repeat("a", 33), "x\x00"} {
		_, err := Open(Config{Driver: name, Library: f.path})
		says(t, err, "want a name like riffa")
	}
}

func TestADriverThatIsThereButDoesNotLoad(t *testing.T) {
	data, err := os.ReadFile(standin.Library(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // a copy is a library of its own
	path, driver := filepath.Join(dir, "liboni.so"), filepath.Join(dir, "libonidriver_other.so")
	for file, text := range map[string][]byte{path: data, driver: []byte(strings.Repeat("no library", 100))} {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Open(Config{Driver: "other", Library: path})
	says(t, err, driver+" is there, but cannot be used", "invalid ELF header")
}

func TestABoardThatCannotBeOpened(t *testing.T) {
	f := newFake(t)
	f.fault("init", codeRetrigger)
	_, err := Open(Config{Driver: "riffa", Library: f.path})
	says(t, err, "driver riffa", "oni_init_ctx", "(-13)", "another process uses the board")
	f.fault("init", codeInit)
	_, err = Open(Config{Driver: "riffa", Library: f.path})
	says(t, err, "could not be initialised (-22)")
	f.fault("init", 7) // a number that liboni does not have
	_, err = Open(Config{Driver: DriverTest, Library: f.path})
	says(t, err, "an error that liboni 4.6 does not have (7)")
	if n := f.contexts(); n != 0 {
		t.Errorf("%d contexts are left", n)
	}
}
