package recording_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Every value of every Bonsai file is what the formula of its README gives.
func TestBonsaiFilesHoldTheirFormulas(t *testing.T) {
	for _, f := range testdata.BonsaiFiles {
		t.Run(f.Name, func(t *testing.T) {
			data := testdata.Foreign(t, "bonsai/"+f.Name+".arrow")
			r := testdata.Open(t, data)
			want := f.Columns()
			checkSchema(t, r, want)
			sizes := f.RowsPerBatch()
			if r.NumBatches() != len(sizes) {
				t.Fatalf("%d batches, want %d", r.NumBatches(), len(sizes))
			}
			if rows := testdata.IndexAll(t, r); rows != f.Rows {
				t.Fatalf("%d rows, want %d", rows, f.Rows)
			}
			state := recording.Complete
			if f.Killed {
				state = recording.Unfinished
			}
			if r.State() != state || r.Codec() != f.Codec {
				t.Errorf("%s, %s; want %s, %s", r.State(), r.Codec(), state, f.Codec)
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
				testdata.CheckValues(t, b, want)
				row += rows
			}
			if got := r.State(); got != state {
				t.Errorf("%s after reading everything", got)
			}
		})
	}
}

func checkSchema(t *testing.T, r *recording.Reader, want []testdata.BonsaiColumn) {
	t.Helper()
	columns := r.Stream().Columns
	if len(columns) != len(want) {
		t.Fatalf("%d columns, want %d", len(columns), len(want))
	}
	for i, c := range columns {
		if w := want[i]; c.Name != w.Name || c.Type != w.Type || c.RunEnd != w.RunEnd || c.Nullable {
			t.Fatalf("column %d is %+v, want %s %s, run ends %v", i, c, w.Name, w.Type, w.RunEnd)
		}
	}
}

func TestNoBonsaiFileIsForgotten(t *testing.T) {
	files, err := filepath.Glob(testdata.Path("foreign/bonsai/*.arrow"))
	if err != nil || len(files) != len(testdata.BonsaiFiles) {
		t.Errorf("%d files in the folder, %d in the table, %v", len(files), len(testdata.BonsaiFiles), err)
	}
}

// What a killed recording has lost is said, and where.
func TestKilledFilesSayWhatIsMissing(t *testing.T) {
	for _, f := range testdata.BonsaiFiles {
		if !f.Killed {
			continue
		}
		data := testdata.Foreign(t, "bonsai/"+f.Name+".arrow")
		findings := testdata.Open(t, data).Findings()
		if len(findings) != 2 || findings[1].Severity != recording.SeverityWarning || findings[1].Offset != int64(len(data)) {
			t.Fatalf("%s: findings %+v", f.Name, findings)
		}
		got := findings[0]
		columns := f.Columns()
		clock, _ := columns[len(columns)-1].Value(f.Rows - 1)
		lost := f.RowsPerBatch()[0]
		if strings.HasSuffix(f.Name, "MemoryMonitor_killed") {
			lost = -1 // cut in the header
		}
		if got.Severity != recording.SeverityError || got.BeforeRow != f.Rows || got.Offset+got.Length != int64(len(data)) || got.LostRows != lost || got.ClockBefore != uint64(clock) {
			t.Errorf("%s: %+v", f.Name, got)
		}
	}
}

func TestCSharpFiles(t *testing.T) {
	for _, c := range []struct {
		name, whole string
		rows        int64
		batches     int
		codec       string
		state       recording.State
		findings    int
	}{
		{"cs_small", "", 900, 3, "none", recording.Complete, 0},
		{"cs_small_zstd", "", 900, 3, "zstd", recording.Complete, 0},
		{"cs_bigz", "", 90000, 3, "zstd", recording.Complete, 0},
		{"cs_empty", "", 0, 0, "none", recording.Complete, 0},
		{"cs_kill_batch0", "cs_small", 0, 0, "none", recording.Unfinished, 2},
		{"cs_kill_batch1", "cs_small", 300, 1, "none", recording.Unfinished, 2},
		{"cs_kill_end", "cs_small", 600, 2, "none", recording.Unfinished, 2},
		{"cs_bigzkill_batch0", "cs_bigz", 30000, 1, "zstd", recording.Unfinished, 2},
		{"cs_bigzkill_batch1", "cs_bigz", 60000, 2, "zstd", recording.Unfinished, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := testdata.Open(t, testdata.Foreign(t, "csharp/"+c.name+".arrow"))
			rows := testdata.IndexAll(t, r)
			if rows != c.rows || r.NumBatches() != c.batches || r.Codec() != c.codec || r.State() != c.state || len(r.Findings()) != c.findings {
				t.Errorf("%d rows, %d batches, %s, %s, %+v", rows, r.NumBatches(), r.Codec(), r.State(), r.Findings())
			}
			if c.whole == "" {
				return
			}
			whole := testdata.Open(t, testdata.Foreign(t, "csharp/"+c.whole+".arrow"))
			for i := range c.batches {
				a, err := r.ReadBatch(i, nil)
				if err != nil {
					t.Fatal(err)
				}
				b, err := whole.ReadBatch(i, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !testdata.SameBatch(a, b) {
					t.Errorf("batch %d is not that of %s", i, c.whole)
				}
			}
		})
	}
	data := testdata.Foreign(t, "csharp/cs_kill_start.arrow")
	if _, err := recording.NewReader(bytes.NewReader(data), int64(len(data))); !errors.Is(err, recording.ErrEmpty) {
		t.Errorf("cs_kill_start: %v", err)
	}
}

func TestLfpOfAllLayoutsIsFoundSubsampled(t *testing.T) {
	for _, c := range []struct {
		name, kind string
		stride     int
	}{{"bonsai/old_NeuropixelsV1", "nulls", 12}, {"bonsai/new_NeuropixelsV1_zstd", "run-end", 12}, {"csharp/cs_small", "nulls", 12}, {"bonsai/old_Rhd2164", "none", 1}} {
		r := testdata.Open(t, testdata.Foreign(t, c.name+".arrow"))
		kind, stride, err := r.Subsample(0)
		if kind != c.kind || stride != c.stride || err != nil {
			t.Errorf("%s: %s, %d, %v", c.name, kind, stride, err)
		}
		if clock, _ := r.Column("Clock"); r.Stream().Columns[clock].Type != stream.Uint64 {
			t.Errorf("%s: Clock is %+v", c.name, r.Stream().Columns[clock])
		}
	}
}
