package testdata

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

// LE16 is values as bytes, little endian.
func LE16(values ...uint16) (p []byte) {
	for _, v := range values {
		p = binary.LittleEndian.AppendUint16(p, v)
	}
	return p
}

// LE64 is values as bytes, little endian.
func LE64(values ...uint64) (p []byte) {
	for _, v := range values {
		p = binary.LittleEndian.AppendUint64(p, v)
	}
	return p
}

// Overwritten is data with other bytes at a place.
func Overwritten(data []byte, at int64, with []byte) []byte {
	out := bytes.Clone(data)
	copy(out[at:], with)
	return out
}

// SameFloat compares exactly; NaN, which means null, equals itself.
func SameFloat(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// IndexAll reads every header and returns the number of rows.
func IndexAll(tb testing.TB, r *recording.Reader) int64 {
	tb.Helper()
	if err := r.Index(context.Background(), nil); err != nil {
		tb.Fatal(err)
	}
	rows, exact := r.Rows()
	if !exact {
		tb.Fatal("the index is done and the rows are not exact")
	}
	return rows
}

// SameBatch compares all but where the batches lie.
func SameBatch(a, b *recording.Batch) bool {
	if a.Rows != b.Rows || len(a.Columns) != len(b.Columns) {
		return false
	}
	for k := range a.Columns {
		if !SameVector(&a.Columns[k], &b.Columns[k]) {
			return false
		}
	}
	return true
}

// SameVector compares type, nulls and the values that are not null.
func SameVector(a, b *recording.Vector) bool {
	if a.Type != b.Type || a.Width != b.Width || a.Len != b.Len || len(a.Data) != len(b.Data) {
		return false
	}
	for i := range a.Len {
		null := a.Valid != nil && a.Valid[i] == 0
		if null != (b.Valid != nil && b.Valid[i] == 0) {
			return false
		}
		if !null && !bytes.Equal(a.Data[i*a.Width:(i+1)*a.Width], b.Data[i*a.Width:(i+1)*a.Width]) {
			return false
		}
	}
	return true
}

// Info asks a reader what is in its file.
func Info(r *recording.Reader) (recording.Info, error) { return r.Info(context.Background()) }

// Err is what a WriteBatch failed with.
func Err(_ recording.Block, err error) error { return err }

// Known reports whether an error of a reader is of a kind that it documents.
func Known(err error) bool {
	var corrupt *recording.CorruptError
	return errors.As(err, &corrupt) || errors.Is(err, recording.ErrNoClock) || errors.Is(err, recording.ErrUnsupported) || errors.Is(err, recording.ErrTooLarge)
}

// Allocated returns the bytes that f allocates.
func Allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// Path returns the path of a file of the repository's testdata, from whichever
// package a test runs in.
func Path(name string) string {
	dir := "."
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata", filepath.FromSlash(name))
		}
		if len(dir) > 60 {
			panic("testdata: no go.mod above the test")
		}
		dir = filepath.Join("..", dir)
	}
}

// Read reads a file of the repository's testdata, such as
// "foreign/bonsai/new_Heartbeat.arrow".
func Read(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(Path(name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Foreign reads a file that another program wrote, such as
// "bonsai/new_Heartbeat.arrow".
func Foreign(tb testing.TB, name string) []byte {
	tb.Helper()
	return Read(tb, "foreign/"+name)
}

// Count asks a reader for its number of rows.
func Count(r *recording.Reader) (int64, error) { return r.CountRows(context.Background()) }
