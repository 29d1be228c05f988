//go:build !unix

package command

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// endingSignals are those that ask a command to end. On Windows SIGTERM means a
// console that closes, a user who logs off, and a shutdown; the system gives a
// program some seconds then.
func endingSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

func survivePipes() (stop func()) { return func() {} }

// isBrokenPipe knows ERROR_BROKEN_PIPE and ERROR_NO_DATA of Windows.
func isBrokenPipe(err error) bool {
	const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232)
	return runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, noData))
}
