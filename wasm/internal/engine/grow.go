package engine

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/oniscope/oniscope/shared/recording"
)

// A file that is being written: its recorder says where the batches are, so that
// nothing is walked, and what comes is taken in.

// OpenGrowingArgs name such a file. Blocks are its batches: offset, length, bytes of
// the header, rows, first and last Clock of each. JSON as in protocol.d.ts.
type OpenGrowingArgs struct {
	Stream string    `json:"stream"`
	Name   string    `json:"name"`
	Blocks [][]int64 `json:"blocks"`
}

// OpenGrowing is Open for a file that is being written.
func (e *Engine) OpenGrowing(ctx context.Context, a OpenGrowingArgs, source io.ReaderAt, size int64) (*StreamInfo, error) {
	index, err := blocksOf("openGrowing", a.Blocks)
	if err != nil {
		return nil, err
	}
	info, err := e.openAs(ctx, OpenArgs{a.Stream, a.Name}, source, size, func() (*recording.Reader, error) {
		r, err := recording.Open(e.inSteps(ctx), source, size, &recording.Options{Index: index})
		return r, cancelled(ctx, err)
	})
	if err != nil {
		return nil, err
	}
	s, err := e.stream("openGrowing", a.Stream)
	if err == nil {
		s.growing = true
	}
	return info, err
}

// blocksOf checks numbers one by one; the reader checks that they fit into the file.
func blocksOf(op string, list [][]int64) ([]recording.Block, error) {
	out := make([]recording.Block, len(list))
	for i, b := range list {
		if len(b) != 6 || slices.Min(b) < 0 || b[2] > math.MaxInt32 {
			return nil, &ArgumentError{op, fmt.Sprintf("blocks: %v is not where a batch is", b)}
		}
		out[i] = recording.Block{Offset: b[0], Length: b[1], MetaLength: int32(b[2]), Rows: b[3], FirstClock: uint64(b[4]), LastClock: uint64(b[5])}
	}
	return out, nil
}

// GrowArgs say what came to a file. JSON as in protocol.d.ts.
type GrowArgs struct {
	Stream string    `json:"stream"`
	Size   int64     `json:"size"` // of the file, up to its last whole batch
	Blocks [][]int64 `json:"blocks"`
}

// Grown are the facts that change when a file grows.
type Grown struct {
	SizeBytes int64          `json:"size_bytes"`
	Rows      int64          `json:"rows"`
	RowsExact bool           `json:"rows_exact"`
	Batches   int            `json:"batches"`
	Start     *float64       `json:"start"`
	DurationS *float64       `json:"duration_s"`
	Clock     ClockInfo      `json:"clock"`
	Coverage  []CoverageSpan `json:"coverage"`
}

// A Grower is a source whose file grows.
type Grower interface{ Grow(size int64) }

// Grow takes in what came to a stream that was opened with OpenGrowing.
func (e *Engine) Grow(ctx context.Context, a GrowArgs) (*Grown, error) {
	s, err := e.stream("grow", a.Stream)
	if err != nil {
		return nil, err
	}
	list, err := blocksOf("grow", a.Blocks)
	if err != nil {
		return nil, err
	}
	if err := s.grow(ctx, a.Size, list); err != nil {
		return nil, err
	}
	info, err := s.info()
	if err != nil {
		return nil, err
	}
	return &Grown{info.SizeBytes, info.Rows, info.RowsExact, info.Batches, info.Start, info.DurationS, info.Clock, info.Coverage}, nil
}

func (s *openStream) grow(ctx context.Context, size int64, list []recording.Block) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g, ok := s.source.(Grower); ok {
		g.Grow(size)
	}
	before := s.numBlocks()
	if err := s.reader.Grow(size, list); err != nil {
		return err
	}
	s.size = max(s.size, size)
	if s.blocks != nil {
		if err := s.cut(ctx); err != nil {
			return err
		}
	}
	s.axis.Grow()
	s.coarse, s.times, s.period = nil, nil, 0 // they are of what was there before
	if n := s.numBlocks(); n < before || len(s.line.places) > n {
		s.line = newTimeline(n, s.readEnds) // the file was walked anew
	} else {
		s.line.places = append(s.line.places, make([]place, n-len(s.line.places))...)
	}
	if before == 0 {
		s.subsample, s.strides = nil, nil
		return s.measure(ctx)
	}
	return nil
}
