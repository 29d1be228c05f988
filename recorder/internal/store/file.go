package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// A File is what a stream is written to. *os.File is one but for Truncate;
// tests put a disk that fills up in its place. After Truncate the next Write
// continues at the new end.
type File interface {
	io.Writer
	io.ReaderAt
	Truncate(size int64) error
	Sync() error
	Close() error
	Stat() (fs.FileInfo, error)
}

// A diskFile is a File on disk, which takes pieces where the system can
// (pieces_unix.go).
type diskFile struct{ *os.File }

func (f diskFile) Truncate(size int64) error {
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, io.SeekStart)
	return err
}

// openTries bounds how often a file is opened anew because another took its
// name between opening and locking.
const openTries = 5

// open opens a file and locks it; nothing that is in it changes. made reports
// whether it is new. One that exists is an *ExistsError unless replace is set,
// one that another program writes is ErrInUse.
func (d *folder) open(name string, replace bool) (f *os.File, made bool, err error) {
	for range openTries {
		if f, made, err = d.openOnce(name, replace); err != nil {
			return nil, false, err
		}
		if err = Lock(f); err != nil {
			f.Close()
			return nil, false, fmt.Errorf("store: %s: %w", name, err)
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = errors.New("this is not a file")
		}
		if err != nil {
			f.Close()
			return nil, false, fmt.Errorf("store: %s: %w", name, err)
		}
		if d.is(name, info) {
			return f, made, nil
		}
		f.Close() // its marker was replaced meanwhile
	}
	return nil, false, fmt.Errorf("store: %s: %w", name, ErrInUse)
}

func (d *folder) openOnce(name string, replace bool) (f *os.File, made bool, err error) {
	f, err = d.root().OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	switch {
	case err == nil:
		return f, true, nil
	case !errors.Is(err, fs.ErrExist):
		return nil, false, fmt.Errorf("store: %w", err)
	case !replace:
		return nil, false, &ExistsError{Path: name}
	}
	info, err := d.root().Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, false, fmt.Errorf("store: %s: this is not a file", name) // opening a pipe would keep us waiting
	}
	if err == nil {
		f, err = d.root().OpenFile(name, os.O_RDWR, 0)
	}
	if err != nil {
		return nil, false, fmt.Errorf("store: %w", err)
	}
	return f, false, nil
}

// renamesOpenFiles: Windows does not.
const renamesOpenFiles = runtime.GOOS != "windows"

// replace puts a file with these bytes in the place of another, in one step,
// so that whatever happens one or the other is there, whole. It returns the new
// file, locked if lock is set; sync forces it to the platter first.
func (d *folder) replace(name string, data []byte, lock, sync bool) (_ *os.File, err error) {
	temporary := name + ".tmp"
	f, err := d.root().OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
			d.root().Remove(temporary)
		}
	}()
	if lock && renamesOpenFiles {
		if err := Lock(f); err != nil {
			return nil, err
		}
	}
	if _, err := f.Write(data); err != nil {
		return nil, err
	}
	if sync {
		if err := f.Sync(); err != nil {
			return nil, err
		}
	}
	if !renamesOpenFiles {
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	if err := d.root().Rename(temporary, name); err != nil {
		return nil, err
	}
	if !renamesOpenFiles {
		if f, err = d.root().OpenFile(name, os.O_RDWR, 0); err != nil {
			return nil, err
		}
		if lock {
			if err := Lock(f); err != nil {
				return nil, err
			}
		}
	}
	if sync {
		return f, d.sync()
	}
	return f, nil
}
