package run

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A heard counts what a listener hears.
type heard struct {
	mu      sync.Mutex
	begun   int
	decoded map[string]int
	written map[string]int64
	end     map[string]int64 // bytes of the whole batches, by file
	status  int
	ended   *store.Summary
}

func newHeard() *heard {
	return &heard{decoded: map[string]int{}, written: map[string]int64{}, end: map[string]int64{}}
}

func (h *heard) note(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}
func (h *heard) Begun(Begun)                   { h.note(func() { h.begun++ }) }
func (h *heard) Opened(*stream.Stream, string) {}
func (h *heard) Decoded(s *stream.Stream, b *device.Batch, from int) {
	h.note(func() { h.decoded[s.Name] += b.Rows - from })
}
func (h *heard) Written(s, file string, b recording.Block) {
	h.note(func() { h.written[s] += b.Rows; h.end[file] = b.Offset + b.Length })
}
func (h *heard) Status(*Snapshot, []recording.GapRecord) { h.note(func() { h.status++ }) }
func (h *heard) Ended(s *store.Summary)                  { h.note(func() { h.ended = s }) }

func TestAListenerHearsOfEveryRowAndBatch(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 1500*time.Millisecond, "devices: {heartbeat: {rate_hz: 100}, memory-monitor: {rate_hz: 10}}\n")
		heard := newHeard()
		s.o.Listen = heard
		s.run(nil).well()
		if heard.begun != 1 || heard.ended == nil || heard.ended.State != store.StateComplete || heard.status < 4 {
			t.Errorf("begun %d times, ended %v, %d times the state", heard.begun, heard.ended, heard.status)
		}
		for _, f := range s.rec.Summary().Streams {
			if heard.written[f.Name] != f.Rows || int64(heard.decoded[f.Name]) != f.Rows {
				t.Errorf("%s: %d rows; heard of %d decoded, %d written", f.Name, f.Rows, heard.decoded[f.Name], heard.written[f.Name])
			}
			if info, err := os.Stat(s.rec.Path(f.File)); err != nil || heard.end[f.File] > info.Size() || heard.end[f.File] == 0 {
				t.Errorf("%s: the last batch ends at %d: %v", f.File, heard.end[f.File], err)
			}
		}
	})
}

func TestNotesAreAStreamLikeOthers(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		s := newScene(t, 0, "devices: {heartbeat: {rate_hz: 100}}\n").start()
		if _, err := s.rec.Note(recording.Note{Text: "early"}); err == nil {
			t.Error("a note was taken before the recording began")
		}
		s.runStarted(func() {
			for s.rec.Snapshot() == nil {
				time.Sleep(5 * time.Millisecond)
			}
			for _, n := range []recording.Note{{Text: "drug", Author: "ab"}, {Text: "µ not yet", About: 1 << 40}, {Text: "before", About: 5}, {Text: "again", About: 9}, {Text: "before that", About: 2}} {
				if _, err := s.rec.Note(n); err != nil {
					t.Error(err)
				}
			}
			s.rec.Stop("live view")
		}).well()
		if got := s.rec.Summary().EndReason; got != "live view" {
			t.Errorf("the end is for %q", got)
		}
		clocks, about := s.column("notes", "Clock"), s.column("notes", "About")
		if len(clocks) != 5 || clocks[0] == 0 || !slices.IsSorted(clocks) {
			t.Errorf("the notes were taken at %v", clocks)
		}
		if !slices.Equal(about, []uint64{clocks[0], clocks[1], 5, 9, 2}) {
			t.Errorf("the notes are about %v, taken at %v", about, clocks)
		}
		for _, f := range verify(t, s.rec.Path("notes_0.arrow")) {
			t.Errorf("the file of notes: %s", f.Reason)
		}
		if n := s.stream("notes"); n.Rows != 5 || n.State != store.StateComplete {
			t.Errorf("in the summary: %+v", n)
		}
		if _, err := s.rec.Note(recording.Note{Text: "late"}); err == nil {
			t.Error("a note was taken after the end")
		}
	})
}

func TestAStreamThatIsNeededAndNotThereIsRefused(t *testing.T) {
	for what, need := range map[string]Need{
		`no stream "hartbeat"`:       {Stream: "hartbeat"},
		"beats, and has no channels": {Stream: "heartbeat", Check: func(*stream.Stream) error { return errors.New("it beats, and has no channels") }},
	} {
		t.Run(what, func(t *testing.T) {
			inScriptedTime(t, func(t *testing.T) {
				s := newScene(t, time.Second, "devices: {heartbeat: {rate_hz: 100}}\n")
				s.o.Needs = []Need{need}
				s.run(nil)
				if usage := (*UsageError)(nil); s.err == nil || !errors.As(s.err, &usage) || !strings.Contains(s.err.Error(), what) || len(s.files("")) > 0 {
					t.Errorf("%v, files %v", s.err, s.files(""))
				}
			})
		})
	}
}
