//go:build darwin || linux

package store

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"
)

// maxPieces is how many one write takes. Source: IOV_MAX of Linux and macOS.
const maxPieces = 1024

// WritePieces writes pieces one after another, in one write if there are at most
// maxPieces and the system takes all of them at once.
func (f diskFile) WritePieces(pieces [][]byte) (int64, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	left, total := slices.Clone(pieces), int64(0) // the caller's stay as they are
	for len(left) > 0 && err == nil {
		n := 0
		if failed := conn.Write(func(fd uintptr) bool {
			n, err = unix.Writev(int(fd), left[:min(len(left), maxPieces)])
			return true
		}); failed != nil {
			return total, failed
		}
		if errors.Is(err, unix.EINTR) {
			n, err = 0, nil
			continue
		}
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		total += int64(max(0, n))
		left = after(left, max(0, n))
	}
	if err != nil {
		err = &fs.PathError{Op: "write", Path: f.Name(), Err: err}
	}
	return total, err
}

// after is what is left of pieces when n bytes of them are written.
func after(pieces [][]byte, n int) [][]byte {
	for len(pieces) > 0 && n >= len(pieces[0]) {
		n -= len(pieces[0])
		pieces = pieces[1:]
	}
	if n > 0 {
		pieces[0] = pieces[0][n:]
	}
	return pieces
}
