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
	list, errs, err := r.PeekBatches([]int{i}, columns)
	if err == nil {
		err = errs[0]
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// PeekBatches is ReadBatch for several batches and callers that do not need row
// numbers: it reads no headers but theirs, so that a look into the middle of a
// long recording costs what a look at its beginning does. Headers, and then
// columns, are read side by side where the source can: over a long recording
// the round trips are what takes time. errs[k] is set where batch k cannot be
// read, as ReadBatch would say; err is the source's, and ends everything.
//
// All is held in memory at once: the caller bounds the number of batches.
func (r *Reader) PeekBatches(batches, columns []int) (list []*Batch, errs []error, err error) {
	columns, err = r.checkColumns(columns)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range batches {
		if i < 0 || i >= len(r.batches) {
			return nil, nil, fmt.Errorf("recording: batch %d: the file has %d", i, len(r.batches))
		}
	}
	if err := r.loadHeaders(batches); err != nil {
		return nil, nil, err
	}
	list, errs = make([]*Batch, len(batches)), make([]error, len(batches))
	reads, parts := make([]batchRead, len(batches)), make([][]columnRead, len(batches))
	fail := func(k int, err error) { errs[k] = r.atBuffer(batches[k], err) }
	var pieces []*piece
	left := int64(maxReadBytes)
	for k, i := range batches {
		h, err := r.header(i)
		var corrupt *CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			return nil, nil, err
		}
		if err != nil {
			errs[k] = err
			continue
		}
		reads[k] = batchRead{r: r, h: h, fields: r.schema.Fields, to: h.batch.Length, left: left}
		parts[k] = make([]columnRead, len(columns))
		for n, c := range columns {
			if parts[k][n], err = reads[k].plan(c); err != nil {
				fail(k, err)
				break
			}
		}
		if errs[k] == nil {
			left = reads[k].left
			pieces = append(pieces, reads[k].pieces...)
		}
	}
	if err := r.fetchNear(pieces); err != nil {
		return nil, nil, err
	}
	for k, i := range batches {
		if errs[k] != nil {
			continue
		}
		b := &Batch{Index: i, Start: -1, Rows: int(reads[k].to), Columns: make([]Vector, len(columns))}
		if i < len(r.starts)-1 {
			b.Start = r.starts[i]
		}
		if err := reads[k].decodeAll(parts[k], b.Columns); err != nil {
			fail(k, err)
		}
		if errs[k] == nil {
			list[k] = b
		}
	}
	return list, errs, nil
}

// ClockEnds returns the Clock of the first and of the last row of batch i,
// reading no more than its header and these two values where the column is
// plain. It returns a *CorruptError if they cannot be had.
func (r *Reader) ClockEnds(i int) (first, last uint64, err error) {
	ends, err := r.clockEnds(i)
	return ends[0], ends[1], err
}
