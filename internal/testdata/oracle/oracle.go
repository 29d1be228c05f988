//go:build !js

// Package oracle reads and writes files with arrow-go, which decides what is
// right where our packages and it should agree.
package oracle

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Write writes batches with arrow-go.
func Write(t testing.TB, schema *arrow.Schema, columns []arrow.Array, options ...ipc.Option) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, append(options, ipc.WithSchema(schema))...)
	if err != nil {
		t.Fatal(err)
	}
	rec := array.NewRecordBatch(schema, columns, int64(columns[0].Len()))
	for range 2 {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// File is a file as arrow-go reads it: of every batch and column, one text a
// row, "null" for nulls.
type File struct {
	Schema  *arrow.Schema
	Batches [][][]string
	Rows    []int64
}

// Read reads a file with arrow-go.
func Read(t testing.TB, file []byte) File {
	t.Helper()
	r, err := ipc.NewFileReader(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("arrow-go: %v", err)
	}
	defer r.Close()
	o := File{Schema: r.Schema()}
	for i := range r.NumRecords() {
		rec, err := r.RecordBatchAt(i)
		if err != nil {
			t.Fatalf("arrow-go: batch %d: %v", i, err)
		}
		var columns [][]string
		for j := range int(rec.NumCols()) {
			columns = append(columns, Texts(rec.Column(j)))
		}
		o.Batches, o.Rows = append(o.Batches, columns), append(o.Rows, rec.NumRows())
		rec.Release()
	}
	return o
}

// Texts gives the values of a as text, floats by their bits.
func Texts(a arrow.Array) []string {
	out := make([]string, a.Len())
	if ree, ok := a.(*array.RunEndEncoded); ok {
		values := Texts(ree.Values())
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

// VectorTexts is Texts for what went into the writer.
func VectorTexts(c *stream.Column, v *recording.Vector) []string {
	width := testdata.Width(c)
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
