//go:build !js

package recording

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

// FuzzTypes: whatever stands in columns of any type, reading, showing and
// slicing them does not panic nor take memory without reason, and a slice,
// copied or encoded anew, reads as its source.
func FuzzTypes(f *testing.F) {
	random := rand.New(rand.NewPCG(11, 12))
	schema := allTypes()
	records := []arrow.RecordBatch{randomRecord(schema, 5, random), randomRecord(schema, 3, random)}
	for _, options := range writings {
		f.Add(writeRecords(f, FileFormat, records, options...))
	}
	f.Add(writeRecords(f, StreamFormat, records))
	for k := 9; k < schema.NumFields(); k += 4 { // few columns: more of the bytes matter
		part := arrow.NewSchema(schema.Fields()[k:min(k+4, schema.NumFields())], nil)
		f.Add(writeRecords(f, FileFormat, []arrow.RecordBatch{randomRecord(part, 6, random)}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		size := int64(len(data))
		r, err := NewReader(bytes.NewReader(data), size)
		if err != nil {
			return
		}
		rows := indexAll(t, r)
		readEverything(t, r, size)
		if rows > 1000 || r.NumBatches() > 10 || len(r.Stream().Columns) > 60 {
			return
		}
		for _, codec := range []Codec{Keep, LZ4} {
			for _, format := range []Format{FileFormat, StreamFormat} {
				for _, start := range []int64{0, rows / 3} {
					out := &memFile{}
					report, err := r.WriteSlice(out, SliceOptions{Start: start, End: rows, Codec: codec, Format: format})
					if err != nil {
						if !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrTooLarge) {
							t.Fatalf("slice from %d: %v", start, err)
						}
						continue
					}
					if report.LostRows == 0 && len(report.Findings) == 0 {
						sameText(t, r, out.data, start, rows)
					}
				}
			}
		}
	})
}

// sameText compares rows of a file with those of its slice.
func sameText(t *testing.T, r *Reader, sliced []byte, start, end int64) {
	t.Helper()
	s, err := NewReader(bytes.NewReader(sliced), int64(len(sliced)))
	if err != nil {
		t.Fatal(err)
	}
	if rows := indexAll(t, s); rows != end-start || s.State() != Complete {
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
func texts64(t *testing.T, r *Reader, start, end int64, c int) (list []string) {
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
