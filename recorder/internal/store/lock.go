package store

import (
	"errors"
	"os"
	"time"
)

// Two programs that would write one recording are kept apart by an advisory
// lock of the operating system: on the marker and on each file of a stream, from
// its creation until it is complete. It belongs to the open file, so that it is
// kept while the process is suspended or its disk stalls, and is gone when the
// process is. Readers take none. A file system without locks (some network
// drives) keeps nobody apart.

// ErrInUse says that another program writes the file, or files of the same names.
var ErrInUse = errors.New("another program is writing these files")

// A reader that asks whether a file is open holds a shared lock for an instant.
const (
	lockTries = 20
	lockPause = 5 * time.Millisecond
)

// Lock takes the lock of a file, until it is closed. It returns ErrInUse if
// another program has it.
func Lock(f *os.File) error {
	for try := 0; ; try++ {
		err := lock(f, true)
		if !errors.Is(err, ErrInUse) || try == lockTries {
			return err
		}
		time.Sleep(lockPause)
	}
}

// IsOpen reports whether another program is writing a file at this moment. What
// a killed recorder left is not open.
func IsOpen(path string) bool {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false // a pipe would keep us waiting
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if err := lock(f, false); err != nil {
		return errors.Is(err, ErrInUse)
	}
	unlock(f)
	return false
}
