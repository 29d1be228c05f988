package recording

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// How a file is opened. The two ends are read, and the schema is believed that
// recovery believes. Where the footer's blocks fill the file as a writer leaves
// them, they are the batches until a header contradicts them; everything else
// is walked from header to header. The walk is the one of recovery and
// verification, so a batch is here exactly where it is there.

// open reads the ends of the file and decides how its batches are found.
func (r *Reader) openEnds() error {
	var o messages.Options
	if r.open.SchemaFrom != nil {
		o = r.open.SchemaFrom.lend()
	}
	o.Intact = r.intactBy
	if n := len(r.open.Index); n > 0 {
		last := &r.open.Index[n-1]
		o.NoFooter = last.Offset+last.Length == r.size
	}
	ends, err := messages.FindEnds(r.source(), &o)
	if err != nil {
		return err
	}
	r.ends, r.end = ends, r.size
	if ends.Footer != nil {
		r.end = ends.FooterAt
	}
	r.setSchema(ends.Schema, ends.Version)
	if ends.Footer == nil && !ends.Stream && r.open.Index != nil {
		return r.openIndexed()
	}
	if ends.Footer == nil || !ends.Tiled() {
		return r.walk()
	}
	r.footer, r.metadata = true, ends.Footer.Metadata
	r.blocks, r.batches = ends.Footer.Batches, make([]batchState, len(ends.Footer.Batches))
	r.dictionaries.footer(ends.Footer)
	ends.Forget()
	r.starts = append(make([]int64, 0, len(r.batches)+1), 0)
	r.take(r.open.Index)
	return r.firstLook()
}

// lend gives the schema to a file that has lost its own.
func (r *Reader) lend() messages.Options {
	return messages.Options{Schema: &r.schema, Version: r.version, SchemaLength: r.ends.SchemaEnd - r.ends.SchemaAt}
}

// source is the file as the walk reads it.
func (r *Reader) source() *messages.Source {
	src := &messages.Source{Size: r.size, Step: r.step, ReadAt: func(p []byte, off int64) error { return r.readFull(p, off, &r.read.Metadata) }}
	if r.memory != nil {
		src.View = func(off, n int64) ([]byte, error) { return r.readAt(off, n, &r.read.Metadata) }
	}
	return src.Near()
}

// intactBy decodes a batch by a schema.
func (r *Reader) intactBy(s *arrowipc.Schema, m *messages.Message) (bool, error) {
	return body.IntactBy(r.src, r.size, s, m)
}

// walk finds the batches by going from message to message.
func (r *Reader) walk() error {
	if r.ends.Forgotten {
		var err error
		if r.ends, err = messages.FindEnds(r.source(), &messages.Options{Intact: r.intactBy}); err != nil {
			return err
		}
	}
	layout, err := messages.Walk(r.source(), r.ends)
	if err != nil {
		return err
	}
	ends := layout.Ends
	r.ends, r.walked, r.footer, r.end = ends, layout, ends.Footer != nil || ends.Stream && layout.Ended, r.size
	if ends.Footer != nil {
		r.end, r.metadata = ends.FooterAt, ends.Footer.Metadata
	}
	n := layout.Batches()
	r.blocks, r.verdicts, r.batches = nil, make([]int32, 0, n), make([]batchState, 0, n)
	r.starts = append(make([]int64, 0, n+1), 0)
	r.headers, r.odd, r.ticks, r.findings, r.filled = headerCache{}, exceptions{}, tickEnds{}, nil, 0
	r.dictionaries = dictionaries{index: messages.DictionariesOf(layout)}
	lost := false // since the batch before
	for i := range layout.Verdicts {
		v := &layout.Verdicts[i]
		switch v.Kind {
		case messages.Loss:
			lost = true
			if ends.Footer == nil {
				continue
			}
			cause := fmt.Errorf("%w: %s", ErrDamaged, messages.Plain(v.Reason))
			for range v.Batches { // they are counted, and have no rows
				note(&r.odd.failed, len(r.batches), error(&CorruptError{Offset: v.At, Batch: len(r.batches), Err: cause}))
				note(&r.odd.found, len(r.batches), true)
				r.verdicts, r.batches = append(r.verdicts, int32(i)), append(r.batches, batchState{})
				r.starts = append(r.starts, r.starts[len(r.starts)-1])
			}
		case messages.Batch:
			if lost {
				note(&r.odd.afterLoss, len(r.batches), true)
			}
			r.verdicts, r.batches = append(r.verdicts, int32(i)), append(r.batches, checkedBatch(v.Rows, v.Codec))
			lost = false
			r.starts = append(r.starts, r.starts[len(r.starts)-1]+v.Rows)
		case messages.Dictionary:
			r.dictionaries.list = append(r.dictionaries.list, dictionaryMessage{block: v.Block()})
		}
	}
	r.dictionaries.listed = len(r.dictionaries.list) > 0
	r.generation++
	return nil
}

// find keeps a finding; one a batch.
func (r *Reader) find(f Finding) {
	if f.Batch >= 0 && f.Batch < len(r.batches) {
		if r.odd.found[f.Batch] {
			return
		}
		note(&r.odd.found, f.Batch, true)
	}
	f.Reason = messages.Plain(f.Reason)
	f.Count, f.LastOffset = 1, f.Offset
	r.findings = append(r.findings, f)
}

// corrupt keeps damage of a batch as a finding and returns it as the error.
func (r *Reader) corrupt(batch int, offset int64, cause error) error {
	b := r.blockOf(batch)
	lost := int64(-1)
	if b := &r.batches[batch]; b.checked {
		lost = b.rows()
	}
	length := max(0, min(r.end-b.Offset, int64(b.MetaLength)+min(b.BodyLength, r.end)))
	r.find(Finding{Offset: b.Offset, Length: length, Batch: batch, Severity: SeverityError, Reason: cause.Error(), LostRows: lost})
	if !errors.Is(cause, ErrBounds) && !errors.Is(cause, ErrDamaged) {
		cause = fmt.Errorf("%w: %w", ErrDamaged, cause)
	}
	return &CorruptError{Offset: offset, Batch: batch, Err: cause}
}

// Files returns where the files or streams lie that were joined byte by byte, in
// bytes: one range, of the whole file, where none were. Where the last has other
// columns than those before it, further ones may lie in its range, which a
// Reader of it finds.
func (r *Reader) Files() []Range {
	begin := []int64{0}
	if r.walked != nil {
		for _, j := range r.walked.Joints {
			begin = append(begin, j.At)
		}
	}
	files := make([]Range, len(begin))
	for i, at := range begin {
		files[i] = Range{at, r.size}
		if i > 0 {
			files[i-1].End = at
		}
	}
	return files
}
