package testdata

import (
	"encoding/binary"
	"io"
	"math"
	"testing"
)

// The table of one batch that testdata/field/one-batch.ends has both ends of: nums1 is
// the row, nums2 a seventh of it. Between them are two buffers of 1.12 GB, which are
// reckoned where they are read.
const (
	oneBatchRows = 140_000_000
	oneBatchHead = 384 // bytes
)

// OneBatch is a file of 2.24 GB, of one batch, as pyarrow writes it.
func OneBatch(tb testing.TB) (file io.ReaderAt, size int64) {
	tb.Helper()
	ends := Read(tb, "field/one-batch.ends")
	return oneBatch(ends), int64(len(ends)) + 2*8*oneBatchRows
}

type oneBatch []byte

// ReadAt implements io.ReaderAt.
func (f oneBatch) ReadAt(p []byte, off int64) (int, error) {
	const values = oneBatchHead + 2*8*oneBatchRows
	n := 0
	for n < len(p) {
		at := off + int64(n)
		switch {
		case at < oneBatchHead:
			n += copy(p[n:], f[at:oneBatchHead])
		case at >= values:
			end := f[oneBatchHead:]
			copied := copy(p[n:], end[min(at-values, int64(len(end))):])
			if n += copied; copied == 0 {
				return n, io.EOF
			}
		default:
			var value [8]byte
			row := (at - oneBatchHead) / 8
			if row < oneBatchRows {
				binary.LittleEndian.PutUint64(value[:], uint64(row))
			} else {
				binary.LittleEndian.PutUint64(value[:], math.Float64bits(float64(row-oneBatchRows)/7))
			}
			n += copy(p[n:], value[(at-oneBatchHead)%8:])
		}
	}
	return n, nil
}
