package recording_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

var slowLayouts = []string{"repeat", "repeat without metadata", "ree", "ree without metadata", "merged", "merged without metadata", "nulls"}

// uniqueOf collects what Unique gives.
func uniqueOf(t testing.TB, r *recording.Reader, column int, start, end int64) (values []float64, rows []int64, clock, hub []uint64) {
	t.Helper()
	columns := []int{column}
	clocks := [2]int{-1, -1}
	for k, name := range []string{"Clock", "HubClock"} {
		if c := r.FieldIndex(name); c >= 0 {
			clocks[k], columns = len(columns), append(columns, c)
		}
	}
	x := r.UniqueOf(start, end, columns)
	for b, err := range x.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if v := &b.Columns[0]; v.Len != len(b.Numbers) || v.RunEnds != nil || b.Rows != v.Len {
			t.Fatalf("%d values, %d rows", v.Len, len(b.Numbers))
		}
		for i := range b.Rows {
			values = append(values, b.Columns[0].Float64(i))
		}
		rows = append(rows, b.Numbers...)
		if k := clocks[0]; k >= 0 {
			clock = append(clock, recording.Values[uint64](&b.Columns[k])...)
		}
		if k := clocks[1]; k >= 0 {
			hub = append(hub, recording.Values[uint64](&b.Columns[k])...)
		}
	}
	return values, rows, clock, hub
}

func TestUniqueGivesTheSameFromEveryLayout(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 1))
	for trial := range 30 {
		stride := 2 + random.IntN(14)
		var batches []int
		total := 0
		for range 1 + random.IntN(4) {
			rows := stride * (16 + random.IntN(20))
			if trial%3 == 0 { // borders of batches that are not those of values
				rows = 16*stride + random.IntN(20*stride)
			}
			batches, total = append(batches, rows), total+rows
		}
		values := make([]uint16, total/stride+1)
		for k := range values {
			values[k] = uint16(random.IntN(5))
			if k > 0 && k%3 != 0 && values[k] == values[k-1] { // seldom the same twice
				values[k] += 5
			}
		}
		var wantValues []float64
		var wantRows []int64
		for row := 0; row < total; row += stride {
			wantValues, wantRows = append(wantValues, float64(values[row/stride])), append(wantRows, int64(row))
		}
		start := int64(random.IntN(total))
		end := start + int64(random.IntN(total-int(start)+1))
		for _, layout := range slowLayouts {
			name := fmt.Sprintf("trial %d, %s, stride %d, batches %v", trial, layout, stride, batches)
			file := testdata.SlowFile(t, layout, stride, values, batches)
			r := testdata.Open(t, file)
			got, rows, clock, hub := uniqueOf(t, r, 0, 0, int64(total))
			if !slices.Equal(got, wantValues) || !slices.Equal(rows, wantRows) {
				t.Fatalf("%s: values %v at rows %v, want %v at %v", name, got, rows, wantValues, wantRows)
			}
			for i, row := range rows {
				if clock[i] != uint64(8333*row+1000) || hub[i] != uint64(1400*row+17) {
					t.Fatalf("%s: row %d has Clock %d and HubClock %d", name, row, clock[i], hub[i])
				}
			}
			// Slices join.
			a, ra, _, _ := uniqueOf(t, r, 0, 0, start)
			b, rb, _, _ := uniqueOf(t, r, 0, start, end)
			c, rc, _, _ := uniqueOf(t, r, 0, end, int64(total))
			if !slices.Equal(slices.Concat(a, b, c), wantValues) || !slices.Equal(slices.Concat(ra, rb, rc), wantRows) {
				t.Fatalf("%s: the slices at %d and %d do not join: %v, %v, %v", name, start, end, ra, rb, rc)
			}
		}
	}
}

func TestUniqueWritesATableAtTheSlowRate(t *testing.T) {
	values := make([]uint16, 200)
	for k := range values {
		values[k] = uint16(k * k % 1000)
	}
	var first []byte
	for _, layout := range slowLayouts {
		for _, codec := range []recording.Codec{recording.None, recording.Zstd, recording.Keep} {
			r := testdata.Open(t, testdata.SlowFile(t, layout, 12, values, []int{1200, 1200}))
			out, report, data := writeSlice(t, r, recording.SliceOptions{Start: 100, End: 2300, Unique: true, Codec: codec})
			if report.Rows != 183 || report.Batches != 2 {
				t.Fatalf("%s: %+v", layout, report)
			}
			columns := out.Stream().Columns
			if len(columns) != 3 || columns[0].Name != "LfpData0" || columns[0].Type != stream.Uint16 || columns[0].RunEnd || columns[0].Stride != 0 {
				t.Fatalf("%s: %+v", layout, columns)
			}
			for b, err := range out.Slice(0, report.Rows, nil) {
				if err != nil {
					t.Fatal(err)
				}
				for i := range b.Rows {
					row := 108 + 12*(b.Start+int64(i))
					if x, tick := b.Columns[0].Float64(i), b.Columns[2].Float64(i); x != float64(values[row/12]) || tick != float64(8333*row+1000) {
						t.Fatalf("%s: value %v at Clock %v, want that of row %d", layout, x, tick, row)
					}
				}
			}
			if found, err := damageOf(data); err != nil || len(found) > 0 {
				t.Fatalf("%s: %+v, %v", layout, found, err)
			}
			if codec == recording.None && !strings.Contains(layout, "nulls") { // that one is nullable
				if first == nil {
					first = data
				}
				if strings.HasPrefix(layout, "repeat") && !reflect.DeepEqual(data, first) {
					t.Fatalf("%s: not the bytes of another layout", layout)
				}
			}
		}
	}
}

func TestUniqueSaysWhatItCannotDo(t *testing.T) {
	values := make([]uint16, 100)
	for k := range values {
		values[k] = uint16(k)
	}
	r := testdata.Open(t, testdata.SlowFile(t, "repeat", 12, values, []int{1200}))
	for _, c := range []struct {
		name    string
		columns []int
		say     string
	}{
		{"no slow column", []int{2, 3}, "none of these columns is slower"},
		{"a fast channel", []int{0, 1}, `"SpikeData0" has a value in every row`},
		{"a column that is not there", []int{9}, "columns #9: no column"},
	} {
		_, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{End: 1200, Columns: c.columns, Unique: true})
		if err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// Of a column at the full rate Unique gives all.
	if got, _, _, _ := uniqueOf(t, r, 1, 0, 1200); len(got) != 1200 {
		t.Errorf("%d values", len(got))
	}
}

// Both layouts of Bonsai hold the same signal; its formula is in the README of
// the files.
func TestUniqueReadsBothLayoutsOfBonsai(t *testing.T) {
	for _, name := range []string{"new_NeuropixelsV1", "old_NeuropixelsV1", "new_NeuropixelsV1_zstd", "old_NeuropixelsV1_zstd", "new_Nric1384", "old_Nric1384", "new_NeuropixelsV1_idle", "old_NeuropixelsV1_idle"} {
		r := testdata.Open(t, testdata.Foreign(t, "bonsai/"+name+".arrow"))
		total := testdata.IndexAll(t, r)
		for _, channel := range []int{0, 7, 383} {
			got, rows, clock, _ := uniqueOf(t, r, channel, 0, total)
			if len(got) != int(total/12) {
				t.Fatalf("%s: %d values of %d rows", name, len(got), total)
			}
			for k, x := range got {
				if x != float64((channel*5+k*11+512)%1024) || rows[k] != int64(12*k) || clock[k] != uint64(8333*12*k+1000) {
					t.Fatalf("%s: value %d of channel %d is %v, at row %d and Clock %d", name, k, channel, x, rows[k], clock[k])
				}
			}
		}
		columns, stride, err := r.UniqueColumns(nil)
		if err != nil || stride != 12 || len(columns) != 386 {
			t.Fatalf("%s: %d columns, one value in %d rows, %v", name, len(columns), stride, err)
		}
		_, report, _ := writeSlice(t, r, recording.SliceOptions{End: total, Unique: true})
		if report.Rows != total/12 {
			t.Errorf("%s: %+v", name, report)
		}
	}
	// Repetition that nothing states: a channel is measured, a counter is not.
	r := testdata.Open(t, testdata.Foreign(t, "bonsai/new_Heartbeat.arrow"))
	if _, _, err := r.UniqueColumns(nil); err == nil {
		t.Error("a heartbeat is slower than its rows")
	}
}

// A slice cuts the first value and the last: what is left of them says nothing of
// how far values lie apart.
func TestAShortSliceClaimsNoStride(t *testing.T) {
	for _, name := range []string{"new_NeuropixelsV1", "old_NeuropixelsV1", "new_NeuropixelsV1_zstd"} {
		r := testdata.Open(t, testdata.Foreign(t, "bonsai/"+name+".arrow"))
		lfp, _ := r.Column("LfpData7")
		for start := int64(100); start < 112; start++ {
			for rows := int64(1); rows < 80; rows++ {
				file := &testdata.Memory{}
				if _, err := r.WriteSlice(file, recording.SliceOptions{Start: start, End: start + rows, Columns: []int{lfp}, Codec: recording.Keep}); err != nil {
					t.Fatal(err)
				}
				_, stride, err := testdata.Open(t, file.Data).Subsample(0)
				if err != nil || stride != 1 && stride != 12 {
					t.Errorf("%s, rows %d to %d: one value in %d rows, %v", name, start, start+rows, stride, err)
				}
			}
		}
		if _, stride, err := r.Subsample(lfp); stride != 12 || err != nil {
			t.Errorf("%s: one value in %d rows, %v", name, stride, err)
		}
	}
}
