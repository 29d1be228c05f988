package recording

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/stream"
)

// maxReadBytes bounds what one read of a batch may take in memory once it is
// decoded. A second of two Neuropixels probes takes 92 MB. Changed by tests.
var maxReadBytes int64 = 1 << 30

// ReadBatch reads the columns of batch i, given by index; nil means all. Only
// the bytes of these columns, of the dictionaries that they need, and the
// header are read.
//
// It returns a *CorruptError if the batch, as far as it was read, is damaged;
// other columns of it and other batches may still be read. More than 1 GiB of
// values give an error that wraps ErrTooLarge.
func (r *Reader) ReadBatch(i int, columns []int) (*Batch, error) {
	start, end, err := r.BatchRange(i)
	if err != nil {
		return nil, err
	}
	return r.readRows(i, start, 0, end-start, columns)
}

// readRows reads the rows [from, to) of batch i, which begins at row start of
// the file. Of plain columns of numbers it reads only these rows' bytes.
func (r *Reader) readRows(i int, start, from, to int64, columns []int) (*Batch, error) {
	rd, parts, err := r.readStoredRows(i, from, to, columns, nil)
	if err != nil {
		return nil, r.atBuffer(i, err)
	}
	b := &Batch{Index: i, Start: start + from, Rows: int(to - from), Columns: make([]Vector, len(parts))}
	if err := rd.decodeAll(parts, b.Columns); err != nil {
		return nil, r.atBuffer(i, err)
	}
	return b, nil
}

// readStoredRows reads what readRows decodes, into memory that is lent where it
// is not nil. Its error may be a *bufferError.
func (r *Reader) readStoredRows(i int, from, to int64, columns []int, lent *[]byte) (*batchRead, []columnRead, error) {
	columns, err := r.checkColumns(columns)
	if err != nil {
		return nil, nil, err
	}
	h, err := r.header(i)
	if err != nil {
		return nil, nil, err
	}
	rd := &batchRead{r: r, h: h, fields: r.schema.Fields, from: from, to: to, left: maxReadBytes}
	parts := make([]columnRead, len(columns))
	for k, c := range columns {
		if parts[k], err = rd.plan(c); err != nil {
			return nil, nil, err
		}
	}
	rd.lent = lent != nil && r.memory == nil
	if err := r.fetchInto(rd.pieces, &r.read.Body, lent); err != nil {
		return nil, nil, err
	}
	return rd, parts, rd.fill()
}

// atBuffer makes a finding of damage in a buffer of batch i; other errors are
// as they were.
func (r *Reader) atBuffer(i int, err error) error {
	var at *bufferError
	if !errors.As(err, &at) {
		return err
	}
	return r.corrupt(i, at.offset, at.err)
}

// checkColumns makes sure that all columns exist; nil are all.
func (r *Reader) checkColumns(columns []int) ([]int, error) {
	if columns == nil {
		columns = make([]int, len(r.schema.Fields))
		for c := range columns {
			columns[c] = c
		}
	}
	for _, c := range columns {
		if c < 0 || c >= len(r.schema.Fields) {
			return nil, noColumn(c)
		}
	}
	return columns, nil
}

// A bufferError is damage found in a buffer.
type bufferError struct {
	offset int64
	err    error
}

func (e *bufferError) Error() string { return e.err.Error() }

// A batchRead is one projected read of a batch.
type batchRead struct {
	r        *Reader
	h        header
	fields   []arrowipc.Field // of the columns
	from, to int64            // rows of the batch
	pieces   []*piece
	stored   map[int]*piece // buffers that are read whole, by index
	flowing  []*bufferRead  // buffers that are decoded as far as they are wanted
	left     int64          // of maxReadBytes
	lent     bool           // what was read is in memory that is used again
}

// A bufferRead is one buffer, or a part of it, to be read.
type bufferRead struct {
	piece      *piece
	at         int64 // of the buffer in the file
	need       int64 // bytes that its node justifies
	lo, hi     int64 // of them wanted
	skip       int64 // bytes of a plain piece before lo
	compressed bool
	optional   bool // it may hold nothing
	column     int
	length     int64  // in the file
	part       []byte // what is wanted, of one that is decoded only so far
}

// A columnRead is one column to be read. Plain columns leave ends unset.
type columnRead struct {
	column              int
	layout              body.Layout
	typ                 stream.Type
	ends, valid, values *bufferRead
	nulls               int64 // of the column, or of the values of the runs
	n                   int64 // values, or runs
	stored              int64 // bytes of its buffers
}

// plan checks the nodes and buffers of a column against each other and notes
// which bytes to read.
func (b *batchRead) plan(column int) (columnRead, error) {
	l, typ := b.r.layout(column)
	span := b.h.spans[column]
	c := columnRead{column: column, layout: l, typ: typ}
	for _, buffer := range b.h.batch.Buffers[span.Buffer:span.BufferEnd] {
		c.stored += buffer.Length
	}
	rows := b.to - b.from
	if c.typ == stream.Other {
		if b.h.batch.Length > maxRunBytes(c.stored) {
			return c, fmt.Errorf("%w: column %q has %d rows in %d bytes", ErrTooLarge, b.field(column).Name, b.h.batch.Length, c.stored)
		}
		return c, b.whole(column)
	}
	if err := b.take(rows, int64(l.Width)); err != nil {
		return c, err
	}
	node, first := b.h.batch.Nodes[span.Node], span.Buffer
	lo, hi := b.from, b.to
	var err error
	if l.RunEnd {
		ends, values := b.h.batch.Nodes[span.Node+1], b.h.batch.Nodes[span.Node+2]
		if b.h.version < arrowipc.V5 {
			first++ // a validity buffer, which nothing uses
		}
		bad := func(format string, args ...any) (columnRead, error) {
			return c, b.damaged(column, b.h.bodyAt, fmt.Errorf(format, args...))
		}
		switch {
		case node.NullCount > 0 || ends.NullCount > 0:
			return bad("nulls among its run ends")
		case ends.Length != values.Length:
			return bad("%d run ends for %d values", ends.Length, values.Length)
		case ends.Length > maxBatchRows:
			return bad("%d runs", ends.Length)
		case ends.Length == 0 && node.Length > 0:
			return bad("no runs for %d rows", node.Length)
		case rows > maxRunBytes(c.stored)/int64(l.Width):
			return c, fmt.Errorf("%w: column %q would be expanded from %d bytes to %d rows", ErrTooLarge, b.field(column).Name, c.stored, rows)
		}
		if c.ends, err = b.buffer(column, first+1, ends.Length, int64(l.RunBits), 0, ends.Length); err != nil {
			return c, err
		}
		node, first = values, first+2
		lo, hi = 0, values.Length
	}
	c.nulls, c.n = node.NullCount, node.Length
	if c.nulls == arrowipc.UnknownNulls && b.h.batch.Buffers[first].Length == 0 {
		c.nulls = 0
	}
	// Bits that are there though the header counts no null are counted too:
	// a changed count would show what lies under nulls.
	counted := c.nulls != 0 || b.holds(first)
	if counted || l.Bits == 1 { // a byte for each bit
		if err := b.take(hi-lo, 1); err != nil {
			return c, err
		}
	}
	if counted {
		if b.h.batch.Buffers[first].Length == 0 && c.nulls > 0 {
			return c, b.damaged(column, b.h.bodyAt+b.h.batch.Buffers[first].Offset, body.NoValidity(c.nulls))
		}
		if c.valid, err = b.buffer(column, first, c.n, 1, lo, hi); err != nil {
			return c, err
		}
		c.valid.optional = true
	}
	c.values, err = b.buffer(column, first+1, c.n, int64(l.Bits), lo, hi)
	return c, err
}

// holds reports whether a buffer has contents.
func (b *batchRead) holds(index int) bool {
	length := b.h.batch.Buffers[index].Length
	return length > 8 || length > 0 && b.h.batch.Codec == arrowipc.Uncompressed // 8: C# compresses nothing so
}

// maxRunBytes is how many bytes the runs of a column of so many stored bytes
// may be expanded to. A few bytes can claim any number of rows.
func maxRunBytes(stored int64) int64 { return 16<<20 + min(stored, maxReadBytes)*body.MaxRatio }

// take counts what values will occupy.
func (b *batchRead) take(n, width int64) error {
	if n > b.left/width {
		return fmt.Errorf("%w: the values of %d rows would take more than %d bytes", ErrTooLarge, b.to-b.from, maxReadBytes)
	}
	b.left -= n * width
	return nil
}

// buffer plans to read the values [lo, hi) of the n values of so many bits in
// a buffer of the batch.
func (b *batchRead) buffer(column, index int, n, bits, lo, hi int64) (*bufferRead, error) {
	stored := b.h.batch.Buffers[index]
	at := b.h.bodyAt + stored.Offset
	s := &bufferRead{at: at, column: column, length: stored.Length, compressed: b.h.batch.Codec != arrowipc.Uncompressed && stored.Length > 0}
	s.need, s.lo, s.hi = byteCount(n, bits), byteCount(lo, bits), byteCount(hi, bits)
	if bits == 1 {
		s.lo = lo / 8 // the byte that holds the first
	}
	s.piece = b.stored[index]
	known := s.piece != nil
	switch {
	case s.compressed && stored.Length < 8:
		return nil, b.damaged(column, at, fmt.Errorf("a compressed buffer of %d bytes", stored.Length))
	case s.compressed && !known && s.need >= flowBytes && s.hi-s.lo < s.need:
		if err := b.take(s.hi-s.lo, 1); err != nil {
			return nil, err
		}
		s.piece = &piece{}
		b.flowing = append(b.flowing, s)
		return s, nil
	case s.compressed:
		if err := b.take(s.need, 1); err != nil {
			return nil, err
		}
	case stored.Length < s.need:
		return nil, b.damaged(column, at, body.TooShort(stored.Length, s.need))
	}
	switch {
	case known:
		s.skip = s.lo
	case s.compressed:
		s.piece = &piece{off: at, n: stored.Length}
	default:
		s.piece = &piece{off: at + s.lo, n: s.hi - s.lo}
	}
	if !known {
		b.pieces = append(b.pieces, s.piece)
	}
	return s, nil
}

// whole plans to read all buffers of a column as they are in the file.
func (b *batchRead) whole(column int) error {
	span := b.h.spans[column]
	if b.stored == nil {
		b.stored = map[int]*piece{}
	}
	for i := span.Buffer; i < span.BufferEnd; i++ {
		if b.stored[i] != nil {
			continue
		}
		buffer := b.h.batch.Buffers[i]
		if err := b.take(buffer.Length, 1); err != nil {
			return err
		}
		p := &piece{off: b.h.bodyAt + buffer.Offset, n: buffer.Length}
		b.stored[i], b.pieces = p, append(b.pieces, p)
	}
	return nil
}

// byteCount is the number of bytes that n values take.
func byteCount(n, bits int64) int64 {
	if bits == 1 {
		return (n + 7) / 8
	}
	return n * (bits / 8)
}

// field is that of a column.
func (b *batchRead) field(column int) *arrowipc.Field { return &b.fields[column] }

func (b *batchRead) damaged(column int, at int64, err error) error {
	return &bufferError{at, fmt.Errorf("column %q: %w", b.field(column).Name, err)}
}
