package recording

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A header is the parsed header of a batch.
type header struct {
	*shape
	bodyAt int64
}

// A shape is what headers say without saying where they are. The full batches of an
// uncompressed recording have the same header, byte for byte.
type shape struct {
	batch    *arrowipc.RecordBatch
	spans    []arrowipc.Span // nodes and buffers of each column
	version  int16
	metadata []arrowipc.KeyValue
}

// A headerCache keeps the headers last read, up to a number of buffers: a
// batch of 771 columns has 55 kB of them, and a day has many batches. Those that
// several batches have are kept once.
type headerCache struct {
	byBatch map[int]*shape
	order   []int // oldest first
	buffers int
	common  []*shape // of several batches: batchState.common says which

	raw    []byte            // of the message parsed last
	parsed *arrowipc.Message // of raw
	last   *shape            // kept last
}

const (
	maxCachedBuffers = 1 << 20 // 32 MiB with their nodes
	headerCost       = 64      // what a header of no buffers counts, in buffers
	maxCommon        = 16      // headers
)

// put keeps the header of batch i; b is what is known of it.
func (c *headerCache) put(i int, b *batchState, s *shape) {
	if b.common > 0 || c.byBatch[i] != nil {
		return
	}
	if s == c.last && b.keepCommon(c, s) {
		return
	}
	c.last = s
	note(&c.byBatch, i, s)
	c.order = append(c.order, i)
	c.buffers += s.cost()
	for c.buffers > maxCachedBuffers && len(c.order) > 1 {
		c.buffers -= c.byBatch[c.order[0]].cost()
		delete(c.byBatch, c.order[0])
		c.order = c.order[1:]
	}
}

// keepCommon has a batch share a header with the one before, if there is room.
func (b *batchState) keepCommon(c *headerCache, s *shape) bool {
	k := slices.Index(c.common, s)
	if k < 0 && len(c.common) < maxCommon && len(s.batch.Buffers) <= maxCachedBuffers/maxCommon {
		k = len(c.common)
		c.common = append(c.common, s)
	}
	b.common = uint8(k + 1)
	return k >= 0
}

func (s *shape) cost() int { return headerCost + len(s.batch.Buffers) }

// shapeOf returns the header of a batch if it is kept, else nil.
func (r *Reader) shapeOf(i int) *shape {
	if k := r.batches[i].common; k > 0 {
		return r.headers.common[k-1]
	}
	return r.headers.byBatch[i]
}

// BatchAtByte is the batch whose message begins at a byte of the file, or -1.
func (r *Reader) BatchAtByte(offset int64) int {
	i := sort.Search(len(r.batches), func(i int) bool { return r.offset(i) >= offset })
	if i == len(r.batches) || r.offset(i) != offset {
		return -1
	}
	return i
}

// bodyAt returns where the body of batch i begins.
func (r *Reader) bodyAt(i int) int64 {
	b := r.blockOf(i)
	return b.Offset + int64(b.MetaLength)
}

// maxBatchRows keeps rows times width inside an int64 whatever a header says.
const maxBatchRows = messages.MaxRows

// checkHeader compares a batch's message with the schema and the file and
// fills in what is known of batch i. The header is nil if it is valid but data are
// beyond the file's end.
func (r *Reader) checkHeader(i int, m *arrowipc.Message) (*shape, error) {
	b := &r.batches[i]
	if m.Header != arrowipc.RecordBatchHeader {
		return nil, fmt.Errorf("%w: not a record batch", ErrDamaged)
	}
	if n := r.blockOf(i).BodyLength; m.BodyLength != n {
		return nil, fmt.Errorf("%w: the body has %d bytes by its header, %d by the footer", ErrDamaged, m.BodyLength, n)
	}
	if err := r.asSaid(b, m); err != nil {
		return nil, err
	}
	if m.Batch.Length > maxBatchRows {
		return nil, fmt.Errorf("%w: %d rows", ErrDamaged, m.Batch.Length)
	}
	s := r.headers.last
	if s == nil || s.batch != m.Batch { // else it has been compared with the schema
		spans, err := arrowipc.Columns(&r.schema, m.Version, m.Batch, r.spans)
		if err != nil {
			return nil, err
		}
		r.spans = spans
		s = &shape{batch: m.Batch, spans: spans, version: m.Version, metadata: m.Metadata}
	}
	if m.Batch.DataEnd() > r.end-r.bodyAt(i) {
		return nil, nil
	}
	b.checked, b.codec = true, m.Batch.Codec
	b.setRows(m.Batch.Length)
	if lost := lostFrom(m.Metadata); lost != nil {
		note(&r.odd.lost, i, lost)
	}
	return s, nil
}

// loadHeaders reads the headers of the batches that are not in the cache, side
// by side where the source can. Damage is kept in the batches; the error is
// the source's.
func (r *Reader) loadHeaders(batches []int) error { return r.loadHeadersAnd(batches, nil) }

// loadHeadersAnd reads other pieces in the same go, where the source reads side by
// side.
func (r *Reader) loadHeadersAnd(batches []int, others []*piece) error {
	places := make([]piece, 0, len(batches))
	which := make([]int, 0, len(batches))
	for _, i := range batches {
		b := r.blockOf(i)
		if r.odd.failed[i] != nil || r.shapeOf(i) != nil {
			continue
		}
		length := int64(b.MetaLength)
		if b.Offset < arrowipc.HeaderLength || length < 8 || length > messages.MaxMetadataBytes || b.Offset > r.end-length {
			r.failHeader(i, fmt.Errorf("%w: the footer puts its header of %d bytes at %d, the file's batches end at %d", ErrBounds, length, b.Offset, r.end))
			continue
		}
		places, which = append(places, piece{off: b.Offset, n: length}), append(which, i)
	}
	if err := r.fetchAhead(places, others); err != nil {
		return err
	}
	r.scratch.data = r.scratch.data[:0] // the file may have changed since
	for k, i := range which {
		if err := r.readScratch(places[k:]); err != nil {
			return err
		}
		s, err := r.parseHeader(i, places[k].data)
		if err != nil {
			r.failHeader(i, err)
			continue
		}
		r.headers.put(i, &r.batches[i], s)
	}
	return nil
}

// fetchAhead reads pieces of metadata, and others, side by side where the source can.
func (r *Reader) fetchAhead(places []piece, others []*piece) error {
	if r.ranges == nil {
		return nil
	}
	pieces := slices.Clip(others)
	for k := range places {
		pieces = append(pieces, &places[k])
	}
	return r.fetch(pieces, &r.read.Metadata)
}

// A scratch holds the bytes of the file that headers were read from last.
type scratch struct {
	at   int64 // in the file
	data []byte
}

// readScratch fills the data of the first of several pieces of metadata, unless
// fetchAhead has; they are valid until its next call. It reads those that follow near
// in the same go, into one buffer: allocating per header took as long as reading it.
func (r *Reader) readScratch(places []piece) (err error) {
	p := &places[0]
	if p.data != nil {
		return nil
	}
	if r.memory != nil {
		p.data, err = r.readAt(p.off, p.n, &r.read.Metadata)
		return err
	}
	s := &r.scratch
	if p.off < s.at || p.off+p.n > s.at+int64(len(s.data)) {
		end := p.off + p.n
		for _, next := range places[1:] {
			if next.off < end || next.off-end > messages.NearBytes || next.off+next.n-p.off > messages.NearTogether {
				break
			}
			end = next.off + next.n
		}
		s.at, s.data = p.off, body.Grown(s.data, end-p.off)
		err := r.readFull(s.data, s.at, &r.read.Metadata)
		if err != nil && end > p.off+p.n { // what lies behind it may be what cannot be read
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

func (r *Reader) parseHeader(i int, p []byte) (*shape, error) {
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
	s, err := r.checkHeader(i, m)
	if err == nil && s == nil {
		err = fmt.Errorf("%w: its buffers reach %d bytes beyond the last message", ErrBounds, m.Batch.DataEnd()-(r.end-r.bodyAt(i)))
	}
	return s, err
}

// failHeader notes that a header is not what was believed. While the footer is
// believed, that proves the footer wrong and calls for a walk.
func (r *Reader) failHeader(i int, cause error) {
	b := &r.batches[i]
	b.setRows(0)
	b.checked = false
	if r.walked == nil {
		r.contradicted = true
		if !errors.Is(cause, ErrBounds) && !errors.Is(cause, ErrDamaged) {
			cause = fmt.Errorf("%w: %w", ErrDamaged, cause)
		}
		note(&r.odd.failed, i, error(&CorruptError{Offset: r.offset(i), Batch: i, Err: cause}))
		return
	}
	note(&r.odd.failed, i, r.corrupt(i, r.offset(i), cause))
}

// header returns the header of batch i, or the *CorruptError of it.
func (r *Reader) header(i int) (header, error) {
	if i < 0 || i >= len(r.batches) {
		return header{}, fmt.Errorf("recording: batch %d: the file has %d", i, len(r.batches))
	}
	s := r.shapeOf(i)
	if s == nil {
		if err := r.loadHeaders([]int{i}); err != nil {
			return header{}, err
		}
		if err := r.odd.failed[i]; err != nil {
			return header{}, err
		}
		s = r.shapeOf(i)
	}
	return header{s, r.bodyAt(i)}, nil
}
