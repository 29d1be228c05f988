package recording

import (
	"errors"
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// A storedBatch is some columns of a whole batch as they are in the file:
// what Keep copies.
type storedBatch struct {
	codec    arrowipc.Codec
	rows     int64
	nodes    []arrowipc.FieldNode
	buffers  [][]byte
	variadic []int64
	metadata []arrowipc.KeyValue
}

// readStored reads the columns of batch i and decodes each, so that damage is
// found as ReadBatch finds it.
func (r *Reader) readStored(i int, columns []int) (*storedBatch, error) {
	h, err := r.header(i)
	if err != nil {
		return nil, err
	}
	if h.version < arrowipc.V5 && slices.ContainsFunc(columns, func(c int) bool { return laidOutByV4(&r.schema.Fields[c]) }) {
		return nil, errOldLayout
	}
	rd := batchRead{r: r, h: h, fields: r.schema.Fields, to: h.batch.Length, left: maxReadBytes}
	fail := func(err error) (*storedBatch, error) { return nil, r.atBuffer(i, err) }
	for _, c := range columns {
		if err := rd.whole(c); err != nil {
			return nil, err
		}
	}
	parts := make([]columnRead, len(columns)) // what is too much is so before it is read
	for k, c := range columns {
		rd.left = maxReadBytes // one column after the other is decoded
		if parts[k], err = rd.plan(c); err != nil {
			return fail(err)
		}
	}
	if err := r.fetch(rd.pieces, &r.read.Body); err != nil {
		return nil, err
	}
	s := &storedBatch{codec: h.batch.Codec, rows: h.batch.Length, metadata: h.metadata}
	for k, c := range columns {
		v, err := rd.decode(&parts[k], r.decoder(0))
		if err != nil {
			return fail(err)
		}
		r.watcher.See(r.offset(i), &v)
		if err := r.work(v.bytes()); err != nil {
			return nil, err
		}
		s.add(&rd, c)
	}
	r.watcher.Pass(r.offset(i))
	return s, nil
}

// add appends a column that has been read whole.
func (s *storedBatch) add(b *batchRead, column int) {
	span, batch := b.h.spans[column], b.h.batch
	s.nodes = append(s.nodes, batch.Nodes[span.Node:span.NodeEnd]...)
	for i := span.Buffer; i < span.BufferEnd; i++ {
		s.buffers = append(s.buffers, b.stored[i].data)
	}
	s.variadic = append(s.variadic, batch.VariadicCounts[span.View:span.ViewEnd]...)
}

// errOldLayout says that a batch of metadata version V4 has columns whose
// buffers are others than now: it cannot be copied as it is.
var errOldLayout = errors.New("recording: unions or run ends of metadata version V4")

// laidOutByV4 reports whether metadata version V4 has other buffers for a field
// than V5.
func laidOutByV4(f *arrowipc.Field) bool {
	if f.Dictionary != nil {
		return false
	}
	if f.Type.ID == arrowipc.Union || f.Type.ID == arrowipc.RunEndEncoded {
		return true
	}
	for i := range f.Children {
		if laidOutByV4(&f.Children[i]) {
			return true
		}
	}
	return false
}

// work reports the number of bytes decoded.
func (r *Reader) work(n int) error {
	if r.worked == nil {
		return nil
	}
	return r.worked(n)
}

// encodeStored returns the message of a batch as it is in another file.
func (w *Writer) encodeStored(s *storedBatch, header headerAppender) ([]byte, arrowipc.Block, error) {
	e := w.enc
	about := 0
	for _, p := range s.buffers {
		about += len(p) + bodyAlign
	}
	e.begin(codecOf(s.codec), int(s.rows), about)
	e.batch.Nodes = append(e.batch.Nodes, s.nodes...)
	e.batch.VariadicCounts = append(e.batch.VariadicCounts, s.variadic...)
	for _, p := range s.buffers {
		e.stored(p)
		if err := e.done(len(p), int64(len(e.message)-e.room)); err != nil {
			return nil, arrowipc.Block{}, err
		}
	}
	message, block := e.finish(w.size, header, s.metadata)
	return message, block, nil
}

// writeStored appends a batch of the columns of the schema as it is in
// another file, in one Write.
func (w *Writer) writeStored(s *storedBatch) error {
	if err := w.usable(); err != nil {
		return err
	}
	message, block, err := w.encodeStored(s, arrowipc.AppendRecordBatch)
	if err != nil {
		return fmt.Errorf("recording: batch %d: %w", len(w.blocks), err)
	}
	w.whole[0] = message
	return w.writeBatch(w.whole[:], block, s.rows)
}
