package store

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPartsAreLinkedAndLoseNoRow.
func TestPartsAreLinkedAndLoseNoRow(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9}
	o := d.options(dir)
	o.Roll = 1000
	_, w := heartbeat(t, o)
	mustWriteEach(t, w, 50, 70)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var paths []string
	first := int64(0)
	for i, p := range w.Parts() {
		path := filepath.Join(dir, p.File)
		paths = append(paths, path)
		ticks, about := rowsIn(t, path)
		if p.FirstRow != first || int64(len(ticks)) != p.Rows || i > 0 && ticks[0]/1000 == ticks[0]/1000-1 {
			t.Errorf("part %d: %+v", i, p)
		}
		if i > 0 && (about.Metadata[keyBefore] != w.Parts()[i-1].File || ticks[0] < uint64(1000*i) || ticks[0] >= uint64(1000*i+70)) {
			t.Errorf("part %d begins at %d after %q", i, ticks[0], about.Metadata[keyBefore])
		}
		first += p.Rows
	}
	if len(paths) != 4 || filepath.Base(paths[0]) != "heartbeat_0_000.arrow" || filepath.Base(paths[3]) != "heartbeat_0_003.arrow" {
		t.Errorf("files %v", paths)
	}
	counts(t, 0, 3500, paths...)
}

// TestAWriteThatFailsGoesOnInTheNextFile: a limit on the size of files, a bad
// block.
func TestAWriteThatFailsGoesOnInTheNextFile(t *testing.T) {
	dir := t.TempDir()
	_, w := heartbeat(t, Options{Dir: dir, Suffix: FileCount, Wrap: func(_ string, f File) File { return &limited{File: f, room: 20_000} }})
	mustWriteEach(t, w, 10, 1000)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	var paths []string
	for _, p := range w.Parts() {
		paths = append(paths, filepath.Join(dir, p.File))
	}
	if len(paths) < 4 {
		t.Errorf("files %v", paths)
	}
	counts(t, 0, 10_000, paths...)
}

// A limited file has a greatest size.
type limited struct {
	File
	room int
}

func (f *limited) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	if len(p) < 3000 {
		n = len(p) // a footer
	}
	f.room -= n
	n, err := f.File.Write(p[:n])
	if err == nil && n < len(p) {
		err = &fs.PathError{Op: "write", Path: "x", Err: syscall.EFBIG}
	}
	return n, err
}
