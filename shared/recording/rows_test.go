package recording_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

func TestCountingRowsGivesWhatTheIndexGives(t *testing.T) {
	files := map[string][]byte{}
	for name, codec := range testdata.EveryCodec {
		files["constant batches, "+name] = clockFile(t, codec, 50, 50, 50, 50, 50)
		files["a short last batch, "+name] = clockFile(t, codec, 50, 50, 50, 50, 7)
		files["batches of all sizes, "+name] = clockFile(t, codec, 1, 50, 2, 50, 50, 9, 1)
		files["one batch, "+name] = clockFile(t, codec, 50)
		files["no batch, "+name] = clockFile(t, codec)
		files["without a footer, "+name] = dissect.WithoutFooter(t, clockFile(t, codec, 50, 50, 50, 3))
	}
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "foreign", "*", "*.arrow"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no foreign files", err)
	}
	for _, path := range paths {
		name, _ := filepath.Rel(filepath.Join("..", "..", "testdata", "foreign"), path)
		files[name] = testdata.Foreign(t, filepath.ToSlash(name))
	}
	for name, data := range files {
		r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			continue // no recording
		}
		rows, err := r.CountRows(context.Background())
		if want := testdata.IndexAll(t, testdata.Open(t, data)); rows != want || err != nil {
			t.Errorf("%s: %d rows, %v, want %d", name, rows, err, want)
		}
	}
}

// Of a recording of an hour the headers alone have hundreds of megabytes.
func TestCountingRowsReadsOnlyWhereHeadersBegin(t *testing.T) {
	const batches = 100
	s := &stream.Stream{}
	for i := range 300 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprint("c", i), Type: stream.Uint16})
	}
	sizes := make([]int, batches)
	for i := range sizes {
		sizes[i] = 12
	}
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, s, codec, 1, sizes...)
		r, _ := openCounted(t, f.Data)
		before := r.BytesRead()
		rows, err := r.CountRows(context.Background())
		if rows != 12*batches || err != nil {
			t.Errorf("%s: %d rows, %v", name, rows, err)
		}
		after := r.BytesRead()
		if n := after.Metadata - before.Metadata; n > recording.PeekBytes*batches || after.Body != before.Body {
			t.Errorf("%s: %d bytes of headers read, %d of bodies", name, n, after.Body-before.Body)
		}
	}
}

// Whatever bit of a header's beginning is wrong, no rows are made up.
func TestCountingRowsOfADamagedHeaderInventsNone(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		data := clockFile(t, codec, 50, 50, 50, 50, 7)
		at := dissect.Block(t, data, 2).Offset
		for bit := range 8 * recording.PeekBytes {
			broken := bytes.Clone(data)
			broken[at+int64(bit/8)] ^= 1 << (bit % 8)
			rows, err := testdata.Count(testdata.Open(t, broken))
			if err != nil {
				t.Fatal(err)
			}
			index := testdata.IndexAll(t, testdata.Open(t, broken))
			if rows != index && (rows != 207 || index != 157) {
				t.Errorf("%s, bit %d: %d rows counted, %d in the index", name, bit, rows, index)
			}
		}
	}
}

func TestCountingRowsBelievesNoBlockOutsideTheFile(t *testing.T) {
	data := clockFile(t, recording.None, 50, 50, 50, 50, 7)
	for cut := int64(8); cut < int64(len(data)); cut += 40 {
		footer := data[len(dissect.WithoutFooter(t, data)):]
		short := append(bytes.Clone(data[:cut]), footer...)
		r, err := recording.NewReader(bytes.NewReader(short), int64(len(short)))
		if err != nil {
			continue
		}
		rows, err := r.CountRows(context.Background())
		if want := testdata.IndexAll(t, testdata.Open(t, short)); rows != want || err != nil {
			t.Errorf("cut at %d: %d rows, %v, want %d", cut, rows, err, want)
		}
	}
}
