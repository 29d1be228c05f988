package recording_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// A dictionary of which a later part is lost is intact for the batches before:
// a file gets what they need.
func TestACopyKeepsBatchesBeforeALostPartOfADictionary(t *testing.T) {
	data, err := os.ReadFile("../../testdata/foreign/arrow-go/dictionary_deltas_stream.arrow")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	_, end, err := whole.BatchRange(0)
	if err != nil {
		t.Fatal(err)
	}
	tried := false
	for at := range data { // bytes put in between: what follows is found again, the parts of the dictionary are not trusted
		damaged := append(append(bytes.Clone(data[:at]), 1, 2, 3, 4, 5, 6, 7, 8), data[at:]...)
		r, err := recording.NewReader(bytes.NewReader(damaged), int64(len(damaged)))
		if err != nil {
			continue
		}
		x, err := r.Select(context.Background(), recording.Selection{})
		if err != nil {
			continue
		}
		rows := [2]int64{}
		for i, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
			report, err := recording.Copy(context.Background(), &testdata.Memory{}, x, &recording.CopyOptions{Format: format})
			if err != nil {
				t.Fatalf("byte %d: %v", at, err)
			}
			rows[i] = report.Rows
		}
		if rows[0] != rows[1] {
			t.Errorf("8 bytes put in at %d: a file gets %d rows, a stream %d", at, rows[0], rows[1])
		}
		tried = tried || rows[0] == end && end > 0
	}
	if !tried {
		t.Error("nothing left the first batch alone")
	}
}

// A stream that is there twice has its dictionary's first values again.
func TestACopyOfAStreamThatIsThereTwice(t *testing.T) {
	data, err := os.ReadFile("../../testdata/foreign/arrow-go/dictionary_deltas_stream.arrow")
	if err != nil {
		t.Fatal(err)
	}
	var once int64
	for n := 1; n <= 2; n++ {
		twice := bytes.Repeat(data, n)
		r, err := recording.NewReader(bytes.NewReader(twice), int64(len(twice)))
		if err != nil {
			t.Fatal(err)
		}
		x, err := r.Select(context.Background(), recording.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		report, err := recording.Copy(context.Background(), &testdata.Memory{}, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		if once == 0 {
			once = report.Rows
		}
		if report.Rows != int64(n)*once {
			t.Errorf("%d times the stream: %d rows, want %d", n, report.Rows, int64(n)*once)
		}
	}
}
