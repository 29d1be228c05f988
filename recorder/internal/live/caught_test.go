package live

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

// faulty panics when it is asked for something.
type faulty struct{ control }

func (*faulty) Note(recording.Note) (recording.Note, error) { panic("no note") }

// A writer that panics stands for a fault while a stream is given.
type faultyWriter struct{ io.Writer }

func (faultyWriter) Write([]byte) (int, error) { panic("no room") }

func TestAFaultEndsAClientAndNotTheRecording(t *testing.T) {
	said := make(chan string, 10)
	r := newRecorder(t, func(o *Options) { o.Control, o.Say = &faulty{}, func(text string) { said <- text } })
	v := r.connect(withToken())
	v.next("hello")
	v.say(map[string]any{"type": "note", "text": "drug", "author": "ab", "clock": 5})
	if text := <-said; !strings.Contains(text, "a fault of the program: no note") {
		t.Errorf("said %q", text)
	}
	r.decode(10)
	r.write()
	if err := r.hub.FollowWhenThere(context.Background(), "probe", Following{From: "start"}, faultyWriter{&bytes.Buffer{}}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("%v", err)
	}
	other := r.connect(withToken()) // the others are served
	other.next("hello")
}
