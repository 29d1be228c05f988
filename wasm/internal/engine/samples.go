package engine

import (
	"context"
	"math"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
)

// samples answers with the single rows of a view that holds few, and one row
// beyond on each side, so that lines run to the borders of the picture.
//
// X is the same for all columns. Where all of them have a slower signal, only
// rows with values of their own are given; next to faster columns a slower
// signal repeats its value. Where rows are missing between two samples, a row
// of NaN in all columns is between them.
func (e *Engine) samples(ctx context.Context, s *openStream, q *request, span batchSpan, stride int) (*Envelope, error) {
	env := q.empty("samples", "exact")
	columns := make([][]float32, len(q.columns))
	env.X = []float64{}
	nan := float32(math.NaN())
	s.mu.Lock()
	about := s.samplePeriod() // ticks from row to row
	s.mu.Unlock()
	period := 0.0        // ticks from sample to sample; 0: uneven, no gaps
	last := math.Inf(-1) // tick of the last sample given

	add := func(tick float64, vectors []*plotVector, row int) {
		if period > 0 && tick-last > recording.ClockGapFactor*period && !math.IsInf(last, 0) {
			env.X = append(env.X, last+period-q.From)
			for c := range columns {
				columns[c] = append(columns[c], nan)
			}
		}
		last = tick
		env.X = append(env.X, tick-q.From)
		for c, v := range vectors {
			value := nan
			if v.Valid == nil || v.Valid[row] != 0 {
				value = float32(v.Float64(row))
			}
			columns[c] = append(columns[c], value)
		}
	}

	// The margins may lie one batch further on.
	from, to := max(0, span.first-1), min(s.numBlocks()-1, span.last+1)
	var before struct { // the latest row before the view
		tick    float64
		vectors []*plotVector
		row     int
	}
	done := false
	if from < span.first {
		// Only needed if the next has no value before the view.
		s.mu.Lock()
		first, _, _, err := s.line.at(span.first)
		s.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if first+float64(stride-1)*about < q.From {
			from = span.first
		}
	}
	s.mu.Lock()
	_, _, _, err := s.line.at(from)
	if err == nil {
		_, _, _, err = s.line.at(to)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	together := s.together(q.columns)
	var ahead []batchRead // of the batches from batch on
	var parts []partRead
	for batch := from; batch <= to && !done; batch++ {
		if len(ahead) == 0 {
			var batches []int
			for b := batch; b <= to && b < batch+together; b++ {
				batches = append(batches, b)
			}
			var err error
			parts = e.parts(s, q, batches, s.withClock(q.columns))
			if ahead, err = e.readInChunks(ctx, s, batches, q.columns, parts); err != nil {
				return nil, err
			}
		}
		read, part := ahead[0], parts[0]
		ahead, parts = ahead[1:], parts[1:]
		if read.err != nil {
			continue
		}
		ticks, vectors, err := s.splitClock(batch, part, read.vectors)
		if err != nil {
			return nil, err
		}
		if s.outside(&part, batch, ticks, q) {
			again, err := e.readInChunks(ctx, s, []int{batch}, q.columns, nil)
			if err != nil {
				return nil, err
			}
			if again[0].err != nil {
				continue
			}
			if ticks, vectors, err = s.splitClock(batch, part, again[0].vectors); err != nil {
				return nil, err
			}
		}
		if period = recording.EvenPeriod(ticks) * float64(stride); part.to > 0 { // of a few rows of an even block
			period = about * float64(stride)
		}
		own := func(row int) bool {
			return stride == 1 || len(vectors) == 0 || vectors[0].own == nil || vectors[0].own[row] != 0
		}
		// Rows before the view: only the latest counts.
		row := decimate.RowAt(ticks, q.From)
		for r := row - 1; r >= 0; r-- {
			if own(r) {
				before.tick, before.vectors, before.row = float64(ticks[r]), vectors, r
				break
			}
		}
		for ; row < len(ticks) && !done; row++ {
			if !own(row) {
				continue
			}
			if before.vectors != nil {
				add(before.tick, before.vectors, before.row)
				before.vectors = nil
			}
			tick := float64(ticks[row])
			add(tick, vectors, row)
			if tick >= q.To {
				done = true // the margin after the view
			} else {
				env.Rows++
			}
		}
	}
	if before.vectors != nil {
		add(before.tick, before.vectors, before.row)
	}
	for _, c := range columns {
		env.Data = append(env.Data, c...)
	}
	env.RowsUsed, env.Done = env.Rows, env.Bins
	env.SamplesPerPixel = float64(env.Rows) / float64(q.N)
	return env, nil
}

// readInChunks reads Clock and columns in steps.
func (e *Engine) readInChunks(ctx context.Context, s *openStream, batches, columns []int, parts []partRead) ([]batchRead, error) {
	all := make([]batchRead, len(batches))
	for chunk := range s.chunks(columns, s.perBatch) {
		part := columns[chunk.from:chunk.to]
		if chunk.from == 0 {
			part = s.withClock(part)
		}
		read, err := e.read(s, batches, part, parts, true)
		if err != nil {
			return nil, err
		}
		for i := range read {
			if read[i].err != nil {
				all[i].err = read[i].err
			}
			all[i].vectors = append(all[i].vectors, read[i].vectors...)
		}
		if err := e.Breathe(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}
