//go:build !unix

package store

import (
	"errors"
	"runtime"
	"syscall"
)

// isQuota reports what systems say in other words than ENOSPC: Windows has
// ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
func isQuota(err error) bool {
	const handleDiskFull, diskFull = syscall.Errno(39), syscall.Errno(112)
	return runtime.GOOS == "windows" && (errors.Is(err, handleDiskFull) || errors.Is(err, diskFull))
}
