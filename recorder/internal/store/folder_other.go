//go:build !(darwin || freebsd || linux || windows)

package store

import (
	"errors"
	"io/fs"
	"os"
)

// What this system can say about folders is not known here.
func syncFolder(d *os.File) error { return d.Sync() }

func isRemoved(fs.FileInfo) bool { return false }

func (d *folder) freeBytes() (int64, error) { return 0, errors.ErrUnsupported }

func (d *folder) now() string { return "" }
