package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
)

// flat is a figure of one panel with one trace that is 0 in every bin.
func flat(kind Kind, traces int) *Figure {
	f := &Figure{Title: "probe", Note: "started at noon", From: 10, To: 20, XLabel: "time (s)", Width: 600, Height: 400}
	f.Panels = []Panel{{Name: "AP", Unit: "µV", Kind: kind}}
	f.Bins = f.Columns()
	for i := range traces {
		f.Panels[0].Traces = append(f.Panels[0].Traces, Trace{Label: string(rune('a' + i)), Envelope: make([]float32, 2*f.Bins)})
	}
	return f
}

func (f *Figure) pixels(t *testing.T) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := f.WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// inked reports whether a pixel has nearly that colour.
func inked(img image.Image, x, y int, want color.NRGBA) bool {
	got := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
	near := func(a, b uint8) bool { return math.Abs(float64(a)-float64(b)) < 40 }
	return near(got.R, want.R) && near(got.G, want.G) && near(got.B, want.B)
}

func TestASingleExtremeIsDrawnInFullHeightAtItsPixel(t *testing.T) {
	f := flat(Overlaid, 1)
	e := f.Panels[0].Traces[0].Envelope
	for i := 0; i < len(e); i += 2 {
		e[i], e[i+1] = -1, 1 // dense
	}
	e[2*100+1] = 50
	img, b := f.pixels(t), f.boxes()[0]
	x := marginLeft + 100
	if !inked(img, x, int(b.top)+5, tokenSlow) {
		t.Errorf("no ink at the top of the spike: %v", img.At(x, int(b.top)+5))
	}
	for _, beside := range []int{x - 1, x + 1} {
		if inked(img, beside, int(b.top)+40, tokenSlow) {
			t.Errorf("the spike runs over into column %d", beside)
		}
	}
}

func TestEveryPixelColumnShowsItsOwnExtremes(t *testing.T) {
	f := flat(Overlaid, 1)
	e := f.Panels[0].Traces[0].Envelope
	for i := range f.Bins { // a sine, 40 units thick
		middle := 100 * math.Sin(float64(i)/30)
		e[2*i], e[2*i+1] = float32(middle-20), float32(middle+20)
	}
	img, b := f.pixels(t), f.boxes()[0]
	y := valueAxis(f.Panels[0].Traces, b.top+4, b.bottom-4)
	for i := 0; i < f.Bins; i += 7 {
		x := marginLeft + i
		top, bottom := int(math.Ceil(y.at(float64(e[2*i+1]))))+1, int(y.at(float64(e[2*i])))-2
		if !inked(img, x, top, tokenSlow) || !inked(img, x, bottom, tokenSlow) {
			t.Fatalf("column %d lacks ink at %d or %d", i, top, bottom)
		}
		if above := int(y.at(float64(e[2*i+1]))) - 4; inked(img, x, above, tokenSlow) {
			t.Fatalf("column %d has ink at %d, above its maximum", i, above)
		}
	}
}

func TestGapsStayEmptyAndAreMarked(t *testing.T) {
	for _, dense := range []bool{true, false} {
		f := flat(Overlaid, 1)
		f.Gaps = []Span{{From: 14, To: 15}}
		e := f.Panels[0].Traces[0].Envelope
		for i := range f.Bins {
			at := 10 + 10*(float64(i)+0.5)/float64(f.Bins)
			switch {
			case at > 14 && at < 15:
				e[2*i], e[2*i+1] = float32(math.NaN()), float32(math.NaN())
			case dense:
				e[2*i], e[2*i+1] = -1, 1
			}
		}
		img, b := f.pixels(t), f.boxes()[0]
		x := axis{from: 10, to: 20, start: b.left, end: b.right}
		middle := int((b.top + b.bottom) / 2)
		if at := int(x.at(14.5)); inked(img, at, middle, tokenSlow) || !inked(img, at, middle, gapColour) || !inked(img, at, int(b.top)-4, tokenWarn) {
			t.Errorf("dense %v: in the gap there are %v, above it %v", dense, img.At(at, middle), img.At(at, int(b.top)-4))
		}
		for _, seconds := range []float64{13.9, 15.1} {
			if !inkIn(img, int(x.at(seconds)), middle-1, middle+1) {
				t.Errorf("dense %v: no line at %g s next to the gap", dense, seconds)
			}
		}
	}
}

func TestSlowSamplesAreJoinedAndEventsHold(t *testing.T) {
	for _, hold := range []bool{false, true} {
		f := flat(Overlaid, 1)
		trace := &f.Panels[0].Traces[0]
		trace.Hold = hold
		for i := range trace.Envelope {
			trace.Envelope[i] = float32(math.NaN())
		}
		trace.Envelope[0], trace.Envelope[1] = 0, 0
		last := 2 * (f.Bins - 1)
		trace.Envelope[last], trace.Envelope[last+1] = 1, 1
		img, b := f.pixels(t), f.boxes()[0]
		centre, quarter := int((b.left+b.right)/2), int((b.top+b.bottom)/2)
		if slope := inkIn(img, centre, quarter-3, quarter+3); slope == hold {
			t.Errorf("hold %v: ink half way up is %v", hold, slope)
		}
		if flatLine := inkIn(img, centre, int(b.bottom)-7, int(b.bottom)-3); flatLine != hold {
			t.Errorf("hold %v: ink at the first value is %v", hold, flatLine)
		}
	}
}

// inkIn reports whether a pixel column has the line's colour between two rows.
func inkIn(img image.Image, x, from, to int) bool {
	for y := from; y <= to; y++ {
		got := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		if int(got.G)-int(got.R) > 40 { // the line is green, grid and text are grey
			return true
		}
	}
	return false
}

func TestHundredsOfChannelsAreToldApart(t *testing.T) {
	f := flat(Stacked, 384)
	f.Height = 0
	f.Panels[0].Upward = true
	for i := range f.Panels[0].Traces {
		e := f.Panels[0].Traces[i].Envelope
		for b := range f.Bins {
			e[2*b], e[2*b+1] = -10, 10 // noise
		}
	}
	spiking := f.Panels[0].Traces[100].Envelope
	spiking[2*200] = -200
	img, b := f.pixels(t), f.boxes()[0]
	lane := b.height() / 384
	if lane < 2.5 {
		t.Errorf("lanes of %.1f pixels", lane)
	}
	y := int(b.bottom - lane*100.5 + 3*lane) // three lanes below channel 100
	if got := img.At(marginLeft+200, y); !inked(img, marginLeft+200, y, ramp(384)[100]) {
		t.Errorf("the spike of channel 100 does not stand out: %v", got)
	}
	if inked(img, marginLeft+202, y, ramp(384)[100]) {
		t.Error("next to the spike it is as dark")
	}
}

func TestSVGSaysEverythingInText(t *testing.T) {
	f := flat(Stacked, 20)
	f.Height = 0
	for i := range f.Panels[0].Traces {
		f.Panels[0].Traces[i].Envelope[7] = 100
	}
	f.Panels = append(f.Panels, Panel{Name: "Gravity", Unit: "m/s²", Traces: []Trace{
		{Label: "X", Envelope: []float32{-5, 5}}, {Label: "Y", Envelope: []float32{0, 1}}}})
	var svg, again bytes.Buffer
	if err := f.WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">probe<", ">started at noon<", ">time (s)<", ">10<", ">20<", ">AP<", ">µV, 20 channels<", ">µV<", ">Gravity<", ">m/s²<", ">X<", ">Y<", ">−5<", ">a<", ">t<"} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("the SVG lacks %s", want)
		}
	}
	if size := fmt.Sprintf(`width="600" height="%d"`, f.height()); !strings.Contains(svg.String(), size) {
		t.Errorf("the SVG is not of the size %s: %.200s", size, svg.String())
	}
	if err := f.WriteSVG(&again); err != nil || !bytes.Equal(svg.Bytes(), again.Bytes()) {
		t.Errorf("the same figure gave other bytes (%v)", err)
	}
}

func TestTheScaleGivesMorePixels(t *testing.T) {
	f := flat(Lanes, 3)
	f.Scale = 2
	f.Bins = f.Columns()
	if size := f.pixels(t).Bounds().Size(); size != (image.Point{1200, 800}) {
		t.Errorf("%v pixels", size)
	}
	if f.Bins != 2*(600-marginLeft-marginRight) {
		t.Errorf("%d bins", f.Bins)
	}
}

func TestDrawingGivesUpOnNothing(t *testing.T) {
	nothing := Trace{Label: "empty", Envelope: []float32{float32(math.NaN()), float32(math.NaN())}}
	constant := Trace{Label: "constant", Envelope: []float32{7, 7}}
	infinite := Trace{Label: "infinite", Envelope: []float32{float32(math.Inf(-1)), float32(math.Inf(1))}}
	huge := Trace{Label: "huge", Envelope: []float32{-math.MaxFloat32, math.MaxFloat32}}
	for _, kind := range []Kind{Overlaid, Lanes, Stacked, Bits} {
		for _, traces := range [][]Trace{nil, {nothing}, {constant}, {infinite}, {huge}, {nothing, constant, infinite, huge}, {{Label: "short"}}} {
			for _, span := range [][2]float64{{0, 0}, {0, 1}, {1e15, 1e15 + 1}} {
				f := &Figure{Width: 320, Height: 160, From: span[0], To: span[1], Bins: 1, Panels: []Panel{{Kind: kind, Traces: traces}}}
				if err := f.WritePNG(&bytes.Buffer{}); err != nil {
					t.Errorf("%v: %v", kind, err)
				}
				if err := f.WriteSVG(&bytes.Buffer{}); err != nil {
					t.Errorf("%v: %v", kind, err)
				}
			}
		}
	}
}

func TestTicksAreRoundAndApart(t *testing.T) {
	for name, c := range map[string]struct {
		axis  axis
		apart float64
		want  string
	}{
		"seconds":              {axis{0, 5, 0, 500}, 90, "0 1 2 3 4 5"},
		"tenths":               {axis{2, 2.1, 0, 1000}, 90, "2.00 2.01 2.02 2.03 2.04 2.05 2.06 2.07 2.08 2.09 2.10"},
		"downwards":            {axis{10, -10, 0, 100}, 24, "−10 −5 0 5 10"},
		"a row after zero":     {axis{4e-7, 5, 0, 500}, 90, "0 1 2 3 4 5"},
		"thousands in groups":  {axis{0, 20000, 0, 200}, 90, "0 10\u2009000 20\u2009000"},
		"four digits together": {axis{0, 2000, 0, 200}, 90, "0 1000 2000"},
		"nothing between":      {axis{3, 3, 0, 100}, 24, "3"},
	} {
		var got []string
		for _, tick := range c.axis.ticks(c.apart) {
			got = append(got, tick.text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, strings.Join(got, " "), c.want)
		}
	}
}

func TestSizesHaveLimits(t *testing.T) {
	for name, f := range map[string]*Figure{
		"too narrow":      {Width: MinWidth - 1},
		"too wide":        {Width: MaxWidth + 1},
		"too low":         {Width: 600, Height: MinHeight - 1},
		"too high":        {Width: 600, Height: MaxHeight + 1},
		"shrunk":          {Width: 600, Scale: 0.5},
		"too many pixels": {Width: MaxWidth, Height: MaxHeight, Scale: 2},
	} {
		if f.Check() == nil || f.WritePNG(&bytes.Buffer{}) == nil {
			t.Errorf("%s: drawn", name)
		}
	}
}
