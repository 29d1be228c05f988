package recording

import (
	"errors"
	"fmt"
)

// peekBatch is ReadBatch for callers that do not need row numbers: it reads no header
// but that of batch i, so that a look into the middle of a long recording costs
// what a look at its beginning does. Start of the batch is -1 unless the
// headers before it have been read already.
func (r *Reader) peekBatch(i int, columns []int) (*Batch, error) {
	return r.peekRows(BatchRows{Batch: i}, columns)
}

func (r *Reader) peekRows(s BatchRows, columns []int) (*Batch, error) {
	list, errs, err := r.Peek([]BatchRows{s}, columns, false)
	if err == nil {
		err = errs[0]
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// BatchRows are the rows [From, To) of a batch; To is 0 for all rows from From on.
// Very large batches are gone over in stretches of so many.
type BatchRows struct {
	Batch    int
	From, To int64
}

// to is the row after the last, in a batch of so many rows.
func (s BatchRows) to(rows int64) int64 {
	if s.To == 0 {
		return rows
	}
	return s.To
}

// PeekBatches is Peek for whole batches.
func (r *Reader) PeekBatches(batches, columns []int) (list []*Batch, errs []error, err error) {
	return r.Peek(wholeBatches(batches), columns, false)
}

func wholeBatches(batches []int) []BatchRows {
	list := make([]BatchRows, len(batches))
	for k, i := range batches {
		list[k].Batch = i
	}
	return list
}

// Peek is ReadBatch for rows of several batches and callers that do not need row
// numbers: it reads no headers but theirs, so that a look into the middle of a
// long recording costs what a look at its beginning does. Headers, and then
// columns, are read side by side where the source can: over a long recording
// the round trips are what takes time. errs[k] is set where stretch k cannot be
// read, as ReadBatch would say; err is the source's, and ends everything.
//
// exact says that the source is to read nothing between the values: of a view of few
// rows that may be much, and many small batches are read faster with it.
//
// All is held in memory at once: the caller bounds the number of rows.
func (r *Reader) Peek(stretches []BatchRows, columns []int, exact bool) (list []*Batch, errs []error, err error) {
	columns, err = r.checkColumns(columns)
	if err != nil {
		return nil, nil, err
	}
	if err := r.loadHeadersOf(stretches); err != nil {
		return nil, nil, err
	}
	list, errs = make([]*Batch, len(stretches)), make([]error, len(stretches))
	// Of all stretches together: small batches come by the thousand.
	width := len(columns)
	reads, parts := make([]batchRead, len(stretches)), make([]columnRead, len(stretches)*width)
	batches, vectors := make([]Batch, len(stretches)), make([]Vector, len(stretches)*width)
	fail := func(k int, err error) { errs[k] = r.atBuffer(stretches[k].Batch, err) }
	var pieces []*piece
	left := int64(maxReadBytes)
	for k, s := range stretches {
		h, err := r.headerOf(s)
		var corrupt *CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			return nil, nil, err
		}
		if err != nil {
			errs[k] = err
			continue
		}
		reads[k] = batchRead{r: r, h: h, fields: r.schema.Fields, from: s.From, to: s.to(h.batch.Length), left: left}
		for n, c := range columns {
			if parts[k*width+n], err = reads[k].plan(c); err != nil {
				fail(k, err)
				break
			}
		}
		if errs[k] == nil {
			left = reads[k].left
			pieces = append(pieces, reads[k].pieces...)
		}
	}
	if err := r.fetchNear(pieces, exact); err != nil {
		return nil, nil, err
	}
	for k, s := range stretches {
		if errs[k] != nil {
			continue
		}
		b := &batches[k]
		*b = Batch{Index: s.Batch, Start: -1, Rows: int(reads[k].to - s.From), Columns: vectors[k*width : (k+1)*width : (k+1)*width]}
		if s.Batch < len(r.starts)-1 {
			b.Start = r.starts[s.Batch] + s.From
		}
		err := reads[k].fill()
		if err == nil {
			err = reads[k].decodeAll(parts[k*width:(k+1)*width], b.Columns)
		}
		if err != nil {
			fail(k, err)
		}
		if errs[k] == nil {
			list[k] = b
		}
	}
	return list, errs, nil
}

// RowsOf is how many rows a batch has, by its header.
func (r *Reader) RowsOf(batch int) (int64, error) {
	if batch < 0 || batch >= len(r.batches) {
		return 0, fmt.Errorf("recording: batch %d: the file has %d", batch, len(r.batches))
	}
	h, err := r.header(batch)
	if err != nil {
		return 0, err
	}
	return h.batch.Length, nil
}

// firstRows are the rows of a batch, or as many of a very large one as say how it goes.
func (r *Reader) firstRows(i int) BatchRows {
	if h, err := r.header(i); err == nil && h.batch.Length > followedRows {
		return BatchRows{i, 0, followedRows}
	}
	return BatchRows{Batch: i}
}

// loadHeadersOf reads the headers of the batches that stretches are of.
func (r *Reader) loadHeadersOf(stretches []BatchRows) error {
	var batches []int
	for _, s := range stretches {
		if s.Batch < 0 || s.Batch >= len(r.batches) {
			return fmt.Errorf("recording: batch %d: the file has %d", s.Batch, len(r.batches))
		}
		if n := len(batches); n == 0 || batches[n-1] != s.Batch {
			batches = append(batches, s.Batch)
		}
	}
	return r.loadHeaders(batches)
}

// headerOf is the header of a stretch's batch, which has the stretch's rows.
func (r *Reader) headerOf(s BatchRows) (header, error) {
	h, err := r.header(s.Batch)
	if err == nil && (s.From < 0 || s.From > s.to(h.batch.Length) || s.to(h.batch.Length) > h.batch.Length) {
		return header{}, &RangeError{Start: s.From, End: s.To, Rows: h.batch.Length}
	}
	return h, err
}

// ClockEnds returns the Clock of the first and of the last row of batch i,
// reading no more than its header and these two values where the column is
// plain. It returns a *CorruptError if they cannot be had.
func (r *Reader) ClockEnds(i int) (first, last uint64, err error) {
	ends, err := r.clockEnds(i)
	return ends[0], ends[1], err
}
