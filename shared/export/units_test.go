package export

import (
	"bytes"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// The value of a code in its unit is the float64 next to the decimal product, so
// that its shortest text is that of the product.
func TestValuesInUnitsAreRoundedOnce(t *testing.T) {
	for _, c := range []stream.Column{
		{Scale: 0.195, Offset: 32768}, {Scale: 0.195, Offset: 0}, {Scale: 1.171875, Offset: 512}, {Scale: 2.34375, Offset: 512}, {Scale: 0.000305, Offset: 2048},
		{Scale: 4e-9}, {Scale: 1. / 16}, {Scale: 0.1, Offset: 0.5}, {Scale: -0.01, Offset: 3}, {Scale: 1e-6}, {Scale: 3e5, Offset: 1},
	} {
		units := unitsOf(&c)
		scale, offset := rational(t, c.Scale), rational(t, c.Offset)
		for raw := -40000; raw < 70000; raw += 17 {
			exact := new(big.Rat).SetInt64(int64(raw))
			want, _ := exact.Mul(exact.Sub(exact, offset), scale).Float64()
			if got := units(float64(raw)); got != want {
				t.Fatalf("%g x (%d - %g) is %v, want %v", c.Scale, raw, c.Offset, got, want)
			}
		}
	}
	// Of a clock whose period no decimal has, and of fractions.
	c := stream.Column{Scale: 1. / 30e6}
	if got := unitsOf(&c)(45e6); got != 1.5 {
		t.Errorf("45 million ticks of 30 MHz are %v s", got)
	}
	if got := unitsOf(&c)(0.5); got != c.Physical(0.5) {
		t.Errorf("half a tick is %v s", got)
	}
}

// rational is the shortest decimal of x.
func rational(t *testing.T, x float64) *big.Rat {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64))
	if !ok {
		t.Fatalf("%g is no number", x)
	}
	return r
}

func TestCSVInUnitsIsShort(t *testing.T) {
	s := probe(1)
	s.Columns[0].Scale, s.Columns[0].Offset = 0.195, 32768
	r := open(t, record(t, s, recording.WriterOptions{}, 500).Bytes())
	var f bytes.Buffer
	if _, err := CSV(ctx, &f, of(r, Selection{End: 500, Columns: []int{0}}), &Options{Physical: true}); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(f.String())[1:] {
		if strings.Trim(line, "-.0123456789e()uV") == "" && len(line) > len("-12345.678") {
			t.Fatalf("%s is not short", line)
		}
	}
}

// A line for each row, also where the only column has no value: an empty line is
// passed over by pandas.
func TestCSVOfOneNullableColumnHasALineForEachRow(t *testing.T) {
	data, err := os.ReadFile("../../testdata/field/one-nullable-column.arrow")
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, data)
	var f bytes.Buffer
	if _, err := CSV(ctx, &f, of(r, all(t, r)), nil); err != nil || f.String() != "a\n1\n\"\"\n\"\"\n4\n" {
		t.Errorf("%q, %v", f.String(), err)
	}
}

// Dates and times are NumPy's own, their nulls NaT; what NumPy has not is refused
// with column and type.
func TestNPYOfDatesAndDecimals(t *testing.T) {
	data, err := os.ReadFile("../../testdata/field/dates-and-decimals.arrow")
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, data)
	names := r.Stream().Names()
	var f bytes.Buffer
	if _, err := NPY(ctx, &f, of(r, Selection{End: 3, Columns: []int{0, 1, 2, 3, 4, 5}}), nil); err != nil {
		t.Fatal(err)
	}
	a := parseNPY(t, f.Bytes())
	if want := "[('date32', '<M8[D]'), ('date64', '<M8[ms]'), ('time32', '<m8[s]'), ('time64', '<m8[us]'), ('moment', '<M8[us]'), ('duration', '<m8[ms]'), ]"; a.descr != want {
		t.Errorf("%s\nwant %s", a.descr, want)
	}
	const nat = math.MinInt64
	want := [][]int64{{20000, 86400000, 3600, 1, 5, -7}, {nat, nat, nat, nat, nat, nat}, {-1, 0, 0, 86399999999, 0, 9}}
	for i, row := range want {
		for k, x := range row {
			if got := int64(le.Uint64(a.data[8*(6*i+k):])); got != x {
				t.Errorf("row %d, %s: %d, want %d", i, names[k], got, x)
			}
		}
	}
	for k := 6; k < len(names); k++ {
		_, err := NPY(ctx, &bytes.Buffer{}, of(r, Selection{End: 3, Columns: []int{k}}), nil)
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(names[k])+" is of type "+r.Stream().Columns[k].ArrowType+", which NumPy does not have") {
			t.Errorf("%s: %v", names[k], err)
		}
	}
}
