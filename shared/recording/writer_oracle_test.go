//go:build !js

package recording

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/shared/stream"
)

// oracle is a file as arrow-go reads it: of every batch and column, one text a
// row, "null" for nulls.
type oracle struct {
	schema  *arrow.Schema
	batches [][][]string
	rows    []int64
}

func readOracle(t testing.TB, file []byte) oracle {
	t.Helper()
	r, err := ipc.NewFileReader(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("arrow-go: %v", err)
	}
	defer r.Close()
	o := oracle{schema: r.Schema()}
	for i := range r.NumRecords() {
		rec, err := r.RecordBatchAt(i)
		if err != nil {
			t.Fatalf("arrow-go: batch %d: %v", i, err)
		}
		var columns [][]string
		for j := range int(rec.NumCols()) {
			columns = append(columns, texts(rec.Column(j)))
		}
		o.batches, o.rows = append(o.batches, columns), append(o.rows, rec.NumRows())
		rec.Release()
	}
	return o
}

// texts gives the values of a as text, floats by their bits.
func texts(a arrow.Array) []string {
	out := make([]string, a.Len())
	if ree, ok := a.(*array.RunEndEncoded); ok {
		values := texts(ree.Values())
		for i := range out {
			out[i] = values[ree.GetPhysicalIndex(i)]
		}
		return out
	}
	for i := range out {
		switch {
		case a.IsNull(i):
			out[i] = "null"
			continue
		}
		switch a := a.(type) {
		case *array.Float16:
			out[i] = fmt.Sprint(a.Value(i).Uint16())
		case *array.Float32:
			out[i] = fmt.Sprint(math.Float32bits(a.Value(i)))
		case *array.Float64:
			out[i] = fmt.Sprint(math.Float64bits(a.Value(i)))
		case *array.FixedSizeBinary:
			out[i] = fmt.Sprintf("%x", a.Value(i))
		default:
			out[i] = a.ValueStr(i)
		}
	}
	return out
}

// vectorTexts is texts for what went into the writer.
func vectorTexts(c *stream.Column, v *Vector) []string {
	width := memoryWidth(c)
	out := make([]string, len(v.Data)/width)
	for i := range out {
		p := v.Data[i*width : (i+1)*width]
		if v.Valid != nil && v.Valid[i] == 0 {
			out[i] = "null"
			continue
		}
		var u uint64
		for j := range min(8, width) {
			u |= uint64(p[j]) << (8 * j)
		}
		switch c.Type {
		case stream.Bool:
			out[i] = fmt.Sprint(p[0] != 0)
		case stream.Int8, stream.Int16, stream.Int32, stream.Int64:
			out[i] = fmt.Sprint(int64(u<<(64-8*width)) >> (64 - 8*width))
		case stream.FixedBinary:
			out[i] = fmt.Sprintf("%x", p)
		default:
			out[i] = fmt.Sprint(u)
		}
	}
	return out
}

func TestArrowGoReadsEveryValueWeWrite(t *testing.T) {
	for name, codec := range everyCodec {
		s := everyType()
		f, batches := writeRandom(t, s, codec, 11, 100, 100, 37, 1)
		o := readOracle(t, f.data)
		if len(o.batches) != len(batches) {
			t.Fatalf("%s: %d batches", name, len(o.batches))
		}
		for i := range batches {
			for j := range s.Columns {
				c := &s.Columns[j]
				if want := vectorTexts(c, &batches[i][j]); !reflect.DeepEqual(o.batches[i][j], want) {
					t.Errorf("%s: batch %d column %q:\n got %v\nwant %v", name, i, c.Name, o.batches[i][j], want)
				}
			}
		}
		for j := range s.Columns {
			f := o.schema.Field(j)
			if f.Name != s.Columns[j].Name || f.Nullable != s.Columns[j].Nullable {
				t.Errorf("%s: field %v", name, f)
			}
			for _, kv := range s.Columns[j].Metadata() {
				if got, ok := f.Metadata.GetValue(kv.Key); !ok || got != kv.Value {
					t.Errorf("%s: field %s: %s = %q", name, f.Name, kv.Key, got)
				}
			}
		}
		metadata := o.schema.Metadata()
		for _, kv := range s.Metadata() {
			if got, ok := metadata.GetValue(kv.Key); !ok || got != kv.Value {
				t.Errorf("%s: metadata %s = %q, want %q", name, kv.Key, got, kv.Value)
			}
		}
	}
}

// The old trick of people with a killed file: skip 8 bytes, read a stream.
func TestArrowGoReadsTheFileAsAStreamToo(t *testing.T) {
	f, batches := writeRandom(t, everyType(), Zstd, 12, 10, 20)
	r, err := ipc.NewReader(bytes.NewReader(f.data[8:]))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	n := 0
	for r.Next() {
		n++
	}
	if r.Err() != nil || n != len(batches) {
		t.Errorf("%d batches, %v", n, r.Err())
	}
}

func TestAFileWithoutBatchesIsValid(t *testing.T) {
	f, _ := writeRandom(t, everyType(), None, 1)
	if o := readOracle(t, f.data); len(o.batches) != 0 || o.schema.NumFields() != len(everyType().Columns) {
		t.Errorf("%d batches, %d fields", len(o.batches), o.schema.NumFields())
	}
}

func BenchmarkArrowGoWriter(b *testing.B) {
	const rows = 30024
	s := neuropixels()
	columns := neural(s, rows)
	size := 0
	fields := make([]arrow.Field, len(columns))
	arrays := make([]arrow.Array, len(columns))
	for i := range columns {
		size += len(columns[i].Data)
		var typ arrow.DataType = arrow.PrimitiveTypes.Uint16
		if s.Columns[i].Type == stream.Uint64 {
			typ = arrow.PrimitiveTypes.Uint64
		}
		fields[i] = arrow.Field{Name: s.Columns[i].Name, Type: typ}
		arrays[i] = array.MakeFromData(array.NewData(typ, rows, []*memory.Buffer{nil, memory.NewBufferBytes(columns[i].Data)}, nil, 0, 0))
	}
	schema := arrow.NewSchema(fields, nil)
	rec := array.NewRecordBatch(schema, arrays, rows)
	for name, options := range map[string][]ipc.Option{"None": nil, "Zstd": {ipc.WithZstd(), ipc.WithCompressConcurrency(1)}} {
		b.Run("columns=770/codec="+name, func(b *testing.B) {
			w, err := ipc.NewFileWriter(&discard{}, append(options, ipc.WithSchema(schema))...)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Write(rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
