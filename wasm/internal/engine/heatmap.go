package engine

import (
	"context"
	"math"

	"github.com/oniscope/oniscope/shared/decimate"
)

// A HeatMap is depth x time: how strong each column is in each bin. JSON as in
// protocol.d.ts.
type HeatMap struct {
	Quality string    `json:"quality"`
	From    float64   `json:"from"`
	To      float64   `json:"to"`
	Bins    int       `json:"bins"`
	Done    int       `json:"done"`
	Columns []int     `json:"columns"`
	RMS     []float32 `json:"-" page:"rms"`
	Mean    []float32 `json:"-" page:"mean"`
	Centre  []float32 `json:"-" page:"centre"`
}

// HeatMap answers as Envelope does, coarse or exact; a view of few rows gets
// fewer bins than it asks for, so that there is something in each.
func (e *Engine) HeatMap(ctx context.Context, a EnvelopeArgs, progress func(*HeatMap)) (*HeatMap, error) {
	a.binned = true
	env, err := e.envelope(ctx, a, func(env *Envelope) {
		if progress != nil {
			progress(env.heatMap())
		}
	})
	if err != nil {
		return nil, err
	}
	return env.heatMap(), nil
}

func (env *Envelope) heatMap() *HeatMap {
	h := &HeatMap{Quality: env.Quality, From: env.From, To: env.To, Bins: env.Bins, Done: env.Done, Columns: env.Columns}
	h.Mean, h.RMS = make([]float32, len(env.bins)), make([]float32, len(env.bins))
	for c := range env.Columns {
		bins := env.bin(c, 0)
		centre := centreOf(bins)
		h.Centre = append(h.Centre, float32(centre))
		for b := range bins {
			h.Mean[c*env.Bins+b] = float32(meanOf(&bins[b]))
			h.RMS[c*env.Bins+b] = float32(bins[b].RMS(centre))
		}
	}
	return h
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
