package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Writer writes the file of one stream. After its first failed write it
// takes nothing more; the file then ends at the last whole batch and is left
// without a footer, so that `oniscope recover` completes it.
//
// One goroutine at a time may call WriteBatch, SyncIfDue and Close; Progress
// may be called by any.
type Writer struct {
	file   File
	w      *recording.Writer
	name   string // of the file
	every  time.Duration
	synced time.Time
	dirty  bool
	err    error // the first failure, terminal
	closed bool

	rows, bytes atomic.Int64
	batches     atomic.Int64
}

// OpenStream writes the magic and the schema of a stream to its file. The file
// is the one that Begin created, or, for a stream that appears later, a new one.
func (r *Run) OpenStream(s *stream.Stream, codec recording.Codec) (*Writer, error) {
	name := StreamFile(s.Name, r.suffix)
	file, ok := r.created[s.Name]
	if !ok {
		path := filepath.Join(r.o.Dir, name)
		var err error
		if file, err = r.o.Create(path, r.o.Overwrite(s.Name)); err != nil {
			return nil, existsError(path, err)
		}
	}
	delete(r.created, s.Name)
	w := &Writer{file: file, name: name, every: r.o.Sync, synced: time.Now()}
	rw, err := recording.NewWriter(file, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		file.Close()
		return nil, w.explain(err)
	}
	w.w, w.dirty = rw, true
	w.bytes.Store(rw.Size())
	return w, nil
}

// Name returns the name of the file.
func (w *Writer) Name() string { return w.name }

// WriteBatch writes rows with one write and returns where they are; columns
// are as in recording.Writer, lost as in its Lost. After a failure to force them to the platter
// they are in the file nevertheless, and the block says so.
func (w *Writer) WriteBatch(rows int, columns []recording.Vector, lost []recording.LostRows) (recording.Block, error) {
	if w.err != nil {
		return recording.Block{}, w.err
	}
	w.w.Lost(lost...)
	block, err := w.w.WriteBatch(rows, columns)
	if err != nil {
		w.fail(err)
		return recording.Block{}, w.err
	}
	w.dirty = true
	w.progress()
	return block, w.SyncIfDue(time.Now())
}

// SyncIfDue forces the file to the platter if the interval is over and
// something was written.
func (w *Writer) SyncIfDue(now time.Time) error {
	if w.err != nil || !w.dirty || now.Sub(w.synced) < w.every {
		return w.err
	}
	if err := w.file.Sync(); err != nil {
		w.fail(err)
	}
	w.synced, w.dirty = time.Now(), false
	return w.err
}

// Close writes the footer, unless a write failed before, syncs and closes.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err == nil {
		if err := w.w.Close(); err != nil {
			w.fail(err)
		}
		w.progress()
	}
	if err := errors.Join(w.file.Sync(), w.file.Close()); err != nil && w.err == nil {
		w.fail(err)
	}
	return w.err
}

func (w *Writer) progress() {
	w.rows.Store(w.w.Rows())
	w.batches.Store(int64(w.w.Batches()))
	w.bytes.Store(w.w.Size())
}

// Progress returns what is in the file, counted in whole batches.
func (w *Writer) Progress() (rows int64, batches int, bytes int64) {
	return w.rows.Load(), int(w.batches.Load()), w.bytes.Load()
}

// fail keeps the first failure. The file takes no more rows, so that it can be
// recovered while the run goes on.
func (w *Writer) fail(err error) {
	if w.err != nil {
		return
	}
	w.err = w.explain(err)
	if f, ok := w.file.(interface{ unlock() }); ok {
		f.unlock()
	}
}

// explain names the file, and says what a full disk means.
func (w *Writer) explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("store: %s: the disk is full: the file ends after the last whole batch; free space, then run oniscope recover on it: %w", w.name, err)
	}
	return fmt.Errorf("store: %s: %w", w.name, err)
}
