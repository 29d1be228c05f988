//go:build amd64 || arm64

package liboni

import (
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The name of liboni, the driver's file, and no further folders: onix-devices 1.10.
func libraryNames() []string { return []string{"liboni.dll"} }

func driverFile(driver string) string { return "libonidriver_" + driver + ".dll" }

func extraFolders() []string { return nil }

// open loads a library. The current folder and PATH are not searched; a
// library that is named by its path finds others next to it.
func open(path string) (uintptr, error) {
	flags := uintptr(windows.LOAD_LIBRARY_SEARCH_DEFAULT_DIRS)
	if filepath.IsAbs(path) {
		flags |= windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR
	}
	handle, err := windows.LoadLibraryEx(path, 0, flags)
	return uintptr(handle), err
}

// whyNot returns why a library cannot be loaded, nil if it can. It does not
// keep it.
func whyNot(path string) error {
	handle, err := open(path)
	if err != nil {
		return err
	}
	return windows.FreeLibrary(windows.Handle(handle))
}

func symbol(handle uintptr, name string) (uintptr, error) {
	return windows.GetProcAddress(windows.Handle(handle), name)
}

// fileOf returns the file that a function is in, "" if the system does not say.
func fileOf(function uintptr) string {
	var module windows.Handle
	const flags = windows.GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | windows.GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT
	if err := windows.GetModuleHandleEx(flags, pointer[uint16](function), &module); err != nil {
		return ""
	}
	name := make([]uint16, windows.MAX_LONG_PATH)
	n, err := windows.GetModuleFileName(module, unsafe.SliceData(name), uint32(len(name)))
	if err != nil {
		return ""
	}
	return windows.UTF16ToString(name[:n])
}

// letDriverBeFound adds a folder to those in which liboni's own call looks for
// its driver: its own folder is not among them.
func letDriverBeFound(folder string) error {
	if folder == "" { // the system found it by its name, and may find the driver there too
		return nil
	}
	name, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return err
	}
	_, err = windows.AddDllDirectory(name)
	return err
}
