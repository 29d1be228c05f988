package recording

import "errors"

// Gaps finds the stretches without rows in [start, end) of a stream that
// delivers evenly, in order, and the even step: ticks of the clock named by
// Gap.Column from row to row, 0 for a stream of events or one without a clock,
// which has no gaps. It reads HubClock and Clock of these rows.
//
// Damaged batches are passed over: what they lack is no gap but a finding. The
// error is a *RangeError or the source's.
func (r *Reader) Gaps(start, end int64) (gaps []Gap, period float64, err error) {
	s := r.Stream()
	finder, columns := newGapFinder("HubClock"), []int(nil)
	hub, clock := s.Column("HubClock"), s.Column("Clock")
	if hub < 0 {
		finder = newGapFinder("Clock")
	}
	for _, c := range []int{hub, clock} {
		if c >= 0 {
			columns = append(columns, c)
		}
	}
	if len(columns) == 0 {
		return nil, 0, nil
	}
	adjoining := true
	for b, err := range r.Slice(start, end, columns) {
		var damage *CorruptError
		if errors.As(err, &damage) {
			adjoining = false
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		ticks := Values[uint64](&b.Columns[0])
		var beside []uint64
		if clock >= 0 {
			beside = Values[uint64](&b.Columns[len(columns)-1])
		}
		finder.add(b.Index, b.Start, ticks, beside, adjoining && !r.batches[b.Index].afterLoss)
		adjoining = true
	}
	p := finder.pace()
	return finder.gaps(p, float64(s.AcqClockHz), float64(s.HubClockHz)), p.period, nil
}
