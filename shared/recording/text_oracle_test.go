//go:build !js

package recording_test

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// oracleText is row i of a as arrow-go has it, in the words of Vector.Text;
// valid is false where there is no value.
func oracleText(a arrow.Array, i int, inside bool) (text string, valid bool) {
	switch a := a.(type) {
	case array.ExtensionArray:
		return oracleText(a.Storage(), i, inside)
	case *array.RunEndEncoded:
		return oracleText(a.Values(), a.GetPhysicalIndex(i), inside)
	case *array.DenseUnion:
		return oracleText(a.Field(a.ChildID(i)), int(a.ValueOffset(i)), inside)
	case *array.SparseUnion:
		return oracleText(a.Field(a.ChildID(i)), i, inside)
	case *array.Null:
		return "", false
	}
	if a.IsNull(i) {
		return "", false
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return oracleText(a.Dictionary(), a.GetValueIndex(i), inside)
	case array.StringLike:
		if inside {
			return strconv.Quote(a.Value(i)), true
		}
		return a.Value(i), true
	case *array.FixedSizeBinary:
		return hex.EncodeToString(a.Value(i)), true
	case interface{ Value(int) []byte }: // binary, large, or view
		return hex.EncodeToString(a.Value(i)), true
	case *array.Map:
		from, to := a.ValueOffsets(i)
		return joined("{", "}", int(from), int(to), func(k int) string {
			return orNull(oracleText(a.Keys(), k, true)) + ": " + orNull(oracleText(a.Items(), k, true))
		}), true
	case array.ListLike:
		from, to := a.ValueOffsets(i)
		return joined("[", "]", int(from), int(to), func(k int) string { return orNull(oracleText(a.ListValues(), k, true)) }), true
	case *array.Struct:
		t := a.DataType().(*arrow.StructType)
		return joined("{", "}", 0, a.NumField(), func(k int) string { return t.Field(k).Name + ": " + orNull(oracleText(a.Field(k), i, true)) }), true
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i)), true
	case *array.Float16:
		return floatText(float64(a.Value(i).Float32()), 32), true
	case *array.Float32:
		return floatText(float64(a.Value(i)), 32), true
	case *array.Float64:
		return floatText(a.Value(i), 64), true
	case *array.Decimal32:
		return decimalText(big.NewInt(int64(a.Value(i))), a.DataType()), true
	case *array.Decimal64:
		return decimalText(big.NewInt(int64(a.Value(i))), a.DataType()), true
	case *array.Decimal128:
		return decimalText(a.Value(i).BigInt(), a.DataType()), true
	case *array.Decimal256:
		return decimalText(a.Value(i).BigInt(), a.DataType()), true
	case *array.Date32:
		return momentText(int64(a.Value(i))*86400, 0, 0, "2006-01-02", "d", int64(a.Value(i))), true
	case *array.Date64:
		if ms := int64(a.Value(i)); ms%86400000 == 0 {
			return momentText(ms/1000, 0, 0, "2006-01-02", "d", ms/86400000), true
		}
		return ticksText(int64(a.Value(i)), arrow.Millisecond, false), true
	case *array.Time32:
		return clockText(int64(a.Value(i)), a.DataType().(*arrow.Time32Type).Unit), true
	case *array.Time64:
		return clockText(int64(a.Value(i)), a.DataType().(*arrow.Time64Type).Unit), true
	case *array.Timestamp:
		t := a.DataType().(*arrow.TimestampType)
		return ticksText(int64(a.Value(i)), t.Unit, t.TimeZone != ""), true
	case *array.Duration:
		return point(big.NewInt(int64(a.Value(i))), decimalsOf(a.DataType().(*arrow.DurationType).Unit)) + "s", true
	case *array.MonthInterval:
		return fmt.Sprintf("P%dM", a.Value(i)), true
	case *array.DayTimeInterval:
		v := a.Value(i)
		return intervalText(0, int64(v.Days), int64(v.Milliseconds), 3), true
	case *array.MonthDayNanoInterval:
		v := a.Value(i)
		return intervalText(int64(v.Months), int64(v.Days), v.Nanoseconds, 9), true
	}
	return a.ValueStr(i), true // integers
}

func orNull(text string, valid bool) string {
	if !valid {
		return "null"
	}
	return text
}

func joined(open, end string, from, to int, one func(k int) string) string {
	var parts []string
	for k := from; k < to; k++ {
		parts = append(parts, one(k))
	}
	return open + strings.Join(parts, ", ") + end
}

// point puts a decimal point before the last digits of x.
func point(x *big.Int, digits int) string {
	if digits <= 0 {
		return new(big.Int).Mul(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-digits)), nil)).String()
	}
	text := new(big.Int).Abs(x).String()
	for len(text) <= digits {
		text = "0" + text
	}
	if x.Sign() < 0 {
		text = "-" + text
	}
	return text[:len(text)-digits] + "." + text[len(text)-digits:]
}

func decimalText(x *big.Int, t arrow.DataType) string {
	return point(x, int(t.(arrow.DecimalType).GetScale()))
}

func decimalsOf(unit arrow.TimeUnit) int { return 3 * int(unit) }

func perSecond(unit arrow.TimeUnit) int64 { return int64(time.Second / unit.Multiplier()) }

// momentText is a moment in a year of four digits, else the number itself.
func momentText(seconds, fraction int64, digits int, layout, unit string, number int64) string {
	const century = 100 * 366 * 86400
	if seconds < -30*century || seconds > 90*century {
		return fmt.Sprint(number) + unit
	}
	t := time.Unix(seconds, 0).UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return fmt.Sprint(number) + unit
	}
	text := t.Format(layout)
	if digits > 0 {
		text += fmt.Sprintf(".%0*d", digits, fraction)
	}
	return text
}

func ticksText(x int64, unit arrow.TimeUnit, zone bool) string {
	per := perSecond(unit)
	seconds, fraction := x/per, x%per
	if fraction < 0 {
		seconds, fraction = seconds-1, fraction+per
	}
	text := momentText(seconds, fraction, decimalsOf(unit), "2006-01-02T15:04:05", "?", 0)
	if strings.HasSuffix(text, "?") {
		return point(big.NewInt(x), decimalsOf(unit)) + "s"
	}
	if zone {
		text += "Z"
	}
	return text
}

func clockText(x int64, unit arrow.TimeUnit) string {
	per := perSecond(unit)
	if x < 0 || x >= 86400*per {
		return point(big.NewInt(x), decimalsOf(unit)) + "s"
	}
	return momentText(x/per, x%per, decimalsOf(unit), "15:04:05", "", 0)
}

func intervalText(months, days, rest int64, digits int) string {
	text := "P"
	if months != 0 {
		text += fmt.Sprintf("%dM", months)
	}
	if days != 0 || months == 0 && rest == 0 {
		text += fmt.Sprintf("%dD", days)
	}
	if rest != 0 {
		text += "T" + point(big.NewInt(rest), digits) + "S"
	}
	return text
}

// floatText is as NumPy and pandas write it.
func floatText(x float64, bits int) string {
	return strings.NewReplacer("+Inf", "inf", "-Inf", "-inf").Replace(strconv.FormatFloat(x, 'g', -1, bits))
}

// sameTexts holds every value of a file against arrow-go's.
func sameTexts(t *testing.T, data []byte, records []arrow.RecordBatch) {
	t.Helper()
	r := testdata.Open(t, data)
	if r.NumBatches() != len(records) {
		t.Fatalf("%d batches, arrow-go has %d", r.NumBatches(), len(records))
	}
	for i, rec := range records {
		b, err := r.ReadBatch(i, nil)
		if err != nil {
			t.Fatal(err)
		}
		if int64(b.Rows) != rec.NumRows() || int64(len(b.Columns)) != rec.NumCols() {
			t.Fatalf("batch %d: %d rows of %d columns, arrow-go has %d of %d", i, b.Rows, len(b.Columns), rec.NumRows(), rec.NumCols())
		}
		for k := range b.Columns {
			for row := range b.Rows {
				text, valid := b.Columns[k].Text(row)
				want, ok := oracleText(rec.Column(k), row, false)
				if valid != ok || valid && text != want {
					t.Fatalf("batch %d, column %q (%s), row %d is %s, arrow-go has %s", i, rec.ColumnName(k), rec.Column(k).DataType(), row, testdata.Shown(text, valid), testdata.Shown(want, ok))
				}
			}
		}
	}
}

// Every value of every type reads as arrow-go reads it, whatever codec and
// format: of random columns, and of all files of others.
func TestEveryValueReadsAsArrowGoReadsIt(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 99))
		schema := allTypes()
		records := []arrow.RecordBatch{randomRecord(schema, 1+random.IntN(90), random), randomRecord(schema, 1+random.IntN(9), random)}
		for name, options := range writings {
			for _, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
				data := writeRecords(t, format, records, options...)
				t.Run(fmt.Sprintf("random %d, %s, format %d", seed, name, format), func(t *testing.T) { sameTexts(t, data, readRecords(t, data)) })
			}
		}
	}
	read := 0
	testdata.EachTwin(t, func(t *testing.T, f *testdata.TwinFile) {
		sameTexts(t, f.Data, readRecords(t, f.Data))
		read++
	})
	if read < 80 {
		t.Errorf("only %d files", read)
	}
}
