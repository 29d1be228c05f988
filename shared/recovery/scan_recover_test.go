package recovery_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// A file of nothing but beginnings of messages is not read over and over.
func TestTheScanGivesUpOnAFileOfBeginnings(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 63, 40)
	b := dissect.Footer(t, f.Data).Batches[0]
	header := bytes.Clone(f.Data[b.Offset : b.Offset+64])
	binary.LittleEndian.PutUint32(header[4:], 1<<20)
	file := append(bytes.Clone(f.Data[:b.Offset]), bytes.Repeat(header, 40000)...)
	source := &testdata.Counted{Data: file}
	if _, err := recovery.Examine(context.Background(), source, int64(len(file)), nil); err == nil {
		t.Error("something was recovered")
	}
	if source.N > 10*int64(len(file)) {
		t.Errorf("%d bytes read of a file of %d", source.N, len(file))
	}
}

// Messages that lie inside one another, each of which could be one, are not
// judged over and over.
func TestOverlappingMessagesCostNoMoreThanTheFileSeveralTimes(t *testing.T) {
	s := &stream.Stream{Name: "plain", Columns: []stream.Column{{Name: "A", Type: stream.Uint64}}}
	for _, rows := range []int{20008, 1<<20 + 8} { // bodies that end inside the file, and after it
		f, _ := testdata.WriteRandom(t, s, recording.None, 66, rows)
		b := dissect.Footer(t, f.Data).Batches[0]
		header := append(bytes.Clone(f.Data[b.Offset:b.Offset+int64(b.MetaLength)]), "between."...)
		if (int64(b.MetaLength)+b.BodyLength)%int64(len(header)) == 0 {
			t.Fatal("the messages make a chain")
		}
		file := append(bytes.Clone(f.Data[:b.Offset]), bytes.Repeat(header, 2<<20/len(header))...)
		source := &testdata.Counted{Data: file}
		limit := 100*int64(len(file)) + 1<<27
		if _, err := recovery.Examine(context.Background(), source, int64(len(file)), nil); source.N > limit {
			t.Errorf("%d rows: %d bytes looked at of a file of %d (%v)", rows, source.N, len(file), err)
		}
		source.N = 0
		if _, err := recording.Open(context.Background(), source, int64(len(file)), nil); err != nil || source.N > limit {
			t.Errorf("%d rows: %d bytes read by opening a file of %d (%v)", rows, source.N, len(file), err)
		}
	}
}

// Whatever is cut out of the middle, zeroed or put in, with a footer or
// without: every batch after that is untouched is kept, and none that never
// was.
func TestEveryBatchBehindTheDamageIsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(64, 64))
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 65, 40, 40, 33, 40, 40, 40, 7, 40)
		original := batchesOf(t, f.Data)
		blocks := dissect.Footer(t, f.Data).Batches
		end := func(i int) int64 { return blocks[i].Offset + int64(blocks[i].MetaLength) + blocks[i].BodyLength }
		for _, footer := range []bool{true, false} {
			file := f.Data
			if !footer {
				file = dissect.WithoutFooter(t, file)
			}
			for i := range 320 / fewer(8) {
				from := blocks[0].Offset + r.Int64N(end(6)-blocks[0].Offset)
				n := 1 + r.Int64N(1+r.Int64N(end(6)-from))
				var damaged []byte
				kind := []string{"cut out", "zeroed", "put in", "overwritten"}[i%4]
				switch kind {
				case "cut out":
					damaged = append(bytes.Clone(file[:from]), file[from+n:]...)
				case "zeroed":
					damaged = bytes.Clone(file)
					clear(damaged[from : from+n])
				case "put in":
					damaged = append(append(bytes.Clone(file[:from]), neuralWords(int(n), -1, 1)...), file[from:]...)
					n = 0
				case "overwritten":
					damaged = bytes.Clone(file)
					copy(damaged[from:], neuralWords(int(n), 0, 9000))
				}
				what := fmt.Sprintf("%s, footer %v, %d bytes %s at %d", name, footer, n, kind, from)
				out, report := recoverBytes(t, damaged)
				if out == nil {
					t.Fatalf("%s: %+v", what, report)
				}
				got := batchesOf(t, out)
				next := 0
				strange := 0 // batches that never were: only a plain body can make one
				for k, b := range original {
					hit := next
					for hit < len(got) && !testdata.SameBatch(got[hit], b) {
						hit++
					}
					whole := end(k) <= from || blocks[k].Offset >= from+n
					switch {
					case hit < len(got):
						strange += hit - next
						next = hit + 1
					case whole:
						t.Fatalf("%s: batch %d is lost: %+v", what, k, report)
					}
				}
				strange += len(got) - next
				if !footer {
					sameThroughReader(t, what, damaged, got)
				}
				if strange > 0 && (codec == recording.Zstd || strange > 1) {
					t.Fatalf("%s: %d batches that never were: %+v", what, strange, report)
				}
			}
		}
	}
}

// sameThroughReader opens a damaged file as it is: the batches that Recover
// keeps are there, and what is not whole is a finding.
func sameThroughReader(t *testing.T, what string, damaged []byte, want []*recording.Batch) {
	t.Helper()
	r, err := recording.Open(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), nil)
	if err != nil {
		t.Fatalf("%s: opened: %v", what, err)
	}
	next := 0
	for i := range r.NumBatches() {
		b, err := r.ReadBatch(i, nil)
		if err == nil && next < len(want) && testdata.SameBatch(b, want[next]) {
			next++
		}
	}
	if next < len(want) {
		t.Fatalf("%s: Recover keeps %d batches, the reader shows %d of them among %d: %+v", what, len(want), next, r.NumBatches(), r.Findings())
	}
	if r.NumBatches() < 8 && r.About().State == recording.Complete {
		t.Fatalf("%s: %d batches of 8, and the file is said to be %s", what, r.NumBatches(), r.About().State)
	}
}

// neuralWords fills n bytes as int16 samples: mean, and sigma if not 0.
func neuralWords(n int, mean, sigma float64) []byte {
	r := rand.New(rand.NewPCG(7, 7))
	p := make([]byte, n)
	for i := 0; i+2 <= n; i += 2 {
		binary.LittleEndian.PutUint16(p[i:], uint16(int16(mean+sigma*r.NormFloat64())))
	}
	return p
}
