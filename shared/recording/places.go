package recording

import "github.com/oniscope/oniscope/shared/stream"

// A Place is where the values of a column of a stretch are in the file, one after
// another, little endian, when they are stored plainly: without nulls,
// compression, runs and dictionaries, in whole bytes.
type Place struct {
	Offset int64
	Rows   int64
	Type   stream.Type
	Plain  bool // else the values must be had by Peek

	// Validity is where a bit for each row is, which by the header are all 1; 0: there
	// are none. C# writes them for every column. If one is not 1 the batch is damaged,
	// as Peek says.
	Validity int64
}

// Places says where the columns of stretches are, places[k][n] column n of stretch k.
// It reads the headers of their batches that have not been read. As with
// Peek errs[k] is set where stretch k cannot be read, and err is the source's.
func (r *Reader) Places(stretches []BatchRows, columns []int) (places [][]Place, errs []error, err error) {
	if columns, err = r.checkColumns(columns); err != nil {
		return nil, nil, err
	}
	if err := r.loadHeadersOf(stretches); err != nil {
		return nil, nil, err
	}
	places, errs = make([][]Place, len(stretches)), make([]error, len(stretches))
	for k, s := range stretches {
		h, err := r.headerOf(s)
		if err != nil {
			if !isCorrupt(err) {
				return nil, nil, err
			}
			errs[k] = err
			continue
		}
		places[k] = make([]Place, len(columns))
		for n, c := range columns {
			b := batchRead{r: r, h: h, fields: r.schema.Fields, from: s.From, to: s.to(h.batch.Length), left: maxReadBytes}
			part, err := b.plan(c)
			if err != nil {
				errs[k] = r.atBuffer(s.Batch, err)
				break
			}
			p := &places[k][n]
			p.Rows, p.Type = b.to-b.from, part.typ
			if v := part.values; v != nil && part.ends == nil && part.nulls == 0 && !v.compressed && part.layout.Bits == 8*part.layout.Width {
				p.Offset, p.Plain = v.at+v.lo, true
				if part.valid != nil {
					p.Validity, p.Plain = part.valid.at+part.valid.lo, b.from%8 == 0
				}
			}
		}
	}
	return places, errs, nil
}
