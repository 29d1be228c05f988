package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/stream"
)

// A Place is where the values of a column of a batch are in the file, one after
// another, little endian, when they are stored plainly: without nulls,
// compression, runs and dictionaries, in whole bytes.
type Place struct {
	Offset int64
	Rows   int64
	Type   stream.Type
	Plain  bool // else the values must be had by PeekBatches

	// Validity is where a bit for each row is, which by the header are all 1; 0: there
	// are none. C# writes them for every column. If one is not 1 the batch is damaged,
	// as PeekBatches says.
	Validity int64
}

// Places says where the columns of batches are, places[k][n] column n of batch k.
// It reads the headers of these batches that have not been read. As with
// PeekBatches errs[k] is set where batch k cannot be read, and err is the
// source's.
func (r *Reader) Places(batches, columns []int) (places [][]Place, errs []error, err error) {
	if columns, err = r.checkColumns(columns); err != nil {
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
	places, errs = make([][]Place, len(batches)), make([]error, len(batches))
	for k, i := range batches {
		h, err := r.header(i)
		if err != nil {
			if !isCorrupt(err) {
				return nil, nil, err
			}
			errs[k] = err
			continue
		}
		places[k] = make([]Place, len(columns))
		for n, c := range columns {
			b := batchRead{r: r, h: h, fields: r.schema.Fields, to: h.batch.Length, left: maxReadBytes}
			part, err := b.plan(c)
			if err != nil {
				errs[k] = r.atBuffer(i, err)
				break
			}
			p := &places[k][n]
			p.Rows, p.Type = h.batch.Length, part.typ
			if v := part.values; v != nil && part.ends == nil && part.nulls == 0 && !v.compressed && part.layout.Bits == 8*part.layout.Width {
				p.Offset, p.Plain = v.at, true
				if part.valid != nil {
					p.Validity = part.valid.at
				}
			}
		}
	}
	return places, errs, nil
}
