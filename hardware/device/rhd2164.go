package device

import (
	"encoding/binary"
	"strconv"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	rhd2164Channels     = 64
	rhdAux              = 3
	rhd2164Bytes        = 8 + 2*(rhd2164Channels+rhdAux) // 142
	rhdRateHz           = 30000
	rhd2164RowsPerBatch = 30000 // onix-devices 4.6

	// Source: onix-devices 9.3.
	intanMicrovolts = 0.195
	intanMidScale   = 32768
	rhdAuxVolts     = 37.4e-6
)

// Rhd2164 is one sample of an Intan RHD2164 amplifier.
type Rhd2164 struct {
	HubClock  uint64                  // ticks
	Amplifier [rhd2164Channels]uint16 // by channel, offset binary: uV = 0.195 x (code - 32768)
	Aux       [rhdAux]uint16          // auxiliary inputs, 37.4 uV a code
}

// DecodeRhd2164 unpacks one sample of an RHD2164.
//
// sample holds at least 142 bytes, little endian: hub clock (uint64, ticks), 64
// amplifier words (uint16) in the order of the chip (0, 32, 1, 33 ...), three
// auxiliary inputs (uint16). Further bytes are padding. It returns ErrSampleSize
// if sample is shorter, and never any other error.
//
// Source: device ID 3; onix-devices 3.9.
func DecodeRhd2164(sample []byte) (Rhd2164, error) {
	if len(sample) < rhd2164Bytes {
		return Rhd2164{}, shortSample("rhd2164", len(sample), rhd2164Bytes)
	}
	s := Rhd2164{HubClock: binary.LittleEndian.Uint64(sample)}
	for ch := range s.Amplifier {
		s.Amplifier[ch] = binary.LittleEndian.Uint16(sample[8+2*rhd2164Word(ch):])
	}
	for i := range s.Aux {
		s.Aux[i] = binary.LittleEndian.Uint16(sample[8+2*(rhd2164Channels+i):])
	}
	return s, nil
}

// rhd2164Word is the word of a channel: the chip sends two halves at once.
func rhd2164Word(channel int) int { return 2*(channel%32) + channel/32 }

// AppendTo appends the sample to dst.
func (s *Rhd2164) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.HubClock)
	for word := range rhd2164Channels {
		dst = binary.LittleEndian.AppendUint16(dst, s.Amplifier[word/2+32*(word%2)])
	}
	for _, v := range s.Aux {
		dst = binary.LittleEndian.AppendUint16(dst, v)
	}
	return dst
}

// HeadstageHS64 is the key of Headstage-64 in rig files.
const HeadstageHS64 = "headstage-64"

var rhd2164Kind = Kind{
	IDs: []uint32{IDRhd2164}, Place: OnPort, Headstages: []string{HeadstageHS64}, Key: "rhd2164", Title: "RHD2164 amplifier", Samples: rhd2164Bytes,
	Settings: noSettings, decoder: newRhd2164,
}

type rhd2164Decoder struct {
	core
	streams []stream.Stream
}

func newRhd2164(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	s := k.newStream(dev, cfg)
	s.RowsPerBatch = rhd2164RowsPerBatch
	for i := range rhdAux { // order: onix-devices 4.4
		c := column("AuxData"+strconv.Itoa(i), stream.Uint16, rhdRateHz)
		c.Unit, c.Scale = "V", rhdAuxVolts
		s.Columns = append(s.Columns, c)
	}
	s.Columns = append(s.Columns, intanColumns(rhd2164Channels, rhdRateHz)...)
	s.Columns = append(s.Columns, clockColumn("HubClock", cfg.Hub.ClockHz, rhdRateHz), clockColumn("Clock", cfg.AcqClockHz, rhdRateHz))
	return &rhd2164Decoder{core: core{loss: newLossDetector(cfg, rhdRateHz), onGap: cfg.OnGap}, streams: []stream.Stream{s}}, nil
}

// intanColumns are the amplifier channels of an Intan chip.
func intanColumns(channels int, rateHz float64) (list []stream.Column) {
	for ch := range channels {
		c := column("AmplifierData"+strconv.Itoa(ch), stream.Uint16, rateHz)
		c.Unit, c.Scale, c.Offset = "uV", intanMicrovolts, intanMidScale
		list = append(list, c)
	}
	return list
}

func (d *rhd2164Decoder) Streams() []stream.Stream { return d.streams }

func (d *rhd2164Decoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodeRhd2164(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.words(0, s.Aux[:])
	b.words(rhdAux, s.Amplifier[:])
	b.clocks(rhdAux+rhd2164Channels, s.HubClock, f.Clock)
	b.Rows++
	return nil
}

// words appends one value to each of the columns from first on.
func (b *Batch) words(first int, values []uint16) {
	columns := b.Columns[first : first+len(values)]
	for i, v := range values {
		columns[i] = append(columns[i], byte(v), byte(v>>8))
	}
}

// clocks appends to the columns HubClock and Clock, of which the first is given.
func (b *Batch) clocks(first int, hub, clock uint64) {
	b.Columns[first] = binary.LittleEndian.AppendUint64(b.Columns[first], hub)
	b.Columns[first+1] = binary.LittleEndian.AppendUint64(b.Columns[first+1], clock)
}
