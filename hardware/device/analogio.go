package device

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	analogIOChannels     = 12
	analogIOBytes        = 8 + 2*analogIOChannels
	analogIORateHz       = 100000 // per channel; onix-devices 3.3
	analogIORowsPerBatch = 100000 // onix-devices 4.6
)

// AnalogIO is one sample of all twelve analog inputs.
type AnalogIO struct {
	HubClock uint64                  // ticks
	Codes    [analogIOChannels]int16 // two's complement, 14 bits left aligned; volts = code x span / 65536
}

// DecodeAnalogIO unpacks one sample of the analog inputs.
//
// sample holds at least 32 bytes, little endian: hub clock (uint64, ticks),
// channels 0 to 11 (int16). Further bytes are padding. It returns ErrSampleSize
// if sample is shorter, and never any other error.
//
// Source: device ID 22; onix-devices 3.3.
func DecodeAnalogIO(sample []byte) (AnalogIO, error) {
	if len(sample) < analogIOBytes {
		return AnalogIO{}, shortSample("analog-io", len(sample), analogIOBytes)
	}
	s := AnalogIO{HubClock: binary.LittleEndian.Uint64(sample)}
	for c := range s.Codes {
		s.Codes[c] = int16(binary.LittleEndian.Uint16(sample[8+2*c:]))
	}
	return s, nil
}

// AppendTo appends the sample to dst.
func (s AnalogIO) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.HubClock)
	for _, code := range s.Codes {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(code))
	}
	return dst
}

var analogIOKind = Kind{
	IDs: []uint32{IDAnalogIO}, Key: "analog-io", Title: "Analog inputs", Samples: analogIOBytes, decoder: newAnalogIO,
	Settings: func() Settings {
		return &AnalogIOSettings{RangesV: slices.Repeat([]float64{defaultRangeV}, analogIOChannels)}
	},
}

const defaultRangeV = 10 // the register's default

// AnalogIOSettings are the input ranges.
type AnalogIOSettings struct {
	RangesV []float64 `yaml:"ranges_v"` // 10, 5 or 2.5 for plus and minus that many volts, one a channel; none means 10
	Volts   bool      `yaml:"-"`        // columns in volts (float32) instead of codes (int16)
}

// Check wants twelve ranges that the hardware has, or none.
func (s *AnalogIOSettings) Check() error {
	if n := len(s.RangesV); n != 0 && n != analogIOChannels {
		return fmt.Errorf("ranges_v has %d values, want %d", n, analogIOChannels)
	}
	for c, v := range s.RangesV {
		if v != 2.5 && v != 5 && v != 10 {
			return fmt.Errorf("channel %d: range %v V: want 2.5, 5 or 10", c, v)
		}
	}
	return nil
}

// RangeV is the range of a channel, 0 to 11.
func (s *AnalogIOSettings) RangeV(channel int) float64 {
	if len(s.RangesV) == 0 {
		return defaultRangeV
	}
	return s.RangesV[channel]
}

type analogIODecoder struct {
	core
	streams       []stream.Stream
	volts         bool
	voltsFromCode [analogIOChannels]float32
}

func newAnalogIO(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	set := cfg.Settings.(*AnalogIOSettings)
	d := &analogIODecoder{
		core:  core{loss: newLossDetector(cfg, analogIORateHz), onGap: cfg.OnGap},
		volts: set.Volts,
	}
	s := k.newStream(dev, cfg)
	s.RowsPerBatch = analogIORowsPerBatch
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		clockColumn("HubClock", cfg.Hub.ClockHz, analogIORateHz),
		clockColumn("Clock", cfg.AcqClockHz, analogIORateHz),
	}
	for c := range analogIOChannels {
		scale := 2 * set.RangeV(c) / 65536
		d.voltsFromCode[c] = float32(scale)
		col := column("AnalogData"+strconv.Itoa(c), stream.Int16, analogIORateHz)
		if d.volts {
			col = column(col.Name, stream.Float32, analogIORateHz)
			scale = 1
		}
		col.Unit, col.Scale = "V", scale
		s.Columns = append(s.Columns, col)
	}
	d.streams = []stream.Stream{s}
	return d, nil
}

func (d *analogIODecoder) Streams() []stream.Stream { return d.streams }

func (d *analogIODecoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodeAnalogIO(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint64(b.Columns[0], s.HubClock)
	b.Columns[1] = binary.LittleEndian.AppendUint64(b.Columns[1], f.Clock)
	for c, code := range s.Codes {
		if d.volts {
			// Exact: the scale is a power of two times 5, the product has at most 19 bits.
			v := float32(code) * d.voltsFromCode[c]
			b.Columns[2+c] = binary.LittleEndian.AppendUint32(b.Columns[2+c], math.Float32bits(v))
		} else {
			b.Columns[2+c] = binary.LittleEndian.AppendUint16(b.Columns[2+c], uint16(code))
		}
	}
	b.Rows++
	return nil
}
