package picture

import (
	"image/color"
	"math"
	"slices"
)

// drawOverlaid draws all traces over one y axis.
func (f *Figure) drawOverlaid(p *pen, panel *Panel, b box, x axis) {
	y := valueAxis(panel.Traces, b.top+4, b.bottom-4)
	drawValueAxis(p, y, b, 32)
	colours := distinct
	if len(panel.Traces) == 1 {
		colours = []color.NRGBA{tokenSlow}
	}
	for i := range panel.Traces {
		f.drawTrace(p, &panel.Traces[i], colours[i%len(colours)], x, y, b)
	}
	if len(panel.Traces) > 1 {
		drawLegend(p, panel, b, colours)
	}
}

// drawLegend writes the names of traces in their colours, at the right above
// the panel.
func drawLegend(p *pen, panel *Panel, b box, colours []color.NRGBA) {
	x := b.right
	for i := len(panel.Traces) - 1; i >= 0; i-- {
		label := panel.Traces[i].Label
		p.text(colours[i%len(colours)], bold, 11, x, b.top-7, right, label)
		face := bold
		face.Font.Size = 11
		x -= float64(face.Width(label)) + 14
	}
}

// place is where trace i of n is, counted from the top.
func (p *Panel) place(i int) int {
	if p.Upward {
		return len(p.Traces) - 1 - i
	}
	return i
}

// drawLanes draws each trace in a lane of its own, over axes of one range.
func (f *Figure) drawLanes(p *pen, panel *Panel, b box, x axis) {
	n := len(panel.Traces)
	lane := b.height() / float64(n)
	colours := ramp(n)
	whole := valueAxis(panel.Traces, 0, 1)
	for i := range panel.Traces {
		top := b.top + lane*float64(panel.place(i))
		in := box{b.left, top, b.right, top + lane}
		if top > b.top+1 {
			p.line(tokenLine2, 1, point{b.left, crisp(in.top)}, point{b.right, crisp(in.top)})
		}
		y := axis{from: whole.from, to: whole.to, start: in.top + 0.1*lane, end: in.bottom - 0.1*lane}
		middle := (in.top+in.bottom)/2 + 4
		colour := colours[i]
		if panel.Kind == Bits {
			y.from, y.to, colour = 1, 0, tokenDigital
			if lane >= 11 {
				p.text(tokenDim, regular, 11, b.left-8, middle, right, panel.Traces[i].Label)
			}
		} else {
			drawLaneAxis(p, y, in, panel.Traces[i].Label, middle)
		}
		f.drawTrace(p, &panel.Traces[i], colour, x, y, in)
	}
}

// drawLaneAxis writes the name of a lane and, if there is room, the first and
// last round value of its axis.
func drawLaneAxis(p *pen, y axis, b box, label string, middle float64) {
	if b.height() < 11 {
		return
	}
	p.text(tokenText, regular, 11, 16, middle, left, label)
	if b.height() < 34 {
		return
	}
	ticks := y.ticks(b.height() / 4)
	if len(ticks) > 1 {
		ticks = []tick{ticks[0], ticks[len(ticks)-1]}
	}
	for _, t := range ticks {
		at := y.at(t.value)
		p.line(tokenLine2, 1, point{b.left - 4, crisp(at)}, point{b.left, crisp(at)})
		p.text(tokenDim, regular, 10, b.left-7, at+3.5, right, t.text)
	}
}

// drawStack draws many channels close together, each around its median, and a
// bar that says how high a value is. What stands out from the usual band of a
// channel is drawn in full colour over bands in a lighter one: spikes can be
// seen among hundreds of noisy channels.
func (f *Figure) drawStack(p *pen, panel *Panel, b box, x axis) {
	n := len(panel.Traces)
	lane := b.height() / float64(n)
	spreads := make([]traceSpread, n)
	var heights []float64
	for i := range panel.Traces {
		spreads[i] = spreadOf(panel.Traces[i].Envelope)
		if h := spreads[i].lanes(lane); h > 0 {
			heights = append(heights, h)
		}
	}
	perPixel := 1.0 // units of the values
	if len(heights) > 0 {
		slices.Sort(heights)
		perPixel = heights[len(heights)/2] / lane
	}
	colours := ramp(n)
	every := labelEvery(n, lane)
	middle := func(i int) float64 { return b.top + lane*(float64(panel.place(i))+0.5) }
	for i := 0; i < n; i += every {
		p.line(tokenLine2, 1, point{b.left - 4, crisp(middle(i))}, point{b.left, crisp(middle(i))})
		p.text(tokenDim, regular, 11, b.left-8, middle(i)+4, right, panel.Traces[i].Label)
	}
	axisOf := func(i int) axis {
		return axis{from: spreads[i].median, to: spreads[i].median + perPixel, start: middle(i), end: middle(i) - 1}
	}
	for i := range panel.Traces {
		colour := colours[i]
		if spreads[i].isBand() {
			colour = mix(paper, colour, 0.45)
		}
		f.drawTrace(p, &panel.Traces[i], colour, x, axisOf(i), b)
	}
	for i := range panel.Traces {
		if spreads[i].isBand() {
			outstanding := Trace{apart: true, Envelope: spreads[i].outstanding(panel.Traces[i].Envelope)}
			f.drawTrace(p, &outstanding, colours[i], x, axisOf(i), b)
		}
	}
	drawScaleBar(p, panel.Unit, perPixel, b)
}

// labelEvery is every how many channels one is named, so that names are
// apart.
func labelEvery(n int, lane float64) int {
	for _, every := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256} {
		if lane*float64(every) >= 15 {
			return every
		}
	}
	return max(1, n)
}

// drawScaleBar draws a bar of a round value, at the right of a panel.
func drawScaleBar(p *pen, unit string, perPixel float64, b box) {
	value := roundDown(perPixel * min(60, b.height()/2))
	x, top := b.right+12, b.bottom-value/perPixel
	p.line(tokenText, 1.5, point{x + 4, top}, point{x, top}, point{x, b.bottom}, point{x + 4, b.bottom})
	decimals := max(0, int(-math.Floor(math.Log10(value)+1e-9)))
	middle := (top + b.bottom) / 2
	p.text(tokenText, regular, 11, x+6, middle+1, left, number(value, decimals))
	p.text(tokenDim, regular, 11, x+6, middle+14, left, unit)
}

// A traceSpread says how a trace spreads around its median.
type traceSpread struct {
	median float64
	whole  float64 // height of all bins but the extreme fiftieths
	band   float64 // height of the usual bin
	wander float64 // of the steadier edge: how far its middle half lies apart
}

func spreadOf(envelope []float32) traceSpread {
	var low, high, middle, bin []float64
	for b := 0; b+1 < len(envelope); b += 2 {
		if lo, hi := float64(envelope[b]), float64(envelope[b+1]); lo == lo {
			low, high, middle, bin = append(low, lo), append(high, hi), append(middle, (lo+hi)/2), append(bin, hi-lo)
		}
	}
	if len(low) == 0 {
		return traceSpread{}
	}
	for _, list := range [][]float64{low, high, middle, bin} {
		slices.Sort(list)
	}
	n := len(low)
	return traceSpread{middle[n/2], high[n-1-n/50] - low[n/50], bin[n/2], min(low[n-1-n/4]-low[n/4], high[n-1-n/4]-high[n/4])}
}

// isBand reports whether the trace is a band of noise, with or without spikes,
// rather than a line that goes somewhere.
func (s traceSpread) isBand() bool { return s.band > 0 && s.wander < 0.5*s.band }

// lanes is the height that should fill one lane: that of the band; or of a
// line, which may run over some neighbours where lanes are thin.
func (s traceSpread) lanes(lane float64) float64 {
	if s.isBand() {
		return s.band / 0.85
	}
	return s.whole / max(0.9, min(2.5, 9/lane))
}

// outstandingFactor is how much higher than the usual bin one is that stands
// out: noise of one level hardly ever is.
const outstandingFactor = 1.5

// outstanding keeps the bins that stand out.
func (s traceSpread) outstanding(envelope []float32) []float32 {
	kept := slices.Clone(envelope)
	for b := 0; b+1 < len(kept); b += 2 {
		if !(float64(kept[b+1]-kept[b]) > outstandingFactor*s.band) {
			kept[b], kept[b+1] = float32(math.NaN()), float32(math.NaN())
		}
	}
	return kept
}

// valueAxis is an axis over all values of the traces, from top to bottom.
func valueAxis(traces []Trace, top, bottom float64) axis {
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range traces {
		for b := 0; b+1 < len(traces[i].Envelope); b += 2 {
			if v := float64(traces[i].Envelope[b]); v == v {
				lo, hi = min(lo, v), max(hi, float64(traces[i].Envelope[b+1]))
			}
		}
	}
	if lo > hi {
		lo, hi = 0, 1
	}
	if lo == hi {
		pad := max(1, math.Abs(lo)*0.1)
		lo, hi = lo-pad, hi+pad
	}
	return axis{from: hi, to: lo, start: top, end: bottom}
}

func drawValueAxis(p *pen, y axis, b box, apart float64) {
	for _, t := range y.ticks(apart) {
		at := crisp(y.at(t.value))
		p.line(gridColour, 1, point{b.left, at}, point{b.right, at})
		p.line(tokenLine2, 1, point{b.left - 4, at}, point{b.left, at})
		p.text(tokenDim, regular, 11, b.left-8, at+3.5, right, t.text)
	}
}

// drawTrace draws one envelope, run by run: runs end at gaps.
func (f *Figure) drawTrace(p *pen, t *Trace, colour color.Color, x, y axis, b box) {
	bins := min(f.Bins, len(t.Envelope)/2)
	width := (x.end - x.start) / float64(max(1, f.Bins))
	clip := func(v float64) float64 { return min(max(y.at(v), b.top), b.bottom) }
	var run []drawnBin
	flush := func() {
		if len(run) > 0 {
			drawRun(p, colour, run, t.Hold)
		}
		run = run[:0]
	}
	gap, gaps := 0, f.Gaps
	if len(f.Stretches) > 1 {
		gaps = f.breaks()
	}
	last := x.start // right border of the bin before
	for i := range bins {
		lo, hi := float64(t.Envelope[2*i]), float64(t.Envelope[2*i+1])
		if lo != lo {
			continue
		}
		from := x.start + width*float64(i)
		for gap < len(gaps) && x.at(gaps[gap].To) <= from+width {
			if x.at(gaps[gap].From) >= last-width {
				flush()
			}
			gap++
		}
		if t.apart && from > last+0.5 {
			flush()
		}
		low, high := clip(lo), clip(hi)
		run = append(run, drawnBin{from, from + width, min(low, high), max(low, high)})
		last = from + width
	}
	flush()
}

// A drawnBin is one bin in pixels.
type drawnBin struct{ left, right, top, bottom float64 }

// A run is dense if most of its bins are side by side and have more than
// one value; then their outline is filled. Otherwise the values are joined by
// a line.
const denseShare = 0.6

func drawRun(p *pen, colour color.Color, run []drawnBin, hold bool) {
	dense := 0
	for i := range run {
		if run[i].bottom > run[i].top && (i == 0 || run[i].left-run[i-1].right < 0.5) {
			dense++
		}
	}
	if len(run) > 2 && float64(dense) >= denseShare*float64(len(run)) && !hold {
		p.outline(colour, run)
		return
	}
	points := make([]point, 0, 2*len(run)+2)
	for i, b := range run {
		x := (b.left + b.right) / 2
		if hold && i > 0 {
			points = append(points, point{x, points[len(points)-1].y})
		}
		if b.top == b.bottom {
			points = append(points, point{x, b.top})
			continue
		}
		// Both extremes, the nearer first.
		first, second := b.top, b.bottom
		if i > 0 && math.Abs(points[len(points)-1].y-second) < math.Abs(points[len(points)-1].y-first) {
			first, second = second, first
		}
		points = append(points, point{x, first}, point{x, second})
	}
	if len(points) == 1 { // a single value has no line
		points = append(points, point{points[0].x + 1, points[0].y})
	}
	p.line(colour, 1.1, points...)
}

// minInk is how high the outline of a bin is at least, in pixels.
const minInk = 1.0

// outline fills what lies between the minima and the maxima. Where there are
// pixels every bin is a bar, so that a single extreme is as wide as its pixel
// column; neighbours are joined where they do not overlap.
func (p *pen) outline(colour color.Color, run []drawnBin) {
	upper := make([]point, 0, 4*len(run))
	lower := make([]point, 0, 2*len(run))
	for i, b := range run {
		if thin := minInk - (b.bottom - b.top); thin > 0 {
			b.top, b.bottom = b.top-thin/2, b.bottom+thin/2
		}
		if p.pixels == 0 {
			middle := (b.left + b.right) / 2
			upper, lower = append(upper, point{middle, b.top}), append(lower, point{middle, b.bottom})
			continue
		}
		if i > 0 {
			b.top, b.bottom = min(b.top, run[i-1].bottom), max(b.bottom, run[i-1].top)
		}
		upper = append(upper, point{b.left, b.top}, point{b.right, b.top})
		lower = append(lower, point{b.left, b.bottom}, point{b.right, b.bottom})
	}
	slices.Reverse(lower)
	p.fill(colour, append(upper, lower...))
}
