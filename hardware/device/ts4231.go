package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const ts4231Bytes = 16

// TS4231 is one light pulse that a TS4231 sensor array saw.
type TS4231 struct {
	HubClock uint64 // ticks
	Sensor   uint16
	Width    uint32 // of the pulse, hub ticks
	Type     int16  // -1 bad, 0 to 7 J0, K0, J1, K1, J2, K2, J3, K3, 8 sweep
}

// DecodeTS4231 unpacks one sample of a TS4231 array.
//
// sample holds at least 16 bytes, little endian: hub clock (uint64, ticks),
// sensor (uint16), width (uint32), type (int16). Further bytes are padding. It
// returns ErrSampleSize if sample is shorter, and never any other error.
//
// Source: device ID 25; onix-devices 3.15.
func DecodeTS4231(sample []byte) (TS4231, error) {
	if len(sample) < ts4231Bytes {
		return TS4231{}, shortSample("ts4231", len(sample), ts4231Bytes)
	}
	return TS4231{
		HubClock: binary.LittleEndian.Uint64(sample),
		Sensor:   binary.LittleEndian.Uint16(sample[8:]),
		Width:    binary.LittleEndian.Uint32(sample[10:]),
		Type:     int16(binary.LittleEndian.Uint16(sample[14:])),
	}, nil
}

// AppendTo appends the sample to dst.
func (s TS4231) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.HubClock)
	dst = binary.LittleEndian.AppendUint16(dst, s.Sensor)
	dst = binary.LittleEndian.AppendUint32(dst, s.Width)
	return binary.LittleEndian.AppendUint16(dst, uint16(s.Type))
}

// TS4231Settings choose the unit of widths.
type TS4231Settings struct {
	// BonsaiWidth writes EnvelopeWidth as Bonsai does, a million times too
	// large, for programs that count on it.
	BonsaiWidth bool `yaml:"bonsai_width"`
}

// Check returns nil.
func (*TS4231Settings) Check() error { return nil }

var ts4231Kind = Kind{
	IDs: []uint32{IDTS4231}, Place: OnPort, Headstages: []string{HeadstageHS64, HeadstageNeuropixelsV1f}, Key: "ts4231", Title: "TS4231 light sensors",
	Samples: ts4231Bytes, Settings: func() Settings { return &TS4231Settings{} }, decoder: newTS4231,
}

type ts4231Decoder struct {
	core
	streams []stream.Stream
	widthOf func(ticks uint32) float64
}

func newTS4231(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	// Pulses come when a base station sends, so there is no rate.
	s := k.newStream(dev, cfg)
	d := &ts4231Decoder{core: core{onGap: cfg.OnGap}}
	hubHz := float64(cfg.Hub.ClockHz)
	width := column("EnvelopeWidth", stream.Float64, 0)
	switch {
	case hubHz == 0: // the clock is not known
		width.Unit, width.Scale = "ticks", 1
		d.widthOf = func(ticks uint32) float64 { return float64(ticks) }
	case cfg.Settings.(*TS4231Settings).BonsaiWidth:
		width.Unit, width.Scale = "us", 1e-6
		d.widthOf = func(ticks uint32) float64 { return 1e6 * (1e6 / hubHz) * float64(ticks) } // in this order
	default:
		width.Unit, width.Scale = "us", 1
		d.widthOf = func(ticks uint32) float64 { return float64(ticks) * 1e6 / hubHz }
	}
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		column("EnvelopeType", stream.Int16, 0),
		width,
		column("SensorIndex", stream.Int32, 0),
		clockColumn("HubClock", cfg.Hub.ClockHz, 0),
		clockColumn("Clock", cfg.AcqClockHz, 0),
	}
	d.streams = []stream.Stream{s}
	return d, nil
}

func (d *ts4231Decoder) Streams() []stream.Stream { return d.streams }

func (d *ts4231Decoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodeTS4231(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint16(b.Columns[0], uint16(s.Type))
	b.Columns[1] = appendFloat64(b.Columns[1], d.widthOf(s.Width))
	b.Columns[2] = binary.LittleEndian.AppendUint32(b.Columns[2], uint32(s.Sensor))
	b.clocks(3, s.HubClock, f.Clock)
	b.Rows++
	return nil
}
