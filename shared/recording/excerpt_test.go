package recording_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// collect joins the batches of a slice into one vector a column.
func collect(t testing.TB, r *recording.Reader, start, end int64, columns []int) []recording.Vector {
	t.Helper()
	var all []recording.Vector
	row := start
	for b, err := range r.Slice(start, end, columns) {
		if err != nil {
			t.Fatalf("rows [%d, %d): %v", start, end, err)
		}
		if b.Start != row || b.Rows == 0 {
			t.Fatalf("rows [%d, %d): a batch of %d rows from %d, want %d", start, end, b.Rows, b.Start, row)
		}
		if all == nil {
			all = make([]recording.Vector, len(b.Columns))
		}
		for k, v := range b.Columns {
			if v.Len != b.Rows || v.Valid != nil && len(v.Valid) != v.Len || v.RunEnds != nil && int(v.RunEnds[len(v.RunEnds)-1]) != v.Len {
				t.Fatalf("rows [%d, %d): vector %+v in a batch of %d rows", start, end, v, b.Rows)
			}
			appendVector(&all[k], v)
		}
		row += int64(b.Rows)
	}
	if row != end {
		t.Fatalf("rows [%d, %d): ended at %d", start, end, row)
	}
	return all
}

func appendVector(to *recording.Vector, v recording.Vector) {
	valid := v.Valid
	if valid == nil {
		valid = bytes.Repeat([]byte{1}, v.Len)
	}
	to.Type, to.Width = v.Type, v.Width
	to.Valid = append(to.Valid, valid...)
	to.Data = append(to.Data, v.Data...)
	to.Len += v.Len
}

// Slice(a, b) followed by Slice(b, c) is Slice(a, c).
func TestSlicesJoin(t *testing.T) {
	const seed = 11
	random := rand.New(rand.NewPCG(seed, 0))
	s := testdata.EveryType()
	files := map[string][]byte{}
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, s, codec, seed, 40, 40, 1, 33)
		files["own "+name] = f.Data
	}
	for _, name := range []string{"bonsai/new_NeuropixelsV1_idle", "bonsai/old_NeuropixelsV1_zstd_killed", "csharp/cs_small"} {
		files[name] = testdata.Foreign(t, name+".arrow")
	}
	for name, data := range files {
		r := testdata.Open(t, data)
		rows := testdata.IndexAll(t, r)
		columns := []int{0, 1, len(r.Stream().Columns) - 1}
		if name[:3] == "own" {
			columns = nil
		}
		for range 30 {
			a, b, c := random.Int64N(rows+1), random.Int64N(rows+1), random.Int64N(rows+1)
			a, b, c = min(a, b, c), a+b+c-min(a, b, c)-max(a, b, c), max(a, b, c)
			whole, head, tail := collect(t, r, a, c, columns), collect(t, r, a, b, columns), collect(t, r, b, c, columns)
			for k := range tail {
				if head == nil {
					head = make([]recording.Vector, len(tail))
				}
				appendVector(&head[k], tail[k])
			}
			for k := range whole {
				if !testdata.SameVector(&whole[k], &head[k]) {
					t.Fatalf("%s, seed %d: [%d, %d) + [%d, %d) differ in column %d", name, seed, a, b, b, c, k)
				}
			}
			if len(whole) != len(head) {
				t.Fatalf("%s: [%d, %d): %d columns, joined %d", name, a, c, len(whole), len(head))
			}
		}
	}
}

func TestRangesOutsideTheFileNameTheValidOnes(t *testing.T) {
	for _, name := range []string{"csharp/cs_small", "csharp/cs_empty"} {
		data := testdata.Foreign(t, name+".arrow")
		rows := testdata.IndexAll(t, testdata.Open(t, data))
		for _, c := range [][2]int64{{-1, 0}, {0, rows + 1}, {5, 4}, {rows + 1, rows + 1}, {math.MinInt64, math.MaxInt64}} {
			r := testdata.Open(t, data)
			n := 0
			for b, err := range r.Slice(c[0], c[1], nil) {
				var e *recording.RangeError
				if b != nil || !errors.As(err, &e) || e.Start != c[0] || e.End != c[1] || e.Rows != rows {
					t.Errorf("%v: %v", c, err)
				}
				n++
			}
			if n != 1 {
				t.Errorf("%v: %d errors", c, n)
			}
		}
		for _, at := range []int64{0, rows / 2, rows} {
			for range testdata.Open(t, data).Slice(at, at, nil) {
				t.Errorf("the empty slice at %d has a batch", at)
			}
		}
	}
	r := testdata.Open(t, testdata.Foreign(t, "csharp/cs_small.arrow"))
	for _, err := range r.Slice(0, 900, []int{99}) {
		if !errors.As(err, new(*recording.ColumnError)) {
			t.Errorf("column 99: %v", err)
		}
	}
}

// Of plain columns only the rows of the slice are read.
func TestASliceOfAPlainColumnReadsItsRowsOnly(t *testing.T) {
	r := testdata.Open(t, testdata.Foreign(t, "bonsai/old_AnalogInput_S16.arrow"))
	clock, _ := r.Column("Clock")
	analog, _ := r.Column("AnalogDataCh3")
	before := r.BytesRead().Body
	collect(t, r, 990, 1010, []int{clock, analog})
	if got := r.BytesRead().Body - before; got != 20*(8+2) {
		t.Errorf("%d bytes for 20 rows of 10 bytes", got)
	}
}
