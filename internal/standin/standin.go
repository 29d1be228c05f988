// Package standin builds a stand-in of the C library liboni for tests: one
// shared library with liboni's functions and two drivers, "test" and "riffa",
// written in C from onix-devices 1. source/settings.c says how it is made to
// fail, and how it is made to keep a journal.
package standin

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

//go:embed source
var source embed.FS

// Library returns the path of the library, built by gcc. The test is skipped
// where there is none.
func Library(t testing.TB) string {
	t.Helper()
	compiler, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc, which builds the stand-in of liboni")
	}
	path, err := built(compiler)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var mu sync.Mutex

// built returns the library of the present source, made once for all processes.
func built(compiler string) (string, error) {
	mu.Lock()
	defer mu.Unlock()
	sum := sha256.New()
	temporary, err := os.MkdirTemp("", "oniscope-standin-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	args := []string{"-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", filepath.Join(temporary, "liboni.so")}
	err = fs.WalkDir(source, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := source.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		file := filepath.Join(temporary, filepath.Base(path))
		if strings.HasSuffix(path, ".c") {
			args = append(args, file)
		}
		return os.WriteFile(file, text, 0o644)
	})
	if err != nil {
		return "", err
	}
	folder := filepath.Join(os.TempDir(), "oniscope-standin-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	library := filepath.Join(folder, "liboni.so")
	if _, err := os.Stat(library); err == nil {
		return library, nil
	}
	if text, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", compiler, err, text)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	return library, os.Rename(filepath.Join(temporary, "liboni.so"), library)
}
