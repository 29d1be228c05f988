package stream

import "testing"

func TestTheTableOfSignalsSaysWhatAColumnIs(t *testing.T) {
	for name, want := range map[string]struct {
		label   string
		along   bool
		bits    int
		sorting int
		kind    SignalKind // of uint16 at 30 kHz
		known   bool
	}{
		"SpikeData117":       {"AP", true, 0, 2, Traces, true},
		"SpikeDataCh117":     {"AP", true, 0, 2, Traces, true},
		"LfpData0":           {"LFP", true, 0, 0, Traces, true},
		"AmplifierDataCh3":   {"Amplifier", true, 0, 2, Traces, true},
		"AnalogData1":        {"Analog", false, 0, 0, Traces, true},
		"DigitalInputs":      {"Digital inputs", false, 8, 1, Lanes, true},
		"DigitalOutputs":     {"DigitalOutputs", false, 0, 1, Lanes, false},
		"Buttons":            {"Buttons", false, 12, 1, Lanes, true},
		"Clock":              {"Clock", false, 0, 1, Words, true},
		"FrameCount":         {"Frame count", false, 0, 1, Words, true},
		"HarpTime":           {"Harp time", false, 0, 1, Traces, true},
		"Gravity_X":          {"Gravity", false, 0, 1, Traces, true},
		"EulerAngle_Yaw":     {"Euler angle", false, 0, 1, Traces, true},
		"Gravity":            {"Gravity", false, 0, 1, Traces, false},
		"Position_X":         {"Position", false, 0, 1, Traces, false},
		"RecoveryMask":       {"Recovery mask", false, 32, 1, Lanes, true},
		"Origin":             {"Origin", false, 3, 1, Lanes, true},
		"Temperature":        {"Temperature", false, 0, 1, Traces, true},
		"MyCh7":              {"My", false, 0, 1, Traces, false},
		"SpikeData":          {"SpikeData", false, 0, 1, Traces, false},
		"DigitalInputsCh001": {"DigitalInputs", false, 0, 1, Traces, false},
	} {
		s, order := SignalOf(name)
		c := Column{Name: name, Type: Uint16}
		if s.Label != want.label || s.AlongProbe != want.along || len(s.Bits) != want.bits || s.Sorting != want.sorting || (order < len(signalTable)) != want.known || c.KindOf(30000) != want.kind {
			t.Errorf("%s: %+v, order %d, %s", name, s, order, c.KindOf(30000))
		}
		if _, group, _ := Label(name); group != s.Label {
			t.Errorf("%s: Label says %q, the table %q", name, group, s.Label)
		}
	}
	if c := (Column{Name: "Origin", Type: Float32}); c.KindOf(1000) != Traces {
		t.Error("a number that is no integer has bits")
	}
	for _, name := range []string{"SensorIndex", "EnvelopeType", "EnvelopeWidth", "StatusCode"} { // how fast pulses come does not make them traces
		if c := (Column{Name: name, Type: Int32}); c.KindOf(1000) != Slow || c.KindOf(0) != Slow {
			t.Errorf("%s at 1 kHz is drawn as %s, without a rate as %s", name, c.KindOf(1000), c.KindOf(0))
		}
	}
	slow, text, flag := Column{Name: "HarpTime", Type: Uint32}, Column{Name: "Note", Type: Other}, Column{Name: "Flag", Type: Bool}
	if slow.KindOf(10) != Slow || slow.KindOf(0) != Slow || text.KindOf(30000) != Words || flag.KindOf(30000) != Lanes {
		t.Error("the rate and the type do not count")
	}
}
