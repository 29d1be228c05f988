package recording

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/stream"
)

// slowFile writes one signal of a value in stride rows, value k at row
// stride*k, in the given layout, beside a fast column and both clocks.
func slowFile(t testing.TB, layout string, stride int, values []uint16, batches []int) []byte {
	t.Helper()
	slow := stream.Column{Name: "LfpData0", Type: stream.Uint16}
	switch layout {
	case "repeat":
		slow.Stride = stride
	case "ree", "merged":
		slow.RunEnd, slow.Stride = true, stride
	case "ree without metadata", "merged without metadata":
		slow.RunEnd = true
	case "nulls":
		slow.Nullable = true
	}
	s := &stream.Stream{Name: "slow", AcqClockHz: 1000, Columns: []stream.Column{slow, {Name: "SpikeData0", Type: stream.Uint16}, {Name: "HubClock", Type: stream.Uint64}, {Name: "Clock", Type: stream.Uint64}}}
	f := &memFile{}
	w, err := NewWriter(f, s, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	row := 0
	for _, rows := range batches {
		var slowV, fast, hub, clock Vector
		for i := range rows {
			at := row + i
			x := values[at/stride]
			if layout == "nulls" {
				valid := byte(0)
				if at%stride == 0 {
					valid = 1
				} else {
					x = 0
				}
				slowV.Valid = append(slowV.Valid, valid)
			}
			slowV.Data = append(slowV.Data, le16(x)...)
			fast.Data = append(fast.Data, le16(uint16(at*7919))...)
			hub.Data = append(hub.Data, le64(uint64(1400*at+17))...)
			clock.Data = append(clock.Data, le64(uint64(8333*at+1000))...)
			if strings.HasPrefix(layout, "ree") && ((at+1)%stride == 0 || i == rows-1) {
				slowV.RunEnds = append(slowV.RunEnds, int32(i+1))
			}
		}
		if _, err := w.WriteBatch(rows, []Vector{slowV, fast, hub, clock}); err != nil {
			t.Fatal(err)
		}
		row += rows
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.data
}

var slowLayouts = []string{"repeat", "repeat without metadata", "ree", "ree without metadata", "merged", "merged without metadata", "nulls"}

// uniqueOf collects what Unique gives.
func uniqueOf(t testing.TB, r *Reader, column int, start, end int64) (values []float64, rows []int64, clock, hub []uint64) {
	t.Helper()
	columns := []int{column}
	clocks := [2]int{-1, -1}
	for k, name := range []string{"Clock", "HubClock"} {
		if c := r.fieldIndex(name); c >= 0 {
			clocks[k], columns = len(columns), append(columns, c)
		}
	}
	u := &unique{r: r, columns: columns, slow: []int{0}, stride: 1}
	if slow, err := r.newUnique(columns); err == nil {
		u = slow
	} // else it is at the full rate
	x := &Excerpt{r: r, ranges: []Range{{start, end}}, columns: columns, unique: u}
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
			clock = append(clock, Values[uint64](&b.Columns[k])...)
		}
		if k := clocks[1]; k >= 0 {
			hub = append(hub, Values[uint64](&b.Columns[k])...)
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
			file := slowFile(t, layout, stride, values, batches)
			r := openBytes(t, file)
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
		for _, codec := range []Codec{None, Zstd, Keep} {
			r := openBytes(t, slowFile(t, layout, 12, values, []int{1200, 1200}))
			out, report, data := writeSlice(t, r, SliceOptions{Start: 100, End: 2300, Unique: true, Codec: codec})
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
			if codec == None && !strings.Contains(layout, "nulls") { // that one is nullable
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
	r := openBytes(t, slowFile(t, "repeat", 12, values, []int{1200}))
	for _, c := range []struct {
		name    string
		columns []int
		say     string
	}{
		{"no slow column", []int{2, 3}, "none of these columns is slower"},
		{"a fast channel", []int{0, 1}, `"SpikeData0" has a value in every row`},
		{"a column that is not there", []int{9}, "columns #9: no column"},
	} {
		_, err := r.WriteSlice(&memFile{}, SliceOptions{End: 1200, Columns: c.columns, Unique: true})
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
		r := openBytes(t, readForeign(t, "bonsai/"+name+".arrow"))
		total := indexAll(t, r)
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
		_, report, _ := writeSlice(t, r, SliceOptions{End: total, Unique: true})
		if report.Rows != total/12 {
			t.Errorf("%s: %+v", name, report)
		}
	}
	// Repetition that nothing states: a channel is measured, a counter is not.
	r := openBytes(t, readForeign(t, "bonsai/new_Heartbeat.arrow"))
	if _, _, err := r.UniqueColumns(nil); err == nil {
		t.Error("a heartbeat is slower than its rows")
	}
}

// A slice cuts the first value and the last: what is left of them says nothing of
// how far values lie apart.
func TestAShortSliceClaimsNoStride(t *testing.T) {
	for _, name := range []string{"new_NeuropixelsV1", "old_NeuropixelsV1", "new_NeuropixelsV1_zstd"} {
		r := openBytes(t, readForeign(t, "bonsai/"+name+".arrow"))
		lfp, _ := r.Column("LfpData7")
		for start := int64(100); start < 112; start++ {
			for rows := int64(1); rows < 80; rows++ {
				file := &memFile{}
				if _, err := r.WriteSlice(file, SliceOptions{Start: start, End: start + rows, Columns: []int{lfp}, Codec: Keep}); err != nil {
					t.Fatal(err)
				}
				_, stride, err := openBytes(t, file.data).Subsample(0)
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
