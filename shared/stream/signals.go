package stream

import (
	"strconv"
	"strings"
)

// A SignalKind says how a signal is drawn.
type SignalKind string

// The kinds, in the order of display.
const (
	Traces SignalKind = "traces" // lines, one a channel
	Lanes  SignalKind = "lanes"  // bits, high or low
	Slow   SignalKind = "slow"   // a quantity of few values a second
	Words  SignalKind = "table"  // counters, and what cannot be drawn: rows of a table
)

// SignalKinds are all kinds, in the order of display.
var SignalKinds = []SignalKind{Traces, Lanes, Slow, Words}

// A Signal is what people know of a column beyond its type: the columns of one
// label belong together.
type Signal struct {
	// Member is the column's name; of signals with channels, the name in front
	// of the channel: SpikeData of SpikeData117 and SpikeDataCh117.
	Member string
	// Label is what people say.
	Label string
	// Kind is how it is drawn whatever its rate; "" leaves that to the rate.
	Kind SignalKind
	// Channels: there is one column a channel.
	Channels bool
	// Members: there is one column a member of a structure, Gravity_X.
	Members bool
	// AlongProbe: channels count upwards along a probe; the highest is on top.
	AlongProbe bool
	// Bits names the bits of a digital port, from the lowest; "" is reserved.
	// nil: the values are not bits.
	Bits []string
	// Sorting is how likely a spike sorter is meant to have it: 2 spikes, 1
	// unknown, 0 slower signals.
	Sorting int
}

// signalTable is the one table of signals, in the order of display among those
// of one kind. Sources: names of members onix-devices 4.4; bits 3.2, 3.11, 3.12.
var signalTable = []Signal{
	{Member: "SpikeData", Label: "AP", Channels: true, AlongProbe: true, Sorting: 2},
	{Member: "LfpData", Label: "LFP", Channels: true, AlongProbe: true},
	{Member: "AmplifierData", Label: "Amplifier", Channels: true, AlongProbe: true, Sorting: 2},
	{Member: "DCData", Label: "DC", Channels: true, AlongProbe: true},
	{Member: "AuxData", Label: "Aux", Channels: true},
	{Member: "AnalogData", Label: "Analog", Channels: true},
	{Member: "DigitalInputs", Label: "Digital inputs", Kind: Lanes, Sorting: 1,
		Bits: []string{"Din 0", "Din 1", "Din 2", "Din 3", "Din 4", "Din 5", "Din 6", "Din 7"}},
	{Member: "Buttons", Label: "Buttons", Kind: Lanes, Sorting: 1,
		Bits: []string{"Moon", "Triangle", "X", "Check", "Circle", "Square", "", "", "Port D", "Port C", "Port B", "Port A"}},
	{Member: "PercentUsed", Label: "Buffer used", Sorting: 1},
	{Member: "BytesUsed", Label: "Buffer used", Sorting: 1},
	{Member: "HarpTime", Label: "Harp time", Sorting: 1},
	{Member: "StatusCode", Label: "Status", Kind: Slow, Sorting: 1},
	{Member: "RecoveryMask", Label: "Recovery mask", Kind: Lanes, Sorting: 1, Bits: channelBits(32)},
	{Member: "Origin", Label: "Origin", Kind: Lanes, Sorting: 1, Bits: []string{"GPIO", "Register", "External"}},
	{Member: "Status", Label: "Status", Kind: Slow, Sorting: 1},
	{Member: "Delay", Label: "Delay", Kind: Slow, Sorting: 1},
	{Member: "EulerAngle", Label: "Euler angle", Members: true, Sorting: 1},
	{Member: "Quaternion", Label: "Quaternion", Members: true, Sorting: 1},
	{Member: "Acceleration", Label: "Acceleration", Members: true, Sorting: 1},
	{Member: "Gravity", Label: "Gravity", Members: true, Sorting: 1},
	{Member: "Temperature", Label: "Temperature", Sorting: 1},
	{Member: "Calibration", Label: "Calibration", Sorting: 1},
	{Member: "SensorIndex", Label: "Sensor", Kind: Slow, Sorting: 1},
	{Member: "EnvelopeWidth", Label: "Envelope width", Kind: Slow, Sorting: 1},
	{Member: "EnvelopeType", Label: "Envelope type", Kind: Slow, Sorting: 1},
	{Member: ClockName, Label: "Clock", Kind: Words, Sorting: 1},
	{Member: HubClockName, Label: "Hub clock", Kind: Words, Sorting: 1},
	{Member: "FrameCount", Label: "Frame count", Kind: Words, Sorting: 1},
}

// channelBits names the bits of a mask that has one a channel.
func channelBits(n int) (names []string) {
	for ch := range n {
		names = append(names, "Channel "+strconv.Itoa(ch))
	}
	return names
}

// bySignal gives the place of a member in signalTable.
var bySignal = func() map[string]int {
	index := map[string]int{}
	for i, s := range signalTable {
		index[s.Member] = i
	}
	return index
}()

// SignalOf returns the signal of a column, and its place in the order of
// display. Columns that the table does not have come after those that it has,
// as a signal with what Label says of them.
func SignalOf(column string) (s Signal, order int) {
	group, _, channel := groupOf(column)
	member := column
	if channel >= 0 {
		member = strings.TrimRight(column, "0123456789")
		if _, ok := bySignal[member]; !ok {
			member = strings.TrimSuffix(member, "Ch")
		}
	}
	if parent, _, ok := strings.Cut(column, "_"); ok && channel < 0 {
		if i, ok := bySignal[parent]; ok && signalTable[i].Members {
			return signalTable[i], i
		}
	}
	if i, ok := bySignal[member]; ok && signalTable[i].Channels == (channel >= 0) && !signalTable[i].Members {
		return signalTable[i], i
	}
	s = Signal{Member: member, Label: group, Channels: channel >= 0, Sorting: 1}
	if channel < 0 && strings.HasPrefix(column, "Digital") {
		s.Kind = Lanes
	}
	return s, len(signalTable)
}

// slowHz is the rate of rows below which a column without channels is a slow
// quantity rather than a trace.
const slowHz = 500

// KindOf says how a column is drawn whose rows come at a rate in Hz, 0 if it is
// not known.
func (c *Column) KindOf(rowHz float64) SignalKind {
	s, _ := SignalOf(c.Name)
	switch {
	case !c.Type.Numeric():
		return Words
	case s.Kind != "" && (s.Kind != Lanes || c.Type.Integer()):
		return s.Kind
	case s.Channels:
		return Traces
	case c.Type == Bool:
		return Lanes
	case rowHz > slowHz:
		return Traces
	}
	return Slow
}
