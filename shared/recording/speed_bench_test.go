//go:build unix

package recording_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

// benchPath is a file that `go tool mage bench` made.
func benchPath(b *testing.B, name string) string {
	b.Helper()
	dir := os.Getenv("ONISCOPE_BENCH")
	if dir == "" {
		b.Skip("needs the recordings that go tool mage bench makes, their folder in ONISCOPE_BENCH")
	}
	return filepath.Join(dir, name)
}

// openPath opens a recording on the disk, or mapped into memory.
func openPath(b *testing.B, path string, mapped bool) (r *recording.Reader, closeFile func()) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	src, closeFile := io.ReaderAt(f), func() { f.Close() }
	if mapped {
		memory, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
		if err != nil {
			b.Fatal(err)
		}
		src, closeFile = recording.Bytes(memory), func() { f.Close(); syscall.Munmap(memory) }
	}
	if r, err = recording.NewReader(src, info.Size()); err != nil {
		b.Fatal(err)
	}
	return r, closeFile
}

// BenchmarkSlice reads 10 s x 16 columns from the middle of a minute into one
// array a column.
func BenchmarkSlice(b *testing.B) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		for _, source := range []string{"file", "map"} {
			b.Run(fmt.Sprintf("seconds=10/columns=16/codec=%v/source=%s", codec, source), func(b *testing.B) {
				path := benchPath(b, "60s-"+codec.String()+".arrow")
				b.SetBytes(sliceRows * sliceColumns * 2)
				b.ReportAllocs()
				for b.Loop() {
					r, closeFile := openPath(b, path, source == "map")
					readArrays(b, r)
					closeFile()
				}
			})
		}
	}
}

const sliceStart, sliceRows, sliceColumns = 25 * 30000, 10 * 30000, 16

func readArrays(b *testing.B, r *recording.Reader) {
	var wanted []int
	for i, c := range r.Stream().Columns {
		if len(wanted) < sliceColumns && strings.HasPrefix(c.Name, "SpikeData") {
			wanted = append(wanted, i)
		}
	}
	out := make([][]uint16, sliceColumns)
	for k := range out {
		out[k] = make([]uint16, 0, sliceRows)
	}
	for batch, err := range r.Slice(sliceStart, sliceStart+sliceRows, wanted) {
		if err != nil {
			b.Fatal(err)
		}
		for k := range batch.Columns {
			out[k] = append(out[k], recording.Values[uint16](&batch.Columns[k])...)
		}
	}
	for k := range out {
		if len(out[k]) != sliceRows {
			b.Fatalf("%d rows", len(out[k]))
		}
	}
}

// A countingFile counts what is read of a file.
type countingFile struct {
	io.ReaderAt
	n int64
}

func (f *countingFile) ReadAt(p []byte, off int64) (int, error) {
	f.n += int64(len(p))
	return f.ReaderAt.ReadAt(p, off)
}

// BenchmarkOpenAndCount opens a recording of 72 minutes in 4340 batches and
// counts its rows.
func BenchmarkOpenAndCount(b *testing.B) {
	path := benchPath(b, "72min.arrow")
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			b.Fatal(err)
		}
		counting := &countingFile{ReaderAt: f}
		r, err := recording.NewReader(counting, info.Size())
		if err != nil {
			b.Fatal(err)
		}
		rows, err := r.CountRows(context.Background())
		if err != nil || rows != 4340*30024 {
			b.Fatal(rows, err)
		}
		b.ReportMetric(float64(counting.n), "read-B/op")
		f.Close()
	}
}
