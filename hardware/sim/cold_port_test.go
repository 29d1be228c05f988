package sim_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

// power locks the link of port A of a cold controller.
func power(t *testing.T, c oni.Controller, dv uint32) {
	t.Helper()
	write(t, c, 1, 3, dv)
	if err := sim.Sleep(t.Context(), c, time.Second); err != nil {
		t.Fatal(err)
	}
}

// The devices of a headstage are in the table after link and reset, those of
// passthrough devices never are: rows of onix-devices 9.1, on both ports.
func TestDevicesOfAHeadstageComeWithLinkAndReset(t *testing.T) {
	for key, want := range map[string][]oni.Device{
		device.HeadstageHS64: {
			{Address: 0, ID: 3, Version: 1, ReadSize: 142}, {Address: 1, ID: 9, Version: 1, ReadSize: 36},
			{Address: 2, ID: 25, Version: 1, ReadSize: 16}, {Address: 3, ID: 4, Version: 1}, {Address: 4, ID: 5, Version: 1},
		},
		device.HeadstageRhs2116: {
			{Address: 0, ID: 31, Version: 3, ReadSize: 74}, {Address: 1, ID: 31, Version: 3, ReadSize: 74}, {Address: 2, ID: 32, Version: 2, ReadSize: 14},
		},
		device.HeadstageNeuropixelsV1f: {
			{Address: 0, ID: 11, Version: 1, ReadSize: 944}, {Address: 1, ID: 11, Version: 1, ReadSize: 944},
			{Address: 2, ID: 9, Version: 1, ReadSize: 36}, {Address: 3, ID: 25, Version: 1, ReadSize: 16},
		},
		device.HeadstageNric1384:           {{Address: 0, ID: 33, Version: 1, ReadSize: 844}, {Address: 1, ID: 9, Version: 1, ReadSize: 36}},
		device.HeadstageNeuropixelsV1e:     nil,
		device.HeadstageNeuropixelsV2e:     nil,
		device.HeadstageNeuropixelsV2eBeta: nil,
	} {
		for port := range 2 {
			cfg := sim.Config{Cold: true}
			cfg.Ports[port] = key
			c := controller(t, cfg)
			breakout := c.Table()
			if len(breakout) != 13 {
				t.Fatalf("%s: %d devices before the link is there", key, len(breakout))
			}
			write(t, c, oni.Address(1+port), 3, 50)
			if err := sim.Sleep(t.Context(), c, time.Second); err != nil {
				t.Fatal(err)
			}
			if n := len(c.Table()); n != 13 {
				t.Errorf("%s: %d devices before the reset", key, n)
			}
			if err := c.Reset(); err != nil {
				t.Fatal(err)
			}
			all := oni.DeviceTable(slices.Clone(breakout))
			for _, d := range want {
				d.Address = oni.NewAddress(uint8(port+1), uint8(d.Address))
				all = append(all, d)
			}
			if got := c.Table(); !slices.Equal(got, all) {
				t.Errorf("%s on port %d:\n%v, want\n%v", key, port+1, got, all)
			}
		}
	}
}

// The size of a passthrough device's samples follows from its registers, and
// from PORTFUNC, with the reset after them: onix-devices 2.8.
func TestSizeOfPassthroughSamplesComesWithTheReset(t *testing.T) {
	for _, x := range []struct {
		name                  string
		words, units, mode, n uint32
	}{
		{"1.0e", 5, 13, 0x391, 1050}, {"2.0e", 9, 16, 0x200002B5, 1162}, {"2.0e beta", 7, 16, 0x2D5, 910},
		{"Intan adapter", 68, 1, 0x5F1, 280}, {"Miniscope", 608, 0, 0, 1224},
	} {
		c := controller(t, sim.Config{Cold: true, Ports: [2]string{device.HeadstageNeuropixelsV2e}})
		size := func() uint32 {
			d, _ := c.Table().Find(8)
			return d.ReadSize
		}
		write(t, c, 8, 0x8001, x.words|x.units<<16)
		write(t, c, 8, 0x800A, x.mode)
		if err := c.Reset(); err != nil || size() != 0 {
			t.Errorf("%s: %v, %d bytes without PORTFUNC", x.name, err, size())
		}
		if err := c.SetOption(oni.OptionPortFunc, 1); err != nil || size() != 0 {
			t.Errorf("%s: %v, %d bytes before the reset", x.name, err, size())
		}
		if err := c.Reset(); err != nil || size() != x.n {
			t.Errorf("%s: %v, %d bytes, want %d", x.name, err, size(), x.n)
		}
	}
}

// What a port's registers do, and when: onix-devices 2.8, 2.9.
func TestRegistersOfAColdPort(t *testing.T) {
	cold := func(lock int) oni.Controller {
		return controller(t, sim.Config{Cold: true, Ports: [2]string{device.HeadstageNeuropixelsV2e}, Boards: [2]sim.Board{{LockDV: lock}}})
	}
	t.Run("1 to 33 give the same voltage", func(t *testing.T) {
		c := cold(30)
		power(t, c, 1)
		if read(t, c, 1, 5) != 3 || read(t, c, 1, 3) != 1 {
			t.Error("no lock at the least voltage that the hardware makes")
		}
		power(t, c, 0)
		if read(t, c, 1, 5) != 0 {
			t.Error("a lock without a voltage")
		}
	})
	t.Run("a lock that is lost sets LINKFLAGS until 3 is written", func(t *testing.T) {
		c := cold(40)
		power(t, c, 45)
		write(t, c, 1, 7, 3)
		if v := read(t, c, 1, 7); v != 0 {
			t.Errorf("cleared: %d", v)
		}
		write(t, c, 1, 2, 0)
		write(t, c, 1, 2, 1)
		if v := read(t, c, 1, 7); v == 0 {
			t.Error("the deserialiser was off, and no flag says so")
		}
		write(t, c, 1, 7, 0)
		if v := read(t, c, 1, 7); v == 0 {
			t.Error("0 cleared the flags")
		}
	})
	t.Run("a deserialiser without power forgets, and does not answer", func(t *testing.T) {
		const register = 0x30 | 0x6D<<7
		c := cold(40)
		write(t, c, 8, register, 6)
		if v := read(t, c, 8, register); v != 6 {
			t.Errorf("wrote 6, read %d", v)
		}
		write(t, c, 1, 2, 0)
		if _, err := c.ReadRegister(8, register); !errors.Is(err, oni.ErrNACK) {
			t.Errorf("without power: %v", err)
		}
		write(t, c, 1, 2, 1)
		if v := read(t, c, 8, register); v != 0 {
			t.Errorf("it remembers %d", v)
		}
		if _, err := c.ReadRegister(8, 1<<31|register); !errors.Is(err, oni.ErrNACK) {
			t.Errorf("16-bit addresses: %v", err)
		}
	})
	t.Run("ENABLE works from the next reset on", func(t *testing.T) {
		c := controller(t, sim.Config{Cold: true, Ports: [2]string{device.HeadstageNeuropixelsV2e, device.HeadstageNeuropixelsV1e}})
		write(t, c, 2, 3, 50)
		power(t, c, 50)
		write(t, c, 1, 0, 0)
		if err := c.Start(); !errors.Is(err, sim.ErrRefused) {
			t.Errorf("start before the reset: %v", err)
		}
		if err := errors.Join(c.Reset(), c.Start()); err != nil {
			t.Fatal(err)
		}
		n := frames(t, c, sim.ClockHz/10)
		if n[1] != 0 || n[2] != 1 {
			t.Errorf("%d and %d frames of ports, want none of A, whose ENABLE is 0, and one of B", n[1], n[2])
		}
	})
	t.Run("a port without a voltage does not say that its link is good", func(t *testing.T) {
		c := cold(40)
		if err := errors.Join(c.Reset(), c.Start()); err != nil {
			t.Fatal(err)
		}
		if n := frames(t, c, sim.ClockHz/10); n[1] != 0 {
			t.Errorf("%d frames", n[1])
		}
	})
	t.Run("pins of a passthrough device work at once, beside a reader", func(t *testing.T) {
		c := cold(40)
		if err := errors.Join(c.Reset(), c.Start()); err != nil {
			t.Fatal(err)
		}
		write(t, c, 8, 0x8011, 5)
		if v := read(t, c, 8, 0x8011); v != 5 {
			t.Errorf("wrote 5, read %d", v)
		}
		if err := c.WriteRegister(8, 0x8001, 5); !errors.Is(err, sim.ErrRefused) {
			t.Errorf("READSZ of a running device: %v", err)
		}
	})
}

// A write that hangs keeps the registers, and frames go on.
func TestAWriteThatHangsLeavesTheReaderAlone(t *testing.T) {
	c := controller(t, sim.Config{Faults: []sim.Fault{{Kind: sim.HangWrite, Address: 0, Count: 2}}})
	for range 2 {
		write(t, c, 0, 1, sim.ClockHz/1000)
	}
	write(t, c, 0x6, 0, 1) // of another device
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	returned := make(chan error, 1)
	go func() { returned <- c.WriteRegister(0, 1, sim.ClockHz/100) }()
	select {
	case err := <-returned:
		t.Fatalf("the write returned: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if n := frames(t, c, sim.ClockHz/10); n[0] != 100 {
		t.Errorf("%d heartbeats, want 100 at the rate before", n[0])
	}
}
