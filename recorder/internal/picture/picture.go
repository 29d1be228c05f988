// Package picture draws some columns of a recording: panels below each other
// over one time axis, as PNG or SVG.
//
// It knows nothing of files or recordings. A figure comes in as envelopes, the
// minimum and maximum of each of its bins, and goes out as bytes; the same
// figure gives the same bytes.
package picture

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Figure is everything that is to be seen. Measures are pixels of a picture
// with Scale 1.
type Figure struct {
	Title string // of the stream
	Note  string // smaller, below it

	From, To float64 // of the x axis, in XLabel's unit
	XLabel   string  // "time (s)"
	Bins     int     // of all envelopes, over From to To
	Gaps     []Span  // stretches without rows: lines end before one and begin after it
	Panels   []Panel

	// Stretches are parts of the x axis in which it counts from another value: where
	// a clock begins anew. One after the other; none: it counts as From and To say.
	Stretches []Stretch

	Width  int
	Height int     // 0: what the panels need
	Scale  float64 // of a PNG: 2 gives twice the pixels; 0 means 1
}

// A Span is a part of the x axis, in XLabel's unit.
type Span struct{ From, To float64 }

// A Stretch is a part of the x axis, up to the next one: where it begins, and what
// the clock was at its first row and at its last one.
type Stretch struct{ From, First, Last float64 }

// A Panel is one signal of a stream: its channels, or the members of a vector.
type Panel struct {
	Name   string
	Unit   string // of Trace.Envelope: "µV"; "codes"
	Kind   Kind
	Upward bool // the first trace is lowest, as on a probe
	Traces []Trace
}

// A Kind says how the traces of a panel share it.
type Kind int

const (
	Overlaid Kind = iota // over one another, over one y axis
	Lanes                // one below the other, each over a y axis of the same range
	Stacked              // close together around their medians, next to a scale bar
	Bits                 // one below the other, each 0 or 1
)

// A Trace is one line.
type Trace struct {
	Label    string
	Envelope []float32 // [min0, max0, min1, max1, ...], NaN where nothing is
	Hold     bool      // the value holds until the next: steps, not slopes

	apart bool // bins with nothing between them are not joined
}

// Limits of a picture. The largest PNG takes 4 bytes x maxPixels of memory.
const (
	MinWidth, MaxWidth   = 320, 8000
	MinHeight, MaxHeight = 160, 16000
	MaxScale             = 4
	maxPixels            = 200_000_000
)

// Measures of the frame around the panels.
const (
	marginLeft   = 72
	marginRight  = 20
	marginBar    = 76 // instead, where a panel has a scale bar
	marginTop    = 58
	marginBottom = 46
	panelHead    = 22 // name of a panel
	panelGap     = 14
)

// Columns is how many pixel columns there are between the margins: an envelope
// of so many bins has one for each.
func (f *Figure) Columns() int {
	return max(1, int(f.scale()*(f.right()-marginLeft)))
}

// Check refuses a size that cannot be drawn.
func (f *Figure) Check() error {
	scale, height := f.scale(), f.height()
	switch {
	case f.Width < MinWidth || f.Width > MaxWidth:
		return fmt.Errorf("width %d is not possible; possible: %d to %d", f.Width, MinWidth, MaxWidth)
	case f.Height != 0 && (f.Height < MinHeight || f.Height > MaxHeight):
		return fmt.Errorf("height %d is not possible; possible: %d to %d", f.Height, MinHeight, MaxHeight)
	case scale < 1 || scale > MaxScale:
		return fmt.Errorf("scale %g is not possible; possible: 1 to %d", f.Scale, MaxScale)
	case float64(f.Width)*float64(height)*scale*scale > maxPixels:
		return fmt.Errorf("%d x %d pixels at scale %g are more than %d in all; choose a smaller picture", f.Width, height, scale, maxPixels)
	}
	return nil
}

func (f *Figure) scale() float64 {
	if f.Scale == 0 {
		return 1
	}
	return f.Scale
}

// WritePNG draws f as PNG.
func (f *Figure) WritePNG(w io.Writer) error {
	if err := f.Check(); err != nil {
		return err
	}
	width, height := vg.Length(f.Width), vg.Length(f.height())
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(int(math.Round(vg.Inch.Points()*f.scale()))), vgimg.UseBackgroundColor(paper))
	f.draw(newPen(c, float64(height), f.scale()))
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// WriteSVG draws f as SVG, whose texts are text and whose lines are exact at
// any magnification.
func (f *Figure) WriteSVG(w io.Writer) error {
	if err := f.Check(); err != nil {
		return err
	}
	width, height := vg.Length(f.Width), vg.Length(f.height())
	c := vgsvg.New(width, height)
	p := newPen(c, float64(height), 0)
	p.fill(paper, []point{{0, 0}, {float64(width), 0}, {float64(width), float64(height)}, {0, float64(height)}})
	f.draw(p)
	var svg bytes.Buffer
	if _, err := c.WriteTo(&svg); err != nil {
		return err
	}
	// The canvas measures in points, of which browsers make more pixels.
	points := fmt.Sprintf(`width="%dpt" height="%dpt"`, f.Width, f.height())
	text := bytes.Replace(svg.Bytes(), []byte(points), []byte(strings.ReplaceAll(points, "pt", "")), 1)
	// It names no font for where its own is missing.
	text = bytes.ReplaceAll(text, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	_, err := w.Write(text)
	return err
}

// A box is a part of the picture; y grows downwards.
type box struct{ left, top, right, bottom float64 }

func (b box) height() float64 { return b.bottom - b.top }

// height is that of the whole picture.
func (f *Figure) height() int {
	if f.Height != 0 {
		return f.Height
	}
	sum := float64(marginTop + marginBottom)
	for i := range f.Panels {
		sum += panelHead + f.Panels[i].naturalHeight()
	}
	sum += panelGap * float64(max(0, len(f.Panels)-1))
	return int(min(math.Ceil(sum), MaxHeight))
}

// caption follows a panel's name.
func (p *Panel) caption() string {
	if p.Kind == Overlaid || p.Kind == Bits {
		return p.Unit
	}
	return strings.TrimPrefix(fmt.Sprintf("%s, %d channels", p.Unit, len(p.Traces)), ", ")
}

// naturalHeight is what a panel takes if nobody says how high the picture is.
func (p *Panel) naturalHeight() float64 {
	n := float64(len(p.Traces))
	switch p.Kind {
	case Lanes:
		return n * 46
	case Bits:
		return n * 18
	case Stacked:
		return max(320, min(n*14, 500+n*1.7))
	}
	return 130
}

// right is where the panels end.
func (f *Figure) right() float64 {
	for i := range f.Panels {
		if f.Panels[i].Kind == Stacked {
			return float64(f.Width - marginBar)
		}
	}
	return float64(f.Width - marginRight)
}

// boxes shares the height out among the panels.
func (f *Figure) boxes() []box {
	right, natural := f.right(), 0.0
	for i := range f.Panels {
		natural += f.Panels[i].naturalHeight()
	}
	n := len(f.Panels)
	room := float64(f.height()-marginTop-marginBottom-n*panelHead) - panelGap*float64(max(0, n-1))
	share := max(room, float64(n)) / max(1, natural)
	boxes := make([]box, n)
	y := float64(marginTop)
	for i := range f.Panels {
		top := y + panelHead
		bottom := top + f.Panels[i].naturalHeight()*share
		boxes[i] = box{marginLeft, math.Round(top), right, math.Round(bottom)}
		y = bottom + panelGap
	}
	return boxes
}

func (f *Figure) draw(p *pen) {
	p.text(tokenText, bold, 15, 16, 24, left, f.Title)
	p.text(tokenDim, regular, 12, 16, 42, left, f.Note)
	boxes := f.boxes()
	if len(boxes) == 0 {
		return
	}
	x := axis{from: f.From, to: f.To, start: boxes[0].left, end: boxes[0].right}
	ticks := f.timeTicks(x)
	f.drawTimeAxis(p, x, ticks, boxes[len(boxes)-1].bottom)
	for i := range f.Panels {
		f.drawPanel(p, &f.Panels[i], boxes[i], x, ticks)
	}
}

func (f *Figure) drawTimeAxis(p *pen, x axis, ticks []tick, y float64) {
	for _, t := range ticks {
		p.line(tokenLine2, 1, point{crisp(x.at(t.value)), y}, point{crisp(x.at(t.value)), y + 5})
		p.text(tokenDim, regular, 11, x.at(t.value), y+18, centre, t.text)
	}
	f.drawBorders(p, x, y)
	p.text(tokenDim, regular, 12, (x.start+x.end)/2, y+36, centre, f.XLabel)
}

// drawPanel draws the frame of a panel, then its traces over that.
func (f *Figure) drawPanel(p *pen, panel *Panel, b box, x axis, ticks []tick) {
	after := p.text(tokenText, bold, 12, b.left, b.top-7, left, panel.Name)
	p.text(tokenDim, regular, 12, after+6, b.top-7, left, panel.caption())
	p.fill(tokenPane, []point{{b.left, b.top}, {b.right, b.top}, {b.right, b.bottom}, {b.left, b.bottom}})
	for _, t := range ticks {
		p.line(gridColour, 1, point{crisp(x.at(t.value)), b.top}, point{crisp(x.at(t.value)), b.bottom})
	}
	for _, g := range f.Gaps {
		p.gap(b, max(x.at(g.From), b.left), min(x.at(g.To), b.right))
	}
	for _, at := range f.borders(x) {
		p.line(tokenText, 1, point{crisp(at), b.top}, point{crisp(at), b.bottom})
	}
	switch panel.Kind {
	case Stacked:
		f.drawStack(p, panel, b, x)
	case Lanes, Bits:
		f.drawLanes(p, panel, b, x)
	default:
		f.drawOverlaid(p, panel, b, x)
	}
	p.line(tokenLine2, 1, point{b.left, crisp(b.bottom)}, point{b.right, crisp(b.bottom)})
}
