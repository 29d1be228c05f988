package device

import (
	"encoding/binary"
	"strconv"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	rhs2116Channels     = 16
	rhs2116Bytes        = 8 + 2*(2*rhs2116Channels+1) // 74
	rhs2116RateHz       = 30193.2367151               // 50 MHz / 1656; onix-devices 3.11
	rhs2116RowsPerBatch = 30210                       // 1007 groups of 30; onix-devices 4.6

	// Source: onix-devices 9.3.
	rhs2116DCMillivolts = -19.23
	rhs2116DCMidScale   = 512
)

// Rhs2116 is one sample of an Intan RHS2116 amplifier.
type Rhs2116 struct {
	HubClock uint64                  // ticks
	AC       [rhs2116Channels]uint16 // offset binary: uV = 0.195 x (code - 32768)
	DC       [rhs2116Channels]uint16 // 10 bits: mV = -19.23 x (code - 512)
	Recovery uint16                  // bit i: channel i recovers from a stimulus
}

// DecodeRhs2116 unpacks one sample of an RHS2116.
//
// sample holds at least 74 bytes, little endian: hub clock (uint64, ticks), 16
// AC amplifier words, 16 DC amplifier words, recovery mask (uint16 each). Further
// bytes are padding. It returns ErrSampleSize if sample is shorter, and never any
// other error.
//
// Source: device ID 31; onix-devices 3.11.
func DecodeRhs2116(sample []byte) (Rhs2116, error) {
	if len(sample) < rhs2116Bytes {
		return Rhs2116{}, shortSample("rhs2116", len(sample), rhs2116Bytes)
	}
	s := Rhs2116{HubClock: binary.LittleEndian.Uint64(sample), Recovery: binary.LittleEndian.Uint16(sample[8+4*rhs2116Channels:])}
	for ch := range rhs2116Channels {
		s.AC[ch] = binary.LittleEndian.Uint16(sample[8+2*ch:])
		s.DC[ch] = binary.LittleEndian.Uint16(sample[8+2*(rhs2116Channels+ch):])
	}
	return s, nil
}

// AppendTo appends the sample to dst.
func (s *Rhs2116) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.HubClock)
	for _, v := range s.AC {
		dst = binary.LittleEndian.AppendUint16(dst, v)
	}
	for _, v := range s.DC {
		dst = binary.LittleEndian.AppendUint16(dst, v)
	}
	return binary.LittleEndian.AppendUint16(dst, s.Recovery)
}

// HeadstageRhs2116 is the key of the RHS2116 headstage in rig files.
const HeadstageRhs2116 = "rhs2116"

var (
	rhs2116AKind = rhs2116Kind("a", "A", 0)
	rhs2116BKind = rhs2116Kind("b", "B", 1)
)

func rhs2116Kind(letter, title string, index uint8) Kind {
	return Kind{
		IDs: []uint32{IDRhs2116}, Place: OnPort, Headstages: []string{HeadstageRhs2116}, Indices: []uint8{index},
		Key: "rhs2116-" + letter, Title: "RHS2116 amplifier " + title, Samples: rhs2116Bytes, Settings: noSettings, decoder: newRhs2116,
	}
}

type rhs2116Decoder struct {
	core
	streams []stream.Stream
}

func newRhs2116(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	s := k.newStream(dev, cfg)
	s.RowsPerBatch = rhs2116RowsPerBatch
	s.Columns = append(s.Columns, column("RecoveryMask", stream.Uint16, rhs2116RateHz)) // order: onix-devices 4.4
	for ch := range rhs2116Channels {
		c := column("DCData"+strconv.Itoa(ch), stream.Uint16, rhs2116RateHz)
		c.Unit, c.Scale, c.Offset = "mV", rhs2116DCMillivolts, rhs2116DCMidScale
		s.Columns = append(s.Columns, c)
	}
	s.Columns = append(s.Columns, intanColumns(rhs2116Channels, rhs2116RateHz)...)
	s.Columns = append(s.Columns, clockColumn("HubClock", cfg.Hub.ClockHz, rhs2116RateHz), clockColumn("Clock", cfg.AcqClockHz, rhs2116RateHz))
	return &rhs2116Decoder{core: core{loss: newLossDetector(cfg, rhs2116RateHz), onGap: cfg.OnGap}, streams: []stream.Stream{s}}, nil
}

func (d *rhs2116Decoder) Streams() []stream.Stream { return d.streams }

func (d *rhs2116Decoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodeRhs2116(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint16(b.Columns[0], s.Recovery)
	b.words(1, s.DC[:])
	b.words(1+rhs2116Channels, s.AC[:])
	b.clocks(1+2*rhs2116Channels, s.HubClock, f.Clock)
	b.Rows++
	return nil
}
