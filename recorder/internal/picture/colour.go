package picture

import (
	"image/color"
	"math"
)

// What the page has no token for.
var (
	paper      = rgb(0xffffff)
	gridColour = rgb(0xe9edf0) // between tokenPane2 and tokenLine
	gapColour  = rgb(0xe4e9ec) // tokenLine on paper
)

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 0xff}
}

// distinct are colours of traces over one another.
var distinct = []color.NRGBA{tokenTraceA, tokenTraceB, tokenSlow, tokenDigital}

// sweep is how many channels go from one colour to the other: neighbours can
// be distinguished on a long probe too. As SWEEP of web/src/colour.js.
const sweep = 96

// ramp gives n channels, from the first to the last, colours that go back and
// forth between tokenTraceB and tokenTraceA. It is the page's ramp from the
// bottom up: testdata/colours/ramp.json has what both give.
func ramp(n int) []color.NRGBA { return rampOf(n, tokenTraceA, tokenTraceB) }

func rampOf(n int, a, b color.NRGBA) []color.NRGBA {
	sweeps := math.Max(1, math.Round(float64(n)/sweep))
	colours := make([]color.NRGBA, n)
	for i := range colours {
		phase := 1.0
		if n > 1 {
			phase = math.Mod(float64(i)/float64(n-1)*sweeps, 2)
		}
		colours[i] = mix(b, a, 1-math.Abs(1-phase))
	}
	return colours
}

// mix goes from a (t = 0) to b (t = 1) in oklab, where equal steps look equal.
// Source: Björn Ottosson, "A perceptual color space for image processing"
// (2020), public domain.
func mix(a, b color.NRGBA, t float64) color.NRGBA {
	x, y := oklabFromRGB(a), oklabFromRGB(b)
	for i := range x {
		x[i] += (y[i] - x[i]) * t
	}
	return rgbFromOklab(x)
}

func oklabFromRGB(c color.NRGBA) [3]float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return [3]float64{
		0.2104542553*l + 0.793617785*m - 0.0040720468*s,
		1.9779984951*l - 2.428592205*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.808675766*s,
	}
}

func rgbFromOklab(lab [3]float64) color.NRGBA {
	gamma := func(v float64) uint8 {
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		return uint8(math.Round(255 * math.Min(1, math.Max(0, v))))
	}
	cube := func(x float64) float64 { return x * x * x }
	l := cube(lab[0] + 0.3963377774*lab[1] + 0.2158037573*lab[2])
	m := cube(lab[0] - 0.1055613458*lab[1] - 0.0638541728*lab[2])
	s := cube(lab[0] - 0.0894841775*lab[1] - 1.291485548*lab[2])
	return color.NRGBA{
		gamma(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		gamma(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		gamma(-0.0041960863*l - 0.7034186147*m + 1.707614701*s),
		0xff,
	}
}
