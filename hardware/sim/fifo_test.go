package sim_test

import (
	"errors"
	"testing"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

// TestTheFIFOFillsAndEndsAcquisitionWhenItIsFull: what was in it is delivered
// first.
func TestTheFIFOFillsAndEndsAcquisitionWhenItIsFull(t *testing.T) {
	now := uint64(0)
	const total = 10e6 // two seconds of a breakout board
	c, err := sim.New(sim.Config{Wait: func(ticks uint64) { now = max(now, ticks) }, Now: func() uint64 { return now }, FIFOBytes: total})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var f oni.Frame
	read := func(until uint64) (err error) {
		for err == nil && f.Clock < until {
			err = c.ReadInto(&f)
		}
		return err
	}
	fill := func() float64 {
		fill, err := c.FIFOFill()
		if err != nil || fill.Total != total {
			t.Fatalf("%+v, %v", fill, err)
		}
		words, err := c.ReadRegister(0xA, 4) // MEM_USAGE
		if err != nil || uint64(words) != fill.Used/4 {
			t.Errorf("MEM_USAGE %d, fill %+v, %v", words, fill, err)
		}
		return float64(fill.Used) / total
	}
	if err := read(sim.ClockHz); err != nil {
		t.Fatal(err)
	}
	if got := fill(); got > 0.02 {
		t.Errorf("%.2f full while all is read", got)
	}
	now += sim.ClockHz // a second nobody reads
	if got := fill(); got < 0.47 || got > 0.49 {
		t.Errorf("%.3f full after a second, want 4.8 of 10 MB", got)
	}
	if err := read(2 * sim.ClockHz); err != nil || fill() > 0.02 {
		t.Errorf("read on: %v, %.2f full", err, fill())
	}
	now += 3 * sim.ClockHz
	if got := fill(); got < 0.99 {
		t.Errorf("%.2f full after three seconds", got)
	}
	err = read(100 * sim.ClockHz)
	if !errors.Is(err, oni.ErrOverflow) {
		t.Errorf("got %v", err)
	}
	if s := float64(f.Clock) / sim.ClockHz; s < 4.07 || s > 4.1 {
		t.Errorf("the last frame is of %.3f s, want 2 s and what 10 MB hold", s)
	}
}
