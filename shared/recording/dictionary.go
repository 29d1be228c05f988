package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// dictionaries are the dictionary messages of a file. Nothing of them is read
// before a column is that needs one; messages.Dictionaries says which count for
// which batch.
type dictionaries struct {
	list   []dictionaryMessage
	listed bool                   // by a footer, and not yet looked at
	index  *messages.Dictionaries // nil: not yet known
	ready  bool                   // the index has them
	cache  map[int64]dictionary   // by id, the one used last
	busy   map[int64]bool         // being read: for those that hold themselves
}

type dictionaryMessage struct {
	block    arrowipc.Block
	id       int64
	delta    bool
	batch    *arrowipc.RecordBatch
	version  int16
	metadata []arrowipc.KeyValue
	err      error // it cannot be read
}

func (d *dictionaryMessage) set(m *arrowipc.Message) {
	d.id, d.delta, d.batch, d.version, d.metadata = m.DictionaryID, m.Delta, m.Batch, m.Version, m.Metadata
}

// A dictionary is the values that some messages gave.
type dictionary struct {
	first, last int // in the list
	values      *array.Array
	inner       []*array.Array // the dictionaries inside, as they were then
}

// footer takes over the blocks of a footer.
func (d *dictionaries) footer(f *arrowipc.Footer) {
	for _, b := range f.Dictionaries {
		d.list = append(d.list, dictionaryMessage{block: b})
	}
	d.listed = len(d.list) > 0
}

// loadDictionaryHeaders reads the headers of the messages that the footer
// lists. The error is the source's.
func (r *Reader) loadDictionaryHeaders() error {
	d := &r.dictionaries
	if !d.listed {
		return nil
	}
	var pieces []*piece
	var which []int
	for i := range d.list {
		b := d.list[i].block
		if b.MetaLength < 8 || int64(b.MetaLength) > messages.MaxMetadataBytes || b.Offset < arrowipc.HeaderLength || b.Offset > r.end-int64(b.MetaLength) {
			d.list[i].err = fmt.Errorf("%w: the footer puts a dictionary's header of %d bytes at %d", ErrBounds, b.MetaLength, b.Offset)
			continue
		}
		pieces, which = append(pieces, &piece{off: b.Offset, n: int64(b.MetaLength)}), append(which, i)
	}
	if err := r.fetch(pieces, &r.read.Metadata); err != nil {
		return err
	}
	for k, i := range which {
		m, err := parseFramed(pieces[k].data)
		if err == nil && m.Header != arrowipc.DictionaryBatchHeader {
			err = fmt.Errorf("%w: there is no dictionary where the footer says", ErrDamaged)
		}
		if err == nil && m.BodyLength != d.list[i].block.BodyLength && m.BodyLength > r.end-d.list[i].block.Offset {
			err = fmt.Errorf("%w: a dictionary's header says that %d bytes follow, the footer %d", ErrDamaged, m.BodyLength, d.list[i].block.BodyLength)
		}
		if err != nil {
			d.list[i].err = err
			continue
		}
		d.list[i].set(m)
	}
	d.listed = false
	return nil
}

// parseFramed reads a message with its prefix, which fill p.
func parseFramed(p []byte) (*arrowipc.Message, error) {
	prefix, length, err := arrowipc.ParsePrefix(p)
	if err != nil {
		return nil, err
	}
	if int64(prefix)+int64(length) != int64(len(p)) {
		return nil, fmt.Errorf("%w: the message has %d bytes of metadata, the footer says %d", ErrDamaged, int64(prefix)+int64(length), len(p))
	}
	return arrowipc.ParseMessage(p[prefix:])
}

// chain returns the messages that make a dictionary for the batch at an
// offset of the file: from the one that begins anew to the last. None are
// there if the list is empty.
func (r *Reader) chain(id, at int64) ([]int, error) {
	d := &r.dictionaries
	if err := r.loadDictionaryHeaders(); err != nil {
		return nil, err
	}
	if !d.ready {
		index := &messages.Dictionaries{}
		if d.index != nil {
			index.ByPlace, index.Gaps = d.index.ByPlace, d.index.Gaps
		}
		for i := range d.list {
			m := &d.list[i]
			if m.err != nil { // whose it was cannot be known
				return nil, &bufferError{m.block.Offset, m.err}
			}
			index.List = append(index.List, messages.DictionaryMessage{At: m.block.Offset, ID: m.id, Delta: m.delta})
		}
		d.index, d.ready = index, true
	}
	list, where, err := d.index.Chain(id, at)
	if err != nil {
		return nil, &bufferError{where, fmt.Errorf("%w: %w", ErrDamaged, err)}
	}
	return list, nil
}

// dictionary returns the values of the dictionary of a field for the batch at
// an offset of the file, or nil if there are none. Damage is a *bufferError.
func (r *Reader) dictionary(f *arrowipc.Field, at int64) (*array.Array, error) {
	id := f.Dictionary.ID
	d := &r.dictionaries
	if d.cache == nil {
		d.cache, d.busy = map[int64]dictionary{}, map[int64]bool{}
	}
	if d.busy[id] {
		return nil, &bufferError{at, fmt.Errorf("%w: dictionary %d is inside of itself", ErrDamaged, id)}
	}
	d.busy[id] = true
	defer delete(d.busy, id)

	chain, err := r.chain(id, at)
	if err != nil || len(chain) == 0 {
		return nil, err
	}
	values := messages.DictionaryField(r.schema.Fields, id)
	if values.TypeString() != f.ValuesString() {
		return nil, &bufferError{at, fmt.Errorf("%w: dictionary %d has values of %s and of %s", ErrDamaged, id, values.TypeString(), f.ValuesString())}
	}
	inner, err := r.innerDictionaries(values.Children, at, nil)
	if err != nil {
		return nil, err
	}
	now := dictionary{first: chain[0], last: chain[0] - 1, inner: inner}
	if old, ok := d.cache[id]; ok && old.first == chain[0] && old.last <= chain[len(chain)-1] && sameArrays(old.inner, inner) {
		now = old
	}
	for _, i := range chain {
		if i <= now.last {
			continue
		}
		more, err := r.dictionaryValues(values, i, at)
		if err != nil {
			return nil, err
		}
		if now.values != nil {
			if more, err = array.Concat(now.values, more); err != nil {
				return nil, &bufferError{d.list[i].block.Offset, fmt.Errorf("%w: dictionary %d: %w", ErrDamaged, id, err)}
			}
		}
		now.values, now.last = more, i
	}
	d.cache[id] = now
	return now.values, nil
}

// innerDictionaries returns the dictionaries that fields hold themselves.
func (r *Reader) innerDictionaries(fields []arrowipc.Field, at int64, list []*array.Array) ([]*array.Array, error) {
	for i := range fields {
		f := &fields[i]
		if f.Dictionary != nil {
			values, err := r.dictionary(f, at)
			if err != nil {
				return nil, err
			}
			list = append(list, values)
			continue
		}
		var err error
		if list, err = r.innerDictionaries(f.Children, at, list); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func sameArrays(a, b []*array.Array) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// dictionaryRead prepares to read message i of the list.
func (r *Reader) dictionaryRead(values *arrowipc.Field, i int) (*batchRead, error) {
	m := &r.dictionaries.list[i]
	bodyAt := m.block.Offset + int64(m.block.MetaLength)
	schema := arrowipc.Schema{Fields: []arrowipc.Field{*values}}
	spans, err := arrowipc.Columns(&schema, m.version, m.batch, nil)
	if err == nil && m.batch.DataEnd() > r.end-bodyAt {
		err = fmt.Errorf("%w: its buffers reach beyond the last message", ErrBounds)
	}
	if err != nil {
		return nil, &bufferError{m.block.Offset, fmt.Errorf("the dictionary of column %q: %w", values.Name, err)}
	}
	return &batchRead{r: r, h: header{&shape{batch: m.batch, spans: spans, version: m.version, metadata: m.metadata}, bodyAt}, fields: schema.Fields, to: m.batch.Length, left: maxReadBytes}, nil
}

// dictionaryValues reads the values of message i of the list for a batch at an
// offset of the file.
func (r *Reader) dictionaryValues(values *arrowipc.Field, i int, at int64) (*array.Array, error) {
	b, err := r.dictionaryRead(values, i)
	if err != nil {
		return nil, err
	}
	if err := b.whole(0); err != nil {
		return nil, err
	}
	if err := r.fetch(b.pieces, &r.read.Body); err != nil {
		return nil, err
	}
	return b.array(0, at)
}

// array builds a column whose stored buffers have been read. at is where the
// batch is whose dictionaries count.
func (b *batchRead) array(column int, at int64) (*array.Array, error) {
	span := b.h.spans[column]
	room := func(n int64) ([]byte, error) {
		if err := b.take(n, 1); err != nil {
			return nil, err
		}
		return make([]byte, 0, n+64), nil
	}
	place := func(i int) int64 {
		if i += span.Buffer; i < span.BufferEnd {
			return b.h.bodyAt + b.h.batch.Buffers[i].Offset
		}
		return b.h.bodyAt
	}
	a, err := array.Build(b.field(column), &array.Source{
		Version:  b.h.version,
		Nodes:    b.h.batch.Nodes[span.Node:span.NodeEnd],
		Variadic: b.h.batch.VariadicCounts[span.View:span.ViewEnd],
		Buffer: func(i int, need int64, optional bool) ([]byte, error) {
			p, err := b.r.decoder(0).Content(b.h.batch.Codec, b.stored[span.Buffer+i].data, need, optional, room)
			if err != nil {
				return nil, &array.Error{Buffer: i, Err: err}
			}
			return p, nil
		},
		Dictionary: func(f *arrowipc.Field) (*array.Array, error) { return b.r.dictionary(f, at) },
	})
	if bad, ok := err.(*array.Error); ok {
		return nil, b.damaged(column, place(bad.Buffer), bad.Err)
	}
	return a, err
}

// decodeArray decodes a column that is not numeric.
func (b *batchRead) decodeArray(column int) (Vector, error) {
	a, err := b.array(column, b.h.bodyAt)
	if err != nil {
		return Vector{}, err
	}
	a = a.Slice(int(b.from), int(b.to))
	v := Vector{Column: column, Len: a.Len, array: a, field: a.Field}
	for i := range a.Len {
		if !a.IsNull(i) {
			continue
		}
		if v.Valid == nil {
			v.Valid = make([]byte, a.Len)
			for k := range v.Valid {
				v.Valid[k] = 1
			}
		}
		v.Valid[i] = 0
	}
	return v, nil
}
