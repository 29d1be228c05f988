package picture

import (
	"math"
	"strconv"
	"strings"
)

// An axis takes values to pixels.
type axis struct {
	from, to   float64 // values
	start, end float64 // pixels
}

func (a axis) at(value float64) float64 {
	if a.to == a.from {
		return (a.start + a.end) / 2
	}
	return a.start + (value-a.from)/(a.to-a.from)*(a.end-a.start)
}

// A tick is a value that is written next to its axis.
type tick struct {
	value float64
	text  string
}

// ticks are round values on the axis, at least so many pixels apart.
func (a axis) ticks(apart float64) []tick {
	span, pixels := math.Abs(a.to-a.from), math.Abs(a.end-a.start)
	if span == 0 || pixels == 0 {
		return []tick{{a.from, number(a.from, 0)}}
	}
	step := roundUp(span / max(1, pixels/apart))
	decimals := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	lo, hi := min(a.from, a.to), max(a.from, a.to)
	text := number
	if step < 1e-3*max(math.Abs(lo), math.Abs(hi)) { // four digits would not tell one from the next
		text = grouped
	}
	var list []tick
	half := span / pixels / 2 // of a pixel
	for k := math.Ceil((lo - half) / step); k*step <= hi+half && len(list) < 1000; k++ {
		list = append(list, tick{k * step, text(k*step, decimals)})
	}
	return list
}

// roundUp is the next of 1, 2, 5, 10, 20, ... at or above x.
func roundUp(x float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if x <= m*base*(1+1e-9) {
			return m * base
		}
	}
	return 10 * base
}

// roundDown is the next of 1, 2, 5, 10, ... at or below x.
func roundDown(x float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{5, 2} {
		if x >= m*base*(1-1e-9) {
			return m * base
		}
	}
	return base
}

// number writes a value with a thin space between groups of three digits and a
// true minus.
func number(x float64, decimals int) string {
	if magnitude := math.Abs(x); magnitude != 0 && (magnitude >= 1e9 || magnitude < 1e-4 && decimals > 4) {
		return strings.Replace(strconv.FormatFloat(x, 'g', 4, 64), "-", "−", 1)
	}
	return grouped(x, decimals)
}

// grouped is number with all digits.
func grouped(x float64, decimals int) string {
	text := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	var b strings.Builder
	if x < 0 && strings.Trim(text, "0.") != "" {
		b.WriteString("−")
	}
	for i, digit := range whole {
		if rest := len(whole) - i; i > 0 && rest%3 == 0 && len(whole) > 4 {
			b.WriteString("\u2009")
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return b.String()
}
