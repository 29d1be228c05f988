//go:build !js

package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/internal/testdata"
	oniarray "github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/recording"
)

// allTypes has a column of every type of Arrow, and of some nested in others.
func allTypes() *arrow.Schema {
	text, u16 := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Uint16
	member := func(name string, t arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: t, Nullable: true}
	}
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}
	structs := arrow.StructOf(member("a", arrow.PrimitiveTypes.Int32), member("b", text), member("c", arrow.FixedWidthTypes.Boolean))
	types := []arrow.DataType{
		arrow.Null, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, u16, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
		arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		text, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary,
		arrow.BinaryTypes.StringView, arrow.BinaryTypes.BinaryView, &arrow.FixedSizeBinaryType{ByteWidth: 5},
		&arrow.Decimal32Type{Precision: 8, Scale: 2}, &arrow.Decimal64Type{Precision: 16, Scale: 3}, &arrow.Decimal128Type{Precision: 30, Scale: 4}, &arrow.Decimal256Type{Precision: 60, Scale: 5},
		arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64, arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time64us,
		arrow.FixedWidthTypes.Timestamp_ms, &arrow.TimestampType{Unit: arrow.Nanosecond}, arrow.FixedWidthTypes.Duration_us,
		arrow.FixedWidthTypes.MonthInterval, arrow.FixedWidthTypes.DayTimeInterval, arrow.FixedWidthTypes.MonthDayNanoInterval,
		arrow.ListOf(arrow.PrimitiveTypes.Int16), arrow.LargeListOf(text), arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float32),
		arrow.ListViewOf(arrow.PrimitiveTypes.Int16), arrow.LargeListViewOf(text),
		structs, arrow.MapOf(text, arrow.PrimitiveTypes.Float64),
		arrow.DenseUnionOf([]arrow.Field{member("n", u16), member("t", text)}, []arrow.UnionTypeCode{5, 7}),
		arrow.SparseUnionOf([]arrow.Field{member("n", u16), member("t", text)}, []arrow.UnionTypeCode{0, 1}),
		dictionary, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint32, ValueType: arrow.PrimitiveTypes.Int64, Ordered: true},
		arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, text), arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int16, u16),
		arrow.ListOf(arrow.ListOf(structs)), arrow.ListOf(dictionary), arrow.ListOf(arrow.BinaryTypes.StringView), arrow.FixedSizeListOf(2, arrow.FixedWidthTypes.Boolean),
		arrow.StructOf(member("list", arrow.ListOf(u16)), member("map", arrow.MapOf(text, structs)), member("runs", arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, text))),
		arrow.ListOf(arrow.DenseUnionOf([]arrow.Field{member("n", u16), member("l", arrow.ListOf(text))}, []arrow.UnionTypeCode{0, 1})),
	}
	fields := make([]arrow.Field, len(types))
	for i, t := range types {
		fields[i] = arrow.Field{Name: fmt.Sprintf("%d %s", i, t.Name()), Type: t, Nullable: true}
	}
	fields[9].Metadata = arrow.NewMetadata([]string{"ARROW:extension:name", "ARROW:extension:metadata"}, []string{"oniscope.test", "{}"})
	metadata := arrow.NewMetadata([]string{"stream", "who"}, []string{"types", "arrow-go"})
	return arrow.NewSchema(fields, &metadata)
}

// appendRandom appends one value of any type, a fifth of them null.
func appendRandom(b array.Builder, random *rand.Rand) {
	text := func() string { return strings.Repeat("abcdefghij", random.IntN(3)) + fmt.Sprint(random.IntN(30)) }
	several := func(b array.Builder) {
		for range random.IntN(4) {
			appendRandom(b, random)
		}
	}
	switch b.(type) {
	case *array.DenseUnionBuilder, *array.SparseUnionBuilder, *array.RunEndEncodedBuilder:
	default:
		if random.IntN(5) == 0 {
			b.AppendNull()
			return
		}
	}
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BooleanBuilder:
		b.Append(random.IntN(2) == 0)
	case *array.Int8Builder:
		b.Append(int8(random.Uint32()))
	case *array.Int16Builder:
		b.Append(int16(random.Uint32()))
	case *array.Uint16Builder:
		b.Append(uint16(random.Uint32()))
	case *array.Int32Builder:
		b.Append(random.Int32() - 1<<30)
	case *array.Int64Builder:
		b.Append(random.Int64() - 1<<62)
	case *array.Uint64Builder:
		b.Append(random.Uint64())
	case *array.Float16Builder:
		b.Append(float16.New(random.Float32()))
	case *array.Float32Builder:
		b.Append(random.Float32())
	case *array.Float64Builder:
		b.Append(random.NormFloat64() * 1e9)
	case *array.StringBuilder:
		b.Append(text())
	case *array.LargeStringBuilder:
		b.Append(text())
	case *array.BinaryBuilder:
		b.Append([]byte(text()))
	case *array.StringViewBuilder:
		b.Append(text())
	case *array.BinaryViewBuilder:
		b.Append([]byte(text()))
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte(fmt.Sprintf("%05d", random.IntN(99999))))
	case *array.Decimal32Builder:
		b.Append(decimal.Decimal32(random.Int32N(1e8) - 5e7))
	case *array.Decimal64Builder:
		b.Append(decimal.Decimal64(random.Int64N(1e16) - 5e15))
	case *array.Decimal128Builder:
		b.Append(decimal128.New(random.Int64N(1<<30)-1<<29, random.Uint64()))
	case *array.Decimal256Builder:
		b.Append(decimal256.FromI64(random.Int64() - 1<<62))
	case *array.Date32Builder:
		b.Append(arrow.Date32(random.IntN(40000) - 10000))
	case *array.Date64Builder:
		b.Append(arrow.Date64(86400000 * (random.Int64N(40000) - 10000)))
	case *array.Time32Builder:
		b.Append(arrow.Time32(random.IntN(86400)))
	case *array.Time64Builder:
		b.Append(arrow.Time64(random.Int64N(86400e6)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(random.Int64N(4e12) - 1e12))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(random.Int64N(1e12) - 5e11))
	case *array.MonthIntervalBuilder:
		b.Append(arrow.MonthInterval(random.IntN(99)))
	case *array.DayTimeIntervalBuilder:
		b.Append(arrow.DayTimeInterval{Days: random.Int32N(9), Milliseconds: random.Int32N(9999)})
	case *array.MonthDayNanoIntervalBuilder:
		b.Append(arrow.MonthDayNanoInterval{Months: random.Int32N(9), Days: random.Int32N(9), Nanoseconds: random.Int64N(1e12)})
	case *array.MapBuilder: // before the list that it is
		b.Append(true)
		for i := range random.IntN(3) {
			b.KeyBuilder().(*array.StringBuilder).Append(fmt.Sprint("key", i))
			appendRandom(b.ItemBuilder(), random)
		}
	case *array.ListBuilder:
		b.Append(true)
		several(b.ValueBuilder())
	case *array.LargeListBuilder:
		b.Append(true)
		several(b.ValueBuilder())
	case *array.ListViewBuilder:
		n := random.IntN(4)
		b.AppendWithSize(true, n)
		for range n {
			appendRandom(b.ValueBuilder(), random)
		}
	case *array.LargeListViewBuilder:
		n := random.IntN(4)
		b.AppendWithSize(true, n)
		for range n {
			appendRandom(b.ValueBuilder(), random)
		}
	case *array.FixedSizeListBuilder:
		b.Append(true)
		for range b.Type().(*arrow.FixedSizeListType).Len() {
			appendRandom(b.ValueBuilder(), random)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i := range b.NumField() {
			appendRandom(b.FieldBuilder(i), random)
		}
	case *array.DenseUnionBuilder:
		codes := b.Type().(arrow.UnionType).TypeCodes()
		k := random.IntN(len(codes))
		b.Append(codes[k])
		appendRandom(b.Child(k), random)
	case *array.SparseUnionBuilder:
		codes := b.Type().(arrow.UnionType).TypeCodes()
		k := random.IntN(len(codes))
		b.Append(codes[k])
		for i := range codes {
			if i == k {
				appendRandom(b.Child(i), random)
			} else {
				b.Child(i).AppendEmptyValue()
			}
		}
	case *array.RunEndEncodedBuilder:
		if b.Len() > 0 && random.IntN(3) > 0 {
			b.ContinueRun(1)
			return
		}
		b.Append(1)
		appendRandom(b.ValueBuilder(), random)
	case array.DictionaryBuilder:
		if err := b.AppendValueFromString(fmt.Sprint(random.IntN(20))); err != nil {
			panic(err)
		}
	default:
		panic(fmt.Sprintf("no values of %s", b.Type()))
	}
}

// randomRecord makes a batch of n rows of a schema. All dictionaries have the
// same values, so that several batches share them.
func randomRecord(schema *arrow.Schema, n int, random *rand.Rand) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for i := range schema.NumFields() {
		var values array.Builder = b.Field(i)
		if list, ok := values.(*array.ListBuilder); ok {
			values = list.ValueBuilder()
		}
		texts, numbers := array.NewStringBuilder(memory.DefaultAllocator), array.NewInt64Builder(memory.DefaultAllocator)
		for k := range 20 {
			texts.Append(fmt.Sprint(k))
			numbers.Append(int64(k))
		}
		var err error
		switch d := values.(type) {
		case *array.BinaryDictionaryBuilder:
			err = d.InsertStringDictValues(texts.NewStringArray())
		case *array.Int64DictionaryBuilder:
			err = d.InsertDictValues(numbers.NewInt64Array())
		}
		if err != nil {
			panic(err)
		}
		for range n {
			appendRandom(b.Field(i), random)
		}
	}
	return b.NewRecordBatch()
}

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

// dictionaryRecord is a batch of one dictionary-encoded column.
func dictionaryRecord(words []string, indices ...int8) arrow.RecordBatch {
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	values, index := array.NewStringBuilder(memory.DefaultAllocator), array.NewInt8Builder(memory.DefaultAllocator)
	values.AppendValues(words, nil)
	index.AppendValues(indices, nil)
	a := array.NewDictionaryArray(typ, index.NewArray(), values.NewArray())
	schema := arrow.NewSchema([]arrow.Field{{Name: "word", Type: typ}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{a}, int64(len(indices)))
}

// words are the values of a batch's only column, as we and as arrow-go read it.
func words(t *testing.T, r *recording.Reader, i int) (list []string) {
	t.Helper()
	b, err := r.ReadBatch(i, nil)
	if err != nil {
		t.Fatal(err)
	}
	for row := range b.Rows {
		text, _ := b.Columns[0].Text(row)
		list = append(list, text)
	}
	return list
}

func oracleWords(rec arrow.RecordBatch) (list []string) {
	a := rec.Column(0).(*array.Dictionary)
	for row := range a.Len() {
		list = append(list, a.Dictionary().(*array.String).Value(a.GetValueIndex(row)))
	}
	return list
}

func TestDictionariesThatGrowAndChange(t *testing.T) {
	grows := []arrow.RecordBatch{
		dictionaryRecord([]string{"a", "b"}, 0, 1), dictionaryRecord([]string{"a", "b", "c"}, 2, 0),
		dictionaryRecord([]string{"a", "b", "c"}, 1), dictionaryRecord([]string{"a", "b", "c", "d"}, 3, 2),
	}
	changes := append(grows[:2:2], dictionaryRecord([]string{"x", "y"}, 1, 0), dictionaryRecord([]string{"x", "y", "z"}, 2))
	deltas := ipc.WithDictionaryDeltas(true)
	for name, c := range map[string]struct {
		data    []byte
		records []arrow.RecordBatch
		changes bool
	}{
		"deltas in a stream":             {writeRecords(t, recording.StreamFormat, grows, deltas), grows, false},
		"compressed deltas in a stream":  {writeRecords(t, recording.StreamFormat, grows, deltas, ipc.WithLZ4()), grows, false},
		"a stream that repeats and adds": {writeRecords(t, recording.StreamFormat, grows), grows, false},
		"a stream that changes":          {writeRecords(t, recording.StreamFormat, changes, deltas), changes, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := testdata.Open(t, c.data)
			// Backwards and forwards: what is kept from before must not show.
			for _, i := range []int{3, 0, 2, 1, 0, 3, 1, 2} {
				if got, want := words(t, r, i), oracleWords(c.records[i]); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("batch %d: %q, want %q", i, got, want)
				}
			}
			rows := testdata.IndexAll(t, r)
			for _, codec := range []recording.Codec{recording.Keep, recording.Zstd} {
				for start := range rows {
					for end := start; end <= rows; end++ {
						for _, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
							f := &testdata.Memory{}
							_, err := r.WriteSlice(f, recording.SliceOptions{Start: start, End: end, Codec: codec, Format: format})
							if c.changes && format == recording.FileFormat && start < 4 && end > 4 {
								if !errors.Is(err, recording.ErrUnsupported) || !strings.Contains(err.Error(), "write a stream") {
									t.Fatalf("rows %d to %d: %v", start, end, err)
								}
								continue
							}
							if err != nil {
								t.Fatal(err)
							}
							if start == end {
								continue
							}
							var want, got, ours []string
							for _, rec := range c.records {
								want = append(want, oracleWords(rec)...)
							}
							for _, rec := range readRecords(t, f.Data) {
								got = append(got, oracleWords(rec)...)
							}
							out := testdata.Open(t, f.Data)
							for i := range out.NumBatches() {
								ours = append(ours, words(t, out, i)...)
							}
							if want = want[start:end]; fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(ours) != fmt.Sprint(want) {
								t.Fatalf("rows %d to %d, %v, format %d: %q and %q, want %q", start, end, codec, format, ours, got, want)
							}
						}
					}
				}
			}
		})
	}
}

// No byte of a dictionary is read for columns that have none.
func TestADictionaryIsReadOnlyWhereItIsNeeded(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	data := writeRecords(t, recording.FileFormat, []arrow.RecordBatch{randomRecord(allTypes(), 20, random)})
	r := testdata.Open(t, data)
	for c, column := range r.Stream().Columns {
		before := r.BytesRead()
		if _, err := r.ReadBatch(0, []int{c}); err != nil {
			t.Fatal(err)
		}
		h, err := r.HeaderOf(0)
		if err != nil {
			t.Fatal(err)
		}
		var holds int64
		for _, b := range h.Batch.Buffers[h.Spans[c].Buffer:h.Spans[c].BufferEnd] {
			holds += b.Length
		}
		after := r.BytesRead()
		if needs := strings.Contains(column.ArrowType, "dictionary"); !needs && (after.Body-before.Body > holds*105/100 || after.Metadata != before.Metadata) {
			t.Errorf("column %s: %d bytes read of %d", column.Name, after.Body-before.Body, holds)
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
