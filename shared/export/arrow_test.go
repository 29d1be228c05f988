//go:build !js

package export

import (
	"bytes"
	"context"
	"errors"
	"io"
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

// foreignFiles are the files of other writers that begin with what.
func foreignFiles(t *testing.T, what string) []string {
	t.Helper()
	list, err := filepath.Glob("../../testdata/foreign/" + what + "*.arrow")
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %d files, %v", what, len(list), err)
	}
	return list
}

// oracle returns the batches with rows that arrow-go reads of a file; none where
// it refuses the file, or panics on it.
func oracle(data []byte) (batches []arrow.RecordBatch) {
	defer func() {
		if recover() != nil {
			batches = nil
		}
	}()
	f, err := ipc.NewFileReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	for i := range f.NumRecords() {
		b, err := f.RecordBatchAt(i)
		if err != nil {
			return nil
		}
		if b.NumRows() > 0 {
			batches = append(batches, b)
		}
	}
	return batches
}

// Whatever another writer has made can be had as record batches, which are those
// that arrow-go reads, and as text; as Parquet unless arrow-go cannot.
func TestFilesOfAllWriters(t *testing.T) {
	compared, refused := 0, 0
	for _, path := range foreignFiles(t, "*/") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil || len(r.Stream().Columns) == 0 {
			continue
		}
		s := all(t, r)
		if report, err := CSV(ctx, io.Discard, of(r, s), nil); err != nil || report.Rows != s.End {
			t.Errorf("%s: csv of %d rows, %v", path, report.Rows, err)
		}
		if report, err := Parquet(ctx, io.Discard, of(r, s), nil, recording.Zstd); errors.Is(err, ErrKind) {
			refused++
		} else if err != nil || report.Rows != s.End {
			t.Errorf("%s: parquet of %d rows, %v", path, report.Rows, err)
		}
		want := oracle(data)
		for ours, err := range Records(ctx, of(r, s)) {
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if ours.NumRows() == 0 || len(want) == 0 {
				continue
			}
			if !ours.Schema().Equal(want[0].Schema()) || !ours.Schema().Metadata().Equal(want[0].Schema().Metadata()) {
				t.Errorf("%s: schema %v, want %v", path, ours.Schema(), want[0].Schema())
			}
			for c := range ours.Columns() {
				if !array.ApproxEqual(bits16(ours.Column(c)), bits16(want[0].Column(c)), array.WithNaNsEqual(true), array.WithAbsTolerance(0)) {
					t.Errorf("%s: column %s differs", path, ours.ColumnName(c))
				}
			}
			want = want[1:]
			compared++
		}
	}
	t.Log(compared, refused)
	if compared < 700 || refused > 80 {
		t.Errorf("%d batches were compared, %d files refused as Parquet", compared, refused)
	}
}

// bits16 returns half precision numbers as their bits: arrow-go holds two that
// are none for different.
func bits16(a arrow.Array) arrow.Array {
	if a.DataType().ID() != arrow.FLOAT16 {
		return a
	}
	d := a.Data()
	return array.MakeFromData(array.NewData(arrow.PrimitiveTypes.Uint16, d.Len(), d.Buffers(), nil, d.NullN(), d.Offset()))
}

func TestRecordBatchIsOneOfRecords(t *testing.T) {
	data, err := os.ReadFile("../../testdata/foreign/bonsai/new_NeuropixelsV1.arrow")
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, data)
	i := 0
	for want, err := range Records(ctx, of(r, all(t, r))) {
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.ReadBatch(i, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := RecordBatch(r, b); err != nil || !array.RecordEqual(got, want) {
			t.Errorf("batch %d: %v", i, err)
		}
		i++
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
	j := jobOf(r, Selection{Columns: columns})
	stored, err := parquetColumns(j)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := parquetBatch(parquetSchema(j, stored), stored, b)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestParquetHoldsWhatTheRecordingHolds(t *testing.T) {
	paths := []string{""}
	for _, path := range foreignFiles(t, "bonsai/") {
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
			report, err := Parquet(ctx, &f, of(r, s), nil, codec)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			table, _ := readParquet(t, f.Bytes())
			if table.NumRows() != s.End-s.Start || report.Rows != table.NumRows() || report.Bytes != int64(f.Len()) {
				t.Errorf("%s: %d rows, report %+v", path, table.NumRows(), report)
			}
			row := int64(0)
			for b, err := range pieces(r, Selection{Start: s.Start, End: s.End}) {
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
	if _, err := Parquet(ctx, &f, of(r, all(t, r)), nil, recording.Zstd); err != nil {
		t.Fatal(err)
	}
	table, pq := readParquet(t, f.Bytes())
	for key, want := range r.About().Metadata {
		if got := pq.MetaData().KeyValueMetadata().FindValue(key); got == nil || *got != want {
			t.Errorf("%s: %v, want %s", key, got, want)
		}
	}
	meta := table.Schema().Field(0).Metadata
	if unit, ok := meta.GetValue("unit"); !ok || unit != "uV" {
		t.Errorf("metadata of the first column: %v", meta)
	}
}

// anyTypes is a file of arrow-go with columns that are none of numbers.
func anyTypes(t *testing.T) []byte {
	t.Helper()
	text := `[
		{"text": "a", "large": "b", "bytes": "AAE=", "list": [1, null, 3], "fixed": [1, 2], "struct": {"x": 1, "y": "z"}, "map": [{"key": "k", "value": 5}], "dict": "red", "view": "a text of more than twelve bytes", "decimal": "1.25", "flag": true, "time": "2026-11-21T12:00:00.000001Z", "null": null},
		{"text": null, "large": "", "bytes": null, "list": null, "fixed": null, "struct": null, "map": [], "dict": null, "view": null, "decimal": null, "flag": null, "time": null, "null": null},
		{"text": "c,\"d\"", "large": "e", "bytes": "", "list": [], "fixed": [5, null], "struct": {"x": null, "y": null}, "map": [{"key": "l", "value": null}], "dict": "blue", "view": "short", "decimal": "-3.50", "flag": false, "time": "1969-12-31T23:59:59Z", "null": null}]`
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "large", Type: arrow.BinaryTypes.LargeString, Nullable: true},
		{Name: "bytes", Type: arrow.BinaryTypes.Binary, Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "fixed", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int16), Nullable: true},
		{Name: "struct", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int8, Nullable: true}, arrow.Field{Name: "y", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true},
		{Name: "map", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "dict", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
		{Name: "view", Type: arrow.BinaryTypes.StringView, Nullable: true},
		{Name: "decimal", Type: &arrow.Decimal128Type{Precision: 5, Scale: 2}, Nullable: true},
		{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "time", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
		{Name: "null", Type: arrow.Null, Nullable: true},
	}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var f bytes.Buffer
	w, err := ipc.NewFileWriter(&f, ipc.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(batch), w.Write(batch.NewSlice(1, 3)), w.Close()); err != nil {
		t.Fatal(err)
	}
	return f.Bytes()
}

func TestRecordsOfAnyType(t *testing.T) {
	data := anyTypes(t)
	theirs := oracle(data)
	r := open(t, data)
	i := 0
	for ours, err := range Records(ctx, of(r, all(t, r))) {
		if err != nil {
			t.Fatal(err)
		}
		if want := theirs[i]; !ours.Schema().Equal(want.Schema()) || !array.RecordEqual(ours, want) {
			t.Errorf("batch %d:\n%v\nwant\n%v", i, ours, want)
		}
		i++
	}
	if i != 2 {
		t.Errorf("%d batches", i)
	}
}

func TestParquetOfAnyType(t *testing.T) {
	r := open(t, anyTypes(t))
	s := all(t, r)
	s.Columns = []int{0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12} // pqarrow writes no null of a list of fixed size
	var f bytes.Buffer
	if _, err := Parquet(ctx, &f, of(r, s), nil, recording.Zstd); err != nil {
		t.Fatal(err)
	}
	table, _ := readParquet(t, f.Bytes())
	if table.NumRows() != 5 || table.NumCols() != 12 {
		t.Errorf("%d rows of %d columns", table.NumRows(), table.NumCols())
	}
	row := 0
	for b, err := range pieces(r, Selection{End: 5, Columns: s.Columns}) {
		if err != nil {
			t.Fatal(err)
		}
		for c := range b.Columns {
			got := table.Column(c).Data()
			for i := range b.Rows {
				part := array.NewChunkedSlice(got, int64(row+i), int64(row+i+1)).Chunk(0)
				text, valid := b.Columns[c].Text(i)
				if part.IsValid(0) != valid && part.DataType().ID() != arrow.NULL {
					t.Errorf("%s, row %d: valid %v, want %v", table.Column(c).Name(), row+i, part.IsValid(0), valid)
				}
				if valid && (c < 2 || table.Column(c).Name() == "view") && part.ValueStr(0) != text {
					t.Errorf("%s, row %d: %s, want %s", table.Column(c).Name(), row+i, part.ValueStr(0), text)
				}
			}
		}
		row += b.Rows
	}
}

func TestCSVOfAnyType(t *testing.T) {
	r := open(t, anyTypes(t))
	var f bytes.Buffer
	if _, err := CSV(ctx, &f, of(r, Selection{End: 3}), nil); err != nil {
		t.Fatal(err)
	}
	want := `text,large,bytes,list,fixed,struct,map,dict,view,decimal,flag,time,null
a,b,0001,"[1, null, 3]","[1, 2]","{x: 1, y: ""z""}","{""k"": 5}",red,a text of more than twelve bytes,1.25,true,2026-11-21T12:00:00.000001Z,
,"",,,,,{},,,,,,
"c,""d""",e,"",[],"[5, null]","{x: null, y: null}","{""l"": null}",blue,short,-3.50,false,1969-12-31T23:59:59.000000Z,
`
	if f.String() != want {
		t.Errorf("got\n%s\nwant\n%s", f.String(), want)
	}
}

// jobOf is a job that writes nowhere.
func jobOf(r *recording.Reader, s Selection) *job {
	j, err := newJob(ctx, nil, of(r, s), nil)
	if err != nil {
		panic(err)
	}
	return j
}
