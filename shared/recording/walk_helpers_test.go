package recording

import (
	"io"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// scanAll returns where messages begin that parse, wherever they lie.
func scanAll(t testing.TB, file []byte, _ int64) (places []int64, left int64) {
	t.Helper()
	for at := range int64(len(file)) {
		m, err := messages.At(&messages.Source{Size: int64(len(file)), ReadAt: func(p []byte, off int64) error { copy(p, file[off:]); return nil }}, at)
		if err != nil {
			t.Fatal(err)
		}
		if m != nil && m.Prefix == 8 && m.Header <= arrowipc.RecordBatchHeader {
			places = append(places, at)
		}
	}
	return places, 0
}

// A countingReader counts the bytes that are read of it.
type countingReader struct {
	data []byte
	n    int64
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, r.data[min(off, int64(len(r.data))):])
	r.n += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// placesOf returns where the batches of a file are, as a reader numbers them.
func placesOf(t testing.TB, file []byte) []arrowipc.Block {
	t.Helper()
	places, err := placesIn(file)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

func placesIn(file []byte) (places []arrowipc.Block, err error) {
	src := &messages.Source{Size: int64(len(file)), ReadAt: func(p []byte, off int64) error { copy(p, file[off:]); return nil }}
	e, err := messages.FindEnds(src, &messages.Options{})
	if err != nil {
		return nil, err
	}
	l, err := messages.Walk(src, e)
	if err != nil {
		return nil, err
	}
	for i := range l.Verdicts {
		switch v := &l.Verdicts[i]; {
		case v.Kind == messages.Batch:
			places = append(places, v.Block)
		case v.Kind == messages.Loss && l.Footer != nil:
			for range v.Batches {
				places = append(places, arrowipc.Block{Offset: v.At})
			}
		}
	}
	return places, nil
}
