package recording

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A header is the parsed header of a batch.
type header struct {
	batch  *arrowipc.RecordBatch
	spans  []arrowipc.Span // nodes and buffers of each column
	bodyAt int64

	version  int16
	metadata []arrowipc.KeyValue
	cost     int // of it in the cache
}

// A headerCache keeps the headers last read, up to a number of buffers: a
// batch of 771 columns has 55 kB of them, and a day has many batches. The full
// batches of an uncompressed recording have the same header, byte for byte;
// these share one.
type headerCache struct {
	byBatch map[int]*header
	order   []int // oldest first
	buffers int

	raw    []byte            // of the message parsed last
	parsed *arrowipc.Message // of raw
	last   *header           // kept last
}

// sharedCost is what a header counts, in buffers, that shares its lists.
const sharedCost = 16

const maxCachedBuffers = 1 << 20 // 32 MiB with their nodes

func (c *headerCache) put(i int, h *header) {
	if c.byBatch == nil {
		c.byBatch = map[int]*header{}
	}
	if c.byBatch[i] != nil {
		return
	}
	c.byBatch[i] = h
	c.order = append(c.order, i)
	if h.cost = len(h.batch.Buffers); c.last != nil && h.batch == c.last.batch {
		h.cost = min(h.cost, sharedCost)
	}
	c.last = h
	c.buffers += h.cost
	for c.buffers > maxCachedBuffers && len(c.order) > 1 {
		old := c.byBatch[c.order[0]]
		c.buffers -= old.cost
		delete(c.byBatch, c.order[0])
		c.order = c.order[1:]
	}
}

// maxBatchRows keeps rows times width inside an int64 whatever a header says.
const maxBatchRows = messages.MaxRows

// checkHeader compares a batch's message with the schema and the file and
// fills b. The header is nil if it is valid but data are beyond the file's end.
func (r *Reader) checkHeader(b *batchState, m *arrowipc.Message) (*header, error) {
	if m.Header != arrowipc.RecordBatchHeader {
		return nil, fmt.Errorf("%w: not a record batch", ErrDamaged)
	}
	if m.BodyLength != b.bodyLength {
		return nil, fmt.Errorf("%w: the body has %d bytes by its header, %d by the footer", ErrDamaged, m.BodyLength, b.bodyLength)
	}
	if err := b.asSaid(m); err != nil {
		return nil, err
	}
	if m.Batch.Length > maxBatchRows {
		return nil, fmt.Errorf("%w: %d rows", ErrDamaged, m.Batch.Length)
	}
	if last := r.headers.last; last != nil && last.batch == m.Batch { // it has been compared with the schema
		r.spans = last.spans
	} else {
		spans, err := arrowipc.Columns(&r.schema, m.Version, m.Batch, r.spans)
		if err != nil {
			return nil, err
		}
		r.spans = spans
	}
	bodyAt := b.offset + int64(b.metaLength)
	if m.Batch.DataEnd() > r.end-bodyAt {
		return nil, nil
	}
	b.checked, b.rows, b.codec, b.lost = true, m.Batch.Length, m.Batch.Codec, lostFrom(m.Metadata)
	return &header{batch: m.Batch, spans: r.spans, bodyAt: bodyAt, version: m.Version, metadata: m.Metadata}, nil
}

// loadHeaders reads the headers of the batches that are not in the cache, side
// by side where the source can. Damage is kept in the batches; the error is
// the source's.
func (r *Reader) loadHeaders(batches []int) error { return r.loadHeadersAnd(batches, nil) }

// loadHeadersAnd reads other pieces in the same go, where the source reads side by
// side.
func (r *Reader) loadHeadersAnd(batches []int, others []*piece) error {
	var pieces []*piece
	var which []int
	for _, i := range batches {
		b := &r.batches[i]
		if b.err != nil || r.headers.byBatch[i] != nil {
			continue
		}
		length := int64(b.metaLength)
		if b.offset < arrowipc.HeaderLength || length < 8 || length > messages.MaxMetadataBytes || b.offset > r.end-length {
			r.failHeader(i, fmt.Errorf("%w: the footer puts its header of %d bytes at %d, the file's batches end at %d", ErrBounds, length, b.offset, r.end))
			continue
		}
		pieces, which = append(pieces, &piece{off: b.offset, n: length}), append(which, i)
	}
	if err := r.fetchAhead(append(slices.Clip(pieces), others...)); err != nil {
		return err
	}
	r.scratch.data = r.scratch.data[:0] // the file may have changed since
	for k, i := range which {
		if err := r.readScratch(pieces[k]); err != nil {
			return err
		}
		h, err := r.parseHeader(&r.batches[i], pieces[k].data)
		if err != nil {
			r.failHeader(i, err)
			continue
		}
		r.headers.put(i, h)
	}
	return nil
}

// fetchAhead reads pieces of metadata side by side where the source can.
func (r *Reader) fetchAhead(pieces []*piece) error {
	if r.ranges == nil {
		return nil
	}
	return r.fetch(pieces, &r.read.Metadata)
}

// A scratch holds the bytes of the file that headers were read from last.
type scratch struct {
	at   int64 // in the file
	data []byte
	next int64 // where the header that was asked for last ends
	near int   // how many in a row began near where the one before ended
}

// nearBytes is how far behind the last header one may begin for headers to be
// read many at a time, a scratchBytes of the file: between those of batches of a
// few rows there is little else, and each read takes as long as 10 kB of one.
// That is done after nearInARow of them: a look at a few reads no more than these.
const (
	nearBytes    = 1 << 10
	nearInARow   = 4
	scratchBytes = 128 << 10
)

// readScratch fills the data of a piece of metadata unless fetchAhead has; they
// are valid until its next call. It reuses one buffer: allocating per header took
// as long as reading it.
func (r *Reader) readScratch(p *piece) (err error) {
	if p.data != nil {
		return nil
	}
	if r.memory != nil {
		p.data, err = r.readAt(p.off, p.n, &r.read.Metadata)
		return err
	}
	s := &r.scratch
	if gap := p.off - s.next; gap >= 0 && gap <= nearBytes {
		s.near++
	} else {
		s.near = 0
	}
	s.next = p.off + p.n
	if p.off < s.at || p.off+p.n > s.at+int64(len(s.data)) {
		n := p.n
		if s.near >= nearInARow {
			n = max(n, min(scratchBytes, r.end-p.off))
		}
		s.at, s.data = p.off, body.Grown(s.data, n)
		err := r.readFull(s.data, s.at, &r.read.Metadata)
		if err != nil && n > p.n { // what lies behind it may be what cannot be read
			s.data = s.data[:p.n]
			err = r.readFull(s.data, s.at, &r.read.Metadata)
		}
		if err != nil {
			s.data = s.data[:0]
			return err
		}
	}
	p.data = s.data[p.off-s.at:][:p.n:p.n]
	return nil
}

func (r *Reader) parseHeader(b *batchState, p []byte) (*header, error) {
	c := &r.headers
	if c.parsed == nil || !bytes.Equal(p, c.raw) {
		m, err := parseFramed(p)
		if err != nil {
			return nil, err
		}
		if c.parsed = m; r.memory != nil {
			c.raw = p
		} else {
			c.raw = append(c.raw[:0], p...)
		}
	}
	m := c.parsed
	h, err := r.checkHeader(b, m)
	if err == nil && h == nil {
		err = fmt.Errorf("%w: its buffers reach %d bytes beyond the last message", ErrBounds, m.Batch.DataEnd()-(r.end-b.offset-int64(b.metaLength)))
	}
	return h, err
}

// failHeader notes that a header is not what was believed. While the footer is
// believed, that proves the footer wrong and calls for a walk.
func (r *Reader) failHeader(i int, cause error) {
	b := &r.batches[i]
	b.rows, b.checked = 0, false
	if r.walked == nil {
		r.contradicted = true
		if !errors.Is(cause, ErrBounds) && !errors.Is(cause, ErrDamaged) {
			cause = fmt.Errorf("%w: %w", ErrDamaged, cause)
		}
		b.err = &CorruptError{Offset: b.offset, Batch: i, Err: cause}
		return
	}
	b.err = r.corrupt(i, b.offset, cause)
}

// header returns the header of batch i, or the *CorruptError of it.
func (r *Reader) header(i int) (*header, error) {
	if i < 0 || i >= len(r.batches) {
		return nil, fmt.Errorf("recording: batch %d: the file has %d", i, len(r.batches))
	}
	if h := r.headers.byBatch[i]; h != nil {
		return h, nil
	}
	if err := r.loadHeaders([]int{i}); err != nil {
		return nil, err
	}
	if err := r.batches[i].err; err != nil {
		return nil, err
	}
	return r.headers.byBatch[i], nil
}
