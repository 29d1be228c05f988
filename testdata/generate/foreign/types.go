package main

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
)

// everyType has a column of each type that arrow-go has, but the intervals of
// months, and of days and milliseconds, which pyarrow cannot read.
func everyType() arrow.RecordBatch {
	var columns []column
	add := func(name string, t arrow.DataType, text string) {
		columns = append(columns, column{name, t, fromJSON(t, text)})
	}
	for _, t := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64} {
		add(t.Name(), t, `[0, 1, null, 3, 127, 100, null, 7]`)
	}
	half := array.NewFloat16Builder(mem)
	for _, x := range []float32{0, 0.5, -2, 65504, 1.5, 3, 4} {
		half.Append(float16.New(x))
	}
	half.AppendNull()
	columns = append(columns, column{"float16", arrow.FixedWidthTypes.Float16, half.NewArray()})
	add("float32", arrow.PrimitiveTypes.Float32, `[0, 0.1, null, -1e30, 5, 1e-7, 2.5, -0.25]`)
	add("float64", arrow.PrimitiveTypes.Float64, `[0, 0.1, null, -1e300, 5, 1e-7, 2.5, -0.25]`)
	add("bool", arrow.FixedWidthTypes.Boolean, `[true, false, null, true, true, false, false, true]`)
	add("null", arrow.Null, `[null, null, null, null, null, null, null, null]`)

	add("date32", arrow.FixedWidthTypes.Date32, `["1970-01-01", "2024-10-04", null, "1969-12-31", "0001-01-01", "2000-02-29", "9999-12-31", null]`)
	add("date64", arrow.FixedWidthTypes.Date64, `["1970-01-01", "2024-10-04", null, "1969-12-31", "1900-01-01", "2000-02-29", "2100-12-31", null]`)
	add("time32 s", arrow.FixedWidthTypes.Time32s, `["00:00:00", "23:59:59", null, "01:02:03", "12:00:00", "00:00:01", null, "10:20:30"]`)
	add("time32 ms", arrow.FixedWidthTypes.Time32ms, `["00:00:00", "23:59:59.999", null, "01:02:03.004", "12:00:00", "00:00:00.001", null, "10:20:30"]`)
	add("time64 us", arrow.FixedWidthTypes.Time64us, `["00:00:00", "23:59:59.999999", null, "01:02:03.004", "12:00:00", "00:00:00.000001", null, "10:20:30"]`)
	add("time64 ns", arrow.FixedWidthTypes.Time64ns, `["00:00:00", "23:59:59.999999999", null, "01:02:03.004", "12:00:00", "00:00:00.000000001", null, "10:20:30"]`)
	for _, unit := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		for _, zone := range []string{"", "UTC"} {
			t := &arrow.TimestampType{Unit: unit, TimeZone: zone}
			b := array.NewTimestampBuilder(mem, t)
			b.AppendValues([]arrow.Timestamp{0, 1, -1, 1_700_000_000, -1500, 123456789, 951782400, 7}, []bool{true, true, true, true, true, true, true, false})
			columns = append(columns, column{t.String(), t, b.NewArray()})
		}
		duration := array.NewDurationBuilder(mem, &arrow.DurationType{Unit: unit})
		duration.AppendValues([]arrow.Duration{0, 1, -1, 1500, -1500, 123456789, 1 << 40, 7}, []bool{true, true, true, true, true, true, true, false})
		columns = append(columns, column{"duration " + unit.String(), &arrow.DurationType{Unit: unit}, duration.NewArray()})
	}
	months := array.NewMonthDayNanoIntervalBuilder(mem)
	for i := range int32(7) {
		months.Append(arrow.MonthDayNanoInterval{Months: i % 3, Days: -i % 2, Nanoseconds: int64(i) * 750_000_000})
	}
	months.AppendNull()
	columns = append(columns, column{"month day nano", arrow.FixedWidthTypes.MonthDayNanoInterval, months.NewArray()})
	decimals := `["0.00", "1.50", null, "-1.50", "1234567.89", "-1234567.89", "0.01", "-0.01"]`
	add("decimal32", &arrow.Decimal32Type{Precision: 9, Scale: 2}, decimals)
	add("decimal64", &arrow.Decimal64Type{Precision: 18, Scale: 2}, decimals)
	add("decimal128", &arrow.Decimal128Type{Precision: 38, Scale: 2}, decimals)
	add("decimal256", &arrow.Decimal256Type{Precision: 76, Scale: 2}, decimals)

	text := `["", "a", null, "more than twelve bytes", "µ", "also more than twelve bytes", null, "z"]`
	for _, t := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView} {
		add(t.Name(), t, text)
	}
	base64 := `["", "QQ==", null, "bW9yZSB0aGFuIHR3ZWx2ZSBieXRlcw==", "/w==", "AAECAwQFBgcICQoLDA0ODw==", null, "eg=="]`
	for _, t := range []arrow.DataType{arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary, arrow.BinaryTypes.BinaryView} {
		add(t.Name(), t, base64)
	}
	add("fixed", &arrow.FixedSizeBinaryType{ByteWidth: 3}, `["AAEC", "////", null, "YWJj", "AAAA", "AAAA", null, "enp6"]`)

	lists := `[[1, 2], [], null, [null], [3], [4, 5, 6], null, [7]]`
	for _, t := range []arrow.DataType{arrow.ListOf(arrow.PrimitiveTypes.Int16), arrow.LargeListOf(arrow.PrimitiveTypes.Int16),
		arrow.ListViewOf(arrow.PrimitiveTypes.Int16), arrow.LargeListViewOf(arrow.PrimitiveTypes.Int16)} {
		add(t.Name(), t, lists)
	}
	add("pairs", arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Uint8), `[[1, 2], [3, 4], null, [null, 6], [7, 8], [9, 10], null, [11, 12]]`)
	pair := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8, Nullable: true}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true})
	add("struct", pair, `[{"a": 1, "b": "x"}, {"a": null, "b": ""}, null, {"a": 4, "b": null}, {"a": 5, "b": "y"}, {"a": 6, "b": "z"}, null, {"a": 8, "b": "w"}]`)
	add("list of structs", arrow.ListOf(pair), `[[{"a": 1, "b": "x"}], [], null, [{"a": 4, "b": null}, null], [], [], null, [{"a": 8, "b": "w"}]]`)
	add("map", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32),
		`[[{"key": "k", "value": 1}], [], null, [{"key": "l", "value": null}, {"key": "m", "value": 2}], [], [], null, [{"key": "n", "value": 3}]]`)
	fields := []arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}
	union := `[[3, 7], [5, "u"], [3, null], [5, "v"], [3, 8], [3, 9], [5, null], [5, "w"]]`
	add("dense union", arrow.DenseUnionOf(fields, []arrow.UnionTypeCode{3, 5}), union)
	add("sparse union", arrow.SparseUnionOf(fields, []arrow.UnionTypeCode{3, 5}), union)

	for _, index := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int64} {
		add("dictionary of "+index.Name(), &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}, `["x", "y", null, "x", "z", "x", null, "y"]`)
	}
	for _, ends := range []arrow.DataType{arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64} {
		b := array.NewRunEndEncodedBuilder(mem, ends, arrow.PrimitiveTypes.Uint16)
		for i, run := range []uint64{2, 3, 2, 1} {
			if i == 2 {
				b.AppendNull()
				b.ContinueRun(run - 1)
				continue
			}
			b.Append(run)
			if err := b.ValueBuilder().AppendValueFromString(fmt.Sprint(i * 1000)); err != nil {
				panic(err)
			}
		}
		columns = append(columns, column{strings.ToLower(ends.Name()) + " run ends", arrow.RunEndEncodedOf(ends, arrow.PrimitiveTypes.Uint16), b.NewArray()})
	}
	return table(columns)
}
