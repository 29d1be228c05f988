package store

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// Windows forces the names of files to the platter by itself, and keeps a
// folder or file that is open from being removed or renamed.
func syncFolder(*os.File) error { return nil }

func isRemoved(fs.FileInfo) bool { return false }

// freeBytes is how much a user may still write into the folder.
func (d *folder) freeBytes() (int64, error) {
	path, err := windows.UTF16PtrFromString(d.path)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, err
	}
	return int64(min(free, 1<<62)), nil
}

func (d *folder) now() string { return d.path }
