package recording_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/recording"
)

// readerSeeds are small files of every writer and state.
var readerSeeds = []string{
	"csharp/cs_empty", "csharp/cs_small_zstd", "csharp/cs_kill_batch1", "bonsai/old_PortStatus", "bonsai/new_HarpSync",
	"bonsai/new_Heartbeat_killbeforeend", "bonsai/new_Rhs2116Trigger",
}

// FuzzReader: whatever the bytes, a Reader does not panic, does not allocate
// more than they justify, and every error has its position.
func FuzzReader(f *testing.F) {
	for _, name := range readerSeeds {
		data := testdata.Foreign(f, name+".arrow")
		f.Add(data)
		f.Add(data[:len(data)*2/3])
		f.Add(data[:len(data)-1])
		if len(data) > 3000 {
			f.Add(testdata.Overwritten(data, 2000, bytes.Repeat([]byte{0xFF}, 16)))
			f.Add(testdata.Overwritten(data, int64(len(data)-900), make([]byte, 100)))
		}
	}
	small, _ := testdata.WriteRandom(f, testdata.EveryType(), recording.Zstd, 1, 5, 3)
	f.Add(small.Data)
	plain, _ := testdata.WriteRandom(f, testdata.EveryType(), recording.None, 1, 5, 3)
	f.Add(plain.Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		size := int64(len(data))
		var r *recording.Reader
		var err error
		// Metadata become structs of a few times their size; blocks and
		// shared tables of a flatbuffer some more.
		if n := testdata.Allocated(func() {
			if r, err = recording.NewReader(bytes.NewReader(data), size); err == nil {
				testdata.IndexAll(t, r)
			}
		}); n > 1<<20+400*size {
			t.Fatalf("%d bytes allocated to open and index a file of %d", n, size)
		}
		if err != nil {
			if r != nil {
				t.Fatal("a reader with an error")
			}
			var corrupt *recording.CorruptError
			if !errors.As(err, &corrupt) && !errors.Is(err, recording.ErrEmpty) && !errors.Is(err, recording.ErrNotArrow) && !errors.Is(err, recording.ErrNoSchema) && !errors.Is(err, recording.ErrSchemaLost) && !errors.Is(err, recording.ErrBigEndian) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		readEverything(t, r, size)
		readInMemory(t, r, data)
		for _, finding := range r.Findings() {
			if finding.Offset < 0 && finding.Batch < 0 || finding.Length < 0 || finding.Reason == "" || finding.LostRows < -1 {
				t.Fatalf("finding %+v", finding)
			}
		}
		if _, err := testdata.Info(r); err != nil && !testdata.Known(err) {
			t.Fatalf("info: %v", err)
		}
		if _, err := r.RowAtClock(5000); err != nil && !testdata.Known(err) {
			t.Fatalf("row at clock: %v", err)
		}
	})
}

// readInMemory makes sure that a file in memory is the same to a reader, and the
// same after it, and that a count of rows differs from the index of r only by
// rows of damaged batches.
func readInMemory(t *testing.T, r *recording.Reader, data []byte) {
	size := int64(len(data))
	clone := bytes.Clone(data)
	memory, err := recording.NewReader(recording.Bytes(clone), size)
	if err != nil || memory.NumBatches() != r.NumBatches() {
		t.Fatalf("in memory: %v", err)
	}
	counted, err := memory.CountRows(context.Background())
	if err != nil {
		t.Fatalf("count: %v", err)
	}
	if rows, _ := r.Rows(); counted != rows && r.State() != recording.Damaged || counted < rows {
		t.Fatalf("%d rows counted, %d in the index", counted, rows)
	}
	readEverything(t, memory, size)
	if !bytes.Equal(clone, data) {
		t.Fatal("reading changed the file")
	}
}

func readEverything(t *testing.T, r *recording.Reader, size int64) {
	limit := int64(64<<20) + 4*body.MaxRatio*size
	for i := range min(r.NumBatches(), 20) {
		start, end, err := r.BatchRange(i)
		if err != nil || start < 0 || end < start {
			t.Fatalf("batch %d: rows [%d, %d), %v", i, start, end, err)
		}
		for c := range min(len(r.Stream().Columns), 60) {
			var b *recording.Batch
			if n := testdata.Allocated(func() { b, err = r.ReadBatch(i, []int{c}) }); n > limit {
				t.Fatalf("%d bytes allocated to read a column of a file of %d", n, size)
			}
			if err != nil {
				if b != nil || !testdata.Known(err) {
					t.Fatalf("batch %d, column %d: %v", i, c, err)
				}
				var corrupt *recording.CorruptError
				if errors.As(err, &corrupt) && corrupt.Batch != i {
					t.Fatalf("batch %d, column %d: %v", i, c, err)
				}
				continue
			}
			v := &b.Columns[0]
			if v.Array() != nil && v.Array().Len != v.Len {
				t.Fatalf("batch %d, column %d: %d rows in an array of %d", i, c, v.Len, v.Array().Len)
			}
			if int64(v.Len) != end-start || v.Array() == nil && len(v.Data) != v.Len*v.Width || v.Valid != nil && len(v.Valid) != v.Len {
				t.Fatalf("batch %d, column %d: %d rows in %d bytes for %d", i, c, v.Len, len(v.Data), end-start)
			}
			for row := range min(v.Len, 3) {
				v.Float64(v.Len - 1 - row)
				v.Text(v.Len - 1 - row)
			}
		}
	}
}
