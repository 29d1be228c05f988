package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// An output is a file in the making: written under a temporary name in its
// folder, and renamed when everything is well. It never replaces a file.
type output struct {
	*os.File
	path     string
	finished bool
	done     bool
}

// commitAll gives several files their names, or none.
func commitAll(outs ...*output) error {
	for i, out := range outs {
		if err := out.commit(); err != nil {
			for _, named := range outs[:i] {
				os.Remove(named.path)
			}
			return err
		}
	}
	return nil
}

// createOutput begins a file at a path that does not exist.
func createOutput(path string, in *input) (*output, error) {
	if path == stdinName {
		return nil, usagef("-o - is not a file; standard output is what oniscope cat writes to")
	}
	if info, err := os.Lstat(path); err == nil {
		if mine, err := in.file.Stat(); err == nil && os.SameFile(info, mine) {
			return nil, fmt.Errorf("%s is the input itself; choose another output", path)
		}
		return nil, fmt.Errorf("%s exists; nothing is overwritten, choose another output", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	dir, name := ".", path
	if i := strings.LastIndexFunc(path, func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) }); i >= 0 {
		dir, name = path[:i+1], path[i+1:]
	}
	f, err := os.CreateTemp(dir, "."+name+".partial-*")
	if err != nil {
		return nil, err
	}
	return &output{File: f, path: path}, nil
}

// Truncate cuts the file; the next Write continues there.
func (o *output) Truncate(size int64) error {
	if err := o.File.Truncate(size); err != nil {
		return err
	}
	_, err := o.Seek(size, 0)
	return err
}

// finish closes the file with everything on the platter.
func (o *output) finish() error {
	if o.finished {
		return nil
	}
	if err := o.Chmod(0o644); err != nil {
		return err
	}
	if err := o.Sync(); err != nil {
		return err
	}
	o.finished = true
	return o.Close()
}

// commit finishes the file and gives it its name.
func (o *output) commit() error {
	if err := o.finish(); err != nil {
		return err
	}
	// A link fails where a file of that name has appeared; a rename would
	// replace it. Where links are not possible, looking must do.
	err := os.Link(o.Name(), o.path)
	if err == nil {
		err = os.Remove(o.Name())
	} else if _, statErr := os.Lstat(o.path); errors.Is(statErr, fs.ErrNotExist) {
		err = os.Rename(o.Name(), o.path)
	} else {
		err = fmt.Errorf("%s appeared meanwhile; nothing is overwritten", o.path)
	}
	o.done = err == nil
	return err
}

// discard removes what commit did not name.
func (o *output) discard() {
	if !o.done {
		o.Close()
		os.Remove(o.Name())
	}
}
