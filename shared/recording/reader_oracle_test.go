//go:build !js

package recording_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/internal/testdata/oracle"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// oracleTexts is vectorTexts for a vector that a Reader gave.
func oracleTexts(r *recording.Reader, v *recording.Vector) []string {
	return oracle.VectorTexts(&r.Stream().Columns[v.Column], v)
}

// compareWithArrowGo reads a file in both and compares every value.
func compareWithArrowGo(t *testing.T, data []byte) {
	t.Helper()
	want := oracle.Read(t, data)
	r := testdata.Open(t, data)
	if r.NumBatches() != len(want.Batches) {
		t.Fatalf("%d batches, arrow-go has %d", r.NumBatches(), len(want.Batches))
	}
	for i := range want.Batches {
		b, err := r.ReadBatch(i, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k := range b.Columns {
			v := &b.Columns[k]
			got, want := oracleTexts(r, v), want.Batches[i][v.Column]
			for row := range want {
				if got[row] != want[row] {
					t.Fatalf("batch %d, column %s, row %d: %s, arrow-go has %s", i, r.Stream().Columns[v.Column].Name, row, got[row], want[row])
				}
			}
			if len(got) != len(want) {
				t.Fatalf("batch %d, column %d: %d rows, arrow-go has %d", i, v.Column, len(got), len(want))
			}
		}
	}
}

func TestArrowGoReadsTheSameFromEveryCompleteFileOfBonsai(t *testing.T) {
	files, err := filepath.Glob(testdata.Path("foreign/bonsai/*.arrow"))
	if more, err2 := filepath.Glob(testdata.Path("foreign/csharp/*.arrow")); err == nil {
		files, err = append(files, more...), err2
	}
	if err != nil || len(files) < 60 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	compared := 0
	for _, name := range files {
		if strings.Contains(name, "kill") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(name), func(t *testing.T) { compareWithArrowGo(t, data) })
		compared++
	}
	if compared < 46 {
		t.Errorf("only %d files compared", compared)
	}
}

func TestArrowGoReadsTheSameFromASlice(t *testing.T) {
	for _, name := range []string{"old_NeuropixelsV1_zstd", "new_NeuropixelsV1", "new_Bno055"} {
		r := testdata.Open(t, testdata.Foreign(t, "bonsai/"+name+".arrow"))
		for _, codec := range testdata.EveryCodec {
			_, _, data := writeSlice(t, r, recording.SliceOptions{Start: 13, End: 301, Codec: codec})
			compareWithArrowGo(t, data)
		}
	}
}

// manyArrays has n random rows, a fifth of them null, of each type of fixed
// width, and of some others.
func manyArrays(t testing.TB, n int) (*arrow.Schema, []arrow.Array) {
	t.Helper()
	mem := memory.NewGoAllocator()
	random := rand.New(rand.NewPCG(3, 4))
	var fields []arrow.Field
	var arrays []arrow.Array
	add := func(name string, typ arrow.DataType, nulls bool, one func(b array.Builder)) {
		b := array.NewBuilder(mem, typ)
		for range n {
			if nulls && random.IntN(5) == 0 {
				b.AppendNull()
			} else {
				one(b)
			}
		}
		fields = append(fields, arrow.Field{Name: name, Type: typ, Nullable: nulls})
		arrays = append(arrays, b.NewArray())
	}
	int64s := func(typ arrow.DataType) {
		add(typ.String(), typ, true, func(b array.Builder) {
			if err := b.AppendValueFromString(fmt.Sprint(random.Int32())); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8} {
		add(typ.Name(), typ, true, func(b array.Builder) {
			if err := b.AppendValueFromString(fmt.Sprint(random.IntN(127))); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64} {
		int64s(typ)
	}
	add("u16", arrow.PrimitiveTypes.Uint16, false, func(b array.Builder) { b.(*array.Uint16Builder).Append(uint16(random.Uint32())) })
	add("i16", arrow.PrimitiveTypes.Int16, true, func(b array.Builder) { b.(*array.Int16Builder).Append(int16(random.Uint32())) })
	add("f16", arrow.FixedWidthTypes.Float16, true, func(b array.Builder) { b.(*array.Float16Builder).Append(float16.New(random.Float32())) })
	add("f32", arrow.PrimitiveTypes.Float32, true, func(b array.Builder) { b.(*array.Float32Builder).Append(random.Float32()) })
	add("f64", arrow.PrimitiveTypes.Float64, true, func(b array.Builder) { b.(*array.Float64Builder).Append(random.Float64()) })
	add("bool", arrow.FixedWidthTypes.Boolean, true, func(b array.Builder) { b.(*array.BooleanBuilder).Append(random.IntN(2) == 0) })
	add("bool, no nulls", arrow.FixedWidthTypes.Boolean, false, func(b array.Builder) { b.(*array.BooleanBuilder).Append(random.IntN(2) == 0) })
	add("d32", arrow.FixedWidthTypes.Date32, true, func(b array.Builder) { b.(*array.Date32Builder).Append(arrow.Date32(random.Int32())) })
	add("d64", arrow.FixedWidthTypes.Date64, true, func(b array.Builder) { b.(*array.Date64Builder).Append(arrow.Date64(random.Int64())) })
	add("t32", arrow.FixedWidthTypes.Time32ms, true, func(b array.Builder) { b.(*array.Time32Builder).Append(arrow.Time32(random.Int32())) })
	add("t64", arrow.FixedWidthTypes.Time64ns, true, func(b array.Builder) { b.(*array.Time64Builder).Append(arrow.Time64(random.Int64())) })
	add("ts", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, true, func(b array.Builder) { b.(*array.TimestampBuilder).Append(arrow.Timestamp(random.Int64())) })
	add("dur", arrow.FixedWidthTypes.Duration_ns, true, func(b array.Builder) { b.(*array.DurationBuilder).Append(arrow.Duration(random.Int64())) })
	add("months", arrow.FixedWidthTypes.MonthInterval, true, func(b array.Builder) {
		b.(*array.MonthIntervalBuilder).Append(arrow.MonthInterval(random.Int32()))
	})
	add("day time", arrow.FixedWidthTypes.DayTimeInterval, true, func(b array.Builder) {
		b.(*array.DayTimeIntervalBuilder).Append(arrow.DayTimeInterval{Days: random.Int32(), Milliseconds: 5})
	})
	add("month day nano", arrow.FixedWidthTypes.MonthDayNanoInterval, true, func(b array.Builder) {
		b.(*array.MonthDayNanoIntervalBuilder).Append(arrow.MonthDayNanoInterval{Months: random.Int32(), Days: 5, Nanoseconds: random.Int64()})
	})
	add("d128", &arrow.Decimal128Type{Precision: 30, Scale: 2}, true, func(b array.Builder) {
		b.(*array.Decimal128Builder).Append(decimal128.New(random.Int64(), random.Uint64()))
	})
	add("d256", &arrow.Decimal256Type{Precision: 60, Scale: 2}, true, func(b array.Builder) {
		b.(*array.Decimal256Builder).Append(decimal256.FromI64(random.Int64()))
	})
	add("fsb", &arrow.FixedSizeBinaryType{ByteWidth: 5}, true, func(b array.Builder) {
		b.(*array.FixedSizeBinaryBuilder).Append([]byte(fmt.Sprintf("%05d", random.IntN(99999))))
	})
	for _, ends := range []arrow.DataType{arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64} {
		for _, values := range []arrow.DataType{arrow.PrimitiveTypes.Uint16, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Float64} {
			typ := arrow.RunEndEncodedOf(ends, values)
			b := array.NewRunEndEncodedBuilder(mem, ends, values)
			for left := n; left > 0; {
				run := min(1+random.IntN(9), left)
				if random.IntN(4) == 0 {
					b.AppendNull()
					b.ContinueRun(uint64(run - 1))
				} else {
					b.Append(uint64(run))
					text := fmt.Sprint(random.IntN(60000))
					if values.ID() == arrow.BOOL {
						text = fmt.Sprint(random.IntN(2) == 0)
					}
					if err := b.ValueBuilder().AppendValueFromString(text); err != nil {
						t.Fatal(err)
					}
				}
				left -= run
			}
			fields = append(fields, arrow.Field{Name: typ.String(), Type: typ, Nullable: true})
			arrays = append(arrays, b.NewArray())
		}
	}
	// What has no fixed width.
	add("text", arrow.BinaryTypes.String, true, func(b array.Builder) { b.(*array.StringBuilder).Append("x") })
	add("list", arrow.ListOf(arrow.PrimitiveTypes.Int8), true, func(b array.Builder) {
		b.(*array.ListBuilder).Append(true)
		b.(*array.ListBuilder).ValueBuilder().(*array.Int8Builder).Append(1)
	})
	add("struct", arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8}), true, func(b array.Builder) {
		b.(*array.StructBuilder).Append(true)
		b.(*array.StructBuilder).FieldBuilder(0).(*array.Int8Builder).Append(1)
	})
	add("view", arrow.BinaryTypes.StringView, true, func(b array.Builder) {
		b.(*array.StringViewBuilder).Append(strings.Repeat("long enough ", 3))
	})
	add("null", arrow.Null, true, func(b array.Builder) { b.AppendNull() })
	add("dictionary", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, true, func(b array.Builder) {
		if err := b.(*array.BinaryDictionaryBuilder).AppendString("a"); err != nil {
			t.Fatal(err)
		}
	})
	add("u16", arrow.PrimitiveTypes.Uint16, false, func(b array.Builder) { b.(*array.Uint16Builder).Append(uint16(random.Uint32())) }) // a second of the name
	return arrow.NewSchema(fields, nil), arrays
}

// rawTexts gives the bytes of fixed-width values as the file has them.
func rawTexts(a arrow.Array, width int) []string {
	if ree, ok := a.(*array.RunEndEncoded); ok {
		values := rawTexts(ree.Values(), width)
		out := make([]string, a.Len())
		for i := range out {
			out[i] = values[ree.GetPhysicalIndex(i)]
		}
		return out
	}
	out := make([]string, a.Len())
	for i := range out {
		switch b, ok := a.(*array.Boolean); {
		case a.IsNull(i):
			out[i] = "null"
		case ok && b.Value(i):
			out[i] = "01"
		case ok:
			out[i] = "00"
		default:
			out[i] = fmt.Sprintf("%x", a.Data().Buffers()[1].Bytes()[i*width:(i+1)*width])
		}
	}
	return out
}

func TestEveryFixedWidthTypeOfArrowGoIsRead(t *testing.T) {
	for _, n := range []int{1, 7, 8, 65, 300} {
		schema, arrays := manyArrays(t, n)
		for name, options := range map[string][]ipc.Option{"plain": nil, "zstd": {ipc.WithZstd()}, "lz4": {ipc.WithLZ4()}, "lz4, mixed": {ipc.WithLZ4(), ipc.WithMinSpaceSavings(0.3)}, "zstd, mixed": {ipc.WithZstd(), ipc.WithMinSpaceSavings(0.3)}} {
			r := testdata.Open(t, oracle.Write(t, schema, arrays, options...))
			if rows := testdata.IndexAll(t, r); rows != int64(2*n) || r.State() != recording.Complete {
				t.Fatalf("%s: %d rows, %+v", name, rows, r.Findings())
			}
			for c, column := range r.Stream().Columns {
				if column.Type == stream.Other {
					continue
				}
				b, err := r.ReadBatch(1, []int{c})
				if err != nil {
					t.Fatal(err)
				}
				v := &b.Columns[0]
				want := rawTexts(arrays[c], v.Width)
				for i := range want {
					got := fmt.Sprintf("%x", v.Data[i*v.Width:(i+1)*v.Width])
					if v.Valid != nil && v.Valid[i] == 0 {
						got = "null"
					}
					if got != want[i] {
						t.Fatalf("%s, %d rows: column %s (%s), row %d: %s, want %s", name, n, column.Name, column.ArrowType, i, got, want[i])
					}
				}
				// Any part of a batch is the part of the whole.
				for from := int64(0); from < int64(n); from += 5 {
					to := min(int64(n), from+11)
					part := collect(t, r, int64(n)+from, int64(n)+to, []int{c})[0]
					for i := range part.Len {
						got := fmt.Sprintf("%x", part.Data[i*v.Width:(i+1)*v.Width])
						if part.Valid[i] == 0 {
							got = "null"
						}
						if got != want[int(from)+i] {
							t.Fatalf("%s, %d rows: column %s, row %d of [%d, %d): %s, want %s", name, n, column.Name, i, from, to, got, want[int(from)+i])
						}
					}
				}
			}
			b, err := r.ReadBatch(0, nil)
			if err != nil || len(b.Columns) != len(arrays) {
				t.Errorf("all columns: %v", err)
			}
			if i, err := r.Column("u16"); err != nil || r.Stream().Columns[i].Name != "u16" || i > 20 {
				t.Errorf("u16 is column %d, %v", i, err)
			}
		}
	}
}

func TestASliceKeepsEveryFixedWidthType(t *testing.T) {
	schema, arrays := manyArrays(t, 120)
	r := testdata.Open(t, oracle.Write(t, schema, arrays, ipc.WithZstd()))
	var columns []int
	seen := map[string]bool{}
	for c, column := range r.Stream().Columns {
		if column.Type != stream.Other && !seen[column.Name] {
			columns = append(columns, c)
		}
		seen[column.Name] = true
	}
	out, _, data := writeSlice(t, r, recording.SliceOptions{Start: 17, End: 203, Columns: columns, Codec: recording.Zstd})
	want, got := collect(t, r, 17, 203, columns), collect(t, out, 0, 186, nil)
	for k := range want {
		if !testdata.SameVector(&want[k], &got[k]) {
			t.Fatalf("column %s differs", r.Stream().Columns[columns[k]].Name)
		}
		if a, b := r.Stream().Columns[columns[k]].ArrowType, out.Stream().Columns[k].ArrowType; a != b {
			t.Errorf("%s became %s", a, b)
		}
	}
	if o := oracle.Read(t, data); len(o.Batches) != 2 || o.Schema.NumFields() != len(columns) {
		t.Errorf("arrow-go reads %d batches", len(o.Batches))
	}
}
