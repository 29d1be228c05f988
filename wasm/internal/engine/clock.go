package engine

import (
	"context"
	"math"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// withClock puts the column Clock, if there is one, before others.
func (s *openStream) withClock(columns []int) []int {
	if s.clock < 0 {
		return columns
	}
	return append([]int{s.clock}, columns...)
}

// splitClock is the inverse: it takes what was read of withClock's columns
// apart and gives the place of every row on the axis, which are ticks where Clock
// rises; see axis.go. They never fall. Rows of a batch
// whose clock is not to be trusted are spread evenly over the place that its
// neighbours leave. Of a part of a batch it is not asked whether its clock is to be
// trusted: that was.
func (s *openStream) splitClock(batch int, part partRead, vectors []*plotVector) (ticks []uint64, rest []*plotVector, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock < 0 {
		start, end, err := s.blockRange(batch)
		if err != nil {
			return nil, nil, err
		}
		if part.to > 0 {
			start, end = start+int64(part.from), start+int64(part.to)
		}
		ticks = make([]uint64, end-start)
		for i := range ticks {
			ticks[i] = uint64(start) + uint64(i)
		}
		return ticks, vectors, nil
	}
	clock, rest := vectors[0], vectors[1:]
	ticks = clockValues(clock)
	if len(ticks) == 0 {
		return nil, rest, nil
	}
	if !s.axis.Plain() {
		places, err := s.placesOf(batch, ticks)
		if err != nil {
			return nil, nil, err
		}
		s.line.learn(batch, places[0], places[len(places)-1], true)
		return places, rest, nil
	}
	ticks = s.sinceOrigin(ticks)
	if part.to > 0 {
		return ticks, rest, nil
	}
	first, last := ticks[0], ticks[len(ticks)-1]
	s.line.learn(batch, first, last, clock.Valid == nil && believable(first, last, len(ticks)))
	from, to, sure, err := s.line.at(batch)
	if err != nil {
		return nil, nil, err
	}
	if !sure {
		return spread(from, to, len(ticks)), rest, nil
	}
	return rising(ticks), rest, nil
}

func clockValues(v *plotVector) []uint64 {
	if v.Type == stream.Uint64 {
		return recording.Values[uint64](&v.Vector)
	}
	signed := recording.Values[int64](&v.Vector)
	ticks := make([]uint64, len(signed))
	for i, t := range signed {
		ticks[i] = uint64(t) // before 0 too, see stream.Seconds
	}
	return ticks
}

// believable reports whether a batch of rows may begin and end at these ticks:
// a body of zeros may not. Beyond 2^53 a tick is no exact float64, and no
// recording of 417 days at 250 MHz either.
func believable(first, last uint64, rows int) bool {
	return last < 1<<53 && (first < last || rows == 1 && first == last)
}

// rising returns ticks, or a copy in which those that are below one before or
// beyond the last are replaced by the one before.
func rising(ticks []uint64) []uint64 {
	end := ticks[len(ticks)-1]
	last := uint64(0)
	for i, t := range ticks {
		if t < last || t > end {
			fixed := make([]uint64, len(ticks))
			copy(fixed, ticks[:i])
			for j := i; j < len(ticks); j++ {
				if ticks[j] >= last && ticks[j] <= end {
					last = ticks[j]
				}
				fixed[j] = last
			}
			return fixed
		}
		last = t
	}
	return ticks
}

func spread(first, last float64, rows int) []uint64 {
	ticks := make([]uint64, rows)
	for i := range ticks {
		ticks[i] = uint64(math.Max(0, first+(last-first)*float64(i)/float64(rows)))
	}
	return ticks
}

// readEnds is the timeline's way to the file; the caller holds s.mu.
func (s *openStream) readEnds(batch int) (first, last uint64, ok bool, err error) {
	if s.clock < 0 {
		start, end, err := s.blockRange(batch)
		if err != nil || start == end {
			return 0, 0, false, err
		}
		return uint64(start), uint64(end - 1), true, nil
	}
	if !s.axis.Plain() {
		return s.placeEnds(batch)
	}
	first, last, err = s.blockEnds(batch)
	first, last = since(first, s.origin), since(last, s.origin)
	if damaged(err) {
		s.broken[batch] = err
		return 0, 0, false, nil
	}
	return first, last, err == nil && believable(first, last, int(s.rowsOf(batch))), err
}

// exactBatches is how many batch headers are read at once when a file is
// opened; only longer recordings begin with "about" so many rows.
const exactBatches = 32

// measure looks up what stays the same once the file is open.
func (s *openStream) measure(ctx context.Context) error {
	about := s.reader.About()
	s.compressed = about.Compression() != "none"
	for i := range s.columns() {
		kind, stride, err := s.reader.Subsample(i)
		if err != nil {
			return err
		}
		s.subsample, s.strides = append(s.subsample, kind), append(s.strides, stride)
	}
	s.perBatch, s.perStored = 1, 1
	n := s.reader.NumBatches()
	if n == 0 {
		return nil
	}
	if n <= exactBatches {
		if err := s.reader.Index(ctx, nil); err != nil {
			return err
		}
	}
	start, end, err := s.reader.BatchRange(0)
	if err != nil && !damaged(err) {
		return err
	}
	if rows, _ := s.reader.Rows(); err == nil && end > start {
		s.perBatch = float64(end - start)
	} else if rows > 0 {
		s.perBatch = math.Max(1, float64(rows)/float64(n))
	}
	s.perStored = s.perBatch
	return s.cut(ctx)
}

// rowsOf is the rows of a batch, without reading: exact after index, else as
// if all but the last were full. The caller holds s.mu.
func (s *openStream) rowsOf(batch int) float64 {
	rows, exact := s.reader.Rows()
	if exact {
		if start, end, err := s.blockRange(batch); err == nil {
			return float64(end - start)
		}
	}
	per := s.perBatch
	if n := s.numBlocks(); batch == n-1 {
		return math.Max(0, float64(rows)-per*float64(n-1))
	}
	return per
}
