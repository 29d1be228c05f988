package acquire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/shared/recording"
)

func TestEveryRowOfTheDurationReachesItsFile(t *testing.T) {
	d := &disk{}
	src := simulator(t, sim.Config{Ports: [2]string{device.HeadstageNeuropixelsV1e}})
	s, reached, err := record(t, config(t, src, d, 2.5))
	if err != nil || !reached {
		t.Fatalf("reached %v, %v", reached, err)
	}
	for name, want := range map[string][]int{
		"heartbeat":               {100, 100, 50},
		"memory-monitor":          {10, 10, 5},
		"analog-io":               {100000, 100000, 50000},
		"port-a-neuropixels-1.0e": {30024, 30024, 14940},
	} {
		m := d.files[name]
		if m == nil {
			t.Errorf("%s: no file", name)
			continue
		}
		if !m.closed {
			t.Errorf("%s: not closed", name)
		}
		last := len(want) - 1
		if len(m.batches) != len(want) || !reflect.DeepEqual(m.batches[:last], want[:last]) {
			t.Errorf("%s: batches %v, want about %v", name, m.batches, want)
			continue
		}
		// The last batch ends where Clock does, give or take a latency.
		if got := m.batches[last]; got < want[last]-12 || got > want[last]+12 {
			t.Errorf("%s: last batch %d rows, want about %d", name, got, want[last])
		}
		for i, ticks := range m.column("Clock") {
			if ticks >= 2.5*sim.ClockHz {
				t.Errorf("%s: row %d at tick %d, after the duration", name, i, ticks)
				break
			}
		}
	}
	for _, dev := range s.Status().Devices {
		if dev.Dropped != 0 || dev.Lost != 0 || dev.Stats.BadFrames != 0 {
			t.Errorf("%s: %+v", dev.Name, dev)
		}
	}
	if n := s.Status().Strays; n != 0 {
		t.Errorf("%d strays", n)
	}
}

func TestTheSameSeedGivesTheSameBatches(t *testing.T) {
	run := func() map[string]*memory {
		d := &disk{}
		_, _, err := record(t, config(t, simulator(t, sim.Config{Seed: 7, Signal: sim.Neural}), d, 1.2))
		if err != nil {
			t.Fatal(err)
		}
		return d.files
	}
	a, b := run(), run()
	for name := range a {
		if !reflect.DeepEqual(a[name].batches, b[name].batches) || !reflect.DeepEqual(a[name].columns, b[name].columns) {
			t.Errorf("%s differs: batches %v and %v", name, a[name].batches, b[name].batches)
		}
	}
}

func TestFramesOfUnknownDevicesAreKeptRaw(t *testing.T) {
	unknown := oni.Device{Address: 0x105, ID: 999, Version: 1, ReadSize: 4}
	silent := oni.Device{Address: 0x106, ID: 998, Version: 1, ReadSize: 4}
	src := &scripted{frames: []oni.Frame{
		{Clock: 1, Address: 0x105, Data: []byte("abcd")},
		{Clock: 2, Address: 0x105, Data: []byte("ef")},
		{Clock: 3, Address: 0x999, Data: []byte("zz")},
		{Clock: 4, Address: 0x105, Data: []byte("too long for it")},
	}}
	d := &disk{}
	c := Config{Source: src, AcqClockHz: 1000, Open: d.open, Devices: []Device{{Device: unknown}, {Device: silent}}}
	s, _, err := record(t, c)
	if err == nil {
		t.Error("a source that ends without being asked must be an error")
	}
	if lost := d.gaps(t); len(d.files) != 2 || len(lost) != 1 || lost[0].Rows != 1 || lost[0].FirstClock != 4 {
		t.Fatalf("files %v, lost %+v", d.files, lost)
	}
	for name, m := range d.files {
		if name == recording.GapStreamName {
			continue
		}
		sample := m.columns[m.stream.Column("Sample")]
		if !bytes.Equal(sample, []byte("abcdef\x00\x00")) {
			t.Errorf("%s: %q", name, sample)
		}
	}
	st := s.Status()
	if st.Strays != 1 || st.Devices[0].Frames != 3 || st.Devices[0].Stats.BadFrames != 1 {
		t.Errorf("got %+v", st)
	}
}
