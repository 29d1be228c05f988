package recording

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/body"
)

// readerSeeds are small files of every writer and state.
var readerSeeds = []string{
	"csharp/cs_empty", "csharp/cs_small_zstd", "csharp/cs_kill_batch1", "bonsai/old_PortStatus", "bonsai/new_HarpSync",
	"bonsai/new_Heartbeat_killbeforeend", "bonsai/new_Rhs2116Trigger",
}

// bytesAllocated returns the bytes allocated by f.
func bytesAllocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// FuzzReader: whatever the bytes, a Reader does not panic, does not allocate
// more than they justify, and every error has its position.
func FuzzReader(f *testing.F) {
	for _, name := range readerSeeds {
		data := readForeign(f, name+".arrow")
		f.Add(data)
		f.Add(data[:len(data)*2/3])
		f.Add(data[:len(data)-1])
		if len(data) > 3000 {
			f.Add(overwritten(data, 2000, bytes.Repeat([]byte{0xFF}, 16)))
			f.Add(overwritten(data, int64(len(data)-900), make([]byte, 100)))
		}
	}
	small, _ := writeRandom(f, everyType(), Zstd, 1, 5, 3)
	f.Add(small.data)
	plain, _ := writeRandom(f, everyType(), None, 1, 5, 3)
	f.Add(plain.data)
	f.Fuzz(func(t *testing.T, data []byte) {
		size := int64(len(data))
		var r *Reader
		var err error
		// Metadata become structs of a few times their size; blocks and
		// shared tables of a flatbuffer some more.
		if n := bytesAllocated(func() {
			if r, err = NewReader(bytes.NewReader(data), size); err == nil {
				indexAll(t, r)
			}
		}); n > 1<<20+400*size {
			t.Fatalf("%d bytes allocated to open and index a file of %d", n, size)
		}
		if err != nil {
			if r != nil {
				t.Fatal("a reader beside an error")
			}
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) && !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrNotArrow) && !errors.Is(err, ErrNoSchema) && !errors.Is(err, ErrSchemaLost) && !errors.Is(err, ErrBigEndian) {
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
		if _, err := infoOf(r); err != nil && !knownError(err) {
			t.Fatalf("info: %v", err)
		}
		if _, err := r.RowAtClock(5000); err != nil && !knownError(err) {
			t.Fatalf("row at clock: %v", err)
		}
	})
}

func knownError(err error) bool {
	var corrupt *CorruptError
	return errors.As(err, &corrupt) || errors.Is(err, ErrNoClock) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrTooLarge)
}

// readInMemory makes sure that a file in memory is the same to a reader, and the
// same after it, and that a count of rows differs from the index of r only by
// rows of damaged batches.
func readInMemory(t *testing.T, r *Reader, data []byte) {
	size := int64(len(data))
	clone := bytes.Clone(data)
	memory, err := NewReader(Bytes(clone), size)
	if err != nil || memory.NumBatches() != r.NumBatches() {
		t.Fatalf("in memory: %v", err)
	}
	counted, err := countOf(memory)
	if err != nil {
		t.Fatalf("count: %v", err)
	}
	if rows, _ := r.Rows(); counted != rows && r.State() != Damaged || counted < rows {
		t.Fatalf("%d rows counted, %d in the index", counted, rows)
	}
	readEverything(t, memory, size)
	if !bytes.Equal(clone, data) {
		t.Fatal("reading changed the file")
	}
}

func readEverything(t *testing.T, r *Reader, size int64) {
	limit := int64(64<<20) + 4*body.MaxRatio*size
	for i := range min(r.NumBatches(), 20) {
		start, end, err := r.BatchRange(i)
		if err != nil || start < 0 || end < start {
			t.Fatalf("batch %d: rows [%d, %d), %v", i, start, end, err)
		}
		for c := range min(len(r.Stream().Columns), 60) {
			var b *Batch
			if n := bytesAllocated(func() { b, err = r.ReadBatch(i, []int{c}) }); n > limit {
				t.Fatalf("%d bytes allocated to read a column of a file of %d", n, size)
			}
			if err != nil {
				if b != nil || !knownError(err) {
					t.Fatalf("batch %d, column %d: %v", i, c, err)
				}
				var corrupt *CorruptError
				if errors.As(err, &corrupt) && corrupt.Batch != i {
					t.Fatalf("batch %d, column %d: %v", i, c, err)
				}
				continue
			}
			v := &b.Columns[0]
			if v.array != nil && v.array.Len != v.Len {
				t.Fatalf("batch %d, column %d: %d rows in an array of %d", i, c, v.Len, v.array.Len)
			}
			if int64(v.Len) != end-start || v.array == nil && len(v.Data) != v.Len*v.Width || v.Valid != nil && len(v.Valid) != v.Len {
				t.Fatalf("batch %d, column %d: %d rows in %d bytes for %d", i, c, v.Len, len(v.Data), end-start)
			}
			for row := range min(v.Len, 3) {
				v.Float64(v.Len - 1 - row)
				v.Text(v.Len - 1 - row)
			}
		}
	}
}
