//go:build linux && (amd64 || arm64)

package liboni

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/oniscope/oniscope/internal/standin"
)

var raceEnabled bool // set by a file that only race builds have

// A fake is the stand-in of liboni in this process.
type fake struct {
	path            string
	set, count, clr uintptr
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{path: standin.Library(t)}
	handle, err := open(f.path)
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]*uintptr{"standin_set": &f.set, "standin_contexts": &f.count, "standin_clear": &f.clr} {
		if *to, err = symbol(handle, name); err != nil {
			t.Fatal(err)
		}
	}
	f.clear()
	t.Cleanup(f.clear)
	return f
}

// fault sets one of the stand-in's settings.
func (f *fake) fault(name string, value int64) {
	text := cString(name)
	purego.SyscallN(f.set, uintptr(unsafe.Pointer(&text[0])), uintptr(value))
}

func (f *fake) clear() { purego.SyscallN(f.clr) }

// contexts are those that were made and not destroyed yet.
func (f *fake) contexts() int {
	n, _, _ := purego.SyscallN(f.count)
	return int(int32(n))
}

func (f *fake) open(t testing.TB, driver string) *Controller {
	t.Helper()
	before := f.contexts()
	c, err := Open(Config{Driver: driver, Library: f.path, Host: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if now := f.contexts(); now != before {
			t.Errorf("%d contexts are left, %d before", now, before)
		}
	})
	return c
}

func want(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: %v, want %v", what, err, target)
	}
}
