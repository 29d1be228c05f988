package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Writer writes one stream, to one file after another: a file that takes no
// more rows (roll, full disk, failed write or sync) is completed as far as
// possible, and the stream goes on in its next part.
//
// One goroutine at a time may call WriteBatch, Tend and Close; the rest may be
// called by any.
type Writer struct {
	run    *Run
	stream stream.Stream
	codec  recording.Codec

	part     *part // nil: no file takes rows
	number   int   // of the part's file
	count    int   // of parts that were begun
	rollAt   uint64
	cause    error     // why there is no part
	again    time.Time // when a next part is tried
	need     int64     // bytes that must be free for it
	badSyncs int       // one after another
	closed   bool

	rows, batches, bytes, durable atomic.Int64 // in all parts
	taken                         atomic.Int64 // rows of them that another program took away

	mu    sync.Mutex
	parts []PartSummary // as of the last batch or sync
}

// A LaterError says that a batch was not written because no file takes rows now;
// it may be offered again.
type LaterError struct{ Err error }

func (e *LaterError) Error() string { return e.Err.Error() }

// Unwrap returns why.
func (e *LaterError) Unwrap() error { return e.Err }

// Later reports true.
func (e *LaterError) Later() bool { return true }

// How long a writer waits before it tries a next part.
const tryAgain = time.Second

// maxParts bounds the numbers of a stream's parts.
const maxParts = 100_000

// OpenStream writes the magic and the schema of a stream to its file. The file
// is the one that Begin opened, or, for a stream that appears later, a new one.
func (r *Run) OpenStream(s *stream.Stream, codec recording.Codec) (*Writer, error) {
	name := r.firstFile(s.Name)
	r.mu.Lock()
	f, ok := r.opened[s.Name]
	delete(r.opened, s.Name)
	r.mu.Unlock()
	w := &Writer{run: r, stream: *s, codec: codec}
	w.stream.Columns = append([]stream.Column(nil), s.Columns...)
	var err error
	if !ok {
		f, _, err = r.dir.open(name, r.o.Overwrite(s.Name))
		if exists := (*ExistsError)(nil); errors.As(err, &exists) {
			name, w.number, f, err = w.nextFile() // of another run
		}
		if err == nil {
			err = f.Truncate(0)
		}
		if err != nil {
			return nil, err
		}
	}
	if w.part, err = w.beginPart(name, f); err != nil {
		f.Close()
		return nil, explain(name, err)
	}
	w.note()
	return w, nil
}

// WriteBatch writes rows with one write and returns where they are, in the part
// that is written; columns are as in recording.Writer, lost as in its Lost.
//
// Where it cannot write, it returns an error that says Later if the batch may be
// offered again, and any other if the batch itself is impossible.
func (w *Writer) WriteBatch(rows int, columns []recording.Vector, lost []recording.LostRows) (recording.Block, error) {
	if w.part != nil {
		if info, err := w.part.disk.Stat(); err == nil {
			w.isCut(w.part, info) // this batch would leave a hole in it
		}
	}
	if w.part != nil && w.rollDue(columns) {
		w.roll()
	}
	for try := 0; ; try++ {
		if w.part == nil {
			if err := w.reopen(time.Now(), batchBytes(columns)); err != nil {
				return recording.Block{}, &LaterError{err}
			}
		}
		w.part.w.Lost(lost...)
		block, err := w.part.w.WriteBatch(rows, columns)
		if err == nil {
			w.part.wrote(block)
			w.note()
			w.syncIfDue(time.Now())
			return block, nil
		}
		if w.part.h.err == nil {
			return recording.Block{}, fmt.Errorf("store: %s: %w", w.part.File, err) // the batch is impossible
		}
		w.failed(err, batchBytes(columns))
		if try > 0 || IsFull(err) {
			return recording.Block{}, &LaterError{w.cause}
		}
	}
}

// batchBytes is about what a batch takes.
func batchBytes(columns []recording.Vector) (n int64) {
	for i := range columns {
		n += int64(len(columns[i].Data))
	}
	return n
}

// IsFull reports whether an error says that there is no room.
func IsFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || isQuota(err) }

// failed completes a part whose write failed.
func (w *Writer) failed(err error, batch int64) {
	p := w.part
	w.cause, w.need = explain(p.File, fmt.Errorf("store: %s: %w", p.File, err)), 0
	full := IsFull(err)
	if full {
		w.again = time.Now().Add(tryAgain)
		w.need = 2*batch + 2*reserveBytes
		w.run.mu.Lock()
		w.run.releaseReserve()
		w.run.mu.Unlock()
	} else if p.Batches > 0 {
		w.again = time.Time{} // a file that took something is worth another at once
	}
	w.end(p)
	if full {
		w.tell(DiskFull, p.File, w.rows.Load(), err, "the disk is full: rows wait in memory, then they are lost; free space, and the stream goes on by itself")
	} else {
		w.tell(WriteFailed, p.File, w.rows.Load(), err, "writing failed (%v); the stream goes on in another file", plain(err))
	}
}

// end completes the file of a part, as far as that is possible, and looks at it.
func (w *Writer) end(p *part) {
	w.part = nil
	p.State = StateComplete
	_, unsynced := p.settle(true) // a failure is told once: the next sync may say that all is well
	err := p.w.Seal()
	p.note()
	if unsynced == nil && err == nil && w.run.o.Sync != SyncNever {
		unsynced = p.sync()
	}
	if unsynced != nil {
		_ = w.syncFailed(p, unsynced) // the part keeps it
		p.h.Close()
		w.keep(p)
		return
	}
	p.Bytes = p.w.Size()
	if err == nil {
		if err = w.run.shut(p); err == nil {
			p.GoodRows, p.GoodBytes = p.Rows, p.Bytes
			if p.Batches == 0 && w.count > 1 && w.cause != nil {
				w.run.dir.root().Remove(p.File) // nothing ever fitted in
				w.forget(p)
				return
			}
		} else {
			err = w.tell(NotReadable, p.File, p.FirstRow, err, "it cannot be read back under its name: %v", plain(err))
		}
	} else {
		p.h.Close()
		err = fmt.Errorf("store: %s: no footer could be written (%v); oniscope recover completes the file", p.File, plain(err))
	}
	if err != nil {
		p.State, p.Error = StateFailed, err.Error()
	}
	w.keep(p)
}

// reopen begins the next part, where there is room for it.
func (w *Writer) reopen(now time.Time, batch int64) error {
	if now.Before(w.again) {
		return w.cause
	}
	w.again = now.Add(tryAgain)
	if w.need > 0 {
		if free, err := w.run.o.Free(); err == nil && free < max(w.need, 2*batch+2*reserveBytes) {
			return w.cause
		}
	}
	name, number, f, err := w.nextFile()
	if err != nil {
		w.cause = explain(name, err)
		return w.cause
	}
	before := w.number
	w.number = number
	p, err := w.beginPart(name, f)
	if err != nil {
		w.number = before
		f.Close()
		w.run.dir.root().Remove(name)
		w.cause = explain(name, err)
		return w.cause
	}
	w.part = p
	w.run.mu.Lock()
	w.run.keepReserve()
	w.run.mu.Unlock()
	if w.cause != nil {
		w.tell(GoesOn, name, w.rows.Load(), nil, "the stream goes on here")
		w.cause = nil
	}
	w.note()
	return nil
}

// rollDue reports whether a batch belongs to the next part.
func (w *Writer) rollDue(columns []recording.Vector) bool {
	clock := w.stream.Column(stream.ClockName)
	if w.run.o.Roll == 0 || clock < 0 || len(columns[clock].Data) < 8 {
		return false
	}
	first := binary.LittleEndian.Uint64(columns[clock].Data)
	if w.rollAt == 0 || first > w.rollAt+100*w.run.o.Roll || first+100*w.run.o.Roll < w.rollAt {
		w.rollAt = (first/w.run.o.Roll + 1) * w.run.o.Roll // the first batch, or a clock that cannot be
		return false
	}
	if first < w.rollAt {
		return false
	}
	w.rollAt = (first/w.run.o.Roll + 1) * w.run.o.Roll
	return w.part.Batches > 0
}

// roll completes a part and begins the next.
func (w *Writer) roll() {
	w.end(w.part)
	w.cause, w.again, w.need = nil, time.Time{}, 0
}

// Tend is to be called each second: it forces to the platter what is due, and
// looks whether the file is still the one that its name means.
func (w *Writer) Tend(now time.Time) error {
	w.syncIfDue(now)
	if w.part != nil {
		w.watch()
	}
	return w.Err()
}

// Err returns why the stream takes no rows now, nil if it does.
func (w *Writer) Err() error {
	if w.part == nil {
		return w.cause
	}
	return nil
}

// Close completes the file, forces it to the platter, closes it and looks at
// it. It returns why a part of the stream is not whole.
func (w *Writer) Close() error {
	if w.closed {
		return w.closeErr()
	}
	w.closed = true
	if w.part != nil {
		w.watch()
	}
	if p := w.part; p != nil {
		if err := p.w.Close(); IsFull(err) {
			w.run.mu.Lock()
			w.run.releaseReserve()
			w.run.mu.Unlock()
		}
		w.end(p)
	}
	return w.closeErr()
}

func (w *Writer) closeErr() error {
	var errs []error
	for _, p := range w.Parts() {
		if p.Error != "" {
			errs = append(errs, errors.New(p.Error))
		}
	}
	if w.cause != nil {
		errs = append(errs, w.cause)
	}
	return errors.Join(errs...)
}

// A fullError says of a file that the disk is full, and no more: how many bytes were
// written of which batch tells nobody what to do.
type fullError struct {
	file string
	err  error
}

func (e *fullError) Error() string { return "store: " + e.file + ": the disk is full; free space" }

func (e *fullError) Unwrap() error { return e.err }

// explain says what a full disk means for a file.
func explain(file string, err error) error {
	if IsFull(err) {
		return &fullError{file, err}
	}
	return err
}
