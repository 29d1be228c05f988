package sim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

// What hardware would suffer from, or ignore, is refused.
func TestAColdControllerRefusesWhatHurts(t *testing.T) {
	c := controller(t, sim.Config{Cold: true, Ports: [2]string{"neuropixels-2.0e"}, Boards: [2]sim.Board{{SavedDV: 50}}})
	for _, x := range []struct {
		name string
		do   func() error
		want error
	}{
		{"above the ceiling", func() error { return c.WriteRegister(1, 3, 66) }, sim.ErrRefused},
		{"a voltage where nothing is plugged in", func() error { return c.WriteRegister(2, 3, 33) }, sim.ErrRefused},
		{"SAVEVOLTAGE", func() error { return c.WriteRegister(1, 4, 0) }, sim.ErrRefused},
		{"GPOSTATE", func() error { return c.WriteRegister(1, 1, 0) }, sim.ErrRefused},
		{"serialiser before the link is set up", func() error { return c.WriteRegister(8, 0x58|0x0D<<7, 0x11) }, oni.ErrNACK},
		{"probe without an alias", func() error { return c.WriteRegister(8, 0x10, 0x40) }, oni.ErrNACK},
		{"hub without a link", func() error { _, err := c.ReadRegister(oni.HubManager(1), 0); return err }, oni.ErrNACK},
		{"start before ENABLE is latched", func() error {
			if err := c.WriteRegister(6, 0, 0); err != nil {
				t.Fatal(err)
			}
			return c.Start()
		}, sim.ErrRefused},
		{"ENABLE of a running device", func() error {
			if err := errors.Join(c.Reset(), c.Start()); err != nil {
				t.Fatal(err)
			}
			return c.WriteRegister(7, 0, 0)
		}, sim.ErrRefused},
	} {
		if err := x.do(); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
	}
	if read(t, c, 1, 3) != 50 || read(t, c, 2, 3) != 0 {
		t.Error("a refused voltage was taken")
	}
}

// A link locks at its voltage, some time after it was written.
func TestALinkLocksAtItsVoltage(t *testing.T) {
	c := controller(t, sim.Config{Cold: true, Ports: [2]string{"", "neuropixels-1.0e"}, Boards: [2]sim.Board{{}, {LockDV: 45}}})
	for _, x := range []struct {
		dv, want uint32
		wait     time.Duration
	}{{44, 0, time.Second}, {45, 0, 0}, {45, 3, time.Second}, {0, 0, time.Second}} {
		write(t, c, 2, 3, x.dv)
		if err := sim.Sleep(t.Context(), c, x.wait); err != nil {
			t.Fatal(err)
		}
		if got := read(t, c, 2, 5); got != x.want {
			t.Errorf("%d tenths of a volt, after %v: link state %d, want %d", x.dv, x.wait, got, x.want)
		}
	}
	if journal := sim.Journal(c); len(journal) != 8 || journal[0].String() != "write 0x0002 0x0003 0x2c" {
		t.Errorf("journal %v", journal)
	}
}
