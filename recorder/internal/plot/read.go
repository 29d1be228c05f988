package plot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/recorder/internal/picture"
	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// span finds the time axis: from the first row to the end of the last, or as the
// times were asked for.
func (p *plotter) span(ctx context.Context) error {
	s := p.x.Reader().Stream()
	start, end := p.x.Rows()
	if p.x.Len() == 0 {
		return fmt.Errorf("rows %d to %d: nothing is selected", start, end)
	}
	var timed bool
	if p.clock, timed = s.Clock(); !timed {
		p.figure.XLabel = "row"
		p.bins = decimate.Bins{From: float64(start), To: float64(end)}
		return nil
	}
	times, err := p.x.Follow(ctx)
	if err != nil {
		return err
	}
	if len(times.Segments) == 0 {
		return errors.New("the Clock of none of these rows can be read; \"oniscope verify\" says why")
	}
	origin := uint64(0)
	if first := times.Segments[0].ClockFirst; first >= recording.ExactTicks {
		origin = first
	}
	p.axis = times.Axis(origin)
	from, to := p.axis.Span(recording.Range{Start: start, End: end})
	p.bins = decimate.Bins{From: float64(from), To: float64(to)}
	if asked, _ := p.x.Ticks(); len(times.Segments) == 1 {
		if p.o.From {
			p.bins.From = float64(p.axis.Place(start, asked.From))
		}
		if p.o.To {
			p.bins.To = float64(p.axis.Place(start, asked.To))
		}
	}
	unit := 1.0
	if p.figure.XLabel = "acquisition clock (ticks)"; s.AcqClockHz > 0 {
		p.figure.XLabel, unit = "time (s)", float64(s.AcqClockHz)
	}
	p.figure.From, p.figure.To = p.bins.From/unit, p.bins.To/unit
	for _, g := range times.Gaps {
		if !g.Spread {
			p.figure.Gaps = append(p.figure.Gaps, picture.Span{From: float64(p.axis.Place(g.Row, g.ClockBefore)) / unit, To: float64(p.axis.Place(g.Row, g.ClockAfter)) / unit})
		}
	}
	if !p.axis.Plain() {
		for _, s := range p.axis.Stretches {
			p.figure.Stretches = append(p.figure.Stretches, picture.Stretch{From: float64(s.From) / unit, First: float64(s.First) / unit, Last: float64(s.Last) / unit})
		}
	}
	if times.Period == 0 { // events
		for i := range p.sources {
			source := &p.sources[i]
			source.trace.Hold = source.trace.Hold || isInteger(s.Columns[source.column].Type)
		}
	}
	return nil
}

func isInteger(t stream.Type) bool {
	switch t {
	case stream.Float16, stream.Float32, stream.Float64:
		return false
	}
	return true
}

func isDamage(err error) bool {
	var corrupt *recording.CorruptError
	return errors.As(err, &corrupt)
}

// rise makes places never fall: where one does, it is the one before.
func rise(places []uint64) {
	for k := 1; k < len(places); k++ {
		places[k] = max(places[k], places[k-1])
	}
}

// read fills the envelopes, batch after batch.
func (p *plotter) read(ctx context.Context) error {
	p.bins.N = p.figure.Bins
	var columns []int // those of the traces, each once, and the clock
	at := make([]int, len(p.sources))
	for i := range p.sources {
		p.sources[i].trace.Envelope = make([]float32, 2*p.bins.N)
		decimate.Clear(p.sources[i].trace.Envelope)
		c := p.sources[i].column
		if len(columns) == 0 || columns[len(columns)-1] != c { // bits of one column are together
			columns = append(columns, c)
		}
		at[i] = len(columns) - 1
	}
	if p.clock >= 0 {
		columns = append(columns, p.clock)
	}
	x, err := p.x.With(columns)
	if err != nil {
		return err
	}
	done, total := int64(0), x.Len()
	for b, err := range x.Batches(ctx) {
		if err != nil && !isDamage(err) {
			return err
		}
		if err == nil {
			p.widen(b, at)
			done += int64(b.Rows)
		}
		p.progressed(min(done+x.LeftOut(), total), total)
	}
	p.damaged, _ = x.Lost()
	return nil
}

// widen widens the envelopes by one batch; at says in which of its columns each
// source is.
func (p *plotter) widen(b *recording.Batch, at []int) {
	var ticks []uint64
	if p.clock >= 0 {
		ticks = slices.Clone(recording.Values[uint64](&b.Columns[len(b.Columns)-1]))
		p.axis.Places(b.Start, ticks)
		rise(ticks)
	} else {
		ticks = make([]uint64, b.Rows)
		for k := range ticks {
			ticks[k] = uint64(b.Start) + uint64(k)
		}
	}
	bin, edges := p.bins.Rows(ticks)
	if edges == nil {
		return
	}
	for i := range p.sources {
		s, v := &p.sources[i], &b.Columns[at[i]]
		if envelope := s.trace.Envelope[2*bin:]; s.bit >= 0 {
			minMaxOfBit(envelope, v, s.bit, edges)
		} else {
			recording.MinMax(envelope, v, edges)
		}
	}
}

func minMaxOfBit(envelope []float32, v *recording.Vector, bit int, edges []int) {
	values := make([]uint8, v.Len)
	for row := range values {
		values[row] = v.Data[row*v.Width+bit/8] >> (bit % 8) & 1
	}
	decimate.MinMax(envelope, values, v.Valid, edges)
}

// physical turns the envelopes' raw values into those of their units.
func (p *plotter) physical() {
	columns := p.x.Reader().Stream().Columns
	for i := range p.sources {
		s := &p.sources[i]
		c := &columns[s.column]
		if s.bit >= 0 || c.Scale == 0 {
			continue
		}
		e := s.trace.Envelope
		for b := 0; b < len(e); b += 2 {
			lo, hi := c.Physical(float64(e[b])), c.Physical(float64(e[b+1]))
			e[b], e[b+1] = float32(min(lo, hi)), float32(max(lo, hi))
		}
	}
	for i := range p.figure.Panels {
		if panel := &p.figure.Panels[i]; panel.Unit == "B" {
			inThousands(panel)
		}
	}
}
