package engine

import (
	"context"
)

// countRows returns the exact number of rows.
func (e *Engine) countRows(ctx context.Context, s *openStream) (int64, error) {
	if err := e.indexAll(ctx, s, nil); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, _ := s.reader.Rows()
	return rows, nil
}

// rowAt is the first row whose tick is not below ticks, or the number of rows.
func (s *openStream) rowAt(ctx context.Context, ticks float64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, _ := s.reader.Rows()
	first := firstTick(ticks)
	if s.clock < 0 {
		return min(int64(first), rows), nil
	}
	return s.rowAtPlace(ctx, first)
}

// RowArgs ask where a moment is.
type RowArgs struct {
	Stream string  `json:"stream"`
	Ticks  float64 `json:"ticks"`
}

// RowAt returns the first row at or after a moment, or the number of rows.
func (e *Engine) RowAt(ctx context.Context, a RowArgs) (int64, error) {
	s, err := e.stream("row", a.Stream)
	if err != nil {
		return 0, err
	}
	if _, err := e.countRows(ctx, s); err != nil {
		return 0, err
	}
	return s.rowAt(ctx, a.Ticks)
}
