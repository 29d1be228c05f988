package recording_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
)

// writeSlice slices data and opens the result.
func writeSlice(t testing.TB, r *recording.Reader, o recording.SliceOptions) (*recording.Reader, recording.CopyReport, []byte) {
	t.Helper()
	f := &testdata.Memory{}
	report, err := r.WriteSlice(f, o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Bytes != int64(len(f.Data)) {
		t.Errorf("%d bytes reported, %d written", report.Bytes, len(f.Data))
	}
	return testdata.Open(t, f.Data), report, f.Data
}

func TestAWrittenSliceIsTheSameData(t *testing.T) {
	for _, name := range []string{"bonsai/new_NeuropixelsV1", "bonsai/old_NeuropixelsV1_zstd", "bonsai/new_Rhs2116Trigger", "own"} {
		var data []byte
		if name == "own" {
			f, _ := testdata.WriteRandom(t, testdata.EveryType(), recording.Zstd, 5, 100, 120, 30)
			data = f.Data
		} else {
			data = testdata.Foreign(t, name+".arrow")
		}
		for _, codec := range testdata.EveryCodec {
			r := testdata.Open(t, data)
			rows := testdata.IndexAll(t, r)
			start, end := rows/7, rows-rows/9
			calls := int64(0)
			out, report, _ := writeSlice(t, r, recording.SliceOptions{Start: start, End: end, Codec: codec, Progress: func(done, total int64) {
				if total != end-start || done <= calls || done > total {
					t.Errorf("progress %d of %d after %d", done, total, calls)
				}
				calls = done
			}})
			if calls != end-start || report.Rows != end-start || report.LostRows != 0 || len(report.Findings) != 0 {
				t.Errorf("%s: progress ended at %d, %+v", name, calls, report)
			}
			if !reflect.DeepEqual(out.Stream(), r.Stream()) {
				t.Errorf("%s: the stream became %+v", name, out.Stream())
			}
			want, got := collect(t, r, start, end, nil), collect(t, out, 0, end-start, nil)
			for k := range want {
				if !testdata.SameVector(&want[k], &got[k]) {
					t.Fatalf("%s: column %d differs", name, k)
				}
			}
			if out.State() != recording.Complete || testdata.IndexAll(t, out) != end-start {
				t.Errorf("%s: %s, %+v", name, out.State(), out.Findings())
			}
		}
	}
}

func TestAWrittenSliceKeepsTheColumnsAndTheirOrder(t *testing.T) {
	r := testdata.Open(t, testdata.Foreign(t, "bonsai/new_NeuropixelsV1.arrow"))
	clock, _ := r.Column("Clock")
	lfp, _ := r.Column("LfpData7")
	out, _, _ := writeSlice(t, r, recording.SliceOptions{Start: 100, End: 250, Columns: []int{clock, lfp}})
	names := out.Stream().Columns
	if len(names) != 2 || names[0].Name != "Clock" || names[1].Name != "LfpData7" || !names[1].RunEnd {
		t.Errorf("columns %+v", names)
	}
	if got, want := out.Schema().Fields[1], r.Schema().Fields[lfp]; !reflect.DeepEqual(got, want) {
		t.Errorf("field %+v, want %+v", got, want)
	}
	if out.NumBatches() != 3 { // 20 of the first, 120, 10 of the third
		t.Errorf("%d batches", out.NumBatches())
	}
	empty, report, _ := writeSlice(t, r, recording.SliceOptions{Start: 120, End: 120})
	if empty.NumBatches() != 0 || report.Rows != 0 || len(empty.Stream().Columns) != 771 {
		t.Errorf("an empty slice has %d batches, %+v", empty.NumBatches(), report)
	}
}

func TestASliceThatCannotBeWrittenSaysWhy(t *testing.T) {
	r := testdata.Open(t, testdata.Foreign(t, "csharp/cs_small.arrow"))
	enough := errors.New("enough")
	if _, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{End: 900, Context: testdata.Asking(func() error { return enough })}); err != enough {
		t.Errorf("canceled: %v", err)
	}
	if _, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{End: 901}); !errors.As(err, new(*recording.RangeError)) {
		t.Errorf("a row too many: %v", err)
	}
	if _, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{End: 900, Columns: []int{-1}}); !errors.As(err, new(*recording.ColumnError)) {
		t.Errorf("column -1: %v", err)
	}
	for _, at := range []int{1, 2, 4, 5} {
		if _, err := r.WriteSlice(&testdata.Memory{FailAt: at, FailWith: recording.ErrClosed}, recording.SliceOptions{End: 900}); !errors.Is(err, recording.ErrClosed) {
			t.Errorf("write %d failed: %v", at, err)
		}
	}
}

// Keep copies whole batches as they are, and gives cut ones their codec.
func TestKeepCopiesWholeBatchesBufferForBuffer(t *testing.T) {
	sources := map[string][]byte{}
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 9, 60, 60, 60)
		sources["own "+name] = f.Data
	}
	for _, name := range []string{"bonsai/new_NeuropixelsV1_idle", "bonsai/old_NeuropixelsV1_zstd_killed", "csharp/cs_small"} {
		sources[name] = testdata.Foreign(t, name+".arrow")
	}
	for name, data := range sources {
		r := testdata.Open(t, data)
		rows := testdata.IndexAll(t, r)
		_, _, kept := writeSlice(t, r, recording.SliceOptions{Start: 1, End: rows, Codec: recording.Keep})
		from, to := dissect.Footer(t, kept), testdata.Open(t, kept)
		for i := range to.NumBatches() {
			was, err := r.HeaderOf(i)
			if err != nil {
				t.Fatal(err)
			}
			is, err := to.HeaderOf(i)
			if err != nil {
				t.Fatal(err)
			}
			if is.Batch.Codec != was.Batch.Codec {
				t.Errorf("%s: batch %d has codec %d, had %d", name, i, is.Batch.Codec, was.Batch.Codec)
			}
			if i == 0 {
				continue // cut
			}
			at := from.Batches[i].Offset + int64(from.Batches[i].MetaLength)
			for k, b := range is.Batch.Buffers {
				w := was.Batch.Buffers[k]
				if !bytes.Equal(kept[at+b.Offset:][:b.Length], data[was.BodyAt+w.Offset:][:w.Length]) {
					t.Fatalf("%s: buffer %d of batch %d differs", name, k, i)
				}
			}
			if !reflect.DeepEqual(is.Batch.Nodes, was.Batch.Nodes) {
				t.Errorf("%s: batch %d: nodes %v, were %v", name, i, is.Batch.Nodes, was.Batch.Nodes)
			}
		}
	}
}
