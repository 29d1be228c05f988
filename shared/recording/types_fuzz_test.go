//go:build !js

package recording_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// FuzzTypes: whatever is in columns of any type, reading, showing and
// slicing them does not panic nor take memory without reason, and a slice,
// copied or encoded anew, reads as its source.
func FuzzTypes(f *testing.F) {
	random := rand.New(rand.NewPCG(11, 12))
	schema := allTypes()
	records := []arrow.RecordBatch{randomRecord(schema, 5, random), randomRecord(schema, 3, random)}
	for _, options := range writings {
		f.Add(writeRecords(f, recording.FileFormat, records, options...))
	}
	f.Add(writeRecords(f, recording.StreamFormat, records))
	for k := 9; k < schema.NumFields(); k += 4 { // few columns: more of the bytes matter
		part := arrow.NewSchema(schema.Fields()[k:min(k+4, schema.NumFields())], nil)
		f.Add(writeRecords(f, recording.FileFormat, []arrow.RecordBatch{randomRecord(part, 6, random)}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		size := int64(len(data))
		r, err := recording.NewReader(bytes.NewReader(data), size)
		if err != nil {
			return
		}
		rows := testdata.IndexAll(t, r)
		readEverything(t, r, size)
		if rows > 1000 || r.NumBatches() > 10 || len(r.Stream().Columns) > 60 {
			return
		}
		for _, codec := range []recording.Codec{recording.Keep, recording.LZ4} {
			for _, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
				for _, start := range []int64{0, rows / 3} {
					out := &testdata.Memory{}
					report, err := r.WriteSlice(out, recording.SliceOptions{Start: start, End: rows, Codec: codec, Format: format})
					if err != nil {
						if !errors.Is(err, recording.ErrUnsupported) && !errors.Is(err, recording.ErrTooLarge) {
							t.Fatalf("slice from %d: %v", start, err)
						}
						continue
					}
					if report.LostRows == 0 && len(report.Findings) == 0 {
						sameText(t, r, out.Data, start, rows)
					}
				}
			}
		}
	})
}

// sameText compares rows of a file with those of its slice.
func sameText(t *testing.T, r *recording.Reader, sliced []byte, start, end int64) {
	t.Helper()
	s, err := recording.NewReader(bytes.NewReader(sliced), int64(len(sliced)))
	if err != nil {
		t.Fatal(err)
	}
	if rows := testdata.IndexAll(t, s); rows != end-start || s.State() != recording.Complete {
		t.Fatalf("%d rows of %d, %s", rows, end-start, s.State())
	}
	for c := range s.Stream().Columns {
		want, got := texts64(t, r, start, end, c), texts64(t, s, 0, end-start, c)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("column %d, row %d of %d: %q, want %q", c, i, len(want), got[i], want[i])
			}
		}
	}
}

// texts64 returns some rows of a column as text, of each not much.
func texts64(t *testing.T, r *recording.Reader, start, end int64, c int) (list []string) {
	t.Helper()
	for b, err := range r.Slice(start, end, []int{c}) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			text, valid := b.Columns[0].Text(i)
			if !valid {
				text = "null"
			}
			list = append(list, text[:min(len(text), 64)])
		}
	}
	return list
}
