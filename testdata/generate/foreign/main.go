// Foreign writes testdata/foreign/arrow-go: small files of every Arrow type, in
// file and stream format, with every codec, by arrow-go's own writers.
//
//	go run ./testdata/generate/foreign FOLDER
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/endian"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var mem = memory.NewGoAllocator()

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: foreign FOLDER")
	}
	if err := writeAll(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func writeAll(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	types := everyType()
	intervals := table([]column{
		{"months", arrow.FixedWidthTypes.MonthInterval, monthIntervals()},
		{"day and time", arrow.FixedWidthTypes.DayTimeInterval, dayTimeIntervals()},
	})
	numbers := table([]column{
		{"Ch0", arrow.PrimitiveTypes.Uint16, fromJSON(arrow.PrimitiveTypes.Uint16, "["+strings.Repeat("512, ", 432)+"512]")},
		{"Ch1", arrow.PrimitiveTypes.Int16, noise(433)},
		{"Clock", arrow.PrimitiveTypes.Uint64, ramp(433)},
	})
	for _, f := range []struct {
		name    string
		stream  bool
		batches []arrow.RecordBatch
		options []ipc.Option
	}{
		{"types", false, []arrow.RecordBatch{types, part(types, 3)}, nil},
		{"types_zstd", false, []arrow.RecordBatch{types, part(types, 3)}, []ipc.Option{ipc.WithZstd()}},
		{"types_lz4", false, []arrow.RecordBatch{types, part(types, 3)}, []ipc.Option{ipc.WithLZ4()}},
		{"types_stream", true, []arrow.RecordBatch{types, part(types, 1)}, nil},
		{"types_stream_zstd", true, []arrow.RecordBatch{types, part(types, 1)}, []ipc.Option{ipc.WithZstd()}},
		{"intervals", false, []arrow.RecordBatch{intervals}, nil},
		{"intervals_stream", true, []arrow.RecordBatch{intervals}, nil},
		// What compression does not shrink by three tenths is stored: -1.
		{"numbers_zstd_stored", false, []arrow.RecordBatch{numbers.NewSlice(0, 300), numbers.NewSlice(300, 433)}, []ipc.Option{ipc.WithZstd(), ipc.WithMinSpaceSavings(0.3)}},
		{"numbers_lz4_stored", false, []arrow.RecordBatch{numbers.NewSlice(0, 300), numbers.NewSlice(300, 433)}, []ipc.Option{ipc.WithLZ4(), ipc.WithMinSpaceSavings(0.3)}},
		{"numbers_stream_lz4_stored", true, []arrow.RecordBatch{numbers.NewSlice(0, 300), numbers.NewSlice(300, 433)}, []ipc.Option{ipc.WithLZ4(), ipc.WithMinSpaceSavings(0.3)}},
		{"dictionary_deltas_stream", true, growing(), []ipc.Option{ipc.WithDictionaryDeltas(true)}},
		{"dictionary_replaced_stream", true, replaced(), nil},
	} {
		if err := write(filepath.Join(folder, f.name+".arrow"), f.stream, f.batches, f.options); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for name, stream := range map[string]bool{"file_big_endian": false, "stream_big_endian": true} {
		if err := write(filepath.Join(folder, name+".arrow"), stream, []arrow.RecordBatch{bigEndian()}, nil); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// part is two rows of a batch, from row start on, with offsets into its
// columns; but from row 0 on of those that arrow-go cannot write so (its
// v18.8.0 fails on parts of list views and dense unions).
func part(b arrow.RecordBatch, start int64) arrow.RecordBatch {
	columns := make([]arrow.Array, b.NumCols())
	for i, a := range b.Columns() {
		switch a.DataType().ID() {
		case arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW, arrow.DENSE_UNION:
			columns[i] = array.NewSlice(a, 0, 2)
		default:
			columns[i] = array.NewSlice(a, start, start+2)
		}
	}
	return array.NewRecordBatch(b.Schema(), columns, 2)
}

type batchWriter interface {
	Write(arrow.RecordBatch) error
	io.Closer
}

func write(path string, stream bool, batches []arrow.RecordBatch, options []ipc.Option) error {
	var out bytes.Buffer
	options = append(options, ipc.WithSchema(batches[0].Schema()))
	var w batchWriter = ipc.NewWriter(&out, options...)
	if !stream {
		var err error
		if w, err = ipc.NewFileWriter(&out, options...); err != nil {
			return err
		}
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

type column struct {
	name   string
	typ    arrow.DataType
	values arrow.Array
}

func table(columns []column) arrow.RecordBatch {
	fields := make([]arrow.Field, len(columns))
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.typ, Nullable: c.values.NullN() > 0 || c.typ.ID() == arrow.NULL, Metadata: arrow.NewMetadata([]string{"number"}, []string{fmt.Sprint(i)})}
		arrays[i] = c.values
	}
	metadata := arrow.NewMetadata([]string{"writer"}, []string{"arrow-go"})
	return array.NewRecordBatch(arrow.NewSchema(fields, &metadata), arrays, int64(arrays[0].Len()))
}

func fromJSON(t arrow.DataType, text string) arrow.Array {
	a, _, err := array.FromJSON(mem, t, strings.NewReader(text))
	if err != nil {
		log.Fatalf("%s: %v", t, err)
	}
	return a
}

// noise has values of all bits, which no codec makes shorter.
func noise(n int) arrow.Array {
	b := array.NewInt16Builder(mem)
	x := uint32(1)
	for range n {
		x = x*1664525 + 1013904223
		b.Append(int16(x >> 16))
	}
	return b.NewArray()
}

func ramp(n int) arrow.Array {
	b := array.NewUint64Builder(mem)
	for i := range n {
		b.Append(uint64(i) * 250)
	}
	return b.NewArray()
}

func monthIntervals() arrow.Array {
	b := array.NewMonthIntervalBuilder(mem)
	for _, m := range []arrow.MonthInterval{0, 14, -3, 1200} {
		b.Append(m)
	}
	b.AppendNull()
	return b.NewArray()
}

func dayTimeIntervals() arrow.Array {
	b := array.NewDayTimeIntervalBuilder(mem)
	for _, d := range []arrow.DayTimeInterval{{}, {Days: 3, Milliseconds: 500}, {Days: -1, Milliseconds: -2500}, {Milliseconds: 86400000}} {
		b.Append(d)
	}
	b.AppendNull()
	return b.NewArray()
}

// words is a batch of a dictionary of words.
func words(values, indices string) arrow.RecordBatch {
	t := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	a := array.NewDictionaryArray(t, fromJSON(t.IndexType, indices), fromJSON(t.ValueType, values))
	fields := []arrow.Field{{Name: "word", Type: t, Nullable: true}}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), []arrow.Array{a}, int64(a.Len()))
}

func growing() []arrow.RecordBatch {
	return []arrow.RecordBatch{words(`["a", "b"]`, `[0, 1, null]`), words(`["a", "b", "c"]`, `[2, 0]`), words(`["a", "b", "c", "d"]`, `[3, 2, 1]`)}
}

func replaced() []arrow.RecordBatch {
	return []arrow.RecordBatch{words(`["a", "b"]`, `[0, 1, null]`), words(`["x", "y", "z"]`, `[2, 0]`), words(`["q"]`, `[0, 0]`)}
}

// bigEndian is what a machine of that kind would write: arrow-go writes values
// as they lie in memory, so they are laid there the other way round.
func bigEndian() arrow.RecordBatch {
	values := make([]byte, 0, 16)
	for i := range uint16(8) {
		values = binary.BigEndian.AppendUint16(values, 1000+i)
	}
	data := array.NewData(arrow.PrimitiveTypes.Uint16, 8, []*memory.Buffer{nil, memory.NewBufferBytes(values)}, nil, 0, 0)
	schema := arrow.NewSchemaWithEndian([]arrow.Field{{Name: "Ch0", Type: arrow.PrimitiveTypes.Uint16}}, nil, endian.BigEndian)
	return array.NewRecordBatch(schema, []arrow.Array{array.NewUint16Data(data)}, 8)
}
