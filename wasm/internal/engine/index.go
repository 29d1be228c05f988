package engine

import (
	"context"

	"github.com/oniscope/oniscope/shared/recording"
)

// Index reads the header and the first and last tick of every batch. After it
// rows, gaps and coverage are exact.
func (e *Engine) Index(ctx context.Context, id string, progress func(OpenProgress)) (*StreamInfo, error) {
	s, err := e.stream("index", id)
	if err != nil {
		return nil, err
	}
	n := s.numBlocks()
	pace := e.pace(progressInterval)
	tell := func(batches int) {
		if progress != nil && pace.due() {
			progress(OpenProgress{Batches: batches, Of: n, Bytes: s.reader.BytesRead().Metadata})
		}
	}
	if !s.compressed { // headers and clocks in one go; without this the headers first
		most := s.mostBatches()
		for batch := 0; batch < n; batch += most {
			var next []int
			for b := batch; b < min(n, batch+most); b++ {
				next = append(next, b)
			}
			if err := s.loadEnds(next); err != nil {
				return nil, err
			}
			tell(batch / 2)
			if err := e.Breathe(ctx); err != nil {
				return nil, err
			}
		}
	}
	if err := e.indexAll(ctx, s, func(done, _ int) { tell(max(n/2, done/2)) }); err != nil {
		return nil, err
	}
	if err := e.placeAll(ctx, s, func(batch int) { tell((n + batch) / 2) }); err != nil {
		return nil, err
	}
	if err := e.followClock(ctx, s); err != nil {
		return nil, err
	}
	if err := e.placeAll(ctx, s, func(int) {}); err != nil { // those that lie elsewhere now
		return nil, err
	}
	return s.info()
}

// placeAll finds where all batches lie.
func (e *Engine) placeAll(ctx context.Context, s *openStream, tell func(batch int)) error {
	n := s.numBlocks()
	together := s.together([]int{})
	for batch := range n {
		s.mu.Lock()
		if batch%together == 0 {
			var next []int
			for b := batch; b < min(n, batch+together); b++ {
				next = append(next, b)
			}
			s.mu.Unlock()
			if err := s.loadEnds(next); err != nil {
				return err
			}
			s.mu.Lock()
		}
		_, _, _, err := s.line.at(batch)
		s.mu.Unlock()
		if damaged(err) {
			s.note(batch, err)
		} else if err != nil {
			return err
		}
		if batch%8 == 7 {
			tell(batch)
			if err := e.Breathe(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexAll reads the batch headers that have not been read; others may use the
// reader between its steps.
func (e *Engine) indexAll(ctx context.Context, s *openStream, progress func(done, total int)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reader.Index(&turns{ctx, e, s}, progress)
}

// A turns context gives the reader of a stream away, which its holder has locked,
// each time that it is asked whether to go on.
type turns struct {
	context.Context
	e *Engine
	s *openStream
}

// Err ends a step.
func (t *turns) Err() error {
	t.s.mu.Unlock()
	defer t.s.mu.Lock()
	return t.e.Breathe(t.Context)
}

// followClock has the reader follow the clocks: segments, pace and gaps.
func (e *Engine) followClock(ctx context.Context, s *openStream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	times, err := s.reader.Times(&turns{ctx, e, s})
	if err != nil {
		return cancelled(ctx, err)
	}
	e.followed(s, &times)
	return nil
}

// followed takes what the clocks say; the caller holds s.mu.
func (e *Engine) followed(s *openStream, times *recording.Times) {
	s.times, s.period, s.gaps = times, times.Period, nil
	e.layOut(s)
	for _, g := range times.Gaps {
		if !g.Spread { // of that the rows on both sides are not known
			s.gaps = append(s.gaps, g)
		}
	}
}
