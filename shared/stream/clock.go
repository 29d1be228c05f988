package stream

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// ClockName and HubClockName are the names of the columns of ticks.
const (
	ClockName    = "Clock"
	HubClockName = "HubClock"
)

// Clock returns the column that says when a row was taken: the first one of the
// name Clock, which has to hold 64-bit integers (uint64, or int64 of writers
// that have no unsigned ones; run-end encoded or not), or that of TimeColumn. ok is false, and column
// -1, if there is none: then rows have numbers but no times.
func (s Stream) Clock() (column int, ok bool) { return s.ticks(cmp.Or(s.TimeColumn, ClockName)) }

// HubClock is Clock for the clock of the hub, which stamps a sample where it is
// packed.
func (s Stream) HubClock() (column int, ok bool) { return s.ticks(HubClockName) }

func (s Stream) ticks(name string) (column int, ok bool) {
	if i := s.Column(name); i >= 0 && s.Columns[i].Type.Ticks() {
		return i, true
	}
	return -1, false
}

// ErrNoRate says that seconds mean nothing: nobody knows how many ticks one has.
var ErrNoRate = errors.New("stream: seconds: the rate of the acquisition clock is not known")

// maxFloatTicks is how many ticks a float64 of seconds distinguishes, at any rate.
const maxFloatTicks = 1 << 52

// TicksFromSeconds returns the first tick that is not before a decimal number
// of seconds, such as "10.25", on a clock of clockHz ticks a second.
//
// A tick is not before the float64 that its own seconds round to: what was
// calculated as tick/clockHz in floating point, and printed, gives that tick
// back. Everything else is exact.
//
// It returns ErrNoRate if clockHz is 0, and an error for what is not a number,
// is negative, or is more than 64 bits of ticks.
func TicksFromSeconds(seconds string, clockHz uint64) (uint64, error) {
	if clockHz == 0 {
		return 0, ErrNoRate
	}
	digits, negative, ok := decimal(seconds)
	if !ok {
		return 0, fmt.Errorf("stream: %q is not a number of seconds", seconds)
	}
	ticks, more, ok := digits.times(clockHz)
	switch {
	case negative && (ticks != 0 || more || !ok):
		return 0, fmt.Errorf("stream: %s s is before the clock began", seconds)
	case ok && more && ticks < maxFloatTicks:
		if x, err := strconv.ParseFloat(seconds, 64); err == nil && float64(ticks)/float64(clockHz) == x {
			return ticks, nil
		}
	}
	if more {
		ticks++
		ok = ok && ticks != 0
	}
	if !ok {
		return 0, fmt.Errorf("stream: %s s is more than the clock can count", seconds)
	}
	return ticks, nil
}

// A decimalNumber is the digits before and after a decimal point.
type decimalNumber struct{ whole, fraction string }

// maxDecimal is how long a number of seconds may be; 64 bits of nanoseconds
// have 21 characters.
const maxDecimal = 40

// decimal takes a number in decimal notation apart: "10", "-0.25", ".5", "5.", "1e-05" as
// programs print small ones.
func decimal(s string) (d decimalNumber, negative, ok bool) {
	if len(s) > maxDecimal {
		return d, false, false
	}
	rest := strings.TrimPrefix(s, "-")
	if negative = len(rest) < len(s); !negative {
		rest = strings.TrimPrefix(s, "+")
	}
	rest, exponent, scientific := strings.Cut(strings.ToLower(rest), "e")
	d.whole, d.fraction, _ = strings.Cut(rest, ".")
	if scientific {
		by, err := strconv.Atoi(exponent)
		if err != nil || max(by, -by) > maxDecimal {
			return d, false, false
		}
		digits := strings.Repeat("0", maxDecimal) + d.whole + d.fraction + strings.Repeat("0", maxDecimal)
		point := maxDecimal + len(d.whole) + by
		if len(d.whole)+len(d.fraction) == 0 || point > len(digits) || point < 0 {
			return d, false, false
		}
		d.whole, d.fraction = digits[:point], digits[point:]
	}
	for _, c := range d.whole + d.fraction {
		if c < '0' || c > '9' {
			return d, false, false
		}
	}
	return d, negative, len(d.whole)+len(d.fraction) > 0
}

// times returns the whole part of the product with n, and whether there is more
// behind the point; ok is false if it has more than 64 bits.
func (d decimalNumber) times(n uint64) (whole uint64, more, ok bool) {
	// Of the fraction, from its end: each digit adds its product, and a tenth is
	// taken of what there is. What a tenth leaves over only says that there is
	// more, for no carry can come of it.
	var part uint64
	for i := len(d.fraction) - 1; i >= 0; i-- {
		hi, lo := bits.Mul64(uint64(d.fraction[i]-'0'), n)
		lo, carry := bits.Add64(lo, part, 0)
		var left uint64
		part, left = bits.Div64(hi+carry, lo, 10)
		more = more || left != 0
	}
	ok = true
	seconds := uint64(0)
	for _, c := range d.whole {
		hi, lo := bits.Mul64(seconds, 10)
		var carry uint64
		seconds, carry = bits.Add64(lo, uint64(c-'0'), 0)
		ok = ok && hi == 0 && carry == 0
	}
	hi, lo := bits.Mul64(seconds, n)
	whole, carry := bits.Add64(lo, part, 0)
	return whole, more, ok && hi == 0 && carry == 0
}

// SecondsFromTicks writes ticks as a decimal number of seconds, the shortest
// that TicksFromSeconds takes for the same tick. No clock counts to the upper half of 64
// bits: those are ticks before 0, as of timestamps before 1970.
func SecondsFromTicks(ticks, clockHz uint64) string {
	return strconv.FormatFloat(Seconds(ticks, float64(clockHz)), 'f', -1, 64)
}

// Seconds are ticks of a clock of so many a second, as SecondsFromTicks has them.
func Seconds(ticks uint64, clockHz float64) float64 { return float64(int64(ticks)) / clockHz }
