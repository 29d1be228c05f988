//go:build !js

package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/oniscope/oniscope/internal/testdata"
	oniarray "github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/recording"
)

// An ipcWriter is arrow-go's writer of files or of streams.
type ipcWriter interface {
	Write(arrow.RecordBatch) error
	Close() error
}

func writeRecords(t testing.TB, format recording.Format, records []arrow.RecordBatch, options ...ipc.Option) []byte {
	t.Helper()
	var out bytes.Buffer
	options = append(options, ipc.WithSchema(records[0].Schema()))
	var w ipcWriter = ipc.NewWriter(&out, options...)
	if format == recording.FileFormat {
		var err error
		if w, err = ipc.NewFileWriter(&out, options...); err != nil {
			t.Fatal(err)
		}
	}
	for _, rec := range records {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readRecords reads a file or a stream with arrow-go.
func readRecords(t testing.TB, data []byte) (records []arrow.RecordBatch) {
	t.Helper()
	if bytes.HasPrefix(data, []byte("ARROW1")) {
		r, err := ipc.NewFileReader(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("arrow-go: %v", err)
		}
		for i := range r.NumRecords() {
			rec, err := r.RecordBatchAt(i)
			if err != nil {
				t.Fatalf("arrow-go: batch %d: %v", i, err)
			}
			records = append(records, rec)
		}
		return records
	}
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("arrow-go: %v", err)
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return records
		}
		if err != nil {
			t.Fatalf("arrow-go: batch %d: %v", len(records), err)
		}
		rec.Retain()
		records = append(records, rec)
	}
}

// sameRecords compares rows [start, end) of what was written with what came
// out of a slice, whatever its batches are.
func sameRecords(t *testing.T, what string, want, got []arrow.RecordBatch, start, end int64) {
	t.Helper()
	row, batch, at := int64(0), 0, int64(0)
	for _, rec := range want {
		from, to := max(0, start-row), min(rec.NumRows(), end-row)
		row += rec.NumRows()
		if from >= to {
			continue
		}
		part := rec.NewSlice(from, to)
		if batch >= len(got) {
			t.Fatalf("%s: %d batches", what, len(got))
		}
		for c := range int(part.NumCols()) {
			a, b := part.Column(c), got[batch].Column(c)
			if !array.Equal(a, b) {
				t.Fatalf("%s: rows %d to %d of column %s:\n got %v\nwant %v", what, start+at, start+at+to-from, part.ColumnName(c), b, a)
			}
		}
		if !want[0].Schema().Equal(got[batch].Schema()) {
			t.Fatalf("%s: schema %v", what, got[batch].Schema())
		}
		batch, at = batch+1, at+to-from
	}
	if batch != len(got) {
		t.Fatalf("%s: %d batches, want %d", what, len(got), batch)
	}
}

// writings are how arrow-go writes files.
var writings = map[string][]ipc.Option{
	"plain": nil, "zstd": {ipc.WithZstd()}, "lz4": {ipc.WithLZ4()},
	"zstd, some stored": {ipc.WithZstd(), ipc.WithMinSpaceSavings(0.3)}, "lz4, some stored": {ipc.WithLZ4(), ipc.WithMinSpaceSavings(0.3)},
}

// Every type comes out of a slice as it went in, whole batches and cut ones,
// in every codec and format, from files and from streams.
func TestEveryTypePassesThroughASlice(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	schema := allTypes()
	records := []arrow.RecordBatch{randomRecord(schema, 67, random), randomRecord(schema, 83, random)}
	for name, options := range writings {
		for _, from := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
			data := writeRecords(t, from, records, options...)
			r := testdata.Open(t, data)
			for c := range r.Stream().Columns {
				for i := range r.NumBatches() {
					if _, err := r.ReadBatch(i, []int{c}); err != nil {
						t.Fatalf("%s: column %s: %v", name, r.Stream().Columns[c].Name, err)
					}
				}
			}
			if rows := testdata.IndexAll(t, r); rows != 150 || r.State() != recording.Complete {
				t.Fatalf("%s: %d rows, %+v", name, rows, r.Findings())
			}
			for _, codec := range []recording.Codec{recording.Keep, recording.None, recording.Zstd, recording.LZ4} {
				for _, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
					for _, span := range [][2]int64{{0, 150}, {13, 120}, {67, 150}, {70, 71}} {
						what := fmt.Sprintf("%s %d as %v %d, rows %v", name, from, codec, format, span)
						out, report, sliced := writeSlice(t, r, recording.SliceOptions{Start: span[0], End: span[1], Codec: codec, Format: format})
						if report.LostRows != 0 || len(report.Findings) != 0 || out.State() != recording.Complete {
							t.Fatalf("%s: %+v", what, report)
						}
						sameRecords(t, what, records, readRecords(t, sliced), span[0], span[1])
					}
				}
			}
		}
	}
}

// Slices join, and what is joined is what was cut, for every type.
func TestEveryTypeIsCutAndJoined(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	r := testdata.Open(t, writeRecords(t, recording.FileFormat, []arrow.RecordBatch{randomRecord(allTypes(), 40, random)}))
	whole, err := r.ReadBatch(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for c := range whole.Columns {
		v := &whole.Columns[c]
		name := r.Stream().Columns[c].Name
		text := func(v *recording.Vector) (list []string) {
			for i := range v.Len {
				s, valid := v.Text(i)
				list = append(list, fmt.Sprint(s, valid))
			}
			return list
		}
		all := text(v)
		for range 20 {
			from := random.IntN(41)
			to := from + random.IntN(41-from)
			part := collectColumn(t, r, int64(from), int64(to), c)
			if got := text(&part); fmt.Sprint(got) != fmt.Sprint(all[from:to]) {
				t.Fatalf("column %s, rows %d to %d: %v, want %v", name, from, to, got, all[from:to])
			}
			if v.Array() == nil {
				continue
			}
			middle := from + random.IntN(to-from+1)
			joined, err := oniarray.Concat(v.Array().Slice(from, middle), v.Array().Slice(middle, to))
			if err != nil {
				t.Fatal(err)
			}
			for i := range joined.Len {
				want, valid := v.Text(from + i)
				if joined.IsNull(i) == valid || valid && string(joined.AppendText(nil, i)) != want {
					t.Fatalf("column %s: row %d of [%d, %d) + [%d, %d) is %s, want %s", name, i, from, middle, middle, to, joined.AppendText(nil, i), want)
				}
			}
			var rows []int
			for i := range v.Len {
				if random.IntN(3) == 0 {
					rows = append(rows, i)
				}
			}
			taken, err := v.Array().Take(rows)
			if err != nil || taken.Len != len(rows) {
				t.Fatalf("column %s: %v", name, err)
			}
			for i, row := range rows {
				if want, valid := v.Text(row); taken.IsNull(i) == valid || valid && string(taken.AppendText(nil, i)) != want {
					t.Fatalf("column %s: row %d is %s, want %s", name, row, taken.AppendText(nil, i), want)
				}
			}
		}
	}
}

// collectColumn reads some rows of one column of the first batch.
func collectColumn(t *testing.T, r *recording.Reader, start, end int64, c int) recording.Vector {
	t.Helper()
	b, err := r.ReadRows(0, 0, start, end, []int{c})
	if err != nil {
		t.Fatal(err)
	}
	return b.Columns[0]
}

// A stream is what arrow-go and the Reader read, batch by batch.
func TestTheWriterWritesStreams(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		s := testdata.EveryType()
		f := &testdata.Memory{}
		w, err := recording.NewWriter(f, s, recording.WriterOptions{Format: recording.StreamFormat, Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(9, 9))
		batch := testdata.RandomBatch(random, s, 0, 50)
		if err := errors.Join(testdata.Err(w.WriteBatch(50, batch)), testdata.Err(w.WriteBatch(50, batch)), w.Close()); err != nil {
			t.Fatal(err)
		}
		r := testdata.Open(t, f.Data)
		if rows := testdata.IndexAll(t, r); rows != 100 || r.State() != recording.Complete || r.Format() != "stream" || r.Codec() != name {
			t.Errorf("%s: %d rows, %s %s %s", name, rows, r.State(), r.Format(), r.Codec())
		}
		if got := readRecords(t, f.Data); len(got) != 2 || got[0].NumRows() != 50 {
			t.Errorf("%s: arrow-go has %d batches", name, len(got))
		}
	}
}
