package picture

import (
	"image/color"
	"math"
)

// The page's tokens, light: web/src/ui/theme.css.
var (
	paper      = rgb(0xffffff)
	paneColour = rgb(0xfbfcfc) // --pane
	gridColour = rgb(0xe9edf0) // between --pane-2 and --line
	axisColour = rgb(0xc8d1d7) // --line-2
	textColour = rgb(0x17212a) // --text
	dimColour  = rgb(0x566672) // --dim
	gapColour  = rgb(0xe4e9ec) // --line on paper
	warnColour = rgb(0x94650a) // --warn

	traceA  = rgb(0x1d5f7d) // --trace-a: the lowest channel
	traceB  = rgb(0x8a5a12) // --trace-b: the highest
	digital = rgb(0x5f45a8) // --digital
	slow    = rgb(0x1f7a4d) // --slow
)

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 0xff}
}

// distinct are colours of traces over one another.
var distinct = []color.NRGBA{traceA, traceB, slow, digital}

// sweep is how many channels go from one colour to the other: neighbours can
// be told apart on a long probe too. As the page's ramp.
const sweep = 96

// ramp gives n channels, from the first to the last, colours that go back and
// forth between traceB and traceA.
func ramp(n int) []color.NRGBA {
	sweeps := math.Max(1, math.Round(float64(n)/sweep))
	colours := make([]color.NRGBA, n)
	for i := range colours {
		phase := 0.0
		if n > 1 {
			phase = math.Mod(float64(i)/float64(n-1)*sweeps, 2)
		}
		colours[i] = mix(traceB, traceA, 1-math.Abs(1-phase))
	}
	return colours
}

// mix goes from a (t = 0) to b (t = 1) in linear light.
func mix(a, b color.NRGBA, t float64) color.NRGBA {
	channel := func(a, b uint8) uint8 {
		light := math.Pow(float64(a)/255, 2.2)*(1-t) + math.Pow(float64(b)/255, 2.2)*t
		return uint8(math.Round(255 * math.Pow(light, 1/2.2)))
	}
	return color.NRGBA{channel(a.R, b.R), channel(a.G, b.G), channel(a.B, b.B), 0xff}
}
