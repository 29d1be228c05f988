package sim_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

func controller(t *testing.T, cfg sim.Config) oni.Controller {
	t.Helper()
	c, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, c oni.Controller, a oni.Address, register uint32) uint32 {
	t.Helper()
	v, err := c.ReadRegister(a, register)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func write(t *testing.T, c oni.Controller, a oni.Address, register, value uint32) {
	t.Helper()
	if err := c.WriteRegister(a, register, value); err != nil {
		t.Fatal(err)
	}
}

// frames counts the frames of each device before a tick.
func frames(t *testing.T, c oni.Controller, until uint64) map[oni.Address]int {
	t.Helper()
	n := map[oni.Address]int{}
	for {
		var f oni.Frame
		if err := c.ReadInto(&f); err != nil {
			t.Fatal(err)
		}
		if f.Clock >= until {
			return n
		}
		n[f.Address]++
	}
}

func TestRegistersKeepWhatIsWritten(t *testing.T) {
	c := controller(t, sim.Config{Settings: map[string]device.Settings{
		"heartbeat": &device.RateSettings{RateHz: 1000},
		"analog-io": &device.AnalogIOSettings{RangesV: []float64{10, 10, 10, 5, 10, 10, 10, 10, 10, 10, 10, 10}},
	}})
	for _, want := range []struct {
		a               oni.Address
		register, value uint32
	}{
		{oni.HubManager(0), 0, 1}, {oni.HubManager(0), 4, sim.ClockHz},
		{0x0, 1, sim.ClockHz / 1000}, {0x6, 2, 0}, {0x6, 5, 2}, {0xA, 3, 1 << 29}, {0x1, 3, 0},
	} {
		if v := read(t, c, want.a, want.register); v != want.value {
			t.Errorf("register %d of %v: %d, want %d", want.register, want.a, v, want.value)
		}
	}
	write(t, c, 0x1, 3, 50)
	if v := read(t, c, 0x1, 3); v != 50 {
		t.Errorf("port voltage: %d", v)
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if v := read(t, c, 0x1, 3); v != 50 {
		t.Errorf("a reset took the port voltage away: %d", v) // onix-devices 2.9
	}
}

func TestWhatIsNotThereIsNotAcknowledged(t *testing.T) {
	c := controller(t, rig(sim.Pattern))
	for _, c := range []struct {
		name string
		do   func() error
		want error
	}{
		{"unknown register", func() error { _, err := c.ReadRegister(0x6, 99); return err }, oni.ErrNACK},
		{"unknown register, written", func() error { return c.WriteRegister(0x6, 99, 1) }, oni.ErrNACK},
		{"chip of a headstage", func() error { _, err := c.ReadRegister(0x8, 0x51|0<<7); return err }, oni.ErrNACK},
		{"read-only register", func() error { return c.WriteRegister(0x0, 0, 0) }, oni.ErrNACK},
		{"divider below the smallest", func() error { return c.WriteRegister(0x0, 1, 24) }, oni.ErrNACK},
		{"saved voltage", func() error { return c.WriteRegister(0x1, 4, 50) }, oni.ErrNACK},
		{"hub that is not linked", func() error { _, err := c.ReadRegister(oni.HubManager(1), 0); return err }, oni.ErrNACK},
		{"no device", func() error { _, err := c.ReadRegister(0x55, 0); return err }, oni.ErrNoDevice},
		{"option", func() error { _, err := c.Option(99); return err }, oni.ErrOption},
		{"read-only option", func() error { return c.SetOption(oni.OptionSystemClockHz, 1) }, oni.ErrOption},
	} {
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for _, register := range []uint32{0, 1} {
		if v := read(t, c, 0x0, register); v == 0 || v == 24 {
			t.Errorf("a refused write changed register %d to %d", register, v)
		}
	}
}

func TestRegistersActWhenTheReferenceSays(t *testing.T) {
	c := controller(t, sim.Config{})
	write(t, c, 0x6, 0, 0) // analog inputs off: latched by the next reset
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if n := frames(t, c, sim.ClockHz/10); n[0x6] == 0 || n[0x0] != 10 {
		t.Errorf("before the reset: %v", n)
	}
	write(t, c, 0x0, 1, sim.ClockHz/1000) // 1 kHz: at once, next to the reader
	if n := frames(t, c, sim.ClockHz/5); n[0x0] < 90 {
		t.Errorf("heartbeats at 1 kHz: %v", n)
	}
	if err := c.Reset(); !errors.Is(err, oni.ErrState) {
		t.Errorf("reset while running: %v", err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if n := frames(t, c, sim.ClockHz/10); n[0x6] != 0 || n[0xA] == 0 {
		t.Errorf("after the reset: %v", n)
	}
}

func TestResetReadsTheTableAgain(t *testing.T) {
	c := controller(t, sim.Config{})
	before, _ := c.Table().Find(0xB)
	write(t, c, 0xB, 3, 2000) // load tester: 2000 words to the host
	if d, _ := c.Table().Find(0xB); d != before {
		t.Errorf("the table changed before the reset: %+v", d)
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if d, _ := c.Table().Find(0xB); d.ReadSize != 16+4000 {
		t.Errorf("read size %d, want 4016", d.ReadSize)
	}
	if size, err := c.Option(oni.OptionMaxReadFrameSize); err != nil || size != 4032 {
		t.Errorf("largest frame %d, %v, want 4032", size, err)
	}
}

func TestBlockSizesHoldTheLargestFrame(t *testing.T) {
	c := controller(t, rig(sim.Pattern))
	if r, w := c.BlockSizes(); r != 1068 || w != 32 {
		t.Errorf("default %d and %d, want 1068 and 32", r, w)
	}
	for _, bad := range [][2]uint32{{1064, 32}, {1069, 32}, {8192, 28}, {8192, 33}} {
		if c.SetBlockSizes(bad[0], bad[1]) == nil {
			t.Errorf("blocks of %v were taken", bad)
		}
	}
	if err := c.SetBlockSizes(8192, 2048); err != nil {
		t.Fatal(err)
	}
	if r, w := c.BlockSizes(); r != 8192 || w != 2048 {
		t.Errorf("got %d and %d", r, w)
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if r, _ := c.BlockSizes(); r != 1068 {
		t.Errorf("a reset keeps the block size %d", r)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := c.SetBlockSizes(8192, 2048); !errors.Is(err, oni.ErrState) {
		t.Errorf("while running: %v", err)
	}
}

func TestFIFOFillCountsWhatWaits(t *testing.T) {
	var now uint64
	cfg := rig(sim.Pattern)
	cfg.Now = func() uint64 { return now }
	c := controller(t, cfg)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	frames(t, c, sim.ClockHz/10)
	now = sim.ClockHz / 10
	if fill, err := c.FIFOFill(); err != nil || fill.Used != 0 || fill.Total != 2<<30 {
		t.Errorf("nothing waits, but %+v, %v", fill, err)
	}
	now += 10 * sim.ClockHz // 10 s without a read
	fill, err := c.FIFOFill()
	// 30000 x 1066 + 100000 x 48 B a second and little else.
	if want := 10 * (30000*1066.0 + 100000*48.0); err != nil || float64(fill.Used) < want || float64(fill.Used) > 1.01*want {
		t.Errorf("%+v, %v, want about %.0f", fill, err, want)
	}
	if words := read(t, c, 0xA, 4); uint64(words) != fill.Used/4 {
		t.Errorf("MEM_USAGE %d, want %d", words, fill.Used/4)
	}
	now += 1000 * sim.ClockHz
	if fill, _ := c.FIFOFill(); fill.Used != fill.Total {
		t.Errorf("after 1000 s: %+v", fill)
	}
}

func TestRegistersBesideAReader(t *testing.T) {
	c := controller(t, rig(sim.Pattern))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		var f oni.Frame
		for range 20000 {
			if err := c.ReadInto(&f); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range uint32(2000) {
		write(t, c, 0x0, 1, 25+i)
		write(t, c, 0x1, 3, i)
		if v := read(t, c, 0x1, 3); v != i {
			t.Fatalf("wrote %d, read %d", i, v)
		}
		if _, err := c.FIFOFill(); err != nil {
			t.Fatal(err)
		}
		c.Table()
	}
	reader.Wait()
}

func TestCloseWhileAReadIsInsideIsRefused(t *testing.T) {
	inside, leave := make(chan bool), make(chan bool)
	c := controller(t, sim.Config{Wait: func(uint64) { inside <- true; <-leave }})
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		var f oni.Frame
		if err := c.ReadInto(&f); err != nil {
			t.Error(err)
		}
	})
	<-inside
	if err := c.Close(); !errors.Is(err, oni.ErrState) {
		t.Errorf("closed under a reader: %v", err)
	}
	if v := read(t, c, 0x1, 3); v != 0 { // registers are allowed meanwhile
		t.Errorf("port voltage %d", v)
	}
	close(leave)
	reader.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
