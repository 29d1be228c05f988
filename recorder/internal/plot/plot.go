// Package plot decides what is drawn of an excerpt: panels, traces, the time
// axis, gaps. How it is drawn is package picture's.
package plot

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/picture"
	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// maxSVGBins bound the size of an SVG, at about 30 bytes a bin.
const maxSVGBins = 300_000

// A plotter turns a selection into a figure: it reads every row once and keeps
// the extremes of each pixel column.
type plotter struct {
	x *recording.Excerpt
	o Options

	figure  *picture.Figure
	sources []plotSource // of all traces, panel after panel
	bins    decimate.Bins
	clock   int // column, or -1: rows take its place
	axis    recording.Axis

	damaged []recording.Finding
}

// Options say how an excerpt is drawn.
type Options struct {
	Path          string // of the recording, for a title where the stream has no name
	Width, Height int    // pixels; see picture.Figure
	Scale         float64
	SVG           bool
	From, To      bool // the axis begins, ends with the times that were asked for

	Progress func(done, total int64) // rows; nil: none
}

// Draw reads an excerpt and returns its figure, and the findings by which rows
// are missing from it.
func Draw(ctx context.Context, x *recording.Excerpt, o Options) (*picture.Figure, []recording.Finding, error) {
	p := &plotter{x: x, o: o, figure: &picture.Figure{Width: o.Width, Height: o.Height, Scale: o.Scale}}
	if err := p.choose(x.Named()); err != nil {
		return nil, nil, err
	}
	if err := p.span(ctx); err != nil {
		return nil, nil, err
	}
	p.figure.Bins = p.figure.Columns()
	if o.SVG {
		p.figure.Bins = max(1, min(p.figure.Bins, maxSVGBins/len(p.sources)))
	}
	if err := p.figure.Check(); err != nil {
		return nil, nil, err
	}
	if err := p.read(ctx); err != nil {
		return nil, nil, err
	}
	p.physical()
	p.words(x.Reader().Stream().Title())
	return p.figure, p.damaged, nil
}

func (p *plotter) progressed(done, total int64) {
	if p.o.Progress != nil {
		p.o.Progress(done, total)
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// A plotSource is where a trace comes from.
type plotSource struct {
	column int
	bit    int // of its values, or -1: the values themselves
	trace  *picture.Trace
}

// choose fills in the panels, without data. named says that someone chose the
// columns.
func (p *plotter) choose(named bool) error {
	about := p.x.Reader().Stream()
	columns := about.Columns
	panels := map[string]int{} // place of a group's panel
	var members [][]int        // columns of each panel
	for _, c := range p.x.Indices() {
		signal, _ := stream.SignalOf(columns[c].Name)
		if clock, ok := about.Clock(); ok && c == clock && !named { // it is the time axis
			continue
		}
		if !columns[c].Type.Numeric() || !named && signal.Kind == stream.Words { // counters, drawn only where someone names them
			continue
		}
		key := signal.Label + "\x00" + columns[c].Unit
		if signal.Bits != nil {
			key = columns[c].Name
		}
		i, ok := panels[key]
		if !ok {
			i = len(members)
			panels[key] = i
			members = append(members, nil)
		}
		members[i] = append(members[i], c)
	}
	if len(members) == 0 {
		if named {
			return fmt.Errorf("none of these columns has numbers, and only numbers can be drawn")
		}
		return fmt.Errorf("there is nothing to draw but counters; name one with --columns, for example --columns Clock")
	}
	for _, m := range members {
		p.figure.Panels = append(p.figure.Panels, p.panel(m))
	}
	for i, m := range members {
		panel := &p.figure.Panels[i]
		if panel.Kind == picture.Bits {
			t := 0
			signal, _ := stream.SignalOf(columns[m[0]].Name)
			for bit, name := range signal.Bits {
				if name != "" {
					p.sources = append(p.sources, plotSource{m[0], bit, &panel.Traces[t]})
					t++
				}
			}
			continue
		}
		for t := range panel.Traces {
			p.sources = append(p.sources, plotSource{m[t], -1, &panel.Traces[t]})
		}
	}
	return nil
}

// Members of a vector are drawn over one another, up to so many; panels of more
// channels than maxLanes are stacked without axes of their own.
const (
	maxOverlaid = 4
	maxLanes    = 16
)

// panel describes the panel of some columns that belong together.
func (p *plotter) panel(columns []int) picture.Panel {
	all := p.x.Reader().Stream().Columns
	first := &all[columns[0]]
	_, group, channel := stream.Label(first.Name)
	panel := picture.Panel{Name: group, Unit: unitText(first, channel)}
	signal, _ := stream.SignalOf(first.Name)
	if signal.Bits != nil {
		panel.Unit, panel.Kind = "", picture.Bits
		for _, name := range signal.Bits {
			if name != "" {
				panel.Traces = append(panel.Traces, picture.Trace{Label: name, Hold: true})
			}
		}
		return panel
	}
	switch {
	case len(columns) > maxLanes:
		panel.Kind = picture.Stacked
	case channel >= 0 && len(columns) > 1, len(columns) > maxOverlaid:
		panel.Kind = picture.Lanes
	}
	for _, c := range columns {
		label, _, channel := stream.Label(all[c].Name)
		switch {
		case channel >= 0:
			label = fmt.Sprint(channel)
		case len(columns) > 1:
			label = strings.TrimPrefix(label, group+" ")
		}
		panel.Traces = append(panel.Traces, picture.Trace{Label: label})
	}
	panel.Upward = signal.AlongProbe
	return panel
}

// unitText is the unit of a column's physical values, for people.
func unitText(c *stream.Column, channel int) string {
	switch {
	case strings.HasPrefix(c.Unit, "u"):
		return "µ" + c.Unit[1:]
	case c.Unit == "" && channel >= 0:
		return "codes"
	}
	return c.Unit
}

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

// inThousands writes many bytes as kB, MB or GB.
func inThousands(panel *picture.Panel) {
	most := float32(0)
	for _, t := range panel.Traces {
		for _, v := range t.Envelope {
			if v > most {
				most = v
			}
		}
	}
	for _, prefix := range []struct {
		factor float32
		unit   string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if most < prefix.factor {
			continue
		}
		panel.Unit = prefix.unit
		for _, t := range panel.Traces {
			for i := range t.Envelope {
				t.Envelope[i] /= prefix.factor
			}
		}
		return
	}
}

// words fills in the title and the line below it.
func (p *plotter) words(title string) {
	s := p.x.Reader().Stream()
	name := s.Name
	if name == "" {
		name = filepath.Base(p.o.Path)
	}
	p.figure.Title = name
	if title != "" && title != name {
		p.figure.Title += "  ·  " + title
	}
	var note []string
	if began, err := time.Parse(time.RFC3339Nano, s.StartUTC); err == nil {
		note = append(note, "started "+began.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	start, end := p.x.Rows()
	note = append(note, fmt.Sprintf("rows %d to %d", start, end))
	if n := len(p.figure.Gaps); n > 0 {
		note = append(note, counted(n, "gap"))
	}
	if n := len(p.figure.Stretches); n > 1 {
		note = append(note, fmt.Sprintf("%d segments of the clock, one after the other", n))
	}
	if n := len(p.damaged); n > 0 {
		note = append(note, "damage at "+counted(n, "place"))
	}
	if s.Simulated {
		note = append(note, "simulated")
	}
	p.figure.Note = strings.Join(note, "  ·  ")
}
