package recording

import (
	"math"

	"github.com/oniscope/oniscope/shared/stream"
)

// settleBatches is how many batches are looked at for a stride.
const settleBatches = 4

// Subsample says how a column holds a signal that is slower than its rows, and
// every how many rows there is a real value: "run-end" (run-end encoded), "nulls"
// (nulls between), "repeat" (each value repeated, as the metadata say), "none"
// (stride 1). Where the metadata say nothing, the stride is the one that the
// headers of the first batches leave room for; where they leave room for several,
// as in a slice of a few rows, it is 1: unknown.
func (r *Reader) Subsample(column int) (kind string, stride int, err error) {
	c := &r.Stream().Columns[column]
	kind = "none"
	switch {
	case c.RunEnd:
		kind = "run-end"
	case c.Stride > 1:
		kind = "repeat"
	}
	if c.Type == stream.Other {
		return "none", 1, nil
	}
	room := strideRoom{2, math.MaxInt64}
	for i, looked := 0, 0; i < len(r.batches) && looked < settleBatches; i++ {
		if r.odd.failed[i] != nil || r.batches[i].checked && r.batches[i].rows() == 0 {
			continue
		}
		h, err := r.header(i)
		if isCorrupt(err) {
			continue
		}
		if err != nil {
			return "", 0, err
		}
		node := h.batch.Nodes[h.spans[column].Node]
		rows, values := h.batch.Length, h.batch.Length-max(0, node.NullCount)
		if c.RunEnd {
			values = h.batch.Nodes[h.spans[column].Node+1].Length
		} else if node.NullCount > 0 && values > 0 && rows >= 2*values {
			kind = "nulls"
		}
		looked++
		switch {
		case values == 0:
			continue
		case c.Stride > 0:
			return kind, c.Stride, nil
		case kind == "none":
			return kind, 1, nil
		}
		room.narrow(rows, values, c.RunEnd, i > 0)
		if room.least == room.most {
			return kind, int(room.least), nil
		}
	}
	return kind, max(1, c.Stride), nil
}

// A strideRoom is which strides headers leave room for.
type strideRoom struct{ least, most int64 }

// narrow takes a batch of so many rows with so many values into account. Of runs
// the last may be incomplete, of values between nulls rows may follow the last;
// the same before the first, unless the batch begins with a value, as those of all
// writers do; only the first batch of a slice does not.
func (s *strideRoom) narrow(rows, values int64, runs, whole bool) {
	least, inside, across := (rows+values-1)/values, rows-2, values-2
	if !runs {
		least, inside, across = rows/(values+1)+1, rows-1, values-1
	}
	if whole {
		least, inside, across = (rows+values-1)/values, rows-1, values-1
	}
	s.least = max(s.least, least)
	if across > 0 {
		s.most = min(s.most, inside/across)
	}
}

// minBorders is how many changes of its value a column must show for the
// rhythm of its changes to be measured.
const minBorders = 8

// A rhythm is how a column is sampled.
type rhythm struct {
	kind   string
	stride int
}

// sampling is Subsample for callers that read the values: where the metadata say
// nothing it measures the first batch that can be read.
func (r *Reader) sampling(column int) (kind string, stride int, err error) {
	if m, ok := r.rhythms[column]; ok {
		return m.kind, m.stride, nil
	}
	kind, stride, err = r.Subsample(column)
	if err != nil {
		return "", 0, err
	}
	c := &r.Stream().Columns[column]
	_, _, number := stream.Label(c.Name)
	if kind != "nulls" && c.Stride <= 1 && (c.RunEnd || number >= 0) {
		if stride, err = r.measureStride(column); err != nil {
			return "", 0, err
		}
		switch {
		case stride > 1 && !c.RunEnd:
			kind = "repeat"
		case !c.RunEnd:
			kind = "none"
		}
	}
	if r.rhythms == nil {
		r.rhythms = map[int]rhythm{}
	}
	r.rhythms[column] = rhythm{kind, stride}
	return kind, stride, nil
}

// measureStride finds every how many rows the values of a column begin, in the
// first batches with rows that can be read; 1 if they show no such rhythm.
func (r *Reader) measureStride(column int) (int, error) {
	looked := 0
	for i := 0; i < len(r.batches) && looked < settleBatches; i++ {
		b, err := r.peekRows(r.firstRows(i), []int{column})
		if isCorrupt(err) || err == nil && b.Rows == 0 {
			continue
		}
		if err != nil {
			return 0, err
		}
		if stride := strideOf(&b.Columns[0]); stride > 0 {
			return stride, nil
		}
		looked++
	}
	return r.strideByName(column), nil
}

// strideOf measures the rhythm of one vector, 1 if it has none, 0 if it shows too
// little to measure. Only what lies between two beginnings is measured: what the
// batch begins and ends with may be a part of a value's rows.
func strideOf(v *Vector) int {
	begins := make([]bool, v.Len)
	markBegins(begins, v)
	var borders []int
	for i, shown := range begins {
		if shown {
			borders = append(borders, i)
		}
	}
	if v.RunEnds != nil {
		return strideOfRuns(borders)
	}
	if len(borders) < minBorders && (v.Valid == nil || len(borders) < 3) {
		return 0
	}
	stride := 0
	for k := 1; k < len(borders); k++ {
		for a, b := stride, borders[k]-borders[k-1]; ; a, b = b, a%b {
			if b == 0 {
				stride = a
				break
			}
		}
	}
	return stride
}

// strideOfRuns is the length of most runs, of which the others are multiples:
// writers that merge equal values make a few longer ones.
func strideOfRuns(borders []int) int {
	lengths := map[int]int{}
	for k := 1; k < len(borders); k++ {
		lengths[borders[k]-borders[k-1]]++
	}
	best := 0
	for length, n := range lengths {
		if best == 0 || n > lengths[best] || n == lengths[best] && length < best {
			best = length
		}
	}
	if lengths[best] < 2 {
		return 0
	}
	if 2*lengths[best] < len(borders)-1 {
		return 1
	}
	for length := range lengths {
		if length%best != 0 {
			return 1
		}
	}
	return best
}

// strideByName is what the names of the columns settle, for a signal that
// hardly changes.
func (r *Reader) strideByName(column int) int { return max(1, r.Stream().Columns[column].Stride) }
