package run

import (
	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Listener follows a run while it is recorded. The goroutines of the recording
// call it, several at a time: no method may wait for anything.
type Listener interface {
	// Begun is called once, before all others.
	Begun(b Begun)
	// Opened is called when the schema of a stream is in its file. s is not
	// changed after it.
	Opened(s *stream.Stream, file string)
	// Decoded is acquire.Config.Tap.
	Decoded(s *stream.Stream, b *device.Batch, from int)
	// Written says where a batch is that was written to a file.
	Written(stream, file string, block recording.Block)
	// Status gets the state, some times a second, and the first places where
	// rows were lost.
	Status(s *Snapshot, lost []recording.GapRecord)
	// Ended is called once all files are complete.
	Ended(s *store.Summary)
}

// A Need is a stream that must be there.
type Need struct {
	Stream string
	Check  func(*stream.Stream) error // says why it is not what is needed; nil: nobody asks
}

// Begun are facts of a run that do not change.
type Begun struct {
	Dir, Suffix string
	StartUTC    string
	AcqClockHz  uint64
	Simulated   bool
}

// tap is what acquisition calls with rows, nil if nobody listens.
func (rec *Run) tap() func(s *stream.Stream, b *device.Batch, from int) {
	if rec.o.Listen == nil {
		return nil
	}
	return rec.o.Listen.Decoded
}

// status is that of the acquisition, with the streams of the run's own.
func (rec *Run) status(a *acquire.Acquisition) acquire.Status {
	st := a.Status()
	if f, ok := rec.notes.status(); ok {
		st.Streams = append(st.Streams, f)
	}
	return st
}
