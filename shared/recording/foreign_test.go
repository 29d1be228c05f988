package recording

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/stream"
)

const foreign = "../../testdata/foreign/"

func readForeign(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(foreign + name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func openBytes(tb testing.TB, data []byte) *Reader {
	tb.Helper()
	r, err := NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func indexAll(tb testing.TB, r *Reader) int64 {
	tb.Helper()
	if err := r.Index(context.Background(), nil); err != nil {
		tb.Fatal(err)
	}
	rows, exact := r.Rows()
	if !exact {
		tb.Fatal("the index is done and the rows are not exact")
	}
	return rows
}

// Every value of every Bonsai file is what the formula of its README gives.
func TestBonsaiFilesHoldTheirFormulas(t *testing.T) {
	for _, f := range bonsaiFiles {
		t.Run(f.name, func(t *testing.T) {
			data := readForeign(t, "bonsai/"+f.name+".arrow")
			r := openBytes(t, data)
			want := f.columns()
			checkSchema(t, r, want)
			sizes := f.rowsPerBatch()
			if r.NumBatches() != len(sizes) {
				t.Fatalf("%d batches, want %d", r.NumBatches(), len(sizes))
			}
			if rows := indexAll(t, r); rows != f.rows {
				t.Fatalf("%d rows, want %d", rows, f.rows)
			}
			state := Complete
			if f.killed {
				state = Unfinished
			}
			if r.State() != state || r.Codec() != f.codec {
				t.Errorf("%s, %s; want %s, %s", r.State(), r.Codec(), state, f.codec)
			}
			row := int64(0)
			for i, rows := range sizes {
				b, err := r.ReadBatch(i, nil)
				if err != nil {
					t.Fatal(err)
				}
				if b.Start != row || int64(b.Rows) != rows {
					t.Fatalf("batch %d has %d rows from %d, want %d from %d", i, b.Rows, b.Start, rows, row)
				}
				checkValues(t, b, want)
				row += rows
			}
			if got := r.State(); got != state {
				t.Errorf("%s after reading everything", got)
			}
		})
	}
}

func checkSchema(t *testing.T, r *Reader, want []bonsaiColumn) {
	t.Helper()
	columns := r.Stream().Columns
	if len(columns) != len(want) {
		t.Fatalf("%d columns, want %d", len(columns), len(want))
	}
	for i, c := range columns {
		if w := want[i]; c.Name != w.name || c.Type != w.typ || c.RunEnd != w.ree || c.Nullable {
			t.Fatalf("column %d is %+v, want %s %s, run ends %v", i, c, w.name, w.typ, w.ree)
		}
	}
}

func checkValues(t *testing.T, b *Batch, want []bonsaiColumn) {
	t.Helper()
	for k := range b.Columns {
		v := &b.Columns[k]
		w := &want[v.Column]
		if v.Len != b.Rows || len(v.Data) != v.Len*v.Width || (v.RunEnds != nil) != w.ree {
			t.Fatalf("column %s: %d values in %d bytes, run ends %v", w.name, v.Len, len(v.Data), v.RunEnds)
		}
		for i := range v.Len {
			value, ok := w.value(b.Start + int64(i))
			if !ok {
				value = math.NaN()
			}
			if got := v.Float64(i); !sameFloat(got, value) {
				t.Fatalf("column %s, row %d: %v, want %v", w.name, b.Start+int64(i), got, value)
			}
		}
		if w.ree {
			for n, end := range v.RunEnds {
				if int(end) != min(12*(n+1), v.Len) {
					t.Fatalf("column %s: run ends %v", w.name, v.RunEnds)
				}
			}
		}
	}
}

func TestNoBonsaiFileIsForgotten(t *testing.T) {
	files, err := filepath.Glob(foreign + "bonsai/*.arrow")
	if err != nil || len(files) != len(bonsaiFiles) {
		t.Errorf("%d files in the folder, %d in the table, %v", len(files), len(bonsaiFiles), err)
	}
}

// What a killed recording has lost is said, and where.
func TestKilledFilesSayWhatIsMissing(t *testing.T) {
	for _, f := range bonsaiFiles {
		if !f.killed {
			continue
		}
		data := readForeign(t, "bonsai/"+f.name+".arrow")
		findings := openBytes(t, data).Findings()
		if len(findings) != 2 || findings[1].Severity != SeverityWarning || findings[1].Offset != int64(len(data)) {
			t.Fatalf("%s: findings %+v", f.name, findings)
		}
		got := findings[0]
		columns := f.columns()
		clock, _ := columns[len(columns)-1].value(f.rows - 1)
		lost := f.rowsPerBatch()[0]
		if strings.HasSuffix(f.name, "MemoryMonitor_killed") {
			lost = -1 // cut in the header
		}
		if got.Severity != SeverityError || got.BeforeRow != f.rows || got.Offset+got.Length != int64(len(data)) || got.LostRows != lost || got.ClockBefore != uint64(clock) {
			t.Errorf("%s: %+v", f.name, got)
		}
	}
}

func TestCSharpFiles(t *testing.T) {
	for _, c := range []struct {
		name, whole string
		rows        int64
		batches     int
		codec       string
		state       State
		findings    int
	}{
		{"cs_small", "", 900, 3, "none", Complete, 0},
		{"cs_small_zstd", "", 900, 3, "zstd", Complete, 0},
		{"cs_bigz", "", 90000, 3, "zstd", Complete, 0},
		{"cs_empty", "", 0, 0, "none", Complete, 0},
		{"cs_kill_batch0", "cs_small", 0, 0, "none", Unfinished, 2},
		{"cs_kill_batch1", "cs_small", 300, 1, "none", Unfinished, 2},
		{"cs_kill_end", "cs_small", 600, 2, "none", Unfinished, 2},
		{"cs_bigzkill_batch0", "cs_bigz", 30000, 1, "zstd", Unfinished, 2},
		{"cs_bigzkill_batch1", "cs_bigz", 60000, 2, "zstd", Unfinished, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := openBytes(t, readForeign(t, "csharp/"+c.name+".arrow"))
			rows := indexAll(t, r)
			if rows != c.rows || r.NumBatches() != c.batches || r.Codec() != c.codec || r.State() != c.state || len(r.Findings()) != c.findings {
				t.Errorf("%d rows, %d batches, %s, %s, %+v", rows, r.NumBatches(), r.Codec(), r.State(), r.Findings())
			}
			if c.whole == "" {
				return
			}
			whole := openBytes(t, readForeign(t, "csharp/"+c.whole+".arrow"))
			for i := range c.batches {
				a, err := r.ReadBatch(i, nil)
				if err != nil {
					t.Fatal(err)
				}
				b, err := whole.ReadBatch(i, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !sameBatch(a, b) {
					t.Errorf("batch %d is not that of %s", i, c.whole)
				}
			}
		})
	}
	data := readForeign(t, "csharp/cs_kill_start.arrow")
	if _, err := NewReader(bytes.NewReader(data), int64(len(data))); !errors.Is(err, ErrEmpty) {
		t.Errorf("cs_kill_start: %v", err)
	}
}

// sameBatch compares all but where the batches lie.
func sameBatch(a, b *Batch) bool {
	if a.Rows != b.Rows || len(a.Columns) != len(b.Columns) {
		return false
	}
	for k := range a.Columns {
		if !sameVector(&a.Columns[k], &b.Columns[k]) {
			return false
		}
	}
	return true
}

// sameVector compares type, nulls and the values that are not null.
func sameVector(a, b *Vector) bool {
	if a.Type != b.Type || a.Width != b.Width || a.Len != b.Len || len(a.Data) != len(b.Data) {
		return false
	}
	for i := range a.Len {
		null := a.Valid != nil && a.Valid[i] == 0
		if null != (b.Valid != nil && b.Valid[i] == 0) {
			return false
		}
		if !null && !bytes.Equal(a.Data[i*a.Width:(i+1)*a.Width], b.Data[i*a.Width:(i+1)*a.Width]) {
			return false
		}
	}
	return true
}

func TestLfpOfAllLayoutsIsFoundSubsampled(t *testing.T) {
	for _, c := range []struct {
		name, kind string
		stride     int
	}{{"bonsai/old_NeuropixelsV1", "nulls", 12}, {"bonsai/new_NeuropixelsV1_zstd", "run-end", 12}, {"csharp/cs_small", "nulls", 12}, {"bonsai/old_Rhd2164", "none", 1}} {
		r := openBytes(t, readForeign(t, c.name+".arrow"))
		kind, stride, err := r.Subsample(0)
		if kind != c.kind || stride != c.stride || err != nil {
			t.Errorf("%s: %s, %d, %v", c.name, kind, stride, err)
		}
		if clock, _ := r.Column("Clock"); r.Stream().Columns[clock].Type != stream.Uint64 {
			t.Errorf("%s: Clock is %+v", c.name, r.Stream().Columns[clock])
		}
	}
}
