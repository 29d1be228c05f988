package export

import (
	"context"
	"errors"

	"github.com/oniscope/oniscope/shared/recording"
)

// A Segment is rows of an output, half open, whose Clock rises from First to Last.
type Segment struct {
	Start  int64   `json:"start"`
	End    int64   `json:"end"`
	First  uint64  `json:"start_clock"` // ticks of the first row
	Last   uint64  `json:"last_clock"`  // ticks of the last one
	RateHz float64 `json:"rate_hz"`     // rows a second of the output; 0: not even, or no rate of Clock is known
}

// clockOf returns the Clock of a row, otherwise where it cannot be read.
func clockOf(ctx context.Context, r *recording.Reader, row int64, otherwise uint64) (uint64, error) {
	clock, ok := r.Stream().Clock()
	if !ok {
		return otherwise, nil
	}
	one, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{Start: row, End: row + 1}, Columns: []string{r.Stream().Names()[clock]}})
	if err != nil {
		return otherwise, err
	}
	for b, err := range one.Batches(ctx) {
		var corrupt *recording.CorruptError
		if errors.As(err, &corrupt) { // of a file that goes on all the same
			return otherwise, nil
		}
		if err != nil {
			return otherwise, err
		}
		return recording.Values[uint64](&b.Columns[0])[0], nil
	}
	return otherwise, nil
}

// A segmentPlace says which rows of a segment are in the output.
type segmentPlace struct {
	index       int   // of the segment
	first, last int64 // of them, as rows of the recording
	start, end  int64 // as rows of the output
}

// place notes the segments of rows that are about to be written.
func (j *job) place(b *recording.Batch) {
	stride := int64(j.x.Stride())
	above := func(row int64) int64 { return (row - b.Start + stride - 1) / stride } // the first row of b that is not before row
	end := b.Start + int64(b.Rows)*stride
	at := 0 // of the segments: the last that has begun, or the first
	if n := len(j.places); n > 0 {
		at = j.places[n-1].index
	}
	for ; at < len(j.times.Segments) && j.times.Segments[at].Start < end; at++ {
		s := &j.times.Segments[at]
		from, to := above(max(s.Start, b.Start)), above(min(s.End, end))
		if s.End <= b.Start || from >= to {
			continue
		}
		n := len(j.places)
		if n == 0 || j.places[n-1].index != at {
			j.places = append(j.places, segmentPlace{index: at, first: b.Start + from*stride, start: j.report.Rows + from})
			n++
		}
		p := &j.places[n-1]
		p.last, p.end = b.Start+(to-1)*stride, j.report.Rows+to
	}
}

// endSegments writes the segments into the report, with the ticks of the rows that
// were written first and last.
func (j *job) endSegments() error {
	for _, p := range j.places {
		s := &j.times.Segments[p.index]
		out := Segment{Start: p.start, End: p.end, First: s.ClockFirst, Last: s.ClockLast, RateHz: s.RateHz / float64(j.x.Stride())}
		var err error
		if p.first != s.Start {
			out.First, err = clockOf(j.ctx, j.r, p.first, out.First)
		}
		if p.last != s.End-1 && err == nil {
			out.Last, err = clockOf(j.ctx, j.r, p.last, out.Last)
		}
		if err != nil {
			return err
		}
		j.report.Segments = append(j.report.Segments, out)
	}
	return nil
}
