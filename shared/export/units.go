package export

import (
	"math"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/shared/stream"
)

// How values in units are made. A scale such as 0.195 is a decimal number that
// binary floating point rounds, and a product rounds again: three of it are
// 0.5850000000000001. So the product is taken of integers, and rounded once: then
// the shortest number that gives the value back is 0.585.

// maxExact is up to where a float64 holds every integer, and maxPower the
// greatest power of ten that it holds.
const (
	maxExact = 1 << 53
	maxPower = 22
)

// unitsOf returns the function from raw values of a column to values in its unit,
// scale x (raw - offset).
func unitsOf(c *stream.Column) func(raw float64) float64 {
	inverse := math.Round(1 / c.Scale)
	scale, offset := decimalOf(c.Scale), decimalOf(c.Offset)
	if scale == nil || offset == nil {
		return c.Physical
	}
	power := pow10(offset.power)
	divisor := pow10(scale.power + offset.power)
	whole := 1/inverse == c.Scale && math.Abs(inverse) < maxExact && offset.power == 0
	return func(raw float64) float64 {
		steps := raw*power - offset.digits
		if raw != math.Trunc(raw) || math.Abs(raw*power) > maxExact || math.Abs(steps) > maxExact {
			return c.Physical(raw) // a fraction, or none that is exact
		}
		if n := steps * scale.digits; divisor > 0 && math.Abs(n) <= maxExact {
			return n / divisor
		}
		if whole { // as of a clock, whose rate is an integer
			return steps / inverse
		}
		return c.Physical(raw)
	}
}

// A decimal is digits / 10^power.
type decimal struct {
	digits float64 // an integer
	power  int
}

// decimalOf returns the shortest decimal that gives x back; nil if it has a
// positive exponent or too many digits.
func decimalOf(x float64) *decimal {
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	power, err := strconv.Atoi(exponent)
	whole, fraction, _ := strings.Cut(digits, ".")
	d, err2 := strconv.ParseFloat(whole+fraction, 64)
	if err != nil || err2 != nil || math.Abs(d) > maxExact {
		return nil
	}
	if power = len(fraction) - power; power < 0 {
		if power < -maxPower || math.Abs(d)*pow10(-power) > maxExact {
			return nil
		}
		return &decimal{d * pow10(-power), 0}
	}
	return &decimal{d, power}
}

// pow10 returns a power of ten, or 0 where a float64 does not hold it.
func pow10(n int) float64 {
	if n < 0 || n > maxPower {
		return 0
	}
	return math.Pow10(n)
}
