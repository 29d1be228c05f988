//go:build !js

package recovery

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	benchBatches = 3
	benchRows    = 30000
)

// benchFile has 384 columns of noise and two clocks, in 3 batches.
var benchFile = map[recording.Codec]func() []byte{
	recording.None: sync.OnceValue(func() []byte { return writeBenchFile(recording.None) }),
	recording.Zstd: sync.OnceValue(func() []byte { return writeBenchFile(recording.Zstd) }),
}

func writeBenchFile(codec recording.Codec) []byte {
	s := neuropixels()
	s.Columns = append([]stream.Column{}, s.Columns[384:]...)
	columns := neural(s, benchRows)
	f := &memFile{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		panic(err)
	}
	for range benchBatches {
		if _, err := w.WriteBatch(benchRows, columns); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return f.data
}

func knownError(err error) bool {
	var corrupt *recording.CorruptError
	return errors.As(err, &corrupt) || errors.Is(err, recording.ErrNoClock) || errors.Is(err, recording.ErrUnsupported) || errors.Is(err, recording.ErrTooLarge)
}

// arrowFile writes batches with arrow-go.
func arrowFile(t testing.TB, schema *arrow.Schema, columns []arrow.Array, options ...ipc.Option) []byte {
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
func vectorTexts(c *stream.Column, v *recording.Vector) []string {
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
