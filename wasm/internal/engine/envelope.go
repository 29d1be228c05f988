package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

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

	binned bool // never samples
}

// An Envelope is the answer; see protocol.d.ts. Data, Mean, SD and X are
// transferred to the page, the rest goes as JSON.
type Envelope struct {
	Kind            string    `json:"kind"` // "envelope" or "samples"
	Quality         string    `json:"quality"`
	From            float64   `json:"from"`
	To              float64   `json:"to"`
	Bins            int       `json:"bins"`
	Done            int       `json:"done"` // bins before it are exact
	Columns         []int     `json:"columns"`
	Rows            int64     `json:"rows"`
	RowsUsed        int64     `json:"rows_used"`
	SamplesPerPixel float64   `json:"samples_per_pixel"`
	Data            []float32 `json:"-" page:"data"`
	Mean            []float32 `json:"-" page:"mean,omitempty"`
	SD              []float32 `json:"-" page:"sd,omitempty"`
	X               []float64 `json:"-" page:"x,omitempty"` // of samples

	bins []decimate.Bin // by column; what Data, Mean and SD are made of
	rest []decimate.Bin // of another, that are shown from Done on; nil: none
}

// Limits of one request, named because they bound memory: the answer of the
// largest is 4 bytes x 4 x maxValues = 512 MB, far beyond a screen. The page takes
// them from StreamInfo.
const (
	maxBins    = 1 << 16
	maxColumns = 4096
	maxValues  = 1 << 25 // bins x columns
)

// Limits bound what a request may ask for. JSON as in protocol.d.ts.
type Limits struct {
	Bins    int `json:"bins"`
	Columns int `json:"columns"`
	Values  int `json:"values"`
}

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
	if a.Bins*len(a.Columns) > maxValues {
		return wrong("%d bins of %d columns are more than %d values", a.Bins, len(a.Columns), maxValues)
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
		env.bins = make([]decimate.Bin, len(q.columns)*q.N)
	}
	return env
}

// bin returns the bins of column number c from bin first on.
func (env *Envelope) bin(c, first int) []decimate.Bin {
	return env.bins[c*env.Bins+first : (c+1)*env.Bins]
}

// shown gives column number c as it is to be seen. It may use scratch, which it
// returns for the next.
func (env *Envelope) shown(c int, scratch []decimate.Bin) (bins, next []decimate.Bin) {
	if env.rest == nil {
		return env.bin(c, 0), scratch
	}
	at := c * env.Bins
	scratch = append(scratch[:0], env.bins[at:at+env.Done]...)
	scratch = append(scratch, env.rest[at+env.Done:at+env.Bins]...)
	return scratch, scratch
}

// filled is env with what the page gets of the bins.
func (env *Envelope) filled() *Envelope {
	n := len(env.bins)
	f := *env
	f.Data, f.Mean, f.SD = make([]float32, 2*n), make([]float32, n), make([]float32, n)
	nan := float32(math.NaN())
	var bins, scratch []decimate.Bin
	for c := range env.Columns {
		bins, scratch = env.shown(c, scratch)
		for b := range bins {
			i, b := c*env.Bins+b, &bins[b]
			if b.Count == 0 {
				f.Data[2*i], f.Data[2*i+1], f.Mean[i], f.SD[i] = nan, nan, nan, nan
				continue
			}
			f.Data[2*i], f.Data[2*i+1] = b.Min, b.Max
			f.Mean[i], f.SD[i] = float32(b.Mean), float32(b.SD())
		}
	}
	return &f
}

// Envelope answers one request. Coarse is bounded in bytes and batches read,
// and exact if that was enough; exact reports what it has so far to progress,
// with coarse data where it has not been yet.
func (e *Engine) Envelope(ctx context.Context, a EnvelopeArgs, progress func(*Envelope)) (*Envelope, error) {
	env, err := e.envelope(ctx, a, func(env *Envelope) {
		if progress != nil {
			progress(env.filled())
		}
	})
	if err != nil || env.Kind == "samples" {
		return env, err
	}
	return env.filled(), nil
}

// envelope gives the bins, or samples. What progress is given is to be read at once.
func (e *Engine) envelope(ctx context.Context, a EnvelopeArgs, progress func(*Envelope)) (*Envelope, error) {
	s, err := e.stream("envelope", a.Stream)
	if err != nil {
		return nil, err
	}
	q, err := s.request(a)
	if err != nil {
		return nil, err
	}
	quality := a.Quality
	if s.numBlocks() == 0 || len(q.columns) == 0 {
		env := q.empty("envelope", "exact")
		env.Done = env.Bins
		return env, nil
	}
	span, err := e.span(s, q.Bins)
	if err != nil {
		return nil, err
	}
	affordable := e.affordable(s, &q)
	stride := s.stride(q.columns)
	if span.batches() == len(s.line.places) {
		e.recall(s)
	}
	own := span.rows / float64(stride)
	few := own <= float64(q.N)
	if few && a.binned {
		few, q.N = false, max(1, int(own/2))
		a.Bins = q.N
	}
	switch {
	case few && (q.exact || span.batches() <= affordable):
		return e.samples(ctx, s, &q, span, stride)
	case span.batches() <= affordable || e.seen(s, &q, span):
		return e.exact(ctx, s, &q, span, nil, progress)
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
		progress(base)
	}
	env, err := e.exact(ctx, s, &q, span, base, progress)
	if err == nil {
		s.mu.Lock()
		if s.coarse == base {
			s.coarse = nil // what was read answers the next time
		}
		s.mu.Unlock()
	}
	return env, err
}

func sameArgs(a, b EnvelopeArgs) bool {
	return a.From != nil && b.From != nil && *a.From == *b.From && *a.To == *b.To && a.Bins == b.Bins && slices.Equal(a.Columns, b.Columns)
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
	// A batch that begins where the view ends is not in it.
	if span.last, err = s.line.find(math.Nextafter(v.To, math.Inf(-1))); err != nil {
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

// damaged reports whether err says that the file is damaged there, as opposed
// to that it cannot be read now.
func damaged(err error) bool {
	var corrupt *recording.CorruptError
	var source *SourceError
	return errors.As(err, &corrupt) && !errors.As(err, &source)
}
