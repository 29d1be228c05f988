package sim_test

import (
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

func TestDroppedFramesAreSeenByTheDecoders(t *testing.T) {
	cfg := rig(sim.Pattern)
	cfg.Faults = []sim.Fault{
		{Kind: sim.Drop, At: 25e6, Address: 8, Count: 100},
		{Kind: sim.Drop, At: 30e6, Address: 6, Count: 7},
		{Kind: sim.Drop, At: 40e6, Address: 0, Count: 2},
	}
	gaps := map[uint64][]device.Gap{}
	got := take(t, start(t, cfg), sim.ClockHz/2, func(c *device.Config) {
		c.OnGap = func(g device.Gap) { gaps[g.Lost] = append(gaps[g.Lost], g) }
	})
	for name, want := range map[string]device.Stats{
		"port-a-neuropixels-1.0e": {Frames: 14900, Rows: 14892, Lost: 100, Gaps: 1, Pending: 8},
		"analog-io":               {Frames: 49993, Rows: 49993, Lost: 7, Gaps: 1},
		"heartbeat":               {Frames: 48, Rows: 48, Lost: 2, Gaps: 1},
		"memory-monitor":          {Frames: 5, Rows: 5},
	} {
		if s := got[name].dec.Stats(); s != want {
			t.Errorf("%s: %+v, want %+v", name, s, want)
		}
	}
	// Row 2999 is the last before 25e6: (2999 * 25000) / 3 + 100 + (5 * 2999) % 16.
	want := []device.Gap{{Row: 3000, Lost: 100, ClockBefore: 24991666 + 100 + 3, ClockAfter: 25833333 + 100 + 12}}
	if !reflect.DeepEqual(gaps[100], want) {
		t.Errorf("gaps %+v, want %+v", gaps[100], want)
	}
}

func TestCutFramesAreRefused(t *testing.T) {
	cfg := rig(sim.Pattern)
	cfg.Faults = []sim.Fault{{Kind: sim.Cut, At: 1e6, Address: 8, Count: 3}, {Kind: sim.Cut, At: 1e6, Address: 10, Count: 1}}
	got := take(t, start(t, cfg), sim.ClockHz/2, nil)
	if s := got["port-a-neuropixels-1.0e"].dec.Stats(); s.BadFrames != 3 || s.Lost != 3 || s.Gaps != 1 {
		t.Errorf("probe: %+v", s)
	}
	if s := got["memory-monitor"].dec.Stats(); s.BadFrames != 1 || s.Rows != 4 || s.Lost != 1 {
		t.Errorf("memory monitor: %+v", s)
	}
}

func TestJumpMovesTheClockOnly(t *testing.T) {
	cfg := rig(sim.Pattern)
	cfg.Faults = []sim.Fault{{Kind: sim.Jump, At: 50e6, Ticks: 1e9}}
	got := take(t, start(t, cfg), 1e9+100e6, nil)
	for name, d := range got {
		if s := d.dec.Stats(); s.Lost+s.Faults+s.BadFrames != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	c, clocks := got["heartbeat"].column(t, "Clock")
	if before, after := number(c, clocks, 19), number(c, clocks, 20); before != 19*2500000+40+15 || after != 1e9+20*2500000+40+4 {
		t.Errorf("clock %d, then %d", before, after)
	}
	c, hub := got["heartbeat"].column(t, "HubClock")
	if step := number(c, hub, 20) - number(c, hub, 19); step != 2500000 {
		t.Errorf("hub clock steps %d", step)
	}
}

func TestStallDeliversLateAndAll(t *testing.T) {
	cfg := rig(sim.Pattern)
	cfg.Faults = []sim.Fault{{Kind: sim.Stall, At: 20e6, Ticks: 60e6}}
	var now uint64
	cfg.Wait = func(ticks uint64) { now = ticks }
	src := start(t, cfg)
	var f oni.Frame
	late := 0
	for f.Clock < 100e6 {
		if err := src.ReadInto(&f); err != nil {
			t.Fatal(err)
		}
		if now > 20e6 && now < 80e6 {
			t.Fatalf("a frame comes at %d, during the stall", now)
		}
		if f.Clock >= 20e6 && f.Clock < 78e6 && now == 80e6 {
			late++
		}
	}
	if late < 30000 { // 58e6 ticks: 23,200 analog frames, 6,960 super-frames
		t.Errorf("%d frames come after the stall", late)
	}
}

func TestEndIsAnErrorOnceAndThenTheEnd(t *testing.T) {
	cfg := rig(sim.Pattern)
	cfg.Faults = []sim.Fault{{Kind: sim.End, At: 10e6}}
	src := start(t, cfg)
	var f oni.Frame
	for {
		err := src.ReadInto(&f)
		if err == nil && f.Clock < 10e6 {
			continue
		}
		if !errors.Is(err, sim.ErrEnded) {
			t.Fatalf("clock %d, %v", f.Clock, err)
		}
		break
	}
	if err := src.ReadInto(&f); err != io.EOF {
		t.Error(err)
	}
	if err := src.Stop(); err != nil {
		t.Error(err)
	}
}
