//go:build darwin || freebsd || linux

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// syncFolder forces the entries of a folder to the platter. File systems that
// cannot do that (some network drives) say so, and lose no file by it.
func syncFolder(d *os.File) error {
	err := d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.EBADF) {
		return nil
	}
	return err
}

// isRemoved reports whether an open file or folder has no name any more.
func isRemoved(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

// freeBytes is how much a user may still write into the folder.
func (d *folder) freeBytes() (int64, error) {
	f, err := d.root().Open(".")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &s); err != nil {
		return 0, err
	}
	return int64(min(float64(s.Bavail)*float64(s.Bsize), 1<<62)), nil
}

// now is where the folder is, "" if nobody can say.
func (d *folder) now() string {
	f, err := d.root().Open(".")
	if err != nil {
		return ""
	}
	defer f.Close()
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		return ""
	}
	return path
}
