package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// gapRecording has batches of 300 rows of testStream's first column and Clock; a
// thousand rows are missing inside batch 1, three before batch 2.
func gapRecording(t *testing.T, batches int) []byte {
	t.Helper()
	s := testStream()
	s.Columns = append(s.Columns[:1], s.Columns[7])
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	row, missing := 0, 0
	for b := range batches {
		var clock []byte
		if b == 2 {
			missing += 3
		}
		for i := range 300 {
			if b == 1 && i == 100 {
				missing += 1000
			}
			clock = binary.LittleEndian.AppendUint64(clock, testFirst+testPeriod*uint64(row+missing))
			row++
		}
		if _, err := w.WriteBatch(300, []recording.Vector{testBatch(b*300, 300)[0], {Data: clock}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Data
}

func TestGapsAreFoundInFilesOfAnyLengthWithAFooterOrWithout(t *testing.T) {
	for _, batches := range []int{4, 30, 40} {
		whole := gapRecording(t, batches)
		for name, data := range map[string][]byte{"whole": whole, "killed": whole[:len(whole)*9/10]} {
			e := &Engine{}
			openCounting(t, data, e)
			info, err := e.Index(context.Background(), "np_0", nil)
			if err != nil {
				t.Fatal(err)
			}
			lost := []int64{}
			for _, span := range info.Coverage {
				if span.Kind == "gap" {
					lost = append(lost, span.Rows)
				}
			}
			if len(lost) != 2 || lost[0] != 1000 || lost[1] != 3 {
				t.Errorf("%d batches, %s: gaps of %v rows", batches, name, lost)
			}
		}
	}
}

// What is left of a last batch is searched once for another message; a length that
// samples make up is not taken for that of a footer.
func TestAKilledFileIsNotReadTwice(t *testing.T) {
	big := largeRecording(t, 1, 2_000_000) // 20 MB in one batch
	r, err := recording.NewReader(bytes.NewReader(big), int64(len(big)))
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := r.Places([]recording.BatchRows{{Batch: 0}}, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	cut := bytes.Clone(big[:body[0][0].Offset+12_000_000])
	for name, length := range map[string]uint32{"samples": 0x00010001, "a length of 10 MB": 10_000_000} {
		binary.LittleEndian.PutUint32(cut[len(cut)-10:], length)
		source := &countingSource{ReaderAt: bytes.NewReader(cut)}
		if _, err := (&Engine{}).Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, source, int64(len(cut)), nil); err != nil {
			t.Fatal(err)
		}
		if source.bytes > int64(len(cut))+4<<20 {
			t.Errorf("%s: %d bytes were read of a file of %d", name, source.bytes, len(cut))
		}
	}
}
