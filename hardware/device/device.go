// Package device turns the frames of ONIX devices into rows and back.
//
// One file per kind of device: its Kind (kind.go), its settings and columns,
// DecodeX (one sample as a value), AppendTo (the value as a sample) and the
// decoder that New returns. What is of no kind is kept raw (unknown.go).
//
// Nothing here blocks, reads a clock or keeps a frame.
package device

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// ErrSampleSize says that a frame holds fewer bytes than its device's sample,
// or, for an unknown device, more than its table entry allows.
var ErrSampleSize = errors.New("sample size")

// A Decoder unpacks the frames of one device. One goroutine at a time may call it.
type Decoder interface {
	// Streams describes the tables that the device gives, one or more, with
	// their columns. It is the same slice in every call; the caller may fill
	// in what only it knows (StartUTC, StartClock, Simulated) in a copy.
	Streams() []stream.Stream

	// Decode appends the rows that the frame completes to out[i] for stream
	// i. Rows of a kind with RowsPerBatch come in steps that divide it, so a
	// batch that is replaced or reset when Rows == RowsPerBatch never
	// overflows. The frame is not kept. After an error nothing was appended,
	// the frame is counted in Stats.BadFrames and the decoder goes on with
	// the next one.
	Decode(f *oni.Frame, out []*Batch) error

	// Stats returns the counts so far.
	Stats() Stats
}

// Stats counts what a decoder saw.
type Stats struct {
	Frames    uint64 // given to Decode
	Rows      uint64 // appended, of all streams
	Lost      uint64 // frames known to be missing, from counters or the hub clock
	Gaps      uint64 // places where frames are missing
	Faults    uint64 // frames whose counter or hub clock contradicts itself; they are kept
	BadFrames uint64 // refused by Decode
	Pending   uint64 // taken, but not yet rows: a group that is not full (Neuropixels 1.0)
}

// A Gap is a place where frames are missing.
type Gap struct {
	Stream                  int    // of the decoder's streams
	Row                     uint64 // of that stream: the first row after the gap
	Lost                    uint64 // frames
	ClockBefore, ClockAfter uint64 // of the rows on both sides, ticks
}

// A Batch holds rows of one stream: one little-endian buffer a column, each
// Rows times the column's width long, as a file stores them.
type Batch struct {
	Rows    int
	Columns [][]byte
}

// NewBatch returns an empty batch for a stream with room for rows in every
// column; for more the buffers grow.
func NewBatch(s *stream.Stream, rows int) *Batch {
	b := &Batch{Columns: make([][]byte, len(s.Columns))}
	total := 0
	stride := make([]int, len(s.Columns))
	for i := range s.Columns {
		// Columns are filled side by side. Were their distance a multiple of
		// 4 KiB, all of them would compete for one set of the cache.
		stride[i] = ((s.Columns[i].ByteWidth*rows+63)/64 | 1) * 64
		total += stride[i]
	}
	slab := make([]byte, total)
	for i := range s.Columns {
		b.Columns[i] = slab[:0:stride[i]]
		slab = slab[stride[i]:]
	}
	return b
}

// NewBatches returns an empty batch for each stream of a decoder, with room for
// one full batch where the stream has a fixed size.
func NewBatches(d Decoder) []*Batch {
	var bs []*Batch
	streams := d.Streams()
	for i := range streams {
		bs = append(bs, NewBatch(&streams[i], streams[i].RowsPerBatch))
	}
	return bs
}

// Reset empties the batch and keeps its buffers.
func (b *Batch) Reset() {
	b.Rows = 0
	for i := range b.Columns {
		b.Columns[i] = b.Columns[i][:0]
	}
}

// Trim cuts every column back to the rows of the batch: after a decoder that
// failed in the middle of a row.
func (b *Batch) Trim(columns []stream.Column) {
	for i := range b.Columns {
		b.Rows = min(b.Rows, len(b.Columns[i])/max(1, columns[i].ByteWidth))
	}
	for i := range b.Columns {
		b.Columns[i] = b.Columns[i][:b.Rows*columns[i].ByteWidth]
	}
}

func shortSample(kind string, got, need int) error {
	return fmt.Errorf("device: %s: %w: %d bytes, need %d", kind, ErrSampleSize, got, need)
}
