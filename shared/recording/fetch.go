package recording

import (
	"fmt"
	"io"
	"math"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A RangesReader reads several ranges at once: bufs[i] is filled from offset
// offsets[i]. It returns an error unless all are filled. A ReaderAt that can
// do so side by side, as a browser can, implements it.
type RangesReader interface {
	ReadRanges(offsets []int64, bufs [][]byte) error
}

// An ExactRangesReader is a RangesReader that reads bytes between ranges besides, where
// that takes fewer reads, unless it is told not to. Values are read so: of headers and
// ends of clocks there are many, and little between them.
type ExactRangesReader interface {
	ReadExactRanges(offsets []int64, bufs [][]byte) error
}

// Bytes is a file that is in memory, or mapped into it. A Reader of it copies
// nothing out: the Data of plain columns are parts of it, which nobody writes to.
type Bytes []byte

// ReadAt copies, as io.ReaderAt asks for.
func (b Bytes) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readAt reads n bytes at off, which lie inside the file, and counts them. They
// are not to be written to.
func (r *Reader) readAt(off, n int64, counter *int64) ([]byte, error) {
	if off < 0 || n < 0 || n > r.size-off {
		return nil, &CorruptError{Offset: off, Batch: -1, Err: ErrBounds}
	}
	if n <= int64(len(r.memory))-off {
		*counter += n
		return r.memory[off : off+n : off+n], nil
	}
	p := make([]byte, n)
	if err := r.readFull(p, off, counter); err != nil {
		return nil, err
	}
	return p, nil
}

// readFull is readAt into memory that is there.
func (r *Reader) readFull(p []byte, off int64, counter *int64) error {
	if off < 0 || int64(len(p)) > r.size-off {
		return &CorruptError{Offset: off, Batch: -1, Err: ErrBounds}
	}
	n, err := r.src.ReadAt(p, off)
	*counter += int64(n)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF // the file is shorter than it was said to be
	}
	return fmt.Errorf("recording: reading %d bytes at %d: %w", len(p), off, err)
}

// A piece is a range of the file to read: n bytes at off.
type piece struct {
	off, n int64
	data   []byte
}

// projection is how columns are read: a projected read costs at most 1.05 times
// what the columns take, of which a hundredth is left to who reads a row beyond.
var projection = ReadRule{Gap: math.MaxInt64, Share: 25}

// fewRows is how small pieces of batches of a few rows are read: with the headers
// between them, for a read takes as long as 10 kB of one.
var fewRows = ReadRule{Gap: messages.NearBytes}

// fetch fills the data of all pieces, which lie inside the file. Neighbours are
// read as one as long as the bytes between them are less than 4 % of what is
// wanted.
func (r *Reader) fetch(pieces []*piece, counter *int64) error {
	return r.fetchInto(pieces, counter, nil)
}

// fetchInto is fetch into memory that is lent, and grown where it is too small;
// nil: into new memory.
func (r *Reader) fetchInto(pieces []*piece, counter *int64, lent *[]byte) error {
	return r.fetchBy(projection, pieces, counter, lent, false)
}

// fetchNear is fetch of pieces of columns of which many may be tiny, from a source
// that reads one after the other. What is read between them counts as headers. exact says
// that the source is to add no bytes of its own.
func (r *Reader) fetchNear(pieces []*piece, exact bool) error {
	total := int64(0)
	for _, p := range pieces {
		total += p.n
	}
	if r.memory != nil || r.ranges != nil || len(pieces) < 2 || total > messages.NearBytes*int64(len(pieces)) {
		return r.fetchBy(projection, pieces, &r.read.Body, nil, exact)
	}
	var read int64
	if err := r.fetchBy(fewRows, pieces, &read, nil, false); err != nil {
		return err
	}
	r.read.Body += total
	r.read.Metadata += max(0, read-total)
	return nil
}

func (r *Reader) fetchBy(rule ReadRule, pieces []*piece, counter *int64, lent *[]byte, exact bool) error {
	if r.memory != nil {
		for _, p := range pieces {
			var err error
			if p.data, err = r.readAt(p.off, p.n, counter); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range pieces {
		p.data = []byte{} // of those that take no read
	}
	plan := PlanReads(len(pieces), func(i int) (int64, int64) { return pieces[i].off, pieces[i].n }, rule)
	if r.ranges != nil && lent == nil {
		plan = inSmallBuffers(plan)
	}
	bufs := make([][]byte, len(plan))
	if r.ranges == nil || len(plan) <= 1 {
		var room []byte
		if lent != nil {
			total := int64(0)
			for _, read := range plan {
				total += read.To - read.From
			}
			*lent = body.Grown(*lent, min(total, r.size))
			room = *lent
		}
		for i, read := range plan {
			var err error
			n := read.To - read.From
			if n <= int64(len(room)) {
				bufs[i], room = room[:n:n], room[n:]
				err = r.readFull(bufs[i], read.From, counter)
			} else {
				bufs[i], err = r.readAt(read.From, n, counter)
			}
			if err != nil {
				return err
			}
		}
	} else {
		offsets := make([]int64, len(plan))
		var total int64
		for i, read := range plan {
			if read.From < 0 || read.To > r.size {
				return &CorruptError{Offset: read.From, Batch: -1, Err: ErrBounds}
			}
			offsets[i], bufs[i] = read.From, make([]byte, read.To-read.From)
			total += read.To - read.From
		}
		read := r.ranges.ReadRanges
		if strict, ok := r.ranges.(ExactRangesReader); ok && exact {
			read = strict.ReadExactRanges
		}
		if err := read(offsets, bufs); err != nil {
			return fmt.Errorf("recording: reading %d bytes in %d ranges: %w", total, len(plan), err)
		}
		*counter += total
	}
	for i, read := range plan {
		for _, part := range read.Parts {
			from := part.At - read.From
			pieces[part.Index].data = bufs[i][from : from+part.Length : from+part.Length]
		}
	}
	return nil
}
