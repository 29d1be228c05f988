package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// salvageStream has a column of each kind that is cut in its own way.
func salvageStream() *stream.Stream {
	return &stream.Stream{Name: "cut", AcqClockHz: 1000, Columns: []stream.Column{
		{Name: "Clock", Type: stream.Uint64}, {Name: "A0", Type: stream.Uint16}, {Name: "A1", Type: stream.Int16, Nullable: true},
		{Name: "B", Type: stream.Bool}, {Name: "L", Type: stream.Uint16, RunEnd: true}, {Name: "Z", Type: stream.Float64},
	}}
}

// For every cut of the last batch, and for several choices of columns: the rows
// that all columns chosen have are kept, with their values, and nothing else
// is.
func TestEveryCutOfTheLastBatchIsSalvaged(t *testing.T) {
	const rows = 70
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, salvageStream(), codec, 81, 40, rows)
		original := batchesOf(t, f.Data)
		block := dissect.Footer(t, f.Data).Batches[1]
		m := dissect.Message(t, f.Data, block)
		bodyAt := block.Offset + int64(block.MetaLength)
		buffers := func(column int) []int {
			return map[int][]int{0: {0, 1}, 1: {2, 3}, 2: {4, 5}, 3: {6, 7}, 4: {8, 9, 10, 11}, 5: {12, 13}}[column]
		}
		bits := map[int]int64{0: 64, 1: 16, 2: 16, 3: 1, 5: 64}
		// What a column has in n bytes, counted here once more.
		left := func(n int64, column int) int64 {
			have := int64(rows)
			for i, k := range buffers(column) {
				b := m.Batch.Buffers[k]
				missing := b.Offset + b.Length - (n - bodyAt)
				if missing <= 0 || b.Length == 0 {
					continue
				}
				if codec != recording.None || column == 4 || missing >= b.Length {
					return 0
				}
				per := int64(1)
				if i == 1 {
					per = bits[column]
				}
				have = min(have, (b.Length-missing)*8/per)
			}
			return have
		}
		for n := bodyAt; n < bodyAt+m.Batch.DataEnd(); n += int64(3 * fewer(7)) {
			for _, c := range []struct {
				patterns []string
				columns  []int
			}{{[]string{"all"}, []int{0, 1, 2, 3, 4, 5}}, {[]string{"A*", "Clock"}, []int{0, 1, 2}}, {[]string{"L", "Clock"}, []int{0, 4}}, {[]string{"B"}, []int{3}}} {
				what := fmt.Sprintf("%s, %d of %d bytes, %v", name, n-bodyAt, m.BodyLength, c.patterns)
				want := int64(rows)
				for _, k := range c.columns {
					want = min(want, left(n, k))
				}
				input := f.Data[:n]
				p, err := recovery.Examine(context.Background(), bytes.NewReader(input), n, &recovery.Options{Salvage: c.patterns})
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if err := p.Verify(bytes.NewReader(input)); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				checkReport(t, &p.Report, n)
				out := materialize(t, p, input)
				got := batchesOf(t, out)
				if p.Report.RowsRecovered != 40+want || p.Report.Outcome != recovery.Lossy {
					t.Fatalf("%s: want %d rows of the batch: %+v", what, want, p.Report)
				}
				if want == 0 {
					sameValues(t, out, original, 0)
					continue
				}
				if len(got) != 2 || len(got[1].Columns) != len(c.columns) || len(p.Report.ColumnsLeftOut) != 6-len(c.columns) {
					t.Fatalf("%s: %d batches, left out %v", what, len(got), p.Report.ColumnsLeftOut)
				}
				for i, k := range c.columns {
					for b, rows := range []int64{40, want} {
						g, w := got[b].Columns[i], original[b].Columns[k]
						if g.Len != int(rows) || !bytes.Equal(g.Data, w.Data[:rows*int64(w.Width)]) || g.Valid != nil && !bytes.Equal(g.Valid, w.Valid[:rows]) || g.Valid == nil && bytes.IndexByte(w.Valid[:min(int(rows), len(w.Valid))], 0) >= 0 {
							t.Fatalf("%s: batch %d column %d is not what was written", what, b, k)
						}
					}
				}
				again, err := recovery.Examine(context.Background(), bytes.NewReader(out), int64(len(out)), nil)
				if err != nil || !again.Complete {
					t.Fatalf("%s: the output is not whole: %v", what, err)
				}
			}
		}
	}
}

func TestSalvageOfColumnsThatAreNotThere(t *testing.T) {
	f, _ := testdata.WriteRandom(t, salvageStream(), recording.None, 82, 40, 40)
	input := f.Data[:len(f.Data)-2000]
	_, err := recovery.Examine(context.Background(), bytes.NewReader(input), int64(len(input)), &recovery.Options{Salvage: []string{"Clok"}})
	var e *recording.ColumnError
	if !errors.As(err, &e) || !reflect.DeepEqual(e.Near, []string{"Clock"}) {
		t.Errorf("%v", err)
	}
	// A whole file is left alone, whatever is to be salvaged.
	p, err := recovery.Examine(context.Background(), bytes.NewReader(f.Data), int64(len(f.Data)), &recovery.Options{Salvage: []string{"Clock"}})
	if err != nil || !p.Complete {
		t.Errorf("%v, %+v", err, p)
	}
}

// In metadata version V4 unions and run ends had a validity buffer; the header
// of a salvaged batch is V5.
func TestASalvageOfOldUnionsIsRefused(t *testing.T) {
	input, err := os.ReadFile("../../testdata/foreign/pyarrow/file_v4_unions_and_runs.arrow")
	if err != nil {
		t.Fatal(err)
	}
	r, err := recording.NewReader(bytes.NewReader(input), int64(len(input)))
	if err != nil {
		t.Fatal(err)
	}
	places := dissect.Batches(t, input)
	last := places[len(places)-1]
	refused := 0
	for n := last.Offset + int64(last.MetaLength) + 1; n < last.Offset+int64(last.MetaLength)+last.BodyLength; n++ {
		cut := input[:n]
		p, err := recovery.Examine(context.Background(), bytes.NewReader(cut), n, &recovery.Options{Salvage: []string{r.Stream().Columns[0].Name}})
		var failed *recovery.Error
		switch {
		case err == nil:
			if err := p.Verify(bytes.NewReader(cut)); err != nil {
				t.Fatalf("cut at %d: %v", n, err)
			}
		case errors.Is(err, recording.ErrUnsupported) && errors.As(err, &failed) && failed.Report.Outcome == recovery.Failed:
			refused++
		case !errors.Is(err, recovery.ErrNothingIntact):
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	if refused == 0 {
		t.Error("no cut was refused")
	}
}
