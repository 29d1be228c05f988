package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
)

// EnvelopeArgs ask for the minima and maxima of columns in pixel bins. JSON as
// in protocol.d.ts.
type EnvelopeArgs struct {
	Stream  string   `json:"stream"`
	Columns []int    `json:"columns"`
	From    *float64 `json:"from"` // ticks
	To      *float64 `json:"to"`   // ticks, exclusive
	Bins    int      `json:"bins"`
	Quality string   `json:"quality"` // "coarse" or "exact"
}

// An Envelope is the answer; see protocol.d.ts. Data and X are transferred to
// the page, the rest goes as JSON.
type Envelope struct {
	Kind            string    `json:"kind"` // "envelope" or "samples"
	Quality         string    `json:"quality"`
	From            float64   `json:"from"`
	To              float64   `json:"to"`
	Bins            int       `json:"bins"`
	Columns         []int     `json:"columns"`
	Rows            int64     `json:"rows"`
	RowsUsed        int64     `json:"rows_used"`
	SamplesPerPixel float64   `json:"samples_per_pixel"`
	Data            []float32 `json:"-" page:"data"`
	X               []float64 `json:"-" page:"x,omitempty"` // of samples
}

// Limits of one request, named because they bound memory: the answer of the
// largest is 4 bytes x 2 x maxBins x maxColumns = 256 MB, far beyond a screen.
const (
	maxBins    = 8192
	maxColumns = 4096
)

// A coarse answer reads this much at most, so that something is drawn within
// about 100 ms however long the recording is: at the 300-600 MB/s of a Blob
// and the 125 MB/s of zstd in WebAssembly, and a millisecond or two a batch.
const (
	coarseBytes           = 16 << 20
	coarseBytesCompressed = 6 << 20
	coarseBatches         = 32
)

// One step reads this much at most, of so many batches at most.
const (
	stepBytes           = 8 << 20
	stepBytesCompressed = 3 << 20
	stepBatches         = 64
)

// progressInterval is the time between progress messages.
const progressInterval = 150 * time.Millisecond

// A request is an EnvelopeArgs that was checked.
type request struct {
	decimate.Bins
	columns []int
	exact   bool
}

func (s *openStream) request(a EnvelopeArgs) (request, error) {
	wrong := func(format string, args ...any) (request, error) {
		return request{}, &ArgumentError{"envelope", fmt.Sprintf(format, args...)}
	}
	if a.From == nil || a.To == nil || math.IsNaN(*a.From) || math.IsNaN(*a.To) || math.IsInf(*a.To-*a.From, 0) || *a.From >= *a.To {
		return wrong("from and to must be ticks, from before to")
	}
	if a.Bins < 1 || a.Bins > maxBins {
		return wrong("bins is %d, must be 1 to %d", a.Bins, maxBins)
	}
	if len(a.Columns) > maxColumns {
		return wrong("%d columns, at most %d", len(a.Columns), maxColumns)
	}
	for _, c := range a.Columns {
		if c < 0 || c >= len(s.columns()) {
			return wrong("column %d of %d", c, len(s.columns()))
		}
		if !s.columns()[c].Type.Numeric() {
			return wrong("column %s: values of type %s cannot be drawn", s.columns()[c].Name, s.columns()[c].ArrowType)
		}
	}
	if a.Quality != "coarse" && a.Quality != "exact" {
		return wrong("quality is %q, must be coarse or exact", a.Quality)
	}
	return request{decimate.Bins{From: *a.From, To: *a.To, N: a.Bins}, a.Columns, a.Quality == "exact"}, nil
}

func (q *request) empty(kind, quality string) *Envelope {
	env := &Envelope{Kind: kind, Quality: quality, From: q.From, To: q.To, Bins: q.N, Columns: q.columns}
	if kind == "envelope" {
		env.Data = make([]float32, len(q.columns)*q.N*2)
		decimate.Clear(env.Data)
	}
	return env
}

// bin returns the envelope of column number c from bin first on.
func (env *Envelope) bin(c, first int) []float32 {
	return env.Data[(c*env.Bins+first)*2 : (c+1)*env.Bins*2]
}

// Envelope answers one request. Coarse is bounded in bytes and batches read,
// and exact if that was enough; exact reports what it has so far to progress,
// with coarse data where it has not been yet.
func (e *Engine) Envelope(ctx context.Context, a EnvelopeArgs, progress func(*Envelope)) (*Envelope, error) {
	s, err := e.stream("envelope", a.Stream)
	if err != nil {
		return nil, err
	}
	q, err := s.request(a)
	if err != nil {
		return nil, err
	}
	quality := a.Quality
	if s.reader.NumBatches() == 0 || len(q.columns) == 0 {
		return q.empty("envelope", "exact"), nil
	}
	span, err := e.span(s, q.Bins)
	if err != nil {
		return nil, err
	}
	affordable := e.affordable(s, &q)
	stride := s.stride(q.columns)
	few := span.rows/float64(stride) <= float64(q.N)
	switch {
	case few && (q.exact || span.batches() <= affordable):
		return e.samples(ctx, s, &q, span, stride)
	case span.batches() <= affordable:
		return e.exact(ctx, s, &q, span, nil, nil)
	case quality == "coarse":
		return e.sampled(ctx, s, &q, span, affordable)
	}
	a.Quality = "coarse"
	s.mu.Lock()
	base := s.coarse
	if base != nil && !sameArgs(s.asked, a) {
		base = nil
	}
	s.mu.Unlock()
	if base == nil {
		if base, err = e.sampled(ctx, s, &q, span, affordable); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(base.clone())
		}
	}
	return e.exact(ctx, s, &q, span, base, progress)
}

func sameArgs(a, b EnvelopeArgs) bool {
	return a.From != nil && b.From != nil && *a.From == *b.From && *a.To == *b.To && a.Bins == b.Bins && slices.Equal(a.Columns, b.Columns)
}

func (env *Envelope) clone() *Envelope {
	c := *env
	c.Data = slices.Clone(env.Data)
	return &c
}

// A batchSpan is the batches that a view touches.
type batchSpan struct {
	first, last int     // inclusive
	rows        float64 // about, in the view
}

func (b batchSpan) batches() int { return b.last - b.first + 1 }

// span finds the batches of a view by reading the clocks of a few.
func (e *Engine) span(s *openStream, v decimate.Bins) (batchSpan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var span batchSpan
	var err error
	if span.first, err = s.line.find(v.From); err != nil {
		return span, err
	}
	if span.last, err = s.line.find(v.To); err != nil {
		return span, err
	}
	span.last = max(span.last, span.first)
	// Whole batches in between, and the part of the first and last by time.
	part := func(b int) (float64, error) {
		first, last, _, err := s.line.at(b)
		if err != nil {
			return 0, err
		}
		rows := s.rowsOf(b)
		if last <= first {
			if first >= v.From && first < v.To {
				return rows, nil
			}
			return 0, nil
		}
		overlap := math.Min(last, v.To) - math.Max(first, v.From)
		return rows * math.Max(0, overlap/(last-first)), nil
	}
	head, err := part(span.first)
	if err != nil {
		return span, err
	}
	span.rows = head
	if span.last > span.first {
		tail, err := part(span.last)
		if err != nil {
			return span, err
		}
		span.rows += tail + s.perBatch*float64(span.last-span.first-1)
	}
	return span, nil
}

// affordable is how many batches a coarse answer may read.
func (e *Engine) affordable(s *openStream, q *request) int {
	budget := int64(coarseBytes)
	if s.compressed {
		budget = coarseBytesCompressed
	}
	return int(max(1, min(coarseBatches, budget/s.bytesOf(q.columns))))
}

// sampled answers from count whole batches spread evenly over the span. The
// rows of each represent the batches around it.
func (e *Engine) sampled(ctx context.Context, s *openStream, q *request, span batchSpan, count int) (*Envelope, error) {
	env := q.empty("envelope", "coarse")
	env.Rows = int64(span.rows)
	env.SamplesPerPixel = span.rows / float64(q.N)
	n := span.batches()
	count = min(count, n)
	together := s.together(q.columns)
	for from := 0; from < count; from += together {
		to := min(count, from+together)
		batches := make([]int, to-from)
		for i := range batches {
			batches[i] = span.first + (2*(from+i)+1)*n/(2*count)
		}
		for chunk := range s.chunks(q.columns, s.perBatch) {
			read, err := e.read(s, batches, q.columns[chunk.from:chunk.to], true)
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
					if bins := env.bin(chunk.from+c, first); v.Len < end-first { // fewer rows than pixels: none stays blank
						stretch(bins, v, end-first)
					} else {
						minMax(bins, v, evenRows(v.Len, first, end))
					}
				}
			}
			if err := e.Breathe(ctx); err != nil {
				return nil, err
			}
		}
	}
	s.mu.Lock()
	s.blankGaps(env)
	a := EnvelopeArgs{From: &env.From, To: &env.To, Bins: env.Bins, Columns: env.Columns}
	s.coarse, s.asked = env.clone(), a
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
	if end < s.reader.NumBatches() {
		stop, _ = s.line.guess(end)
	}
	start, stop = math.Max(start, q.From), math.Min(stop, q.To)
	if start >= stop {
		return 0, 0, false
	}
	return q.Bin(start), q.Bin(stop) + 1, true
}

// exact reads every batch of the span. base, if any, is shown in progress
// messages where exact data are not there yet.
func (e *Engine) exact(ctx context.Context, s *openStream, q *request, span batchSpan, base *Envelope, progress func(*Envelope)) (*Envelope, error) {
	env := q.empty("envelope", "exact")
	pace := e.pace(progressInterval)
	keep := s.bytesOf(q.columns)*int64(span.batches()) <= maxCacheBytes/2
	together := s.together(q.columns)
	for from := span.first; from <= span.last; from += together {
		var batches []int
		for b := from; b <= span.last && b < from+together; b++ {
			batches = append(batches, b)
		}
		done, err := e.addBatches(ctx, s, q, env, batches, keep)
		if err != nil {
			return nil, err
		}
		if base != nil && progress != nil && from+together <= span.last && pace.due() {
			progress(env.over(base, q.Bin(done)))
		}
	}
	env.Rows = env.RowsUsed
	env.SamplesPerPixel = float64(env.Rows) / float64(q.N)
	return env, nil
}

// addBatches widens env by batches and returns the tick of their last row. A
// damaged batch leaves its bins empty.
func (e *Engine) addBatches(ctx context.Context, s *openStream, q *request, env *Envelope, batches []int, keep bool) (last float64, err error) {
	type cut struct {
		first int // bin
		edges []int
	}
	cuts := make([]cut, len(batches))
	for chunk := range s.chunks(q.columns, s.perBatch) {
		columns := q.columns[chunk.from:chunk.to]
		if chunk.from == 0 {
			columns = s.withClock(columns)
		}
		read, err := e.read(s, batches, columns, keep)
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
				if ticks, vectors, err = s.splitClock(batch, vectors); err != nil {
					return 0, err
				}
				cuts[i].first, cuts[i].edges = q.Rows(ticks)
				if n := len(cuts[i].edges); n > 0 {
					env.RowsUsed += int64(cuts[i].edges[n-1] - cuts[i].edges[0])
				}
			}
			for c, v := range vectors {
				if cuts[i].edges != nil {
					minMax(env.bin(chunk.from+c, cuts[i].first), v, cuts[i].edges)
				}
			}
		}
		if err := e.Breathe(ctx); err != nil {
			return 0, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, last = s.line.guess(batches[len(batches)-1])
	return last, nil
}

// over returns env up to bin done and base from there on.
func (env *Envelope) over(base *Envelope, done int) *Envelope {
	mixed := base.clone()
	for c := range env.Columns {
		copy(mixed.bin(c, 0)[:2*done], env.bin(c, 0))
	}
	mixed.RowsUsed = env.RowsUsed
	return mixed
}

// damaged reports whether err says that the file is damaged there, as opposed
// to that it cannot be read now.
func damaged(err error) bool {
	var corrupt *recording.CorruptError
	var source *SourceError
	return errors.As(err, &corrupt) && !errors.As(err, &source)
}
