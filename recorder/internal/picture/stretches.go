package picture

import (
	"math"
	"slices"
)

// Where the x axis begins anew: stretches one after the other, a line between two,
// and on both sides of it the times there.

const (
	apartTicks  = 90 // pixels from one label of the time axis to the next
	borderRoom  = 76 // pixels beside a border that its own time takes
	digitWidth  = 6
	widestTimes = 170 // pixels of a stretch that has room for both of its times
)

// part returns the axis of a stretch alone, in its own values.
func (f *Figure) part(i int, x axis) (part axis, ok bool) {
	s, end := f.Stretches[i], f.To
	if i+1 < len(f.Stretches) {
		end = min(end, f.Stretches[i+1].From)
	}
	from := max(f.From, s.From)
	if i == 0 {
		from = f.From
	}
	if end <= from {
		return axis{}, false
	}
	return axis{s.First + (from - s.From), s.First + (end - s.From), x.at(from), x.at(end)}, true
}

// timeTicks are the ticks of the time axis, as places on it.
func (f *Figure) timeTicks(x axis) []tick {
	if len(f.Stretches) == 0 {
		return x.ticks(apartTicks)
	}
	var list []tick
	for i, s := range f.Stretches {
		part, ok := f.part(i, x)
		if !ok || len(f.Stretches) > 1 && part.end-part.start < 2*borderRoom {
			continue
		}
		apart := max(apartTicks, 30+digitWidth*float64(len(grouped(part.to, part.decimals()))))
		for _, t := range part.ticks(apart) {
			at := part.at(t.value)
			if i > 0 && at < part.start+0.8*apart || i+1 < len(f.Stretches) && at > part.end-0.8*apart {
				continue // there is the time of the border
			}
			list = append(list, tick{s.From + (t.value - s.First), t.text})
		}
	}
	return list
}

// decimals are those of a time in a stretch.
func (a axis) decimals() int {
	return max(0, min(6, 2-int(math.Floor(math.Log10(max(1e-6, math.Abs(a.to-a.from)))))))
}

// borders are the pixels where stretches begin, but for the first.
func (f *Figure) borders(x axis) (list []float64) {
	for i := 1; i < len(f.Stretches); i++ {
		if s := f.Stretches[i]; s.From > f.From && s.From < f.To {
			list = append(list, x.at(s.From))
		}
	}
	return list
}

// drawBorders writes the times on both sides of borders.
func (f *Figure) drawBorders(p *pen, x axis, y float64) {
	for i, s := range f.Stretches {
		part, ok := f.part(i, x)
		if !ok || len(f.Stretches) == 1 {
			continue
		}
		decimals := part.decimals()
		if width := part.end - part.start; i > 0 && width >= borderRoom {
			p.line(tokenText, 1, point{crisp(part.start), y}, point{crisp(part.start), y + 22})
			p.text(tokenText, regular, 11, part.start+4, y+18, left, grouped(s.First, decimals))
		}
		if width := part.end - part.start; i+1 < len(f.Stretches) && width >= widestTimes {
			p.text(tokenText, regular, 11, part.end-4, y+18, right, grouped(s.Last, decimals))
		}
	}
}

// breaks are gaps and borders, at which lines end.
func (f *Figure) breaks() []Span {
	list := slices.Clone(f.Gaps)
	for _, s := range f.Stretches[1:] {
		list = append(list, Span{s.From, s.From})
	}
	slices.SortFunc(list, func(a, b Span) int {
		if a.To < b.To {
			return -1
		}
		return 1
	})
	return list
}
