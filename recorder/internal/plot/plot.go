// Package plot decides what is drawn of an excerpt: panels, traces, the time
// axis, gaps. How it is drawn is package picture's.
package plot

import (
	"context"
	"fmt"
	"path/filepath"
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
