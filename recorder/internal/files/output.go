package files

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// An Output is a file in the making. It is written under a temporary name in
// the folder of Path, and named by Commit; Discard takes it away if Commit did
// not name it. One goroutine at a time may call it.
type Output struct {
	*os.File
	Path     string
	finished bool
	done     bool
}

// Create begins a file at a path that does not exist; in is what it is made of,
// nil for no file.
func Create(path string, in *Input) (*Output, error) {
	if info, err := os.Lstat(path); err == nil {
		if in != nil {
			if mine, err := in.File.Stat(); err == nil && os.SameFile(info, mine) {
				return nil, fmt.Errorf("%s is the input itself; choose another output", path)
			}
		}
		return nil, fmt.Errorf("%s exists; nothing is overwritten, choose another output", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, unwritable(path, err)
	}
	f, err := createTemporary(path)
	if err != nil {
		return nil, unwritable(path, err)
	}
	return &Output{File: f, Path: path}, nil
}

// maxName is how many bytes the name of a file may have, on every file system in
// use.
const maxName = 255

// Beside is the name of a file next to another: its own, without an extension
// and with a suffix, or where that is too long for a file system the beginning of
// it and a hash.
func Beside(path, extension, suffix string) string {
	stem := strings.TrimSuffix(path, extension)
	base := filepath.Base(stem)
	if len(base)+len(suffix) <= maxName {
		return stem + suffix
	}
	hash := sha256.Sum256([]byte(base))
	end := fmt.Sprintf("-%x%s", hash[:4], suffix)
	cut := maxName - len(end)
	for cut > 0 && !utf8.RuneStart(base[cut]) {
		cut--
	}
	return stem[:len(stem)-len(base)] + base[:cut] + end
}

// createTemporary begins a file in the folder of a path. Its name has the same length
// whatever the path's, which may be as long as a name can be; who may read it is
// the umask's to say.
func createTemporary(path string) (*os.File, error) {
	dir := ""
	if i := strings.LastIndexFunc(path, func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) }); i >= 0 {
		dir = path[:i+1]
	}
	for try := 0; ; try++ {
		f, err := os.OpenFile(fmt.Sprintf("%s.oniscope-%08x.partial", dir, rand.Uint32()), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil || !errors.Is(err, fs.ErrExist) || try == 1000 {
			return f, err
		}
	}
}

// Explain returns an error of writing the file by itself: a *PathError with the name
// that the file is to have.
func (o *Output) Explain(err error) error {
	path, link := (*fs.PathError)(nil), (*os.LinkError)(nil)
	if errors.As(err, &path) && path.Path == o.Name() || errors.As(err, &link) && link.Old == o.Name() {
		return unwritable(o.Path, err)
	}
	return err
}

func (o *Output) Write(p []byte) (int, error) {
	n, err := o.File.Write(p)
	return n, o.Explain(err)
}

// WriteAt writes over what is there.
func (o *Output) WriteAt(p []byte, off int64) (int, error) {
	n, err := o.File.WriteAt(p, off)
	return n, o.Explain(err)
}

// Sync forces the file to the platter.
func (o *Output) Sync() error { return o.Explain(o.File.Sync()) }

// Truncate cuts the file; the next Write continues there.
func (o *Output) Truncate(size int64) error {
	err := o.File.Truncate(size)
	if err == nil {
		_, err = o.Seek(size, 0)
	}
	return o.Explain(err)
}

// Finish closes the file with everything on the platter.
func (o *Output) Finish() error {
	if o.finished {
		return nil
	}
	if err := o.Sync(); err != nil {
		return err
	}
	o.finished = true
	return o.Close()
}

// Commit finishes the file and gives it its name.
func (o *Output) Commit() error {
	if err := o.Finish(); err != nil {
		return err
	}
	// A link fails where a file of that name has appeared; a rename would
	// replace it. Where links are not possible, looking must do.
	err := os.Link(o.Name(), o.Path)
	if err == nil {
		err = os.Remove(o.Name())
	} else if _, statErr := os.Lstat(o.Path); errors.Is(statErr, fs.ErrNotExist) {
		err = os.Rename(o.Name(), o.Path)
	} else {
		err = fmt.Errorf("%s appeared meanwhile; nothing is overwritten", o.Path)
	}
	o.done = err == nil
	return o.Explain(err)
}

// CommitAll gives several files their names, or none.
func CommitAll(outs ...*Output) error {
	for i, out := range outs {
		if err := out.Commit(); err != nil {
			for _, named := range outs[:i] {
				os.Remove(named.Path)
			}
			return err
		}
	}
	return nil
}

// Discard removes the file unless Commit named it.
func (o *Output) Discard() {
	if !o.done {
		o.Close()
		os.Remove(o.Name())
	}
}
