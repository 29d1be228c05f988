package recording

import "context"

// A segment is a stretch of batches whose Clock rises; where it starts anew
// another begins. A gap is inside a segment. Source: spec 3.2.
type segment struct {
	first, last int       // batches, the first and the last whose Clock can be trusted
	ticks       [2]uint64 // the first and the last
}

// everyEnd is up to how many batches the ends of all are read. In longer
// recordings the end of a segment is searched for: from its beginning the steps
// double, and a clock that began anew within a step has counted for a shorter
// time than the one before the step, so that it is below. That is sure for
// streams that deliver evenly and clocks that begin alike; of events a segment
// may pass unseen that is followed by a much longer one.
const everyEnd = 64

// segments finds the segments of a recording, in order.
func (r *Reader) segments(ctx context.Context) ([]segment, error) {
	var list []segment
	n := len(r.batches)
	ends, i, err := r.trusted(0, n, 1)
	for err == nil && i >= 0 {
		s := segment{first: i, last: i, ticks: ends}
		if err = r.grow(ctx, &s); err != nil {
			return nil, err
		}
		list = append(list, s)
		ends, i, err = r.trusted(s.last+1, n, 1)
	}
	return list, err
}

// grow finds the end of a segment of which the first batch is known.
func (r *Reader) grow(ctx context.Context, s *segment) error {
	n := len(r.batches)
	for step := 1; s.last < n-1; step *= 2 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n <= everyEnd {
			step = 1
		}
		to := min(s.first+step, n-1)
		to = max(to, s.last+1)
		ends, i, err := r.trusted(to, n, 1)
		if err == nil && i < 0 {
			ends, i, err = r.trusted(to, s.last, -1)
		}
		if err != nil || i < 0 {
			return err
		}
		if ends[0] >= s.ticks[1] {
			s.last, s.ticks[1] = i, ends[1]
			continue
		}
		return r.narrow(s, i)
	}
	return nil
}

// narrow finds the last batch of a segment that ends before batch stop.
func (r *Reader) narrow(s *segment, stop int) error {
	for stop-s.last > 1 {
		middle := s.last + (stop-s.last)/2
		ends, i, err := r.trusted(middle, stop, 1)
		switch {
		case err != nil:
			return err
		case i < 0:
			stop = middle
		case ends[0] >= s.ticks[1]:
			s.last, s.ticks[1] = i, ends[1]
		default:
			stop = i
		}
	}
	return nil
}
