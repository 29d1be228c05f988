package recording

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A dictionaryCopy writes the dictionaries that a slice needs.
//
// A stream gets the messages where the batches need them. A file gets each
// dictionary once, in front, with all values that the range uses: many readers
// know no deltas in files, and none knows a dictionary that begins anew.
type dictionaryCopy struct {
	r      *Reader
	w      *Writer
	fields []*arrowipc.Field // with a dictionary, one for each id, inner ones first
	x      *Excerpt
	o      *CopyOptions
	done   map[int64]dictionary // how far each is written, by id
	begun  bool                 // those of a file are written
	err    error                // of that
	ends   map[int64]wholeEnd   // of those of a file, by id
}

// A wholeEnd says how much of a dictionary a file has: the messages up to last,
// because err is wrong with those after it.
type wholeEnd struct {
	last int
	err  error
}

func newDictionaryCopy(w *Writer, fields []arrowipc.Field, x *Excerpt, o *CopyOptions) *dictionaryCopy {
	d := &dictionaryCopy{r: x.r, w: w, x: x, o: o, done: map[int64]dictionary{}, ends: map[int64]wholeEnd{}}
	body.EachDictionary(fields, func(f *arrowipc.Field) {
		if !slices.ContainsFunc(d.fields, func(g *arrowipc.Field) bool { return g.Dictionary.ID == f.Dictionary.ID }) {
			d.fields = append(d.fields, f)
		}
	})
	return d
}

// before writes what has to precede a batch. The error is a *CorruptError
// if a dictionary of it is damaged: no batch can do without it.
func (d *dictionaryCopy) before(batch int) error {
	if len(d.fields) == 0 {
		return nil
	}
	err := d.err
	if d.o.Format == StreamFormat {
		err = d.stream(batch)
	} else {
		if !d.begun {
			d.begun = true
			d.err = d.file(batch)
			err = d.err
		}
		if err == nil {
			err = d.has(batch)
		}
	}
	var bad *bufferError
	if errors.As(err, &bad) {
		return d.r.corrupt(batch, bad.offset, bad.err)
	}
	return err
}

// stream writes the messages that batch needs and that are not yet written.
func (d *dictionaryCopy) stream(batch int) error {
	at := d.r.offset(batch)
	for _, f := range d.fields {
		chain, err := d.r.chain(f.Dictionary.ID, at)
		if err != nil {
			return err
		}
		if len(chain) == 0 {
			if err := d.empty(f); err != nil {
				return err
			}
			continue
		}
		was, ok := d.done[f.Dictionary.ID]
		next := 0
		if ok && was.first == chain[0] {
			next = sort.SearchInts(chain, was.last+1)
		}
		for k, i := range chain[next:] {
			if err := d.message(f, i, next+k > 0, at); err != nil {
				return err
			}
		}
		d.done[f.Dictionary.ID] = dictionary{first: chain[0], last: chain[len(chain)-1]}
	}
	return nil
}

// file writes whole dictionaries for all batches of the range, the first of
// which is given.
func (d *dictionaryCopy) file(first int) error {
	last := first
	for cut, err := range d.x.cuts(true) {
		if err != nil {
			return err
		}
		last = cut.batch
	}
	for _, f := range d.fields {
		if err := d.whole(f, first, last); err != nil {
			return err
		}
	}
	return nil
}

// has reports what is wrong with the dictionaries of a batch: those after it
// may be damaged, and it can be copied all the same.
func (d *dictionaryCopy) has(batch int) error {
	at := d.r.offset(batch)
	for _, f := range d.fields {
		chain, err := d.r.chain(f.Dictionary.ID, at)
		if err != nil {
			return err
		}
		if end := d.ends[f.Dictionary.ID]; end.err != nil && len(chain) > 0 && chain[len(chain)-1] > end.last {
			return end.err
		}
	}
	return nil
}

// whole writes the dictionary of a field as it is for the last batch, which
// has to do for all from the first on.
func (d *dictionaryCopy) whole(f *arrowipc.Field, first, last int) error {
	id := f.Dictionary.ID
	type state struct {
		at    int64 // of a batch that it is for
		chain []int
	}
	var states []state // as the dictionary grows
	seen := -1         // the last message of the batch before
	for i := first; i <= last; i++ {
		offset := d.r.offset(i)
		next, err := d.r.chain(id, offset)
		if err != nil || len(next) == 0 {
			continue // that batch says so itself
		}
		if next[len(next)-1] == seen {
			continue
		}
		seen = next[len(next)-1]
		if n := len(states); n > 0 && next[0] != states[n-1].chain[0] {
			grows, err := d.goesOn(f, states[n-1].at, offset, i)
			if err != nil {
				return err
			}
			if !grows {
				continue
			}
		}
		states = append(states, state{offset, next})
	}
	var damage error
	for k := len(states) - 1; k >= 0; k-- {
		s := states[k]
		err := d.values(f, s.chain, s.at)
		var bad *bufferError
		if errors.As(err, &bad) {
			damage = err
			continue // what was there before may be intact
		}
		d.ends[id] = wholeEnd{s.chain[len(s.chain)-1], damage}
		return err
	}
	d.ends[id] = wholeEnd{-1, damage}
	return d.empty(f)
}

// goesOn compares a dictionary that begins anew, for the batch i at an offset,
// with the values it had at was. Writers without deltas begin anew to add
// values; in a stream that is there twice it has the first of them again, and
// does not grow. One with other values is an error.
func (d *dictionaryCopy) goesOn(f *arrowipc.Field, was, at int64, i int) (grows bool, err error) {
	before, err := d.r.dictionary(f, was)
	if err != nil {
		return true, nil // whoever needs it says so
	}
	now, err := d.r.dictionary(f, at)
	switch {
	case err != nil || beginsWith(now, before):
		return true, nil
	case beginsWith(before, now):
		return false, nil
	}
	return false, fmt.Errorf("%w: the dictionary of column %q is another from batch %d on, which only a stream can have: write a stream, or slice the batches before it apart from the others", ErrUnsupported, f.Name, i)
}

// values writes a dictionary that some messages make.
func (d *dictionaryCopy) values(f *arrowipc.Field, chain []int, at int64) error {
	if len(chain) == 1 {
		return d.message(f, chain[0], false, at)
	}
	values, err := d.r.dictionary(f, at)
	if err != nil {
		return err
	}
	return d.w.writeDictionary(f.Dictionary.ID, false, values, d.codec(chain[0]))
}

// empty writes a dictionary of no values, once, for batches that use none of it:
// readers want one.
func (d *dictionaryCopy) empty(f *arrowipc.Field) error {
	id := f.Dictionary.ID
	if _, ok := d.done[id]; ok {
		return nil
	}
	message, block, err := body.EmptyDictionary(&arrowipc.Schema{Fields: []arrowipc.Field{*f}}, id, d.w.size, bodyAlign)
	if err != nil {
		return err
	}
	d.done[id] = dictionary{first: -1, last: -1}
	return d.w.addDictionary(message, block)
}

// beginsWith reports whether a dictionary's first values are those of another.
func beginsWith(long, short *array.Array) bool {
	if long.Len < short.Len {
		return false
	}
	return bytes.Equal(flat(long.Slice(0, short.Len)), flat(short.Slice(0, short.Len)))
}

// flat is all that an array's nodes and buffers say.
func flat(a *array.Array) []byte {
	var out []byte
	a.Walk(
		func(n arrowipc.FieldNode) { out = fmt.Appendf(out, "%d %d;", n.Length, n.NullCount) },
		func(p []byte) { out = append(fmt.Appendf(out, "%d:", len(p)), p...) },
		func(int64) {},
	)
	return out
}

// codec is how the values of a message are to be compressed.
func (d *dictionaryCopy) codec(message int) Codec {
	if d.o.Codec == Keep {
		return codecOf(d.r.dictionaries.list[message].batch.Codec)
	}
	return d.o.Codec
}

// message copies one message.
func (d *dictionaryCopy) message(f *arrowipc.Field, i int, delta bool, at int64) error {
	b, err := d.r.dictionaryRead(messages.DictionaryField(d.r.schema.Fields, f.Dictionary.ID), i)
	if err != nil {
		return err
	}
	if err := b.whole(0); err != nil {
		return err
	}
	if err := d.r.fetch(b.pieces, &d.r.read.Body); err != nil {
		return err
	}
	a, err := b.array(0, at)
	if err != nil {
		return err
	}
	if err := d.r.work(int(a.Bytes())); err != nil {
		return err
	}
	if d.o.Codec != Keep || b.h.version < arrowipc.V5 && laidOutByV4(a.Field) {
		return d.w.writeDictionary(f.Dictionary.ID, delta, a, d.codec(i))
	}
	s := &storedBatch{codec: b.h.batch.Codec, rows: b.h.batch.Length, metadata: b.h.metadata}
	s.add(b, 0)
	return d.w.writeStoredDictionary(f.Dictionary.ID, delta, s)
}

// writeDictionary appends the values of a dictionary.
func (w *Writer) writeDictionary(id int64, delta bool, values *array.Array, codec Codec) error {
	if values.NullUnions() {
		return fmt.Errorf("%w: column %q has unions that are null, as before Arrow 1.0, which nothing writes any more: leave the column out", ErrUnsupported, values.Field.Name)
	}
	e := w.enc
	e.begin(codec, values.Len, int(values.Bytes()))
	e.array(values)
	if err := e.done(int(values.Bytes()), int64(len(e.message)-e.room)); err != nil {
		return fmt.Errorf("recording: dictionary %d: %w", id, err)
	}
	message, block := e.finish(w.size, dictionaryHeader(id, delta), nil)
	return w.addDictionary(message, block)
}

// writeStoredDictionary is writeDictionary for values as they are in another
// file.
func (w *Writer) writeStoredDictionary(id int64, delta bool, s *storedBatch) error {
	message, block, err := w.encodeStored(s, dictionaryHeader(id, delta))
	if err != nil {
		return fmt.Errorf("recording: dictionary %d: %w", id, err)
	}
	return w.addDictionary(message, block)
}

func (w *Writer) addDictionary(message []byte, block arrowipc.Block) error {
	if err := w.usable(); err != nil {
		return err
	}
	if err := w.write(message, "dictionary"); err != nil {
		return err
	}
	w.dictionaries = append(w.dictionaries, block)
	return nil
}

func dictionaryHeader(id int64, delta bool) headerAppender {
	return func(dst []byte, at int64, align int, r *arrowipc.RecordBatch, bodyLength int64, metadata []arrowipc.KeyValue) []byte {
		return arrowipc.AppendDictionaryBatch(dst, at, align, id, delta, r, bodyLength, metadata)
	}
}
