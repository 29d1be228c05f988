package engine

import (
	"math"
	"slices"
)

// Of the blocks that a view cuts only the rows that it needs are read, at the first
// look. A second look that needs others reads them whole: whoever moves will want the
// rest.

// A partRead is the rows [from, to) of a block; the zero value is all of them.
type partRead struct{ from, to int }

// partMargin is how many rows besides are read on each side of those of a view, or as
// many as share a value of a slower signal.
const partMargin = 2

// phaseRows is of how many values the rhythm of a slower signal is found.
const phaseRows = 400

// parts says what to read of blocks for a view.
func (e *Engine) parts(s *openStream, q *request, blocks, columns []int) []partRead {
	list := make([]partRead, len(blocks))
	for k, block := range blocks {
		list[k], _ = e.part(s, q, block, columns)
	}
	return list
}

// part says what to read of a block for a view; all reports whether nothing of that is
// left to be read.
func (e *Engine) part(s *openStream, q *request, block int, columns []int) (p partRead, all bool) {
	whole := partRead{}
	if s.compressed {
		return whole, false
	}
	wanted, rows, ok := s.wantedRows(q, block, columns)
	if !ok || (wanted.to-wanted.from)*100 > rows*97 {
		return whole, false
	}
	kept := partRead{}
	all = true
	for _, c := range columns {
		p, _ := e.cache.get(cacheKey{s, block, c, someValues}).(*partVector)
		if e.cache.has(cacheKey{s, block, c, values}) || p != nil && kept.to > 0 && p.partRead != kept {
			return whole, false
		}
		if all = all && p != nil; p != nil {
			kept = p.partRead
		}
	}
	switch {
	case kept.to == 0:
		return wanted, false
	case kept.from <= wanted.from && wanted.to <= kept.to:
		return kept, all
	}
	return whole, false
}

// wantedRows says which rows of a block a view needs, with those beside it, where
// that can be told from the ends of its Clock.
func (s *openStream) wantedRows(q *request, block int, columns []int) (p partRead, rows int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.odd[block] || !s.axis.Plain() {
		return p, 0, false
	}
	at := s.line.places[block] // of both ends of a view it is known
	first, last := at.first, at.last
	if at.state != trusted || last <= first || first >= q.From && last < q.To {
		return p, 0, false
	}
	rows, err := s.exactRows(block)
	if err != nil || rows < 2 || !s.even(first, last, rows) {
		return p, 0, false
	}
	stride := 1
	for _, c := range columns {
		stride = max(stride, s.strides[c])
	}
	margin := partMargin + stride
	step := (last - first) / float64(rows-1)
	p.from = int(math.Max(0, math.Min(float64(rows-1), math.Floor((q.From-first)/step)-float64(margin))))
	p.to = int(math.Max(1, math.Min(float64(rows), math.Ceil((q.To-first)/step)+1+float64(margin))))
	p.to = max(p.to, p.from+1)
	return p, rows, stride == 1 || p.to-p.from >= phaseRows*stride
}

// outside reports whether a view may have other rows of a block than the part of it that
// was read, by the ticks of that: what Clock says of its ends may be wrong. The part is
// the whole block then.
func (s *openStream) outside(p *partRead, block int, ticks []uint64, q *request) bool {
	if p.to == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.exactRows(block)
	n := len(ticks)
	if err == nil && n > 0 && slices.IsSorted(ticks) && (p.from == 0 || float64(ticks[0]) < q.From) && (p.to == rows || float64(ticks[n-1]) >= q.To) {
		return false
	}
	if s.odd == nil {
		s.odd = map[int]bool{}
	}
	s.odd[block], *p = true, partRead{}
	return true
}

// someValues is the level of columns of which a part is kept.
const someValues = -2

// A partVector is a part of a column.
type partVector struct {
	*plotVector
	partRead
}
