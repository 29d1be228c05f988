package recording_test

import (
	"context"
	"os"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/recording"
)

func fieldFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../testdata/field/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// copyOf copies everything with a codec.
func copyOf(t *testing.T, r *recording.Reader, s recording.Selection, codec recording.Codec) *recording.Reader {
	t.Helper()
	x, err := r.Select(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	f := &testdata.Memory{}
	if _, err := recording.Copy(context.Background(), f, x, &recording.CopyOptions{Codec: codec}); err != nil {
		t.Fatal(err)
	}
	return testdata.Open(t, f.Data)
}

// A batch without rows is one in a copy too, whatever the codec: what recover
// writes with another compression has as many batches as it recovered.
func TestBatchesWithoutRowsAreCopied(t *testing.T) {
	data := fieldFile(t, "empty_batch.arrow")
	for _, codec := range []recording.Codec{recording.Keep, recording.None, recording.Zstd, recording.LZ4} {
		out := copyOf(t, testdata.Open(t, data), recording.Selection{}, codec)
		written, err := out.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		found, err := damageOf(written)
		if rows := testdata.IndexAll(t, out); rows != 3 || out.NumBatches() != 3 || err != nil || len(found) > 0 {
			t.Errorf("%v: %d rows in %d batches, %+v, %v", codec, rows, out.NumBatches(), found, err)
		}
	}
	// Slices that join have each of them once.
	batches := 0
	for _, rows := range []recording.Range{{0, 1}, {1, 2}, {2, 3}} {
		out := copyOf(t, testdata.Open(t, data), recording.Selection{Rows: &rows}, recording.None)
		testdata.IndexAll(t, out)
		for i := range out.NumBatches() {
			if start, end, err := out.BatchRange(i); err == nil && start == end {
				batches++
			}
		}
	}
	if batches != 1 {
		t.Errorf("the batch without rows is in %d of three slices that join", batches)
	}
}

// Custom metadata of batches survive every copy as far as they stay true.
func TestCustomMetadataOfBatchesSurvive(t *testing.T) {
	data := fieldFile(t, "batch_metadata.arrow")
	keys := func(r *recording.Reader) (all []string) {
		for i := range r.NumBatches() {
			h, err := r.HeaderOf(i)
			if err != nil {
				t.Fatal(err)
			}
			line := ""
			for _, e := range h.Metadata {
				line += e.Key + "=" + e.Value + ";"
			}
			all = append(all, line)
		}
		return all
	}
	want := keys(testdata.Open(t, data))
	if len(want) != 2 || want[0] == "" {
		t.Fatalf("the file has %q", want)
	}
	for _, codec := range []recording.Codec{recording.Keep, recording.None, recording.Zstd, recording.LZ4} {
		if got := keys(copyOf(t, testdata.Open(t, data), recording.Selection{}, codec)); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%v: %q, want %q", codec, got, want)
		}
		if got := keys(copyOf(t, testdata.Open(t, data), recording.Selection{Rows: &recording.Range{1, 2}}, codec)); len(got) != 1 || got[0] == "" {
			t.Errorf("%v, a part: %q", codec, got)
		}
	}
}

func TestKeysThatAreNotTrueOfACopyAreLeftOut(t *testing.T) {
	all := []arrowipc.KeyValue{{Key: recording.GapKey, Value: "1"}, {Key: recording.PyramidKey, Value: "2"}, {Key: "lab", Value: "3"}}
	for _, c := range []struct {
		first, whole bool
		want         int
	}{{true, true, 3}, {true, false, 2}, {false, false, 1}} {
		if got := recording.SurvivingKeys(all, c.first, c.whole); len(got) != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
