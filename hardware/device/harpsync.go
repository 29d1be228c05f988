package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	harpSyncBytes  = 12
	harpSyncRateHz = 1 // while a Harp clock is connected; onix-devices 3.5
)

// HarpSync is one beat of a Harp clock.
type HarpSync struct {
	HubClock uint64 // ticks
	Second   uint32 // as sent: the one that ended
}

// DecodeHarpSync unpacks one sample of the Harp synchronisation input.
//
// sample holds at least 12 bytes, little endian: hub clock (uint64, ticks),
// second (uint32). Further bytes are padding. It returns ErrSampleSize if
// sample is shorter, and never any other error.
//
// Source: device ID 30; onix-devices 3.5.
func DecodeHarpSync(sample []byte) (HarpSync, error) {
	if len(sample) < harpSyncBytes {
		return HarpSync{}, shortSample("harp-sync", len(sample), harpSyncBytes)
	}
	return HarpSync{HubClock: binary.LittleEndian.Uint64(sample), Second: binary.LittleEndian.Uint32(sample[8:])}, nil
}

// AppendTo appends the sample to dst.
func (s HarpSync) AppendTo(dst []byte) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(dst, s.HubClock), s.Second)
}

// HarpTime is the second that begins with the beat, modulo 2^32 as the
// original stores it: the pulse is sent for the second about to elapse.
func (s HarpSync) HarpTime() uint32 { return s.Second + 1 }

var harpSyncKind = Kind{
	IDs: []uint32{IDHarpSyncInput}, Key: "harp-sync", Title: "Harp clock", Samples: harpSyncBytes,
	Optional: true, Settings: noSettings, decoder: newHarpSync,
	Play: func(s Stage) Player { return &harpSyncPlayer{clockHz: s.ClockHz} },
}

type harpSyncDecoder struct {
	core
	streams []stream.Stream
}

func newHarpSync(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	s := k.newStream(dev, cfg)
	second := column("HarpTime", stream.Uint32, harpSyncRateHz)
	second.Unit, second.Scale = "s", 1
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		second,
		clockColumn("HubClock", cfg.Hub.ClockHz, harpSyncRateHz),
		clockColumn("Clock", cfg.AcqClockHz, harpSyncRateHz),
	}
	// A Harp clock may be unplugged: seconds without a beat are no lost frames.
	return &harpSyncDecoder{core: core{onGap: cfg.OnGap}, streams: []stream.Stream{s}}, nil
}

func (d *harpSyncDecoder) Streams() []stream.Stream { return d.streams }

func (d *harpSyncDecoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodeHarpSync(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint32(b.Columns[0], s.HarpTime())
	b.Columns[1] = binary.LittleEndian.AppendUint64(b.Columns[1], s.HubClock)
	b.Columns[2] = binary.LittleEndian.AppendUint64(b.Columns[2], f.Clock)
	b.Rows++
	return nil
}

// harpSyncPlayer beats once a second, from 0 on, as a clock that was set to
// harpSyncStart.
type harpSyncPlayer struct {
	clockHz uint64
	row     uint64 // of the next call of Next
}

const harpSyncStart = 3_000_000

func (p *harpSyncPlayer) Next() (tick uint64, ok bool) {
	tick = p.row * p.clockHz
	p.row++
	return tick, true
}

func (p *harpSyncPlayer) AppendSample(dst []byte, hubClock uint64) []byte {
	return HarpSync{HubClock: hubClock, Second: harpSyncStart + uint32(p.row-1)}.AppendTo(dst)
}
