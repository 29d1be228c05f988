package engine

import (
	"iter"
	"slices"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
)

// A part is a range of a list, half-open.
type part struct{ from, to int }

// chunks cuts a list of columns so that one batch of each part is one step.
func (s *openStream) chunks(columns []int, rows float64) iter.Seq[part] {
	limit := s.stepLimit()
	return func(yield func(part) bool) {
		for from := 0; from < len(columns); {
			to, bytes := from, int64(0)
			for to < len(columns) && (to == from || bytes < limit) {
				bytes += int64(rows) * int64(s.columns()[columns[to]].ByteWidth)
				to++
			}
			if !yield(part{from, to}) {
				return
			}
			from = to
		}
	}
}

// stepLimit is how many bytes of values one step reads.
func (s *openStream) stepLimit() int64 {
	if s.compressed {
		return stepBytesCompressed
	}
	return stepBytes
}

// together is how many batches of the columns and their clock one step reads.
func (s *openStream) together(columns []int) int {
	return int(min(int64(s.mostBatches()), max(1, s.stepLimit()/s.bytesOf(columns))))
}

// bytesOf is about the size of one batch of the columns, with its clock.
func (s *openStream) bytesOf(columns []int) int64 {
	width := 8
	for _, c := range columns {
		width += s.columns()[c].ByteWidth
	}
	return max(1, int64(float64(width)*s.perBatch))
}

// stride is how many rows share one value, if all columns agree, else 1.
func (s *openStream) stride(columns []int) int {
	stride := 1
	for i, c := range columns {
		n := s.strides[c]
		if i > 0 && n != stride {
			return 1
		}
		stride = n
	}
	return stride
}

// A batchRead is what came of reading columns of one batch.
type batchRead struct {
	vectors []*plotVector
	err     error // *recording.CorruptError: the batch is damaged
}

// read gives columns of batches, or of parts of them where these are not nil, as they are drawn, from the cache or from the
// file, where neighbouring batches that lack the same columns are read
// together: over a long recording the round trips are what takes time. keep
// puts what was read in the cache. The caller bounds how much it asks for.
func (e *Engine) read(s *openStream, batches, columns []int, parts []partRead, keep bool) ([]batchRead, error) {
	result := make([]batchRead, len(batches))
	missing := make([][]int, len(batches)) // positions in columns
	for k, batch := range batches {
		result[k].vectors = make([]*plotVector, len(columns))
		for i, c := range columns {
			if parts == nil || parts[k].to == 0 {
				result[k].vectors[i] = e.cache.vector(s, batch, c)
			} else if p, _ := e.cache.get(cacheKey{s, batch, c, someValues}).(*partVector); p != nil && p.partRead == parts[k] {
				result[k].vectors[i] = p.plotVector
			}
			if result[k].vectors[i] == nil {
				missing[k] = append(missing[k], i)
			}
		}
	}
	return result, alike(missing, func(from, to int) error {
		some := parts
		if parts != nil {
			some = parts[from:to]
		}
		return e.readMissing(s, batches[from:to], columns, missing[from], some, result[from:to], keep)
	})
}

// alike calls read for each stretch of batches that lack the same, if they lack
// anything.
func alike(missing [][]int, read func(from, to int) error) error {
	for from := 0; from < len(missing); {
		to := from + 1
		for to < len(missing) && slices.Equal(missing[from], missing[to]) {
			to++
		}
		if len(missing[from]) > 0 {
			if err := read(from, to); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

func (e *Engine) readMissing(s *openStream, batches, columns, missing []int, parts []partRead, result []batchRead, keep bool) error {
	wanted := make([]int, len(missing))
	for i, at := range missing {
		wanted[i] = columns[at]
	}
	s.mu.Lock()
	rows, exact := s.rowsOfAll(batches), false
	for k := range parts {
		if p := parts[k]; p.to > 0 {
			exact = true
			rows[k].From, rows[k].To = rows[k].From+int64(p.from), rows[k].From+int64(p.to)
		}
	}
	list, errs, err := s.reader.Peek(rows, wanted, exact)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	for k, batch := range batches {
		if errs[k] != nil {
			if !damaged(errs[k]) {
				return errs[k]
			}
			s.note(batch, errs[k])
			result[k] = batchRead{err: errs[k]}
			continue
		}
		fresh := make([]*plotVector, len(missing))
		for i, at := range missing {
			fresh[i] = s.plotVector(list[k], i)
			result[k].vectors[at] = fresh[i]
		}
		if keep && !s.closed.Load() {
			part := partRead{}
			if parts != nil {
				part = parts[k]
			}
			e.cache.putVectors(s, batch, part, fresh)
		}
	}
	return nil
}

// plotVector prepares column i of a batch for drawing. A slower signal is
// stored in three ways (run-end encoded, one value and nulls, each value
// repeated): all three become repeated values, of which own marks the real.
func (s *openStream) plotVector(b *recording.Batch, i int) *plotVector {
	v := &plotVector{Vector: b.Columns[i]}
	stride := s.strides[v.Column]
	switch {
	case v.RunEnds != nil:
		v.own = make([]byte, v.Len)
		at := int32(0)
		for _, end := range v.RunEnds {
			if int(at) < v.Len {
				v.own[at] = 1
			}
			at = end
		}
	case stride > 1 && v.Valid != nil && every(v.Valid, stride):
		v.own = v.Valid
		v.Data, v.Valid = held(v.Data, v.Valid, stride)
	case stride > 1 && v.Valid == nil:
		v.own = make([]byte, v.Len)
		for row := phase(v, stride); row < v.Len; row += stride {
			v.own[row] = 1
		}
	}
	return v
}

// every reports whether values lie stride rows apart, or a multiple of it.
func every(valid []byte, stride int) bool {
	first := -1
	for row, v := range valid {
		if v != 0 && first < 0 {
			first = row
		}
		if v != 0 && (row-first)%stride != 0 {
			return false
		}
	}
	return true
}

// held fills up to stride-1 nulls after a value with that value.
func held(data, valid []byte, stride int) (filled, validFilled []byte) {
	rows := len(valid)
	if rows == 0 {
		return data, valid
	}
	width := len(data) / rows
	filled, validFilled = make([]byte, len(data)), make([]byte, rows)
	copy(filled, data)
	copy(validFilled, valid)
	since := stride // rows since the last value
	for row := range rows {
		switch {
		case valid[row] != 0:
			since = 0
		case since+1 < stride:
			since++
			copy(filled[row*width:(row+1)*width], filled[(row-1)*width:row*width])
			validFilled[row] = 1
		default:
			since = stride
		}
	}
	return filled, validFilled
}

// phase is the row in [0, stride) at which repeated values change. A file cut
// out of a recording may begin anywhere in a run.
func phase(v *plotVector, stride int) int {
	if v.Len == 0 || v.Type.Width() == 0 {
		return 0
	}
	width := v.Type.Width()
	changes := make([]int, stride)
	for row := 1; row < min(v.Len, 400*stride); row++ {
		if string(v.Data[row*width:(row+1)*width]) != string(v.Data[(row-1)*width:row*width]) {
			changes[row%stride]++
		}
	}
	best := 0
	for p, n := range changes {
		if n > changes[best] {
			best = p
		}
	}
	return best
}

// sum adds rows of a column to bins; see recording.Sum.
func sum(bins []decimate.Bin, v *plotVector, edges []int) {
	recording.Sum(bins, &v.Vector, edges)
}

// stretch draws fewer rows than bins: each bin shows the row that it is at.
func stretch(bins []decimate.Bin, v *plotVector) {
	if v.Len == 0 {
		return
	}
	for b := range bins {
		row := b * v.Len / len(bins)
		sum(bins[b:b+1], v, []int{row, row + 1})
	}
}

// evenRows cuts rows into bins first up to, not including, end, of nearly
// equal size, for data that represent a span without a place in it.
func evenRows(rows, first, end int) (edges []int) {
	edges = make([]int, end-first+1)
	for i := range edges {
		edges[i] = int(int64(rows) * int64(i) / int64(end-first))
	}
	return edges
}
