package recording_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
)

// openCounted opens data through a source that counts what it is asked for.
func openCounted(t testing.TB, data []byte) (*recording.Reader, *countingSource) {
	t.Helper()
	src := &countingSource{data: data}
	r, err := recording.NewReader(src, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r, src
}

type countingSource struct {
	data         []byte
	reads, bytes int64
	batches      int // calls of ReadRanges
}

func (s *countingSource) ReadAt(p []byte, off int64) (int, error) {
	s.reads++
	s.bytes += int64(len(p))
	return bytes.NewReader(s.data).ReadAt(p, off)
}

func (s *countingSource) ReadRanges(offsets []int64, bufs [][]byte) error {
	s.batches++
	for i, p := range bufs {
		s.bytes += int64(len(p))
		if n := copy(p, s.data[offsets[i]:]); n != len(p) {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

// Projection: body bytes are at most 1.05 times what the columns hold in the
// file, whatever the columns.
func TestProjectionReadsOnlyTheWantedColumns(t *testing.T) {
	for _, name := range []string{"bonsai/old_NeuropixelsV1", "bonsai/new_NeuropixelsV1_zstd", "bonsai/old_NeuropixelsV2e", "csharp/cs_bigz", "bonsai/new_MemoryMonitor", "bonsai/old_PortStatus"} {
		data := testdata.Foreign(t, name+".arrow")
		random := rand.New(rand.NewPCG(7, 7))
		for range 20 {
			r, src := openCounted(t, data)
			var columns []int
			for range 1 + random.IntN(6) {
				columns = append(columns, random.IntN(len(r.Stream().Columns)))
			}
			batch := random.IntN(r.NumBatches())
			h, err := r.HeaderOf(batch)
			if err != nil {
				t.Fatal(err)
			}
			var holds int64
			seen := map[int]bool{}
			for _, c := range columns {
				for _, buffer := range h.Batch.Buffers[h.Spans[c].Buffer:h.Spans[c].BufferEnd] {
					if !seen[c] {
						holds += buffer.Length
					}
				}
				seen[c] = true
			}
			before := r.BytesRead()
			if _, err := r.ReadBatch(batch, columns); err != nil {
				t.Fatal(err)
			}
			after := r.BytesRead()
			if body := after.Body - before.Body; body*100 > holds*105 {
				t.Fatalf("%s, columns %v: %d body bytes for columns of %d", name, columns, body, holds)
			}
			if after.Body+after.Metadata != src.bytes {
				t.Fatalf("%s: %+v counted, %d asked for", name, after, src.bytes)
			}
			if src.batches > 4 || src.reads > 6 {
				t.Errorf("%s: %d single reads, %d joint ones", name, src.reads, src.batches)
			}
		}
	}
}

func TestAllColumnsOfABatchAreOneRead(t *testing.T) {
	r, src := openCounted(t, testdata.Foreign(t, "bonsai/old_NeuropixelsV2e.arrow"))
	testdata.IndexAll(t, r)
	src.reads, src.batches = 0, 0
	if _, err := r.ReadBatch(0, nil); err != nil || src.reads != 1 || src.batches != 0 {
		t.Errorf("%d single reads, %d joint ones, %v", src.reads, src.batches, err)
	}
}

// The first look reads the file's end, the head, and two batch headers.
func TestFirstLookReadsTwoHeaders(t *testing.T) {
	data := testdata.Foreign(t, "bonsai/old_MemoryMonitor.arrow")
	r, src := openCounted(t, data)
	block := dissect.Block(t, data, 0)
	if limit := int64(64<<10+4<<10) + 2*int64(block.MetaLength); src.bytes > limit {
		t.Errorf("%d bytes read, want at most %d", src.bytes, limit)
	}
	if rows, exact := r.Rows(); rows != 18000 || exact {
		t.Errorf("%d rows, exact %v", rows, exact)
	}
	if _, _, err := r.BatchRange(99); err != nil {
		t.Error(err)
	}
	if rows, exact := r.Rows(); rows != 18000 || exact {
		t.Errorf("%d rows, exact %v", rows, exact)
	}
	if err := r.Index(context.Background(), nil); err != nil {
		t.Error(err)
	}
	if rows, exact := r.Rows(); rows != 18000 || !exact {
		t.Errorf("%d rows, exact %v", rows, exact)
	}
	if got := r.BytesRead(); got.Body != 0 {
		t.Errorf("%d body bytes for an index", got.Body)
	}
}
