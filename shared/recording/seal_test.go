package recording_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A boundedFile takes so many bytes.
type boundedFile struct {
	testdata.Memory
	room int
}

var errBounded = errors.New("no space left")

func (f *boundedFile) Write(p []byte) (int, error) {
	n := min(len(p), f.room-len(f.Data))
	f.Memory.Write(p[:n])
	if n < len(p) {
		return n, errBounded
	}
	return n, nil
}

func TestAFileWhoseLastWriteFailedCanBeSealed(t *testing.T) {
	s := &stream.Stream{Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64}}}
	f := &boundedFile{room: 20_000}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = w.WriteBatch(100, []recording.Vector{{Data: make([]byte, 800)}})
	}
	if !errors.Is(err, errBounded) || !errors.Is(w.Close(), errBounded) {
		t.Fatalf("got %v and %v", err, w.Close())
	}
	size, rows := w.Size(), w.Rows()
	f.room = int(size) + 100 // no footer fits
	if err := w.Seal(); !errors.Is(err, errBounded) || int64(len(f.Data)) != size {
		t.Fatalf("sealed without room: %v, %d bytes of %d", err, len(f.Data), size)
	}
	if _, again := w.WriteBatch(1, []recording.Vector{{Data: make([]byte, 8)}}); !errors.Is(again, errBounded) {
		t.Errorf("a writer that failed took a batch: %v", again)
	}
	f.room = 40_000
	if err := errors.Join(w.Seal(), w.Seal(), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := recording.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := r.Info(t.Context()); err != nil || info.Rows != rows || info.State != recording.Complete {
		t.Errorf("%+v, %v; want %d rows, complete", info, err, rows)
	}
}
