//go:build !js

package export

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/oniscope/oniscope/shared/recording"
)

// foreignFiles are the whole files of other writers.
func foreignFiles(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob("../../testdata/foreign/bonsai/*.arrow")
	if err != nil || len(list) < 40 {
		t.Fatal(len(list), err)
	}
	return list
}

// oracle reads a file as arrow-go does; nil where it refuses it.
func oracle(data []byte) *ipc.FileReader {
	f, err := ipc.NewFileReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	return f
}

func TestRecordsAreWhatArrowGoReads(t *testing.T) {
	compared := 0
	for _, path := range foreignFiles(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		theirs := oracle(data)
		if theirs == nil || theirs.NumRecords() == 0 {
			continue
		}
		r := open(t, data)
		i := 0
		for ours, err := range Records(r, all(t, r), Options{}) {
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			want, err := theirs.RecordBatchAt(i)
			if err != nil {
				t.Fatal(err)
			}
			if !ours.Schema().Equal(theirs.Schema()) || !ours.Schema().Metadata().Equal(theirs.Schema().Metadata()) {
				t.Errorf("%s: schema %v, want %v", path, ours.Schema(), theirs.Schema())
			}
			if !array.RecordEqual(ours, want) {
				t.Errorf("%s: batch %d differs", path, i)
			}
			b, err := r.ReadBatch(i, nil)
			if err != nil {
				t.Fatal(err)
			}
			single, err := RecordBatch(r, b)
			if err != nil || !array.RecordEqual(single, ours) {
				t.Errorf("%s: RecordBatch: %v", path, err)
			}
			i, compared = i+1, compared+1
		}
		if i != theirs.NumRecords() {
			t.Errorf("%s: %d batches of %d", path, i, theirs.NumRecords())
		}
	}
	if compared < 60 {
		t.Errorf("only %d batches compared", compared)
	}
}

func TestRecordBatchSharesTheMemoryOfNumbers(t *testing.T) {
	r := open(t, record(t, probe(2), recording.WriterOptions{}, 100).Bytes())
	b, err := r.ReadBatch(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := RecordBatch(r, b)
	if err != nil {
		t.Fatal(err)
	}
	values := batch.Column(0).(*array.Uint16).Uint16Values()
	if unsafe.Pointer(&values[0]) != unsafe.Pointer(&b.Columns[0].Data[0]) {
		t.Error("values were copied")
	}
}

// readParquet reads a Parquet file whole.
func readParquet(t *testing.T, data []byte) (arrow.Table, *file.Reader) {
	t.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return table, f
}

// expanded returns a record batch with run ends written out, for comparison.
func expanded(t *testing.T, r *recording.Reader, b *recording.Batch) arrow.RecordBatch {
	t.Helper()
	columns := make([]int, len(b.Columns))
	for i := range columns {
		columns[i] = b.Columns[i].Column
	}
	schema, err := arrowSchema(r, Selection{Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := recordBatch(parquetSchema(schema), b)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestParquetHoldsWhatTheRecordingHolds(t *testing.T) {
	paths := []string{""}
	for _, path := range foreignFiles(t) {
		if strings.Contains(path, "new_") || strings.Contains(path, "old_NeuropixelsV1.") {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		data := record(t, probe(8), recording.WriterOptions{}, 1000, 1, 77).Bytes()
		if path != "" {
			var err error
			if data, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(path, "kill") {
				continue
			}
		}
		r := open(t, data)
		s := all(t, r)
		s.Start = s.End / 3
		for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
			var f bytes.Buffer
			report, err := Parquet(&f, r, s, Options{}, codec)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			table, _ := readParquet(t, f.Bytes())
			if table.NumRows() != s.End-s.Start || report.Rows != table.NumRows() || report.Bytes != int64(f.Len()) {
				t.Errorf("%s: %d rows, report %+v", path, table.NumRows(), report)
			}
			row := int64(0)
			for b, err := range r.Slice(s.Start, s.End, nil) {
				if err != nil {
					t.Fatal(err)
				}
				want := expanded(t, r, b)
				for c := range int(table.NumCols()) {
					field := table.Schema().Field(c)
					if got := want.Schema().Field(c); field.Name != got.Name || !arrow.TypeEqual(field.Type, got.Type) {
						t.Fatalf("%s: column %s %s, want %s %s", path, field.Name, field.Type, got.Name, got.Type)
					}
					part := array.NewChunkedSlice(table.Column(c).Data(), row, row+int64(b.Rows))
					if !array.ChunkedEqual(part, arrow.NewChunked(field.Type, []arrow.Array{want.Column(c)})) {
						t.Errorf("%s: column %s differs from row %d on", path, field.Name, b.Start)
					}
				}
				row += int64(b.Rows)
			}
		}
	}
}

func TestParquetKeepsMetadata(t *testing.T) {
	r := open(t, record(t, probe(2), recording.WriterOptions{}, 10).Bytes())
	var f bytes.Buffer
	if _, err := Parquet(&f, r, all(t, r), Options{}, recording.Zstd); err != nil {
		t.Fatal(err)
	}
	table, pq := readParquet(t, f.Bytes())
	for key, want := range r.Metadata() {
		if got := pq.MetaData().KeyValueMetadata().FindValue(key); got == nil || *got != want {
			t.Errorf("%s: %v, want %s", key, got, want)
		}
	}
	meta := table.Schema().Field(0).Metadata
	if unit, ok := meta.GetValue("unit"); !ok || unit != "uV" {
		t.Errorf("metadata of the first column: %v", meta)
	}
}
