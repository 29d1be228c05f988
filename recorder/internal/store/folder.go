package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
)

// A folder is where a run's files are. It is held open, so that names in it
// mean the same files when the folder is moved; and its path is looked at, so
// that this does not go unseen.
type folder struct {
	path    string                  // as it was given
	current atomic.Pointer[os.Root] // another one after the folder was removed
}

// root is the folder, for names in it. It stays valid for who has it, though
// another may have come.
func (d *folder) root() *os.Root { return d.current.Load() }

// openFolder opens a folder; it makes those that are missing, and forces their
// names to the platter.
func openFolder(path string) (*folder, error) {
	if path == "" {
		path = "."
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := makeFolders(path); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	d := &folder{path: path}
	d.current.Store(root)
	return d, nil
}

func makeFolders(path string) error {
	var parents []string // of those that will be new
	for at := path; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || filepath.Dir(at) == at {
			break
		}
		parents = append(parents, filepath.Dir(at))
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := SyncDir(parent); err != nil {
			return err
		}
	}
	return nil
}

// FreeBytes is how much a user may still write into a folder.
func FreeBytes(dir string) (int64, error) {
	d, err := openFolder(dir)
	if err != nil {
		return 0, err
	}
	defer d.root().Close()
	return d.freeBytes()
}

// SyncDir forces a folder's entries to the platter, where a folder can be
// synced at all.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncFolder(d)
}

// sync is SyncDir for the folder itself, wherever it is now.
func (d *folder) sync() error {
	f, err := d.root().Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return syncFolder(f)
}

// A place is where a folder is, compared with its path.
type place uint8

const (
	inPlace place = iota
	moved         // it has another path, and can be written
	gone          // it was removed, or nobody can say
)

// look says where the folder is.
func (d *folder) look() place {
	here, err := d.root().Stat(".")
	if err != nil || isRemoved(here) {
		return gone
	}
	if there, err := os.Stat(d.path); err == nil && os.SameFile(here, there) {
		return inPlace
	}
	return moved
}

// again makes a folder at the path anew, after the old one was removed.
func (d *folder) again() error {
	if err := makeFolders(d.path); err != nil {
		return err
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	d.current.Store(root) // the old one is not closed: other streams may be at work in it
	return nil
}

// is reports whether a name in the folder means an open file.
func (d *folder) is(name string, open fs.FileInfo) bool {
	there, err := d.root().Lstat(name)
	return err == nil && os.SameFile(there, open)
}

// exists reports whether a name is taken.
func (d *folder) exists(name string) (bool, error) {
	_, err := d.root().Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
