package stream

import (
	"errors"
	"fmt"
	"math/big"
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
// that have no unsigned ones; run-end encoded or not). ok is false, and column
// -1, if there is none: then rows have numbers but no times.
func (s Stream) Clock() (column int, ok bool) { return s.ticks(ClockName) }

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
	exact, ok := new(big.Rat).SetString(seconds)
	if !ok || len(seconds) > 40 || strings.ContainsAny(seconds, "/xXpP_eE") {
		return 0, fmt.Errorf("stream: %q is not a number of seconds", seconds)
	}
	if exact.Sign() < 0 {
		return 0, fmt.Errorf("stream: %s s is before the clock began", seconds)
	}
	ticks := exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).SetUint64(clockHz)))
	whole, rest := new(big.Int).QuoRem(ticks.Num(), ticks.Denom(), new(big.Int))
	if below := whole.Uint64(); rest.Sign() > 0 && whole.IsUint64() && below < maxFloatTicks {
		if x, err := strconv.ParseFloat(seconds, 64); err == nil && float64(below)/float64(clockHz) == x {
			return below, nil
		}
	}
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	if !whole.IsUint64() {
		return 0, fmt.Errorf("stream: %s s is more than the clock can count", seconds)
	}
	return whole.Uint64(), nil
}

// SecondsFromTicks writes ticks as a decimal number of seconds, the shortest
// that TicksFromSeconds takes for the same tick.
func SecondsFromTicks(ticks, clockHz uint64) string {
	return strconv.FormatFloat(float64(ticks)/float64(clockHz), 'f', -1, 64)
}
