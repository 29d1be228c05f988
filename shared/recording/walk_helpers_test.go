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
