package main

import "testing"

func TestSecondsMeanTheTickThatTheyAreNearest(t *testing.T) {
	for _, c := range []struct{ seconds, hz, want float64 }{
		{0.001004, 250e6, 251000},
		{0.002004, 250e6, 501000}, // 501000.00000000006 in floating point
		{0.0020040001, 250e6, 501001},
		{-1, 250e6, 0},
		{86400.000000004, 250e6, 21600000000001},
	} {
		if got := firstTick(c.seconds, c.hz); got != c.want {
			t.Errorf("%v s at %v Hz: tick %v, want %v", c.seconds, c.hz, got, c.want)
		}
	}
}
