package engine

import (
	"context"
	"time"
)

// One step reads this much at most, of so many batches at most; of those that are small,
// more, as long as their messages are of so many bytes: a read takes its time however
// little it is.
const (
	stepBytes           = 8 << 20
	stepBytesCompressed = 3 << 20
	stepBatches         = 64
	stepSmallBatches    = 1024
	stepSmallBytes      = 512 << 10
)

// mostBatches is how many batches one step reads at most.
func (s *openStream) mostBatches() int {
	each := max(1, s.size/int64(max(1, s.reader.NumBatches())))
	return int(min(stepSmallBatches, max(stepBatches, stepSmallBytes/each)))
}

// progressInterval is the time between progress messages.
const progressInterval = 150 * time.Millisecond

// exact reads every batch of the span. base, if any, is shown in progress
// messages where exact data are not there yet.
func (e *Engine) exact(ctx context.Context, s *openStream, q *request, span batchSpan, base *Envelope, progress func(*Envelope)) (*Envelope, error) {
	if level, ok := s.level(q, span); ok {
		return e.exactTiles(ctx, s, q, span, level, base, progress)
	}
	env := q.empty("envelope", "exact")
	pace := e.pace(progressInterval)
	keep := e.keeps(s, q, span.batches())
	together := s.together(q.columns)
	for from := span.first; from <= span.last; from += together {
		var batches []int
		for b := from; b <= span.last && b < from+together; b++ {
			batches = append(batches, b)
		}
		told := func(int) {}
		if span.batches() == 1 {
			told = func(columns int) { env.tell(columns, pace, progress) }
		}
		done, err := e.addBatches(ctx, s, q, env, batches, keep, told)
		if err != nil {
			return nil, err
		}
		if base != nil && from+together <= span.last && pace.due() {
			progress(env.over(base, q.Bin(done)))
			pace.told()
		}
	}
	return env.whole(), nil
}

// keeps reports whether rows of so many batches are kept: a second of a thousand channels
// would leave room for nothing else.
func (e *Engine) keeps(s *openStream, q *request, batches int) bool {
	each := s.bytesOf(q.columns) + entryBytes*int64(len(q.columns)+2) // with the clock
	return each*int64(batches) <= e.cache.limit/4
}

// whole is env when all of it is there.
func (env *Envelope) whole() *Envelope {
	env.Rows, env.Done = env.RowsUsed, env.Bins
	env.SamplesPerPixel = float64(env.Rows) / float64(env.Bins)
	return env
}

// addBatches widens env by batches and returns the tick of their last row. A
// damaged batch leaves its bins empty. It reports of how many columns it has them.
func (e *Engine) addBatches(ctx context.Context, s *openStream, q *request, env *Envelope, batches []int, keep bool, told func(columns int)) (last float64, err error) {
	type cut struct {
		first int // bin
		edges []int
	}
	cuts := make([]cut, len(batches))
	parts := e.parts(s, q, batches, s.withClock(q.columns))
	for chunk := range s.chunks(q.columns, s.perBatch) {
		columns := q.columns[chunk.from:chunk.to]
		if chunk.from == 0 {
			columns = s.withClock(columns)
		}
		read, err := e.read(s, batches, columns, parts, keep)
		if err != nil {
			return 0, err
		}
		for i, batch := range batches {
			if read[i].err != nil {
				cuts[i].edges = nil
				continue
			}
			vectors := read[i].vectors
			if chunk.from == 0 {
				var ticks []uint64
				if ticks, vectors, err = s.splitClock(batch, parts[i], vectors); err != nil {
					return 0, err
				}
				if s.outside(&parts[i], batch, ticks, q) { // read whole, then
					if read, err := e.read(s, []int{batch}, columns, nil, keep); err != nil {
						return 0, err
					} else if read[0].err != nil {
						continue
					} else if ticks, vectors, err = s.splitClock(batch, partRead{}, read[0].vectors); err != nil {
						return 0, err
					}
				}
				cuts[i].first, cuts[i].edges = q.Rows(ticks)
				if n := len(cuts[i].edges); n > 0 {
					env.RowsUsed += int64(cuts[i].edges[n-1] - cuts[i].edges[0])
				}
			}
			for c, v := range vectors {
				if cuts[i].edges != nil {
					sum(env.bin(chunk.from+c, cuts[i].first), v, cuts[i].edges)
				}
			}
		}
		if err := e.Breathe(ctx); err != nil {
			return 0, err
		}
		told(chunk.to)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, last = s.line.guess(batches[len(batches)-1])
	return last, nil
}

// tell reports the first columns of env, of others that are still to be read.
func (env *Envelope) tell(columns int, pace *pace, progress func(*Envelope)) {
	if columns == len(env.Columns) || !pace.due() {
		return
	}
	some := *env
	some.Columns, some.bins = env.Columns[:columns], env.bins[:columns]
	progress(&some)
	pace.told()
}

// over returns env up to bin done and base from there on, as they are now.
func (env *Envelope) over(base *Envelope, done int) *Envelope {
	mixed := *base
	mixed.bins, mixed.rest = env.bins, base.rest
	mixed.RowsUsed, mixed.Done = env.RowsUsed, done
	return &mixed
}
