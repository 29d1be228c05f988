package stream

import (
	"reflect"
	"testing"
)

func TestLabelSaysWhatPeopleSay(t *testing.T) {
	for _, c := range []struct {
		name, label, group string
		channel            int
	}{
		{"SpikeDataCh117", "AP 117", "AP", 117},
		{"SpikeData0", "AP 0", "AP", 0},
		{"LfpDataCh383", "LFP 383", "LFP", 383},
		{"AnalogData11", "Analog 11", "Analog", 11},
		{"FooCh7", "Foo 7", "Foo", 7},
		{"Gravity_X", "Gravity X", "Gravity", -1},
		{"EulerAngle_Yaw", "Euler angle Yaw", "Euler angle", -1},
		{"Clock", "Clock", "Clock", -1},
		{"DigitalInputs", "Digital inputs", "Digital inputs", -1},
		{"Bno055", "Bno055", "Bno055", -1},
		{"99999999999999999999", "99999999999999999999", "99999999999999999999", -1},
		{"Ch3", "Ch3", "Ch3", -1},
		{"", "", "", -1},
	} {
		label, group, channel := Label(c.name)
		if label != c.label || group != c.group || channel != c.channel {
			t.Errorf("Label(%q) = %q, %q, %d, want %q, %q, %d", c.name, label, group, channel, c.label, c.group, c.channel)
		}
	}
}

func TestMetadataRoundTrip(t *testing.T) {
	s := Stream{Name: "analog-io", Device: "AnalogIO", DeviceID: 22, DeviceAddress: 6, Hub: "breakout", HubFirmware: "2.1",
		AcqClockHz: 250e6, HubClockHz: 250e6, StartUTC: "2026-11-21T04:24:02Z", StartClock: 0, Simulated: true, RowsPerBatch: 100000,
		Probe: "{}", Extra: []KeyValue{{"lab", "north"}}}
	if got := FromMetadata(s.Metadata()); !reflect.DeepEqual(got, s) {
		t.Errorf("round trip\n got %+v\nwant %+v", got, s)
	}
	c := Column{Unit: "uV", Scale: 1.171875, Offset: 512, RateHz: 2500, Stride: 12, Gain: 50, Extra: []KeyValue{{"a", "b"}}}
	var back Column
	back.SetMetadata(c.Metadata())
	if !reflect.DeepEqual(back, c) {
		t.Errorf("round trip\n got %+v\nwant %+v", back, c)
	}
}

func TestMetadataThatDoesNotParseIsKept(t *testing.T) {
	in := []KeyValue{{"acq_clock_hz", "fast"}, {"rows_per_batch", "99999999999"}}
	s := FromMetadata(in)
	if s.AcqClockHz != 0 || s.RowsPerBatch != 0 || !reflect.DeepEqual(s.Extra, in) {
		t.Errorf("got %+v", s)
	}
	var c Column
	c.SetMetadata([]KeyValue{{"scale", "NaN"}, {"stride", "-3"}})
	if c.Scale != 0 || c.Stride != 0 || len(c.Extra) != 2 {
		t.Errorf("got %+v", c)
	}
}

// Bonsai's files of a sensor have the units that ours state.
func TestNamesSettleUnits(t *testing.T) {
	s := Stream{Columns: []Column{{Name: "Temperature", Type: Int32}, {Name: "Gravity_X", Type: Float32}, {Name: "Acceleration_Z", Type: Float32}, {Name: "Quaternion_W", Type: Float32}, {Name: "EulerAngle_Yaw", Type: Float32}}}
	s.FillIn()
	for i, want := range []string{"degC", "m/s^2", "m/s^2", "", "deg"} {
		if c := s.Columns[i]; c.Unit != want || (want != "") != (c.Scale == 1) {
			t.Errorf("%s: unit %q, scale %v", c.Name, c.Unit, c.Scale)
		}
	}
	harp, other := Stream{Columns: []Column{{Name: "HarpTime", Type: Uint32}}}, Stream{Columns: []Column{{Name: "Temperature", Type: Int32}}}
	if harp.FillIn(); harp.Columns[0].Unit != "s" {
		t.Errorf("Harp time: %+v", harp.Columns[0])
	}
	if other.FillIn(); other.Columns[0].Unit != "" {
		t.Errorf("a temperature of an unknown sensor: %+v", other.Columns[0])
	}
}

func TestCompleteBelievesMetadataFirst(t *testing.T) {
	s := Stream{AcqClockHz: 250e6, Columns: []Column{{Name: "PercentUsed", Unit: "x", Scale: 2}, {Name: "BytesUsed"}, {Name: "Clock", Type: Uint64}}}
	if title := s.FillIn(); title != "Memory monitor" {
		t.Errorf("title %q", title)
	}
	if s.Columns[0].Unit != "x" || s.Columns[1].Unit != "B" || s.Columns[2].Scale != 1/250e6 {
		t.Errorf("got %+v", s.Columns)
	}
}
