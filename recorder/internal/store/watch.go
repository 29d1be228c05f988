package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// A file that is deleted, renamed or replaced while it is open takes every write
// and is gone at the end. So each second the name is compared with what is
// open. What the open file has is copied under a new name, and the stream goes
// on there. A folder that is moved takes its files along: names in it are looked
// up in the open folder, not by its path.

// watch looks after the file that is written.
func (w *Writer) watch() {
	p := w.part
	info, err := p.disk.Stat()
	if err != nil {
		return // a disk that cannot answer; writing will show it
	}
	if w.isCut(p, info) {
		return
	}
	if w.run.dir.is(p.File, info) {
		w.run.folderIs()
		return
	}
	_, _ = p.settle(true) // what is there is copied, and the copy is synced
	w.rescue(p, info)
}

// isCut gives up the file of a part that is shorter than what was written.
func (w *Writer) isCut(p *part, info fs.FileInfo) bool {
	if info.Size() >= p.w.Size() {
		return false
	}
	_, _ = p.settle(true)
	w.shortened(p, info.Size())
	return true
}

// rescue copies what an open file has to a new one and writes on there.
func (w *Writer) rescue(p *part, info fs.FileInfo) {
	name, number, f, err := w.nextFile()
	if err == nil {
		err = w.copyTo(f, p)
		if err != nil {
			f.Close()
			w.run.dir.root().Remove(name)
		}
	}
	what := "was deleted"
	if there, _ := w.run.dir.exists(p.File); there {
		what = "was replaced by another file"
	} else if !isRemoved(info) {
		what = "was renamed or moved"
	}
	if err != nil {
		w.tell(TakenAway, p.File, w.rows.Load(), err, "it %s, and cannot be copied to %s (%v); its rows are kept as long as the recorder runs: make that possible", what, name, plain(err))
		return
	}
	old := p.File
	p.h.Close()
	p.disk, p.h.File = f, w.run.o.Wrap(name, diskFile{f})
	p.File, w.number, p.dirty = name, number, true
	w.tell(TakenAway, old, w.rows.Load(), nil, "it %s; what was written is in %s, where the stream goes on", what, name)
	w.note()
}

// copyTo copies the whole messages of a part, and forces them to the platter if
// the file's own were.
func (w *Writer) copyTo(f *os.File, p *part) error {
	size := p.w.Size()
	n, err := io.Copy(f, io.NewSectionReader(p.disk, 0, size))
	if err == nil && n != size {
		err = fmt.Errorf("%d of %d bytes can be read", n, size)
	}
	if err == nil && w.run.o.Sync != SyncNever {
		if err = f.Sync(); err == nil {
			err = w.run.dir.sync()
		}
	}
	return err
}

// shortened gives up a file that another program cut: what follows would leave a
// hole in it.
func (w *Writer) shortened(p *part, size int64) {
	rows := p.rowsWithin(size)
	lost := p.Rows - rows
	e := w.tell(Shortened, p.File, p.FirstRow+rows, nil, "another program cut it to %d of %d bytes: %d rows from %d on are lost; the stream goes on in another file", size, p.w.Size(), lost, p.FirstRow+rows)
	p.h.Close()
	w.part = nil
	p.State, p.Error, p.LostRows = StateFailed, e.Error(), lost
	w.keep(p)
	w.cause, w.again, w.need = e, time.Time{}, 0
}

// folderIs looks where the folder is, at most once a second, and says it once
// when it was moved or removed.
func (r *Run) folderIs() place {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.lookAt) >= time.Second || r.where == gone {
		r.lookAt = now
		was := r.where
		r.where = r.dir.look()
		if r.where == moved && was != moved {
			text := "the folder " + r.dir.path + " was moved; its files go on where it is now"
			if now := r.dir.now(); now != "" {
				text += ": " + now
			}
			r.o.Tell(Event{Kind: Moved, Text: text})
		}
	}
	return r.where
}

// MovedTo returns where the folder is after it was moved, "" if it was not, or
// nobody can say.
func (r *Run) MovedTo() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.where != moved {
		return ""
	}
	return r.dir.now()
}

// folderAgain makes the folder anew after it was removed.
func (r *Run) folderAgain() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dir.look() != gone {
		return nil // another stream did
	}
	if err := r.dir.again(); err != nil {
		return err
	}
	r.where = inPlace
	r.o.Tell(Event{Kind: Moved, Text: "the folder " + r.dir.path + " was removed; it is made again"})
	return nil
}

// plain is a system's error without the path, which the text has already.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
