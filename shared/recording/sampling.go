package recording

import (
	"errors"

	"github.com/oniscope/oniscope/shared/stream"
)

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
// first batch with rows that can be read; 1 if they have no such rhythm.
func (r *Reader) measureStride(column int) (int, error) {
	for i := range r.batches {
		b, err := r.peekBatch(i, []int{column})
		var corrupt *CorruptError
		if errors.As(err, &corrupt) || err == nil && b.Rows == 0 {
			continue
		}
		if err != nil {
			return 0, err
		}
		return r.strideOf(&b.Columns[0]), nil
	}
	return 1, nil
}

// strideOf measures the rhythm of one vector.
func (r *Reader) strideOf(v *Vector) int {
	begins := make([]bool, v.Len)
	markBegins(begins, v)
	var borders []int
	for i, shown := range begins {
		if shown {
			borders = append(borders, i)
		}
	}
	if v.RunEnds != nil && len(borders) > 0 {
		// Writers that merge equal values make a few longer runs.
		lengths := map[int]int{}
		for k := 1; k < len(borders); k++ {
			lengths[borders[k]-borders[k-1]]++
		}
		if len(borders) == 1 {
			lengths[borders[0]]++
		}
		best := 0
		for length, n := range lengths {
			if best == 0 || n > lengths[best] || n == lengths[best] && length < best {
				best = length
			}
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
	if len(borders) < minBorders {
		return r.strideByName(v.Column)
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

// strideByName is what the names of the columns settle, for a signal that
// hardly changes.
func (r *Reader) strideByName(column int) int { return max(1, r.Stream().Columns[column].Stride) }
