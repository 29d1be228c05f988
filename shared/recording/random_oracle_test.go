//go:build !js

package recording_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
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
