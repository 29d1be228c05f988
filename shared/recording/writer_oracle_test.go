//go:build !js

package recording_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/internal/testdata/oracle"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

func TestArrowGoReadsEveryValueWeWrite(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		s := testdata.EveryType()
		f, batches := testdata.WriteRandom(t, s, codec, 11, 100, 100, 37, 1)
		o := oracle.Read(t, f.Data)
		if len(o.Batches) != len(batches) {
			t.Fatalf("%s: %d batches", name, len(o.Batches))
		}
		for i := range batches {
			for j := range s.Columns {
				c := &s.Columns[j]
				if want := oracle.VectorTexts(c, &batches[i][j]); !reflect.DeepEqual(o.Batches[i][j], want) {
					t.Errorf("%s: batch %d column %q:\n got %v\nwant %v", name, i, c.Name, o.Batches[i][j], want)
				}
			}
		}
		for j := range s.Columns {
			f := o.Schema.Field(j)
			if f.Name != s.Columns[j].Name || f.Nullable != s.Columns[j].Nullable {
				t.Errorf("%s: field %v", name, f)
			}
			for _, kv := range s.Columns[j].Metadata() {
				if got, ok := f.Metadata.GetValue(kv.Key); !ok || got != kv.Value {
					t.Errorf("%s: field %s: %s = %q", name, f.Name, kv.Key, got)
				}
			}
		}
		metadata := o.Schema.Metadata()
		for _, kv := range s.Metadata() {
			if got, ok := metadata.GetValue(kv.Key); !ok || got != kv.Value {
				t.Errorf("%s: metadata %s = %q, want %q", name, kv.Key, got, kv.Value)
			}
		}
	}
}

// The old trick of people with a killed file: skip 8 bytes, read a stream.
func TestArrowGoReadsTheFileAsAStreamToo(t *testing.T) {
	f, batches := testdata.WriteRandom(t, testdata.EveryType(), recording.Zstd, 12, 10, 20)
	r, err := ipc.NewReader(bytes.NewReader(f.Data[8:]))
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
	f, _ := testdata.WriteRandom(t, testdata.EveryType(), recording.None, 1)
	if o := oracle.Read(t, f.Data); len(o.Batches) != 0 || o.Schema.NumFields() != len(testdata.EveryType().Columns) {
		t.Errorf("%d batches, %d fields", len(o.Batches), o.Schema.NumFields())
	}
}

func BenchmarkArrowGoWriter(b *testing.B) {
	const rows = 30024
	s := testdata.Neuropixels()
	columns := testdata.Neural(s, rows)
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
