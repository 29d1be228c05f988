package picture

import (
	"image/color"
	"math"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// A point is a place in the picture, in pixels from its upper left corner.
type point struct{ x, y float64 }

// A pen draws on a canvas, whose own y grows upwards.
type pen struct {
	canvas vg.Canvas
	height float64

	// pixels is how many of the canvas' pixels one of ours is, 0 where there
	// are none: what is drawn over a grid is drawn to its lines.
	pixels float64
}

func newPen(c vg.Canvas, height, pixels float64) *pen {
	return &pen{canvas: c, height: height, pixels: pixels}
}

// crisp is the middle of the pixel at x: a line of width 1 there is sharp.
func crisp(x float64) float64 { return math.Floor(x) + 0.5 }

func (p *pen) path(points []point) vg.Path {
	path := make(vg.Path, 0, len(points)+1)
	for i, at := range points {
		to := vg.Point{X: vg.Length(at.x), Y: vg.Length(p.height - at.y)}
		if i == 0 {
			path.Move(to)
		} else {
			path.Line(to)
		}
	}
	return path
}

// line strokes through points.
func (p *pen) line(c color.Color, width float64, points ...point) {
	if len(points) < 2 {
		return
	}
	p.canvas.SetColor(c)
	p.canvas.SetLineWidth(vg.Length(width))
	p.canvas.Stroke(p.path(points))
}

// fill fills a polygon.
func (p *pen) fill(c color.Color, points []point) {
	if len(points) < 3 {
		return
	}
	path := p.path(points)
	path.Close()
	p.canvas.SetColor(c)
	p.canvas.Fill(path)
}

// gap marks a stretch without rows, however narrow.
func (p *pen) gap(b box, from, to float64) {
	if to < from {
		return
	}
	if to < from+1 {
		from, to = math.Floor(from), math.Floor(from)+1
	}
	p.fill(gapColour, []point{{from, b.top}, {to, b.top}, {to, b.bottom}, {from, b.bottom}})
	middle := (from + to) / 2
	p.fill(tokenWarn, []point{{middle - 4, b.top - 6}, {middle + 4, b.top - 6}, {middle, b.top}})
}

// Where a text is, seen from its point.
type align int

const (
	left align = iota
	centre
	right
)

// The faces of the picture. Liberation Sans is as wide as Arial and Helvetica,
// so that an SVG looks the same where it is missing.
var (
	regular = mustFace(liberationsansregular.TTF, xfont.WeightNormal)
	bold    = mustFace(liberationsansbold.TTF, xfont.WeightBold)
)

func mustFace(ttf []byte, weight xfont.Weight) font.Face {
	face, err := opentype.Parse(ttf)
	if err != nil {
		panic(err) // our own font
	}
	return font.Face{Font: font.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight}, Face: face}
}

// text writes one line on the base line y and returns where it ends.
func (p *pen) text(c color.Color, face font.Face, size, x, y float64, a align, text string) (end float64) {
	if text == "" {
		return x
	}
	face.Font.Size = vg.Length(size)
	width := float64(face.Width(text))
	switch a {
	case centre:
		x -= width / 2
	case right:
		x -= width
	}
	p.canvas.SetColor(c)
	p.canvas.FillString(face, vg.Point{X: vg.Length(x), Y: vg.Length(p.height - y)}, text)
	return x + width
}
