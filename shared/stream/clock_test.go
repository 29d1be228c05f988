package stream

import (
	"errors"
	"strings"
	"testing"
)

func TestSecondsBecomeTicksExactly(t *testing.T) {
	for _, c := range []struct {
		text string
		hz   uint64
		want uint64
	}{
		{"0", 250e6, 0},
		{"1.5", 250e6, 375e6},
		{"0.001004", 250e6, 251000},
		{"0.002004", 250e6, 501000}, // 501000.00000000006 in floating point
		{"0.0020040001", 250e6, 501001},
		{"86400.000000004", 250e6, 21600000000001},
		{"0.000000001", 250e6, 1},                              // a quarter of a tick: the next one
		{"73786976294.838206460", 250e6, 18446744073709551615}, // the last tick
		{"36028797.018963968", 250e6, 9007199254740992},        // 2^53: float64 would be at its end
		{"36028797.018963972", 250e6, 9007199254740993},
		{"9.96e-05", 250e6, 24900}, // as programs print small numbers
		{"1E3", 250e6, 250e9},
		{"1.5e+1", 250e6, 3750e6},
		{".25e1", 2, 5},
	} {
		if got, err := TicksFromSeconds(c.text, c.hz); err != nil || got != c.want {
			t.Errorf("%s s: got %d, %v, want %d", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "noon", "-1", "1/3", "1e999999999", "1e-999999999", "e5", "1e", "1e5e5", ".e1", "0x10", "99999999999999999999999", "inf", "NaN", "1_000"} {
		if got, err := TicksFromSeconds(text, 250e6); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

// What was calculated in floating point gives the tick back.
func TestSecondsOfATickAreThatTick(t *testing.T) {
	for _, hz := range []uint64{30_000, 1_000_003, 250e6} {
		for _, tick := range []uint64{0, 1, 2, 3, 501_000, 1<<31 + 7, 1<<45 + 1, 1<<52 - 1} {
			text := SecondsFromTicks(tick, hz)
			if got, err := TicksFromSeconds(text, hz); err != nil || got != tick {
				t.Errorf("%s s at %d Hz: tick %d, %v, want %d", text, hz, got, err, tick)
			}
		}
	}
	if _, err := TicksFromSeconds("1", 0); !errors.Is(err, ErrNoRate) {
		t.Errorf("without a rate: %v", err)
	}
}

func TestNamesDiffer(t *testing.T) {
	for _, c := range [][2]string{
		{"a b", "a b"},
		{"x x", "x x#2"},
		{"x y x x", "x y x#2 x#3"},
		{"x x#2 x x", "x x#2 x#3 x#4"},
		{"x#2 x x", "x#2 x x#3"},
		{"x#2 x#2 x x", "x#2 x#2#2 x x#3"},
	} {
		var s Stream
		for _, name := range strings.Fields(c[0]) {
			s.Columns = append(s.Columns, Column{Name: name})
		}
		if got := strings.Join(s.Names(), " "); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}
