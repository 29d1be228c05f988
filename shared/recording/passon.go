package recording

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/stream"
)

// A batch of a probe takes 46 MB in memory, one of its columns 60 kB. What the buffers of
// a batch hold is known from its header, so that the header of a plain message can be
// written before any of them is read, and then one after another.

// A Lender has use called with what a buffer of a batch holds, which read puts into room
// if that is large enough. Who lends the same buffer to several has it read once. nil
// reads for each.
type Lender func(buffer int, read func(room []byte) ([]byte, error), use func(content []byte) error) error

// PassOn writes the rows of an excerpt, which lie in one batch, as one plain message of an
// Arrow stream, without its schema. Only one column of the batch is in memory at a time.
//
// Checksums and lengths of compressed buffers are compared; run ends and values of text
// are not looked at where the batch is taken whole. After an error, which is a
// *CorruptError where the batch is damaged, a part of the message may have been written.
// Dictionaries give an error that wraps ErrUnsupported.
func (x *Excerpt) PassOn(ctx context.Context, w io.Writer, lend Lender) error {
	var cut *rowCut
	for c, err := range x.cuts(false) {
		switch {
		case err != nil:
			return err
		case c.err != nil:
			return c.err
		case cut != nil:
			return fmt.Errorf("recording: rows of batches %d and %d in one message", cut.batch, c.batch)
		}
		cut = &c
	}
	if cut == nil {
		return nil
	}
	h, err := x.r.header(cut.batch)
	if err != nil {
		return err
	}
	p := passing{read: batchRead{r: x.r, h: h, fields: x.r.schema.Fields, to: h.batch.Length}, cut: cut, lend: lend}
	p.parts, p.batch.Buffers = make([]passedPart, 0, len(x.columns)), make([]arrowipc.Buffer, 0, 2*len(x.columns))
	p.batch.Length, p.batch.Codec = cut.to-cut.from, arrowipc.Uncompressed
	for _, c := range x.columns {
		if err := p.plan(c); err != nil {
			return x.r.atBuffer(cut.batch, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if p.bytes > maxBodyBytes {
		return fmt.Errorf("%w: %d bytes in one message", ErrTooLarge, p.bytes)
	}
	metadata := survivingKeys(h.metadata, cut.from == 0, p.whole() && inOrder(x.columns, len(x.r.schema.Fields)))
	out := bufio.NewWriterSize(w, 16<<10) // of small columns many are written at once
	if _, err := out.Write(arrowipc.AppendRecordBatch(nil, 0, bodyAlign, &p.batch, p.bytes, metadata)); err != nil {
		return err
	}
	for k := range p.parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.write(out, &p.parts[k]); err != nil {
			return x.r.atBuffer(cut.batch, err)
		}
	}
	return out.Flush()
}

// A passing is one message that is passed on.
type passing struct {
	read   batchRead
	cut    *rowCut
	lend   Lender
	batch  arrowipc.RecordBatch // of the message
	bytes  int64                // of its body
	parts  []passedPart
	stored []byte // a compressed buffer, or values of a plain one
}

// A passedPart is one buffer, or a column that is made anew.
type passedPart struct {
	*bufferRead
	buffer int // of the batch
	column int
	anew   bool
	lo, hi int64 // bytes of the buffer's content
}

func (p *passing) whole() bool { return p.cut.from == 0 && p.cut.to == p.read.h.batch.Length }

// plan notes what of a column is written, and how long it is.
func (p *passing) plan(column int) error {
	h := p.read.h
	if hasDictionary(&p.read.fields[column]) {
		return fmt.Errorf("%w: column %q has a dictionary", ErrUnsupported, p.read.field(column).Name)
	}
	p.read.left = maxReadBytes // one after another is read
	l, typ := p.read.r.layout(column)
	span := h.spans[column]
	buffers := h.batch.Buffers[span.Buffer:span.BufferEnd]
	if typ == stream.Other || l.RunEnd && h.version < arrowipc.V5 || !p.whole() && (l.RunEnd || l.Bits != 8*l.Width || buffers[0].Length > 0) {
		return p.planAnew(column)
	}
	c, err := p.read.plan(column)
	if err != nil {
		return err
	}
	reads := []*bufferRead{c.valid, c.values}
	if l.RunEnd {
		reads = []*bufferRead{nil, c.ends, c.valid, c.values}
	}
	p.batch.Nodes = append(p.batch.Nodes, h.batch.Nodes[span.Node:span.NodeEnd]...)
	if !p.whole() {
		p.batch.Nodes[len(p.batch.Nodes)-1] = arrowipc.FieldNode{Length: p.batch.Length}
	}
	for i, s := range reads {
		part := passedPart{bufferRead: s, buffer: span.Buffer + i, column: column}
		if s != nil {
			part.hi = s.need
		}
		if !p.whole() {
			part.lo, part.hi = p.cut.from*int64(l.Width), p.cut.to*int64(l.Width)
		}
		if s == nil {
			part.lo, part.hi = 0, 0
		}
		p.add(part, part.hi-part.lo)
	}
	return nil
}

// add notes a buffer of so many bytes, which a part begins.
func (p *passing) add(part passedPart, length int64) {
	p.batch.Buffers = append(p.batch.Buffers, arrowipc.Buffer{Offset: p.bytes, Length: length})
	p.bytes += (length + bodyAlign - 1) &^ (bodyAlign - 1)
	if length > 0 || part.anew {
		p.parts = append(p.parts, part)
	}
}

// planAnew is plan for a column that is decoded and encoded: its text, or its runs, begin
// elsewhere. It is done twice, the first time for the lengths.
func (p *passing) planAnew(column int) error {
	e, err := p.encoded(column)
	if err != nil {
		return err
	}
	p.batch.Nodes = append(p.batch.Nodes, e.batch.Nodes...)
	p.batch.VariadicCounts = append(p.batch.VariadicCounts, e.batch.VariadicCounts...)
	for _, b := range e.batch.Buffers {
		p.batch.Buffers = append(p.batch.Buffers, arrowipc.Buffer{Offset: p.bytes + b.Offset, Length: b.Length})
	}
	p.bytes += int64(len(e.message) - e.room)
	p.parts = append(p.parts, passedPart{column: column, anew: true})
	return nil
}

// encoded is a column as the only one of a batch.
func (p *passing) encoded(column int) (*encoder, error) {
	b, err := p.read.r.readRows(p.cut.batch, p.cut.start, p.cut.from, p.cut.to, []int{column})
	if err != nil {
		return nil, err
	}
	e, err := newEncoder(arrowipc.Schema{Fields: p.read.fields[column : column+1]}, None)
	if err != nil {
		return nil, err
	}
	if err := e.check(b.Rows, b.Columns, false); err != nil {
		return nil, err
	}
	e.begin(None, b.Rows, plainBytes(e.layout, b.Rows))
	if err := e.column(0, b.Rows, &b.Columns[0]); err != nil {
		return nil, err
	}
	return e, e.err
}

// write writes a part, up to where the next begins.
func (p *passing) write(out *bufio.Writer, part *passedPart) error {
	if part.anew {
		e, err := p.encoded(part.column)
		if err != nil {
			return err
		}
		_, err = out.Write(e.message[e.room:])
		return err
	}
	if !part.compressed { // only the rows that are wanted
		length := part.hi - part.lo
		p.stored = body.Grown(p.stored, length)
		if err := p.read.r.readFull(p.stored[:length], part.at+part.lo, &p.read.r.read.Body); err != nil {
			return err
		}
		return padded(out, p.stored[:length])
	}
	use := func(content []byte) error { return padded(out, content[part.lo:part.hi]) }
	read := func(room []byte) ([]byte, error) { return p.content(part, room) }
	if p.lend != nil {
		return p.lend(part.buffer, read, use)
	}
	content, err := read(nil)
	if err != nil {
		return err
	}
	return use(content)
}

// idle are decoders that nobody uses: each has tables, and a Reader of one batch would
// make them anew for each second of a recording.
var idle = make(chan *body.Decompressor, 2)

func decompressor() *body.Decompressor {
	select {
	case d := <-idle:
		return d
	default:
		return &body.Decompressor{}
	}
}

func recycle(d *body.Decompressor) {
	select {
	case idle <- d:
	default:
	}
}

// content decodes a buffer.
func (p *passing) content(part *passedPart, room []byte) ([]byte, error) {
	p.stored = body.Grown(p.stored, part.length)
	stored := p.stored[:part.length]
	if err := p.read.r.readFull(stored, part.at, &p.read.r.read.Body); err != nil {
		return nil, err
	}
	d := decompressor()
	defer recycle(d)
	content, err := d.Content(p.read.h.batch.Codec, stored, part.need, false, func(n int64) ([]byte, error) {
		room = slices.Grow(room[:0], int(n)+64) // room after the end lets a decoder copy in words
		return room, nil
	})
	if err != nil {
		return nil, p.read.damaged(part.column, part.at, err)
	}
	return append(room[:0], content...), nil // with all of the room, for the next one
}

// padded writes a buffer and zeros up to where the next begins.
func padded(out *bufio.Writer, content []byte) error {
	_, err := out.Write(content)
	if over := len(content) % bodyAlign; err == nil && over != 0 {
		_, err = out.Write(zeroPadding[over:])
	}
	return err
}

func hasDictionary(f *arrowipc.Field) bool {
	return f.Dictionary != nil || slices.ContainsFunc(f.Children, func(c arrowipc.Field) bool { return hasDictionary(&c) })
}
