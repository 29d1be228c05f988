package engine

import (
	"context"
	"io"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// Breathe ends a step: it lets others run and returns ctx's error, if any.
func (e *Engine) Breathe(ctx context.Context) error {
	if e.Yield != nil {
		e.Yield()
	}
	return ctx.Err()
}

// stepLength is how long a step may take that can be ended anywhere.
const stepLength = 16 * time.Millisecond

// breather returns Breathe for callers that offer to end a step thousands of
// times a second: it takes the offer when the step has been long enough.
func (e *Engine) breather(ctx context.Context) func() error {
	pace := e.pace(stepLength)
	return func() error {
		if !pace.due() {
			return nil
		}
		err := e.Breathe(ctx)
		pace.restart() // what others did meanwhile is not our step
		return err
	}
}

// A pace lets progress messages through at most every interval.
type pace struct {
	now      func() time.Time
	interval time.Duration
	pause    time.Duration // at least, after a message that took long
	last     time.Time
}

func (e *Engine) pace(interval time.Duration) *pace {
	p := &pace{now: e.Now, interval: interval}
	p.restart()
	return p
}

func (p *pace) restart() {
	if p.now != nil {
		p.last = p.now()
	}
}

func (p *pace) due() bool {
	if p.now == nil {
		return true
	}
	now := p.now()
	if now.Sub(p.last) < max(p.interval, p.pause) {
		return false
	}
	p.last = now
	return true
}

// told says that the message that was due has been sent: messages take a tenth of the
// time at most.
func (p *pace) told() {
	if p.now != nil {
		p.pause = 9 * p.now().Sub(p.last)
	}
}

// SliceProgress counts rows, or bytes.
type SliceProgress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// inSteps returns a context that ends a step when it is asked, if the step has
// been long enough: what is given it works in steps.
func (e *Engine) inSteps(ctx context.Context) context.Context {
	return &steps{ctx, e.breather(ctx)}
}

type steps struct {
	context.Context
	breathe func() error
}

// Err lets others run now and then.
func (s *steps) Err() error { return s.breathe() }

// paced returns a function that lets progress through now and then.
func (e *Engine) paced(progress func(SliceProgress)) func(done, total int64) {
	pace := e.pace(progressInterval)
	return func(done, total int64) {
		if progress != nil && pace.due() {
			progress(SliceProgress{done, total})
		}
	}
}

// cancelled is ctx's error where that is the reason of err.
func cancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// A steppedSource ends a step with every read, so that what reads much can be
// followed by others and cancelled.
type steppedSource struct {
	engine *Engine
	ctx    context.Context
	source io.ReaderAt
}

// ReadAt implements io.ReaderAt.
func (s *steppedSource) ReadAt(p []byte, off int64) (int, error) {
	if err := s.engine.Breathe(s.ctx); err != nil {
		return 0, err
	}
	return s.source.ReadAt(p, off)
}

// ReadRanges implements recording.RangesReader.
func (s *steppedSource) ReadRanges(offsets []int64, bufs [][]byte) error {
	if err := s.engine.Breathe(s.ctx); err != nil {
		return err
	}
	if side, ok := s.source.(recording.RangesReader); ok {
		return side.ReadRanges(offsets, bufs)
	}
	return s.oneByOne(offsets, bufs)
}

// ReadExactRanges implements recording.ExactRangesReader.
func (s *steppedSource) ReadExactRanges(offsets []int64, bufs [][]byte) error {
	if side, ok := s.source.(recording.ExactRangesReader); ok {
		if err := s.engine.Breathe(s.ctx); err != nil {
			return err
		}
		return side.ReadExactRanges(offsets, bufs)
	}
	return s.ReadRanges(offsets, bufs)
}

func (s *steppedSource) oneByOne(offsets []int64, bufs [][]byte) error {
	for i, off := range offsets {
		if n, err := s.source.ReadAt(bufs[i], off); n < len(bufs[i]) {
			return err
		}
	}
	return nil
}
