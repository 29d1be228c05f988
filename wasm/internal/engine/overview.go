package engine

import (
	"cmp"
	"context"
	"math"

	"github.com/oniscope/oniscope/shared/decimate"
)

// OverviewArgs ask for the whole run in so many bins. JSON as in protocol.d.ts.
type OverviewArgs struct {
	Stream  string `json:"stream"`
	Columns []int  `json:"columns"`
	Bins    int    `json:"bins"`
	Quality string `json:"quality,omitempty"` // "coarse": what is known at once, and nothing after it; "": exact
}

// An Overview is the whole run: RMS of the columns together, and of a single
// column what an Envelope has. JSON as in protocol.d.ts.
type Overview struct {
	Quality string    `json:"quality"`
	From    float64   `json:"from"`
	To      float64   `json:"to"`
	Bins    int       `json:"bins"`
	Done    int       `json:"done"`
	Columns []int     `json:"columns"`
	RMS     []float32 `json:"-" page:"rms"`
	Data    []float32 `json:"-" page:"data,omitempty"`
	Mean    []float32 `json:"-" page:"mean,omitempty"`
	SD      []float32 `json:"-" page:"sd,omitempty"`
}

// Overview gives to progress what is known at once, then ever more of the exact
// answer, which it returns.
func (e *Engine) Overview(ctx context.Context, a OverviewArgs, progress func(*Overview)) (*Overview, error) {
	s, err := e.stream("overview", a.Stream)
	if err != nil {
		return nil, err
	}
	from, to, err := s.extent()
	if err != nil {
		return nil, err
	}
	ask := EnvelopeArgs{Stream: a.Stream, Columns: a.Columns, From: &from, To: &to, Bins: a.Bins, Quality: cmp.Or(a.Quality, "exact"), binned: true}
	env, err := e.Draw(ctx, ask, func(env *Envelope) {
		if progress != nil && len(env.Columns) == len(a.Columns) {
			progress(env.overview())
		}
	})
	if err != nil {
		return nil, err
	}
	return env.overview(), nil
}

// extent is the time from the first row to after the last.
func (s *openStream) extent() (from, to float64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.numBlocks(); n > 0 {
		if from, _, _, err = s.line.at(0); err != nil {
			return 0, 0, err
		}
		if _, to, _, err = s.line.at(n - 1); err != nil {
			return 0, 0, err
		}
	}
	return from, to + 1, nil
}

func (env *Envelope) overview() *Overview {
	o := &Overview{Quality: env.Quality, From: env.From, To: env.To, Bins: env.Bins, Done: env.Done, Columns: env.Columns}
	if len(env.Columns) == 1 {
		f := env.filled()
		o.Data, o.Mean, o.SD = f.Data, f.Mean, f.SD
	}
	squares, counts := make([]float64, env.Bins), make([]int, env.Bins)
	var bins, scratch []decimate.Bin
	for c := range env.Columns {
		bins, scratch = env.shown(c, scratch)
		centre := centreOf(bins)
		for b := range bins {
			if bins[b].Count > 0 {
				rms := bins[b].RMS(centre)
				squares[b] += rms * rms
				counts[b]++
			}
		}
	}
	o.RMS = make([]float32, env.Bins)
	for b := range o.RMS {
		o.RMS[b] = float32(math.Sqrt(squares[b] / float64(counts[b]))) // NaN of none
	}
	return o
}

// centreOf is the mean of all values in bins; NaN of none.
func centreOf(bins []decimate.Bin) float64 {
	var all decimate.Bin
	for b := range bins {
		all.Add(&bins[b])
	}
	return meanOf(&all)
}

func meanOf(b *decimate.Bin) float64 {
	if b.Count == 0 {
		return math.NaN()
	}
	return b.Mean
}
