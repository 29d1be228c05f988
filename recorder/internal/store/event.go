package store

import "fmt"

// An EventKind says what happened to a stream's file.
type EventKind uint8

// The kinds. After all but GoesOn and Moved something may be lost.
const (
	DiskFull    EventKind = iota // rows wait until there is room again
	WriteFailed                  // for another reason
	SyncFailed                   // the file is known good up to a row only
	TakenAway                    // deleted, renamed or replaced
	Shortened                    // by another program
	NotReadable                  // at the end, under its name
	GoesOn                       // in another file
	Moved                        // the folder; Stream is ""
)

// An Event is something that happened to the file of a stream, for people and
// for the summary.
type Event struct {
	Kind   EventKind
	Stream string
	File   string // name
	Text   string // what happened, and what to do
	Row    int64  // of the stream: the next row that would have been written; SyncFailed: known good rows
	Err    error  // the system's, if there is one
}

// Error makes an event an error of its text.
func (e *Event) Error() string { return "store: " + e.Text }

// Unwrap returns the cause.
func (e *Event) Unwrap() error { return e.Err }

func (w *Writer) tell(kind EventKind, file string, row int64, err error, format string, args ...any) *Event {
	e := Event{kind, w.stream.Name, file, file + ": " + fmt.Sprintf(format, args...), row, err}
	w.run.o.Tell(e)
	return &e
}
