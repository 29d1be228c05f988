package run

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/shared/recording"
)

// A notebook writes the stream of notes: each is a batch of its own, so that it is
// in the file at once. The file is made with the first note.
type notebook struct {
	mu     sync.Mutex
	writer acquire.Writer
	last   recording.Block
	closed bool
}

// errNoNotes says that a note comes too early, or too late.
var errNoNotes = errors.New("notes can be taken only while a recording runs")

// Note writes a note down, at the Clock of now. It is about now too where About is 0,
// or has not come yet. It waits for the disk; any goroutine but those of the recording
// may call it. It returns the note as it is in the file.
func (rec *Run) Note(n recording.Note) (recording.Note, error) {
	a := rec.acquisition.Load()
	if a == nil {
		return n, errNoNotes
	}
	b := &rec.notes
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return n, errNoNotes
	}
	n.Clock = max(b.last.LastClock, a.Status().LastClock)
	if n.About == 0 || n.About > n.Clock {
		n.About = n.Clock
	}
	if b.writer == nil {
		s := recording.NoteStream(rec.head.AcqClockHz)
		s.StartUTC, s.Simulated = a.Started().UTC().Format(time.RFC3339Nano), rec.head.Simulated
		w, err := rec.openStream(s)
		if err != nil {
			return n, fmt.Errorf("the note was not written: %w", err)
		}
		b.writer = w
	}
	block, err := b.writer.WriteBatch(1, recording.NoteColumns([]recording.Note{n}), nil)
	if err == nil {
		b.last = block
		err = b.writer.Tend(time.Now())
	}
	if err != nil {
		return n, fmt.Errorf("the note was not written: %w", err)
	}
	return n, nil
}

// status says how far the file is; ok is false while there is none.
func (b *notebook) status() (s acquire.StreamStatus, ok bool) {
	if !b.mu.TryLock() {
		return s, false // a note waits for the disk
	}
	defer b.mu.Unlock()
	if b.writer == nil {
		return s, false
	}
	return acquire.StreamStatus{Name: recording.NoteStreamName, Progress: b.writer.Progress(), LastClock: b.last.LastClock, Heard: true, Last: b.last}, true
}

func (b *notebook) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.writer == nil {
		return nil
	}
	return b.writer.Close()
}
