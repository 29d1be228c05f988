package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// What the system says of a path, as people read it: the path first, as they gave
// it, then why, and what to do. Names of temporary files are nobody's business.

// A PathError says why a file cannot be opened, made or written.
type PathError struct {
	Path string // as it was given
	Why  string
	Err  error // of the system
}

func (e *PathError) Error() string { return e.Path + ": " + e.Why }

// Unwrap returns what the system said.
func (e *PathError) Unwrap() error { return e.Err }

// unreadable is why a file cannot be opened.
func unreadable(path string, err error) error {
	why := plain(err)
	switch {
	case path == "":
		return errors.New("the name of a file is empty; name one, or - for standard input")
	case errors.Is(err, fs.ErrNotExist):
		why = "there is no such file"
		if target, err := os.Readlink(path); err == nil {
			why = fmt.Sprintf("it is a link to %s, which is not there", target)
		} else if strings.Contains(path, "://") {
			why = "it is an address, and files are read here: download it first, or open it in the page (oniscope view)"
		}
	case errors.Is(err, fs.ErrPermission):
		why = "it may not be read by this user; look at its permissions"
	}
	return &PathError{path, why, err}
}

// unwritable is why an output cannot be made or written.
func unwritable(path string, err error) error {
	if already := (*PathError)(nil); err == nil || errors.As(err, &already) {
		return err
	}
	why := plain(err)
	switch dir := filepath.Dir(path); {
	case store.IsFull(err):
		why = "the disk is full; free space, or choose another output"
	case errors.Is(err, fs.ErrNotExist):
		why = fmt.Sprintf("the folder %s is not there; make it first", dir)
	case errors.Is(err, fs.ErrPermission):
		why = fmt.Sprintf("this user may not write to the folder %s; choose another output", dir)
	}
	return &PathError{path, why, err}
}

// plain is an error of the system without the call and the path.
func plain(err error) string {
	path, link := (*fs.PathError)(nil), (*os.LinkError)(nil)
	switch {
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &link):
		return link.Err.Error()
	}
	return err.Error()
}
