//go:build (linux || darwin) && (amd64 || arm64)

package liboni

import (
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// The names of liboni, the driver's ending, and folders where it is often
// installed though the system's loader may not look there. Source: onix-devices 1.10.
func libraryNames() []string {
	if runtime.GOOS == "darwin" {
		return []string{"liboni.dylib"}
	}
	return []string{"liboni.so.1", "liboni.so"}
}

func driverFile(driver string) string {
	if runtime.GOOS == "darwin" {
		return "libonidriver_" + driver + ".dylib"
	}
	return "libonidriver_" + driver + ".so"
}

func extraFolders() []string {
	if runtime.GOOS == "darwin" {
		return []string{"/usr/local/lib", "/opt/homebrew/lib"}
	}
	return []string{"/usr/local/lib"}
}

// open loads a library: bare names are the system's search. Bindings are
// immediate and local.
func open(path string) (uintptr, error) {
	runtime.LockOSThread() // the text of a failure belongs to the thread
	defer runtime.UnlockOSThread()
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

// whyNot returns why a library cannot be loaded, nil if it can. It does not
// keep it.
func whyNot(path string) error {
	handle, err := open(path)
	if err != nil {
		return err
	}
	return purego.Dlclose(handle)
}

func symbol(handle uintptr, name string) (uintptr, error) { return purego.Dlsym(handle, name) }

// fileOf returns the file that a function is in, "" if the system does not say.
func fileOf(function uintptr) string {
	dladdr, err := purego.Dlsym(purego.RTLD_DEFAULT, "dladdr")
	if err != nil {
		return ""
	}
	found := new(struct {
		file *byte
		_    [3]uintptr
	})
	if ok, _, _ := purego.SyscallN(dladdr, function, uintptr(unsafe.Pointer(found))); int32(ok) == 0 {
		return ""
	}
	return goString(found.file)
}

// letDriverBeFound does nothing here: a driver next to liboni is found because
// liboni's run path says so.
func letDriverBeFound(string) error { return nil }
