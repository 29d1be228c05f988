package recovery_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// fewer is 1, or n in short tests: WebAssembly, where one case in n shows that
// the same Go gives the same, and the native tests have every one.
func fewer(n int) int {
	if testing.Short() {
		return n
	}
	return 1
}

// materialize reads the whole output of a plan.
func materialize(t testing.TB, p *recovery.Plan, input []byte) []byte {
	t.Helper()
	out := make([]byte, p.Size())
	if n, err := p.Output(bytes.NewReader(input)).ReadAt(out, 0); n != len(out) || err != nil && err != io.EOF {
		t.Fatalf("output: %d of %d bytes, %v", n, len(out), err)
	}
	return out
}

// recoverBytes recovers input and holds the result against what is always
// true: the input is not changed, the output opens and verifies, numbers of
// the report are those of the output, and recovering the output changes
// nothing. It returns nil for a file of which nothing is left.
func recoverBytes(t testing.TB, input []byte) ([]byte, recovery.Report) {
	t.Helper()
	before := bytes.Clone(input)
	p, err := recovery.Examine(context.Background(), bytes.NewReader(input), int64(len(input)), &recovery.Options{Name: "in", Output: "out"})
	if !bytes.Equal(before, input) {
		t.Fatal("the input was changed")
	}
	if err != nil {
		var failed *recovery.Error
		if !errors.As(err, &failed) || p != nil || failed.Report.Outcome != recovery.Failed || failed.Report.RowsRecovered != 0 {
			t.Fatalf("%v with plan %v", err, p)
		}
		return nil, failed.Report
	}
	if err := p.Verify(bytes.NewReader(input)); err != nil {
		t.Fatalf("%v\n%+v", err, p.Report)
	}
	out := materialize(t, p, input)
	again, err := recovery.Examine(context.Background(), bytes.NewReader(out), int64(len(out)), nil)
	if err != nil {
		t.Fatalf("recovering the output: %v", err)
	}
	if !again.Complete || again.Report.Outcome == recovery.Lossy || !bytes.Equal(materialize(t, again, out), out) {
		t.Fatalf("recovering the output changes it: %+v", again.Report)
	}
	checkReport(t, &p.Report, int64(len(input)))
	// Verify sees the same: the output is whole, and the input if it was
	// complete. Where a batch is gone, the clock shows a gap.
	if found := damageIn(t, out); len(found) > 0 {
		t.Errorf("Verify finds in the output %+v", found)
	}
	if found := damageIn(t, input); len(found) > 0 && p.Complete {
		t.Errorf("complete, and Verify finds in the input %+v", found)
	}
	if found, _ := verifyAll(t, input, recovery.VerifyOptions{}); len(found) < len(p.Report.Findings) {
		t.Errorf("Verify finds %+v, Recover %+v", found, p.Report.Findings)
	}
	if p.Complete != bytes.Equal(out, input) {
		t.Errorf("complete %v, output equal %v", p.Complete, bytes.Equal(out, input))
	}
	return out, p.Report
}

// checkReport holds the numbers of a report against each other.
func checkReport(t testing.TB, r *recovery.Report, size int64) {
	t.Helper()
	lost, errs, skipped, end := 0, 0, int64(0), int64(0)
	for _, f := range r.Findings {
		if f.Offset < 0 || f.Length < 0 || f.Offset+f.Length > size || f.Reason == "" || f.BeforeRow > r.RowsRecovered {
			t.Errorf("a finding beyond the file of %d bytes: %+v", size, f)
		}
		if f.Severity == recording.SeverityError {
			errs++
			skipped += f.Length
			if f.Batch >= 0 && !strings.Contains(f.Reason, "rows are kept") {
				lost++
			}
			if f.Offset < end {
				t.Errorf("bytes from %d are counted as lost twice", f.Offset)
			}
			end = f.Offset + f.Length
		} else if f.LostRows != 0 {
			t.Errorf("rows lost with severity %q: %+v", f.Severity, f)
		}
	}
	if lost > r.BatchesLost || skipped > r.BytesSkipped || (errs > 0) != (r.Outcome == recovery.Lossy) {
		t.Errorf("report says %q, %d batches lost, %d bytes skipped; its list %d batches, %d bytes", r.Outcome, r.BatchesLost, r.BytesSkipped, lost, skipped)
	}
}

// batchesOf reads all columns of all batches.
func batchesOf(t testing.TB, file []byte) []*recording.Batch {
	t.Helper()
	r := testdata.Open(t, file)
	testdata.IndexAll(t, r)
	var out []*recording.Batch
	for i := range r.NumBatches() {
		b, err := r.ReadBatch(i, nil)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// sameValues holds recovered batches against the batches of the original that
// they should be.
func sameValues(t testing.TB, out []byte, original []*recording.Batch, want ...int) {
	t.Helper()
	got := batchesOf(t, out)
	if len(got) != len(want) {
		t.Fatalf("%d batches, want %v", len(got), want)
	}
	for i, b := range got {
		if !reflect.DeepEqual(b.Columns, original[want[i]].Columns) {
			t.Fatalf("batch %d is not batch %d of the original", i, want[i])
		}
	}
}

// dataEnds returns where the last datum of each batch ends, by the footer.
func dataEnds(t testing.TB, file []byte) (schemaEnd int64, ends []int64) {
	t.Helper()
	_, length, err := arrowipc.ParsePrefix(file[8:])
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range dissect.Footer(t, file).Batches {
		m := dissect.Message(t, file, b)
		ends = append(ends, b.Offset+int64(b.MetaLength)+m.Batch.DataEnd())
	}
	return 16 + int64(length), ends
}

// For every n: the first n bytes give exactly the batches whose data end by n.
func TestEveryCutKeepsExactlyTheBatchesWhoseDataAreThere(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		t.Run(name, func(t *testing.T) {
			f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 21, 20, 20, 7)
			file := f.Data
			original := batchesOf(t, file)
			schemaEnd, ends := dataEnds(t, file)
			footerAt := dissect.Footer(t, file).Batches[2]
			whole := footerAt.Offset + int64(footerAt.MetaLength) + footerAt.BodyLength
			for n := 0; n <= len(file); n += fewer(7) {
				var want []int
				rows := int64(0)
				for i, end := range ends {
					if end <= int64(n) {
						want = append(want, i)
						rows += int64(original[i].Rows)
					}
				}
				out, report := recoverBytes(t, file[:n])
				if out == nil {
					if len(want) > 0 || int64(n) == schemaEnd {
						t.Fatalf("%d bytes: nothing recovered, want batches %v: %+v", n, want, report)
					}
					continue
				}
				if int64(n) < schemaEnd {
					t.Fatalf("%d bytes: recovered without a schema", n)
				}
				sameValues(t, out, original, want...)
				lossless := int64(n) == schemaEnd || int64(n) >= whole+8 || len(want) > 0 && int64(n) >= ends[len(want)-1] && int64(n) <= (ends[len(want)-1]+63)/64*64
				if report.RowsRecovered != rows || report.BatchesRecovered != len(want) || (report.Outcome == recovery.Lossless) != lossless {
					t.Fatalf("%d bytes (batches end at %v, all at %d): %+v", n, ends, whole, report)
				}
				if int64(n) > whole && n < len(file) && len(want) != 3 {
					t.Fatalf("%d bytes: %v", n, want)
				}
				if bytes.Equal(out, file) != (int64(n) >= ends[2]) {
					t.Fatalf("%d bytes: the output is %d bytes long and equal %v", n, len(out), bytes.Equal(out, file))
				}
			}
		})
	}
}

// Plain bodies that only look wrong are kept and told.
func TestPlainBatchesThatLookWrongAreKeptAsSuspect(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 23, 80, 80, 80)
	blocks := dissect.Footer(t, f.Data).Batches
	body := blocks[1].Offset + int64(blocks[1].MetaLength)
	buffers := dissect.Message(t, f.Data, blocks[1]).Batch.Buffers
	clock := body + buffers[len(buffers)-1].Offset
	for name, c := range map[string]struct {
		damage func(p []byte)
		says   []string
		row    int64
	}{
		"the values of a batch are zeros": {func(p []byte) {
			// Validity and run ends cannot be zeroed unseen.
			for i, b := range buffers {
				if i != 2 && i != 5 {
					clear(p[body+b.Offset : body+b.Offset+b.Length])
				}
			}
		}, []string{"Clock of 80 rows cannot be right: tick 0"}, 80},
		"one tick goes back": {func(p []byte) { binary.LittleEndian.PutUint64(p[clock+8*7:], 3) }, []string{"Clock of 1 row cannot be right: tick 3"}, 87},
	} {
		damaged := bytes.Clone(f.Data)
		c.damage(damaged)
		out, report := recoverBytes(t, damaged)
		if report.Outcome != recovery.Suspect || report.BatchesRecovered != 3 || !bytes.Equal(out, damaged) {
			t.Fatalf("%s: %+v", name, report)
		}
		for _, say := range c.says {
			found := false
			for _, d := range report.Findings {
				if strings.Contains(d.Reason, "suspect: "+say) && d.Severity == recording.SeverityWarning && d.Batch == 1 && d.BeforeRow == c.row && d.LostRows == 0 {
					found = true
				}
			}
			if !found {
				t.Errorf("%s: nothing says %q at row %d: %+v", name, say, c.row, report.Findings)
			}
		}
	}
}

func TestRowsThatAreZeroInAllColumnsAreSuspect(t *testing.T) {
	s := &stream.Stream{Name: "s", Columns: []stream.Column{{Name: "a", Type: stream.Uint16}, {Name: "b", Type: stream.Bool}, {Name: "c", Type: stream.Int32, RunEnd: true}}}
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 300
	columns := []recording.Vector{{Data: make([]byte, 2*rows)}, {Data: make([]byte, rows)}, {Data: make([]byte, 4*rows)}}
	for i := range rows {
		columns[0].Data[2*i] = 1
		if i >= 100 && i < 200 {
			columns[0].Data[2*i] = 0
		}
		columns[1].Data[i] = 0
		if i < 110 {
			columns[1].Data[i] = 1
		}
		if i >= 190 {
			columns[2].Data[4*i] = 9
		}
	}
	if err := errors.Join(testdata.Err(w.WriteBatch(rows, columns)), w.Close()); err != nil {
		t.Fatal(err)
	}
	_, report := recoverBytes(t, f.Data)
	if len(report.Findings) != 1 || report.Findings[0].BeforeRow != 110 || report.Findings[0].Reason != "suspect: all columns are 0 in 80 rows" {
		t.Errorf("%+v", report.Findings)
	}
}

// Losses are reported with the rows and ticks around them.
func TestALossStandsBetweenItsNeighbours(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.Zstd, 24, 40, 40, 40, 40, 40)
	blocks := dissect.Footer(t, f.Data).Batches
	damaged := bytes.Clone(f.Data)
	clear(damaged[blocks[2].Offset : blocks[2].Offset+100])
	_, report := recoverBytes(t, damaged)
	want := recording.Finding{Offset: blocks[2].Offset, Length: int64(blocks[2].MetaLength) + blocks[2].BodyLength, Batch: 2, Severity: recording.SeverityError, Reason: messages.Zeros, Count: 1, LastOffset: blocks[2].Offset,
		BeforeRow: 80, LostRows: 40, ClockBefore: 1000 + 10*79, ClockAfter: 1000 + 10*120}
	if len(report.Findings) != 1 || report.Findings[0] != want {
		t.Fatalf("%+v\nwant %+v", report.Findings, want)
	}
	if report.BytesSkipped != want.Length || report.BatchesLost != 1 || report.RowsRecovered != 160 {
		t.Errorf("%+v", report)
	}
}

func TestReportHasTheNamesOfTheInterface(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 25, 10)
	p, err := recovery.Examine(context.Background(), bytes.NewReader(f.Data), int64(len(f.Data)), &recovery.Options{Name: "a.arrow", Output: "b.arrow"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(p.Report)
	want := `{"input":"a.arrow","output":"b.arrow","outcome":"lossless","batches_recovered":1,"batches_lost":0,"rows_recovered":10,"bytes_skipped":0,"acq_clock_hz":1000,"findings":[]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
}

func TestNothingToRecoverIsAnErrorThatSaysWhy(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 26, 10)
	first := dissect.Footer(t, f.Data).Batches[0]
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty":             {nil, recording.ErrEmpty},
		"text":              {[]byte("a,b,c\n1,2,3\n1,2,3\n1,2,3\n"), recording.ErrNotArrow},
		"magic only":        {f.Data[:8], recording.ErrNoSchema},
		"half the magic":    {f.Data[:3], recording.ErrNoSchema},
		"cut in the schema": {f.Data[:first.Offset-1], recording.ErrNoSchema},
		"one torn batch":    {f.Data[:first.Offset+int64(first.MetaLength)+8], recovery.ErrNothingIntact},
	} {
		p, err := recovery.Examine(context.Background(), bytes.NewReader(c.file), int64(len(c.file)), &recovery.Options{Name: name})
		var failed *recovery.Error
		if p != nil || !errors.As(err, &failed) || !errors.Is(err, c.want) || failed.Report.Outcome != recovery.Failed || failed.Report.Input != name {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}
