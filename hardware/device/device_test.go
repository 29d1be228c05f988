package device_test

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

func TestStreamsDescribeThemselves(t *testing.T) {
	for _, k := range known() {
		s := mustNew(t, k.dev, k.cfg).Streams()[0]
		if s.Name != k.name || s.DeviceID != k.dev.ID || s.DeviceAddress != uint32(k.dev.Address) || s.Hub != "FMC host" ||
			s.HubFirmware != "2.1" || s.AcqClockHz != 250e6 || s.HubClockHz != 250e6 || s.Device == "" || s.Simulated {
			t.Errorf("%s: %+v", k.name, s)
		}
		for _, name := range []string{"Clock", "HubClock"} {
			c := s.Columns[s.Column(name)]
			if c.Unit != "s" || c.Scale != 4e-9 {
				t.Errorf("%s: %s in %g %s", k.name, name, c.Scale, c.Unit)
			}
		}
		if !device.Supported(k.dev, k.cfg) {
			t.Errorf("%s is not supported", k.name)
		}
	}
}

func TestBatchesHaveTheOriginalsRows(t *testing.T) {
	want := map[string]int{ // onix-devices 4.6
		"analog-io": 100000, "port-a-neuropixels-1.0e": 30024, "port-a-neuropixels-2.0e-probe-a": 30000, "port-a-neuropixels-2.0e-beta-probe-a": 30000,
		"port-a-rhd2164": 30000, "port-a-rhs2116-a": 30210, "port-a-rhs2116-b": 30210, "port-a-bno055": 100,
		"port-a-neuropixels-1.0f-probe-a": 30024, "port-a-neuropixels-1.0f-probe-b": 30024, "port-a-nric1384": 30024,
	}
	for _, k := range known() {
		if got := mustNew(t, k.dev, k.cfg).Streams()[0].RowsPerBatch; got != want[k.name] {
			t.Errorf("%s: %d rows a batch, want %d", k.name, got, want[k.name])
		}
	}
}

func TestUnitsFollowTheSettings(t *testing.T) {
	k := known()[5]
	k.cfg.Settings = &device.NeuropixelsV1eSettings{GainAP: 500, GainLFP: 125}
	s := mustNew(t, k.dev, k.cfg).Streams()[0]
	ap, lfp := s.Columns[s.Column("SpikeData7")], s.Columns[s.Column("LfpData383")]
	if ap.Unit != "uV" || ap.Scale != 2.34375 || ap.Offset != 512 || ap.Gain != 500 || ap.RateHz != 30000 || ap.Stride != 0 {
		t.Errorf("AP %+v", ap)
	}
	if lfp.Unit != "uV" || lfp.Scale != 9.375 || lfp.Offset != 512 || lfp.Gain != 125 || lfp.RateHz != 2500 || lfp.Stride != 12 {
		t.Errorf("LFP %+v", lfp)
	}
	k = known()[3]
	k.cfg.Settings = &device.AnalogIOSettings{RangesV: []float64{10, 10, 10, 2.5, 10, 10, 10, 10, 10, 10, 10, 10}}
	s = mustNew(t, k.dev, k.cfg).Streams()[0]
	if c := s.Columns[2]; c.Unit != "V" || c.Scale != 20.0/65536 || c.RateHz != 100000 {
		t.Errorf("analog 0 %+v", c)
	}
	if c := s.Columns[5]; c.Scale != 5.0/65536 {
		t.Errorf("analog 3 %+v", c)
	}
}

func TestPortAndHubAreInTheName(t *testing.T) {
	probe := known()[5]
	probe.dev.Address = 9
	if got := mustNew(t, probe.dev, probe.cfg).Streams()[0].Name; got != "port-b-neuropixels-1.0e" {
		t.Error(got)
	}
	beat := known()[0]
	beat.dev.Address = 0x0203
	s := mustNew(t, beat.dev, beat.cfg).Streams()[0]
	if s.Name != "port-b-heartbeat" {
		t.Error(s.Name)
	}
	if rate := s.Columns[s.Column("Clock")].RateHz; rate != 0 {
		t.Errorf("a headstage's heartbeat, which nobody set, beats at %v Hz", rate)
	}
}

func TestShortFramesAreRefusedAndLongerOnesAreFine(t *testing.T) {
	for _, k := range known() {
		dec := mustNew(t, k.dev, k.cfg)
		out := device.NewBatches(dec)
		need := int(k.dev.ReadSize)
		for n := range need {
			err := dec.Decode(&oni.Frame{Data: make([]byte, n)}, out)
			if !errors.Is(err, device.ErrSampleSize) {
				t.Fatalf("%s: %d of %d bytes: %v", k.name, n, need, err)
			}
		}
		err := dec.Decode(&oni.Frame{Data: make([]byte, 5)}, out)
		if !strings.Contains(err.Error(), "5 bytes, need ") {
			t.Errorf("%s: %v", k.name, err)
		}
		if s := dec.Stats(); s.BadFrames != uint64(need)+1 || s.Rows+s.Pending != 0 || out[0].Rows != 0 {
			t.Errorf("%s: %+v", k.name, s)
		}
		if err := dec.Decode(&oni.Frame{Data: make([]byte, need+2)}, out); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
		if s := dec.Stats(); s.Rows+s.Pending != 1 {
			t.Errorf("%s: %+v", k.name, s)
		}
	}
}

func TestTableThatPromisesTooLittleIsRefused(t *testing.T) {
	for _, k := range known() {
		k.dev.ReadSize--
		if _, err := device.New(k.dev, k.cfg); !errors.Is(err, device.ErrSampleSize) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

func TestImpossibleSettingsAreRefused(t *testing.T) {
	analog, beat, probe := known()[3], known()[0], known()[5]
	for name, c := range map[string]struct {
		dev  oni.Device
		cfg  device.Config
		set  device.Settings
		want string
	}{
		"analog range":  {analog.dev, analog.cfg, &device.AnalogIOSettings{RangesV: []float64{11: 3, 0: 5, 1: 5, 2: 5, 3: 5, 4: 5, 5: 5, 6: 5, 7: 5, 8: 5, 9: 5, 10: 5}}, "channel 11: range 3 V"},
		"few ranges":    {analog.dev, analog.cfg, &device.AnalogIOSettings{RangesV: []float64{5}}, "1 values, want 12"},
		"negative rate": {beat.dev, beat.cfg, &device.RateSettings{RateHz: -1}, "rate -1 Hz"},
		"no rate":       {beat.dev, beat.cfg, &device.RateSettings{}, "rate 0 Hz"},
		"rate NaN":      {beat.dev, beat.cfg, &device.RateSettings{RateHz: math.NaN()}, "rate NaN"},
		"gain":          {probe.dev, probe.cfg, &device.NeuropixelsV1eSettings{GainAP: 999}, "gain 999"},
		"few ADCs":      {probe.dev, probe.cfg, &device.NeuropixelsV1eSettings{ADC: make([]device.ADCOffset, 31)}, "31 ADCs"},
		"negative gain": {probe.dev, probe.cfg, &device.NeuropixelsV1eSettings{LFPCorrection: -0.97}, "correction -0.97"},
		"gain NaN":      {probe.dev, probe.cfg, &device.NeuropixelsV1eSettings{APCorrection: math.NaN()}, "correction NaN"},
		"another kind":  {probe.dev, probe.cfg, &device.RateSettings{RateHz: 1}, "settings are"},
		"reference":     {probe.dev, probe.cfg, &device.NeuropixelsV1eSettings{Reference: "ground"}, `"ground"`},
	} {
		c.cfg.Settings = c.set
		if _, err := device.New(c.dev, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	probe.cfg.Headstage = "neuropixels-9"
	if _, err := device.New(probe.dev, probe.cfg); err == nil || !strings.Contains(err.Error(), `"neuropixels-9"`) {
		t.Errorf("headstage: %v", err)
	}
}

func TestKindsAreDescribedOnce(t *testing.T) {
	keys := map[string]bool{}
	for _, k := range device.Kinds() {
		if k.Key == "" || k.Title == "" || k.Samples == 0 || len(k.IDs) == 0 || k.Settings == nil || keys[k.Key] {
			t.Errorf("%+v is incomplete, or its key is taken", k)
		}
		keys[k.Key] = true
		if err := k.Settings().Check(); err != nil {
			t.Errorf("%s: its defaults are refused: %v", k.Key, err)
		}
		key := k.Key
		if k.Place != device.OnHost {
			key = "port-b/" + key
		}
		if device.KindForKey(key) != k {
			t.Errorf("%s is not found by its key", key)
		}
	}
	for _, c := range []struct {
		dev       oni.Device
		headstage string
		want      string
	}{
		{oni.Device{Address: 0x6, ID: device.IDAnalogIO}, "", "analog-io"},
		{oni.Device{Address: 0x9, ID: device.IDPassthrough}, device.HeadstageNeuropixelsV1e, "port-b/neuropixels-1.0e"},
		{oni.Device{Address: 0x103, ID: device.IDHeartbeat}, "", ""}, // a headstage's
	} {
		if got := device.KindOf(c.dev, c.headstage).KeyAt(c.dev.Address); got != c.want {
			t.Errorf("%+v: key %q, want %q", c.dev, got, c.want)
		}
	}
	for _, key := range []string{"", "neuropixels-1.0e", "port-a/analog-io", "port-/neuropixels-1.0e", "port-aa/neuropixels-1.0e", "a/neuropixels-1.0e"} {
		if k := device.KindForKey(key); k != nil {
			t.Errorf("%q is %+v", key, k)
		}
	}
	if k := device.KindOf(oni.Device{Address: 0x9, ID: device.IDPassthrough}, ""); k != nil {
		t.Errorf("a passthrough device without headstage is %+v", k)
	}
}

func TestHubClockIsNotBelievedAgainstTheOtherClock(t *testing.T) {
	type step struct{ hub, clock uint64 }
	const second = 250_000_000
	for name, c := range map[string]struct {
		step step
		want device.Stats
	}{
		"three periods on both clocks are two lost":                {step{7_500_000, 7_500_000}, device.Stats{Lost: 2, Gaps: 1}},
		"a late stamp before it makes the step of the clock short": {step{7_500_000, 300_000}, device.Stats{Lost: 2, Gaps: 1}},
		"a hub clock that is set forward loses nothing":            {step{100 * second, 2_500_000}, device.Stats{Faults: 1}},
		"nor does one that is garbled":                             {step{1 << 63, 2_500_000}, device.Stats{Faults: 1}},
		"ten seconds of silence are ten seconds of loss":           {step{10 * second, 10 * second}, device.Stats{Lost: 999, Gaps: 1}},
		"a hub clock that runs back is a fault":                    {step{^uint64(999), 2_500_000}, device.Stats{Faults: 1}},
	} {
		dec := mustNew(t, known()[0].dev, known()[0].cfg)
		out := device.NewBatches(dec)
		at := step{1e9, 1e6}
		for range 2 {
			if err := dec.Decode(&oni.Frame{Clock: at.clock, Data: device.Heartbeat{HubClock: at.hub}.AppendTo(nil)}, out); err != nil {
				t.Fatal(err)
			}
			at.hub, at.clock = at.hub+c.step.hub, at.clock+c.step.clock
		}
		c.want.Frames, c.want.Rows = 2, 2
		if got := dec.Stats(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestUnknownDevicesKeepTheirBytes(t *testing.T) {
	for name, dev := range map[string]oni.Device{
		"port-a-device-99": {Address: 0x102, ID: 99, ReadSize: 6},
		"port-b-device-24": {Address: 9, ID: device.IDPassthrough, ReadSize: 6},
	} {
		if device.Supported(dev, device.Config{}) {
			t.Errorf("%s is supported", name)
		}
		dec := mustNew(t, dev, device.Config{})
		out := device.NewBatches(dec)
		s := dec.Streams()[0]
		if s.Name != name || len(s.Columns) != 3 || s.Columns[1].Type != stream.FixedBinary || s.Columns[1].ByteWidth != 6 {
			t.Errorf("%s: %+v", name, s)
		}
		for i, data := range []string{"abcdef", "xyz", ""} {
			if err := dec.Decode(&oni.Frame{Clock: uint64(i), Data: []byte(data)}, out); err != nil {
				t.Fatal(err)
			}
		}
		if err := dec.Decode(&oni.Frame{Data: []byte("1234567")}, out); !errors.Is(err, device.ErrSampleSize) {
			t.Error(err)
		}
		if got := string(out[0].Columns[1]); got != "abcdefxyz\x00\x00\x00\x00\x00\x00\x00\x00\x00" {
			t.Errorf("samples %q", got)
		}
		if got := out[0].Columns[0]; !slices.Equal(got, []byte{6, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}) {
			t.Errorf("sizes %v", got)
		}
	}
	for _, size := range []uint32{0, 1 << 20, math.MaxUint32} {
		if _, err := device.New(oni.Device{ID: 99, ReadSize: size}, device.Config{}); !errors.Is(err, device.ErrSampleSize) {
			t.Errorf("read size %d: %v", size, err)
		}
	}
}

func TestBatchKeepsItsBuffersAndSpreadsThem(t *testing.T) {
	s := mustNew(t, known()[5].dev, known()[5].cfg).Streams()[0]
	b := device.NewBatch(&s, s.RowsPerBatch)
	for i := range b.Columns {
		if len(b.Columns[i]) != 0 || cap(b.Columns[i]) < s.RowsPerBatch*s.Columns[i].ByteWidth {
			t.Fatalf("column %d: %d of %d", i, len(b.Columns[i]), cap(b.Columns[i]))
		}
	}
	b.Columns[0], b.Rows = binary.LittleEndian.AppendUint64(b.Columns[0], 1), 4
	b.Reset()
	if b.Rows != 0 || len(b.Columns[0]) != 0 || cap(b.Columns[0]) < 2*s.RowsPerBatch {
		t.Errorf("after Reset: %d rows, %d bytes of %d", b.Rows, len(b.Columns[0]), cap(b.Columns[0]))
	}
	grown := device.NewBatch(&s, 0)
	grown.Columns[0] = append(grown.Columns[0], 1, 2, 3)
	grown.Columns[1] = append(grown.Columns[1], 4)
	if !slices.Equal(grown.Columns[0], []byte{1, 2, 3}) {
		t.Error("columns share memory")
	}
}
