package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

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

	bins [][]decimate.Bin // by column; what Data, Mean and SD are made of
	rest [][]tileBin      // of another, that are shown from Done on; nil: none
}

// Limits of one request, named because they bound memory: the answer of the
// largest is 4 bytes x 4 x maxValues = 512 MB, far beyond a screen. The page takes
// them from StreamInfo.
const (
	maxBins    = 1 << 16
	maxColumns = 1 << 14
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
		env.bins = make([][]decimate.Bin, len(q.columns)) // not at once: there may be no such place in memory
		for c := range env.bins {
			env.bins[c] = make([]decimate.Bin, q.N)
		}
	}
	return env
}

// bin returns the bins of column number c from bin first on.
func (env *Envelope) bin(c, first int) []decimate.Bin {
	return env.bins[c][first:]
}

// shown gives column number c as it is to be seen. It may use scratch, which it
// returns for the next.
func (env *Envelope) shown(c int, scratch []decimate.Bin) (bins, next []decimate.Bin) {
	if env.rest == nil {
		return env.bin(c, 0), scratch
	}
	scratch = scratch[:0]
	if env.bins != nil {
		scratch = append(scratch, env.bins[c][:env.Done]...)
	}
	for b := len(scratch); b < env.Bins; b++ {
		scratch = append(scratch, together(env.rest[c][b:b+1]))
	}
	return scratch, scratch
}

// packed is env in less memory, to be shown where another is not yet.
func (env *Envelope) packed() *Envelope {
	p := *env
	p.bins, p.rest, p.Done = nil, make([][]tileBin, len(env.bins)), 0
	for c, bins := range env.bins {
		p.rest[c] = packed(bins)
	}
	return &p
}

// fillCells is how many bins Fill gives at once, or those of one column.
const fillCells = 1 << 14

// Fill gives to put what the page gets of the bins, some after others from bin
// number at of all columns on, in memory that is used again. Nothing of samples.
func (env *Envelope) Fill(put func(at int, data, mean, sd []float32)) {
	if env.Kind == "samples" || env.Bins == 0 {
		return
	}
	most := max(1, fillCells/env.Bins) * env.Bins
	data, mean, sd := make([]float32, 2*most), make([]float32, most), make([]float32, most)
	nan := float32(math.NaN())
	var bins, scratch []decimate.Bin
	n := 0
	for c := range env.Columns {
		bins, scratch = env.shown(c, scratch)
		for i := range bins {
			b := &bins[i]
			if b.Count == 0 {
				data[2*n], data[2*n+1], mean[n], sd[n] = nan, nan, nan, nan
			} else {
				data[2*n], data[2*n+1], mean[n], sd[n] = b.Min, b.Max, float32(b.Mean), float32(b.SD())
			}
			n++
		}
		if n == most || c == len(env.Columns)-1 {
			put((c+1)*env.Bins-n, data[:2*n], mean[:n], sd[:n])
			n = 0
		}
	}
}

// filled is env with what the page gets of the bins.
func (env *Envelope) filled() *Envelope {
	f := *env
	if env.Kind == "samples" {
		return &f
	}
	n := len(env.Columns) * env.Bins
	f.Data, f.Mean, f.SD = make([]float32, 2*n), make([]float32, n), make([]float32, n)
	env.Fill(func(at int, data, mean, sd []float32) {
		copy(f.Data[2*at:], data)
		copy(f.Mean[at:], mean)
		copy(f.SD[at:], sd)
	})
	return &f
}

// Envelope is Draw for callers that have the memory: Data, Mean and SD are there.
func (e *Engine) Envelope(ctx context.Context, a EnvelopeArgs, progress func(*Envelope)) (*Envelope, error) {
	env, err := e.Draw(ctx, a, func(env *Envelope) {
		if progress != nil {
			progress(env.filled())
		}
	})
	if err != nil {
		return nil, err
	}
	return env.filled(), nil
}

// Draw answers one request: bins, of which Fill gives the values, or samples. Coarse
// is bounded in bytes and batches read, and exact if that was enough; exact reports
// what it has so far to progress, with coarse data where it has not been yet. Of very
// many columns those that are there are reported before the others. What progress is
// given is to be read at once.
func (e *Engine) Draw(ctx context.Context, a EnvelopeArgs, progress func(*Envelope)) (*Envelope, error) {
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
	defer e.cache.room(e.working(s, &q))()
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
		return e.sampled(ctx, s, &q, span, affordable, progress)
	}
	a.Quality = "coarse"
	s.mu.Lock()
	base := s.coarse
	if base != nil && !sameArgs(s.asked, a) {
		base = nil
	}
	s.mu.Unlock()
	if base == nil {
		first, err := e.sampled(ctx, s, &q, span, affordable, progress)
		if err != nil {
			return nil, err
		}
		progress(first)
		s.mu.Lock()
		base = s.coarse
		s.mu.Unlock()
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

// working is about how much memory an answer takes while it is made: its bins, those
// that are shown until then, and what is read.
func (e *Engine) working(s *openStream, q *request) int64 {
	bins := int64(len(q.columns)) * int64(q.N)
	return bins*int64(unsafe.Sizeof(decimate.Bin{})+tileBinBytes) + 2*s.stepLimit()
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
