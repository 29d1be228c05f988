package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const digitalIOBytes = 12

// DigitalIO is the state of the digital inputs at one change (or sample).
type DigitalIO struct {
	HubClock uint64 // ticks
	Inputs   uint8  // bit i is pin i
	Buttons  uint16 // 0x001 Moon, Triangle, X, Check, Circle, 0x020 Square; 0x100 port D is on, C, B, 0x800 A
}

// DecodeDigitalIO unpacks one sample of the digital inputs.
//
// sample holds at least 12 bytes, little endian: hub clock (uint64, ticks),
// pins (uint8), padding (1 byte), buttons (uint16, kept unmasked). Further
// bytes are padding. It returns ErrSampleSize if sample is shorter, and never
// any other error.
//
// Source: device ID 18; onix-devices 3.2.
func DecodeDigitalIO(sample []byte) (DigitalIO, error) {
	if len(sample) < digitalIOBytes {
		return DigitalIO{}, shortSample("digital-io", len(sample), digitalIOBytes)
	}
	return DigitalIO{
		HubClock: binary.LittleEndian.Uint64(sample),
		Inputs:   sample[8],
		Buttons:  binary.LittleEndian.Uint16(sample[10:]),
	}, nil
}

// AppendTo appends the sample to dst.
func (s DigitalIO) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.HubClock)
	dst = append(dst, s.Inputs, 0)
	return binary.LittleEndian.AppendUint16(dst, s.Buttons)
}

var digitalIOKind = Kind{
	IDs: []uint32{IDDigitalIO}, Key: "digital-io", Title: "Digital inputs", Samples: digitalIOBytes, decoder: newDigitalIO, Settings: noSettings,
}

type digitalIODecoder struct {
	core
	streams []stream.Stream
}

func newDigitalIO(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	// Frames come on change, so there is no rate and no period to miss.
	s := k.newStream(dev, cfg)
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		column("Buttons", stream.Uint16, 0),
		column("DigitalInputs", stream.Uint8, 0),
		clockColumn("HubClock", cfg.Hub.ClockHz, 0),
		clockColumn("Clock", cfg.AcqClockHz, 0),
	}
	return &digitalIODecoder{core: core{onGap: cfg.OnGap}, streams: []stream.Stream{s}}, nil
}

func (d *digitalIODecoder) Streams() []stream.Stream { return d.streams }

func (d *digitalIODecoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodeDigitalIO(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint16(b.Columns[0], s.Buttons)
	b.Columns[1] = append(b.Columns[1], s.Inputs)
	b.Columns[2] = binary.LittleEndian.AppendUint64(b.Columns[2], s.HubClock)
	b.Columns[3] = binary.LittleEndian.AppendUint64(b.Columns[3], f.Clock)
	b.Rows++
	return nil
}
