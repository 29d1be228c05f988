package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const statusBytes = 10

// PortStatus is what a port controller says when its link changes.
type PortStatus struct {
	HubClock uint64 // ticks
	Code     uint16 // as sent; sources disagree on its bits, see statusLocked
}

// DecodePortStatus unpacks one sample of a port controller.
//
// sample holds at least 10 bytes, little endian: hub clock (uint64, ticks),
// status (uint16, kept unmasked). Further bytes are padding. It returns
// ErrSampleSize if sample is shorter, and never any other error.
//
// Source: device ID 23; onix-devices 2.9, 3.8.
func DecodePortStatus(sample []byte) (PortStatus, error) {
	if len(sample) < statusBytes {
		return PortStatus{}, shortSample("status", len(sample), statusBytes)
	}
	return PortStatus{HubClock: binary.LittleEndian.Uint64(sample), Code: binary.LittleEndian.Uint16(sample[8:])}, nil
}

// AppendTo appends the sample to dst.
func (s PortStatus) AppendTo(dst []byte) []byte {
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint64(dst, s.HubClock), s.Code)
}

var statusKind = Kind{
	IDs: []uint32{IDPortController}, Place: OnPort, Key: "status", Title: "Port status", Samples: statusBytes,
	Optional: true, Settings: noSettings, decoder: newStatus,
	Play: func(s Stage) Player { return &statusPlayer{linked: s.Linked, clockHz: s.ClockHz} },
}

type statusDecoder struct {
	core
	streams []stream.Stream
}

func newStatus(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	// Frames come when the link changes, so there is no rate and no period to miss.
	s := k.newStream(dev, cfg)
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		column("StatusCode", stream.Uint16, 0),
		clockColumn("HubClock", cfg.Hub.ClockHz, 0),
		clockColumn("Clock", cfg.AcqClockHz, 0),
	}
	return &statusDecoder{core: core{onGap: cfg.OnGap}, streams: []stream.Stream{s}}, nil
}

func (d *statusDecoder) Streams() []stream.Stream { return d.streams }

func (d *statusDecoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodePortStatus(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint16(b.Columns[0], s.Code)
	b.Columns[1] = binary.LittleEndian.AppendUint64(b.Columns[1], s.HubClock)
	b.Columns[2] = binary.LittleEndian.AppendUint64(b.Columns[2], f.Clock)
	b.Rows++
	return nil
}

// statusLocked is lock and parity pass as the original reads them; the data
// sheet has them in the high byte. Source: onix-devices 2.9.
const statusLocked = 0x0003

// statusPlayer says once, after a millisecond, that the link of a headstage is good.
type statusPlayer struct {
	linked  bool
	clockHz uint64
}

func (p *statusPlayer) Next() (tick uint64, ok bool) {
	ok, p.linked = p.linked, false
	return p.clockHz / 1000, ok
}

func (p *statusPlayer) AppendSample(dst []byte, hubClock uint64) []byte {
	return PortStatus{HubClock: hubClock, Code: statusLocked}.AppendTo(dst)
}
