package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// What is intact in the files that were killed, by their README.
var killedCSharp = map[string]struct {
	batches  int
	rows     int64
	complete string // the same recording, not killed
	outcome  recovery.Outcome
	err      error
}{
	"cs_kill_start":      {0, 0, "", recovery.Failed, recording.ErrEmpty},
	"cs_kill_batch0":     {0, 0, "", recovery.Failed, recovery.ErrNothingIntact},
	"cs_kill_batch1":     {1, 300, "cs_small", recovery.Lossy, nil},
	"cs_kill_end":        {2, 600, "cs_small", recovery.Lossy, nil},
	"cs_bigzkill_batch0": {1, 30000, "cs_bigz", recovery.Lossless, nil},
	"cs_bigzkill_batch1": {2, 60000, "cs_bigz", recovery.Lossless, nil},
}

func TestKilledCSharpFilesRecoverTheRowsOfTheirTable(t *testing.T) {
	for name, want := range killedCSharp {
		data := testdata.Foreign(t, "csharp/"+name+".arrow")
		out, report := recoverBytes(t, data)
		if report.Outcome != want.outcome || report.RowsRecovered != want.rows || report.BatchesRecovered != want.batches {
			t.Errorf("%s: %+v", name, report)
		}
		if want.err != nil {
			if _, err := recovery.Examine(context.Background(), bytes.NewReader(data), int64(len(data)), nil); !errors.Is(err, want.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		complete := batchesOf(t, testdata.Foreign(t, "csharp/"+want.complete+".arrow"))
		for i, b := range batchesOf(t, out) {
			if !testdata.SameBatch(b, complete[i]) {
				t.Errorf("%s: batch %d is not that of %s", name, i, want.complete)
			}
		}
	}
}

// The last batch of the bigzkill files lacks padding only, and is kept.
func TestOfTheLastBatchOnlyPaddingMayBeMissing(t *testing.T) {
	for name, missing := range map[string]int64{"cs_bigzkill_batch0": 1, "cs_bigzkill_batch1": 7} {
		data := testdata.Foreign(t, "csharp/"+name+".arrow")
		p, err := recovery.Examine(context.Background(), bytes.NewReader(data), int64(len(data)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Spans) != 3 || p.Spans[0].Length != int64(len(data)) || p.Spans[1].Length != missing || !body.AllZero(p.Spans[1].Bytes) {
			t.Errorf("%s: %d spans, the second of %d bytes", name, len(p.Spans), p.Spans[1].Length)
		}
	}
}

func TestBonsaiFilesRecoverWithEveryValueOfTheirFormula(t *testing.T) {
	killed := 0
	for _, f := range testdata.BonsaiFiles {
		data := testdata.Foreign(t, "bonsai/"+f.Name+".arrow")
		out, report := recoverBytes(t, data)
		if report.RowsRecovered != f.Rows || report.BatchesRecovered != len(f.RowsPerBatch()) {
			t.Errorf("%s: %+v", f.Name, report)
		}
		if !f.Killed {
			if !bytes.Equal(out, data) || len(report.Findings) != 0 {
				t.Errorf("%s: a complete file is not left as it is: %+v", f.Name, report.Findings)
			}
			continue
		}
		killed++
		if !bytes.HasPrefix(out, data[:report.Findings[0].Offset]) {
			t.Errorf("%s: the output does not begin with the intact bytes of the input", f.Name)
		}
		columns := f.Columns()
		for _, b := range batchesOf(t, out) {
			testdata.CheckValues(t, b, columns)
		}
	}
	if killed < 6 {
		t.Errorf("%d killed files, there are more", killed)
	}
}

// A file of another library without a schema in front gets one.
func TestAFileWithoutASchemaMessageGetsOne(t *testing.T) {
	data := testdata.Foreign(t, "csharp/cs_empty.arrow")
	out, report := recoverBytes(t, data)
	if report.Outcome != recovery.Lossless || report.RowsRecovered != 0 || len(report.Findings) != 1 {
		t.Errorf("%+v", report)
	}
	if r := testdata.Open(t, out); len(r.Stream().Columns) != len(testdata.Open(t, data).Stream().Columns) {
		t.Errorf("%d columns", len(r.Stream().Columns))
	}
}

// What is quiet, empty or null is not damaged.
func TestQuietIsNotDamaged(t *testing.T) {
	for _, name := range []string{"all_null.arrow", "quiet-ttl.arrow", "empty_batch.arrow", "batch_metadata.arrow"} {
		data, err := os.ReadFile("../../testdata/field/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := verifyAll(t, data, recovery.VerifyOptions{}); err != nil || hasDamage(found) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
		if p, err := recovery.Examine(context.Background(), bytes.NewReader(data), int64(len(data)), nil); err != nil || !p.Complete || p.Report.Outcome != recovery.Lossless {
			t.Errorf("%s: %v", name, err)
		}
	}
}
