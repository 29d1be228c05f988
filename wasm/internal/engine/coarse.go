package engine

import (
	"context"
	"math"
)

// A coarse answer reads this much at most, so that something is drawn within
// about 100 ms however long the recording is: at the 300-600 MB/s of a Blob
// and the 125 MB/s of zstd in WebAssembly, and a millisecond or two a batch.
const (
	coarseBytes           = 16 << 20
	coarseBytesCompressed = 6 << 20
	coarseBatches         = 32
)

// affordable is how many batches a coarse answer may read.
func (e *Engine) affordable(s *openStream, q *request) int {
	budget := int64(coarseBytes)
	if s.compressed {
		budget = coarseBytesCompressed
	}
	return int(max(1, min(coarseBatches, budget/s.bytesOf(q.columns))))
}

// sampled answers from count whole batches spread evenly over the span. The
// rows of each represent the batches around it. Of very many columns those that are
// there are reported to progress.
func (e *Engine) sampled(ctx context.Context, s *openStream, q *request, span batchSpan, count int, progress func(*Envelope)) (*Envelope, error) {
	env := q.empty("envelope", "coarse")
	env.Rows = int64(span.rows)
	env.SamplesPerPixel = span.rows / float64(q.N)
	n := span.batches()
	count = min(count, n)
	if s.isCut() {
		n, count = 1, 1 // all before a place would be decoded to look at it
	}
	together, keep, pace := s.together(q.columns), e.keeps(s, q, count), e.pace(progressInterval)
	for from := 0; from < count; from += together {
		to := min(count, from+together)
		batches := make([]int, to-from)
		for i := range batches {
			batches[i] = span.first + (2*(from+i)+1)*n/(2*count)
		}
		parts := e.parts(s, q, batches, q.columns)
		for chunk := range s.chunks(q.columns, s.perBatch) {
			read, err := e.read(s, batches, q.columns[chunk.from:chunk.to], parts, keep)
			if err != nil {
				return nil, err
			}
			for i := range batches {
				j := from + i
				first, end, ok := s.groupBins(q, span.first+j*n/count, span.first+(j+1)*n/count)
				if !ok || read[i].err != nil {
					continue
				}
				for c, v := range read[i].vectors {
					if c+chunk.from == 0 {
						env.RowsUsed += int64(v.Len)
					}
					if bins := env.bin(chunk.from+c, first)[:end-first]; v.Len < end-first { // fewer rows than pixels: none stays blank
						stretch(bins, v)
					} else {
						sum(bins, v, evenRows(v.Len, first, end))
					}
				}
			}
			if err := e.Breathe(ctx); err != nil {
				return nil, err
			}
			if to == count {
				env.tell(chunk.to, pace, progress)
			}
		}
	}
	s.mu.Lock()
	s.blankGaps(env)
	a := EnvelopeArgs{From: new(env.From), To: new(env.To), Bins: env.Bins, Columns: env.Columns} // not into env, whose bins may go
	s.coarse, s.asked = env.packed(), a
	s.mu.Unlock()
	return env, nil
}

// groupBins returns the bins from the first row of batch first to that of
// batch end, which may be one after the last, as far as they are known.
func (s *openStream) groupBins(q *request, first, end int) (from, to int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start, _ := s.line.guess(first)
	_, stop := s.line.guess(end - 1)
	if end < s.numBlocks() {
		stop, _ = s.line.guess(end)
	}
	start, stop = math.Max(start, q.From), math.Min(stop, q.To)
	if start >= stop {
		return 0, 0, false
	}
	return q.Bin(start), q.Bin(stop) + 1, true
}
