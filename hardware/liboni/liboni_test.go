//go:build linux && (amd64 || arm64)

package liboni

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/internal/standin"
)

func TestABoardFromOpenToClose(t *testing.T) {
	c := newFake(t).open(t, "riffa")
	if got := c.Info(); got.Driver != "riffa" || got.DriverVersion != "1.1.0-test" || got.Version != "4.6.0" || got.Library != c.lib.path || !strings.HasSuffix(got.Library, "liboni.so") {
		t.Errorf("info %+v", got)
	}
	if c.AcqClockHz() != 250e6 || len(c.Table()) != 13 {
		t.Errorf("clock %d Hz, table %v", c.AcqClockHz(), c.Table())
	}
	if d, ok := c.Table().Find(6); !ok || d != (oni.Device{Address: 6, ID: 22, Version: 2, ReadSize: 32, WriteSize: 24}) {
		t.Errorf("device 6: %+v", d)
	}
	if hub, err := c.Hub(0); err != nil || hub != (oni.Hub{ID: 1, Revision: "1.3", Firmware: "2.2", ClockHz: 250e6}) {
		t.Errorf("hub 0: %+v, %v", hub, err)
	}
	if _, err := c.Hub(1); !errors.Is(err, oni.ErrNACK) {
		t.Errorf("hub 1, which is not linked: %v", err)
	}
	if read, write := c.BlockSizes(); read != 48 || write != 32 {
		t.Errorf("blocks after a reset: %d, %d", read, write)
	}
	if v, err := c.Option(oni.OptionMaxReadFrameSize); err != nil || v != 48 {
		t.Errorf("largest frame %d, %v", v, err)
	}
	if err := c.SetOption(oni.OptionPortFunc, 5); err != nil {
		t.Error(err)
	}
	if v, err := c.Option(oni.OptionPortFunc); err != nil || v != 5 {
		t.Errorf("passthrough %d, %v", v, err)
	}
	if fill, err := c.FIFOFill(); err != nil || fill != (oni.Fill{Total: 4 * 536870912}) {
		t.Errorf("fill %+v, %v", fill, err)
	}
	for _, write := range []struct{ a, r, v uint32 }{{6, 0, 1}, {10, 0, 1}, {10, 1, 2500000}, {0, 1, 250000}} {
		if err := c.WriteRegister(oni.Address(write.a), write.r, write.v); err != nil {
			t.Error(err)
		}
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := c.SetBlockSizes(4096, 2048); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteFrame(6, make([]byte, 24)); err != nil {
		t.Error(err)
	}
	for address, size := range map[oni.Address]int{6: 25, 7: 0, 10: 12, 0x123: 4} {
		if err := c.WriteFrame(address, make([]byte, size)); err == nil {
			t.Errorf("a frame of %d bytes was written to %v", size, address)
		}
	}
	if err := c.SetDriverOption(1, 17); err != nil {
		t.Error(err)
	}
	if v, err := c.DriverOption(1); err != nil || v != 17 {
		t.Errorf("the driver's option: %d, %v", v, err)
	}
	for _, o := range []uint32{2, 1 << 31} {
		want(t, "an option that the driver lacks", c.SetDriverOption(o, 1), oni.ErrOption)
	}
	if c.DeviceName(12) != "Heartbeat" || c.DeviceName(1<<31) != "" || c.HubName(1) != "FMC host" {
		t.Errorf("names %q, %q, %q", c.DeviceName(12), c.DeviceName(1<<31), c.HubName(1))
	}
	for range 2 { // a board can be started again
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		counts := map[oni.Address]int{}
		last := uint64(0)
		for range 5000 {
			var f oni.Frame
			if err := c.ReadInto(&f); err != nil {
				t.Fatal(err)
			}
			if f.Clock < last {
				t.Fatalf("clock %d after %d", f.Clock, last)
			}
			d, _ := c.Table().Find(f.Address)
			if last = f.Clock; len(f.Data) != int(d.ReadSize) {
				t.Fatalf("%d bytes from %v", len(f.Data), f.Address)
			}
			counts[f.Address]++
		}
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		if counts[6] < 4800 || counts[0] < 40 || counts[10] < 4 || last > 20e6 {
			t.Errorf("frames by device %v, the last at %d", counts, last)
		}
		var f oni.Frame
		if err := c.ReadInto(&f); err != io.EOF {
			t.Errorf("a read after Stop: %v", err)
		}
	}
}

func TestEveryCallChecksTheStateBeforeC(t *testing.T) {
	f := newFake(t)
	c := f.open(t, "riffa")
	var frame oni.Frame
	want(t, "read before Start", c.ReadInto(&frame), oni.ErrState)
	want(t, "Stop before Start", c.Stop(), oni.ErrState)
	if err := c.SetBlockSizes(4098, 2048); err == nil {
		t.Error("a block of 4098 bytes was taken")
	}
	if err := c.SetBlockSizes(44, 2048); err == nil {
		t.Error("a block below the largest frame was taken")
	}
	for _, o := range []oni.Option{0, 1, 2, 3, 6, 10, 11, 1 << 31, 1<<32 - 1} {
		_, err := c.Option(o)
		want(t, "option", err, oni.ErrOption)
		want(t, "option", c.SetOption(o, 1), oni.ErrOption)
	}
	want(t, "the system clock is set", c.SetOption(oni.OptionSystemClockHz, 1), oni.ErrOption)
	if err := c.Start(); err != nil { // liboni itself stays idle
		t.Fatal(err)
	}
	want(t, "Start twice", c.Start(), oni.ErrState)
	want(t, "Reset while running", c.Reset(), oni.ErrState)
	want(t, "blocks while running", c.SetBlockSizes(4096, 2048), oni.ErrState)
	if err := c.Close(); err != nil { // stops first
		t.Fatal(err)
	}
	if n := f.contexts(); n != 0 {
		t.Errorf("%d contexts after Close", n)
	}
	_, errRead := c.ReadRegister(0, 0)
	_, errOption := c.Option(oni.OptionSystemClockHz)
	_, errHub := c.Hub(0)
	_, errDriver := c.DriverOption(1)
	_, errFill := c.FIFOFill()
	for what, err := range map[string]error{
		"Start": c.Start(), "Stop": c.Stop(), "ReadInto": c.ReadInto(&frame), "Reset": c.Reset(), "SetBlockSizes": c.SetBlockSizes(4096, 2048),
		"ReadRegister": errRead, "WriteRegister": c.WriteRegister(1, 3, 0), "Option": errOption, "SetOption": c.SetOption(oni.OptionPortFunc, 0),
		"Hub": errHub, "DriverOption": errDriver, "FIFOFill": errFill, "WriteFrame": c.WriteFrame(6, make([]byte, 24)),
	} {
		want(t, what+" after Close", err, oni.ErrState)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close twice: %v", err)
	}
}

func TestARegisterThatIsRefusedIsNotAFault(t *testing.T) {
	f := newFake(t)
	c := f.open(t, "riffa")
	_, err := c.ReadRegister(8, 0x1A<<7|0x58) // no link, so no serialiser
	want(t, "a chip that is not there", err, oni.ErrNACK)
	want(t, "a read-only register", c.WriteRegister(1, 5, 1), oni.ErrNACK)
	_, err = c.ReadRegister(0x123, 0)
	want(t, "an address that is not there", err, oni.ErrNoDevice)
	f.fault("nack", 2)
	want(t, "a device that refuses", c.WriteRegister(2, 3, 0), oni.ErrNACK)
	if err := c.WriteRegister(1, 3, 0); err != nil {
		t.Error(err)
	}
}

func TestAfterAFailedReadNoOtherFollows(t *testing.T) {
	f := newFake(t)
	c := f.open(t, "riffa")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	f.fault("fail_after", 10)
	var frame oni.Frame
	var err error
	for err == nil {
		err = c.ReadInto(&frame)
	}
	failure := (*Error)(nil)
	if !errors.As(err, &failure) || failure.Code != -5 || err.Error() != "liboni: oni_read_frame: reading from the hardware failed (-5)" {
		t.Errorf("got %v", err)
	}
	f.fault("fail_after", -1)
	if again := c.ReadInto(&frame); again != err {
		t.Errorf("the next read: %v", again)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if err := c.ReadInto(&frame); err != io.EOF {
		t.Errorf("a read after Stop: %v", err)
	}
	want(t, "Start after a failed read", c.Start(), oni.ErrState)
}

func TestTheTestDriverStartsAnewWithItsSettings(t *testing.T) {
	f := newFake(t)
	c := f.open(t, DriverTest)
	if len(c.Table()) != 16 || c.AcqClockHz() != 200e6 {
		t.Fatalf("table %v, clock %d", c.Table(), c.AcqClockHz())
	}
	if hub, err := c.Hub(3); err != nil || hub.Firmware != "6.64" || hub.ClockHz != 50e6 {
		t.Errorf("hub 3: %+v, %v", hub, err)
	}
	_, err := c.Option(oni.OptionPortFunc)
	want(t, "ports of the test driver", err, oni.ErrOption)
	_, err = c.FIFOFill()
	want(t, "fill of the test driver", err, oni.ErrNoDevice)
	for _, d := range c.Table() {
		if d.Address != 0x102 && d.Address != 0x203 {
			if err := c.WriteRegister(d.Address, 0, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(c.WriteRegister(0x102, 1, 7), c.WriteRegister(0x102, 1, 0xFFFF), c.SetBlockSizes(8192, 2048)); err != nil {
		t.Fatal(err)
	}
	want(t, "a read-only register", c.WriteRegister(0x102, 2, 1), oni.ErrNACK)
	for run := range 100 {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		counters := map[oni.Address]uint64{}
		for i := range uint64(3000) {
			var frame oni.Frame
			if err := c.ReadInto(&frame); err != nil {
				t.Fatal(err)
			}
			counter := *(*uint64)(unsafe.Pointer(&frame.Data[0]))
			if frame.Clock != i || counter != counters[frame.Address] {
				t.Fatalf("run %d, frame %d: clock %d, counter %d of %v, want %d", run, i, frame.Clock, counter, frame.Address, counters[frame.Address])
			}
			counters[frame.Address]++
			if frame.Address == 0x102 && string(frame.Data[8:10]) != "\xFF\xFF" {
				t.Fatalf("message % x", frame.Data[8:10])
			}
		}
		if len(counters) != 2 || counters[0x102] == 0 || counters[0x203] == 0 {
			t.Fatalf("devices %v, want the two that are enabled", counters)
		}
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if read, write := c.BlockSizes(); read != 8192 || write != 2048 {
		t.Errorf("blocks %d, %d", read, write)
	}
	if err := errors.Join(c.WriteRegister(0x102, 0, 0), c.WriteRegister(0x203, 0, 0)); err != nil {
		t.Fatal(err)
	}
	want(t, "Start with all devices disabled", c.Start(), oni.ErrState)
	if err := errors.Join(c.WriteRegister(0x300, 0, 1), c.Start(), c.Stop()); err != nil {
		t.Error(err)
	}
}

func TestContextsFollowEachOther(t *testing.T) {
	f := newFake(t)
	for range 300 {
		c, err := Open(Config{Driver: DriverTest, Library: f.path})
		if err != nil {
			t.Fatal(err)
		}
		var frame oni.Frame
		if err := errors.Join(c.Start(), c.ReadInto(&frame), c.Stop(), c.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.contexts(); n != 0 {
		t.Errorf("%d contexts are left", n)
	}
}

// childVariable makes the test binary a child that reads until C ends it.
const childVariable = "ONISCOPE_TEST_MALFORMED"

func TestAMalformedFrameEndsTheProcess(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		c, err := Open(Config{Driver: DriverTest, Library: standin.Library(t)})
		if err != nil {
			t.Fatal(err)
		}
		var frame oni.Frame
		for err = c.Start(); err == nil; {
			err = c.ReadInto(&frame)
		}
		t.Fatalf("the read returned: %v", err)
	}
	standin.Library(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestAMalformedFrameEndsTheProcess$")
	cmd.Env = append(os.Environ(), childVariable+"=1", "STANDIN_MALFORMED_AFTER=1000")
	text, err := cmd.CombinedOutput()
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(text), "Zero-sized frame") || !strings.Contains(string(text), "SIGABRT") {
		t.Errorf("%v\n%s", err, text)
	}
}
