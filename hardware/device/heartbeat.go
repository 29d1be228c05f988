package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const heartbeatBytes = 8

// Heartbeat is one beat: it says only when.
type Heartbeat struct {
	HubClock uint64 // ticks
}

// DecodeHeartbeat unpacks one sample of a heartbeat or persistent heartbeat.
//
// sample holds at least 8 bytes: hub clock (uint64, little endian, ticks).
// Further bytes are padding. It returns ErrSampleSize if sample is shorter,
// and never any other error.
//
// Source: device IDs 12 and 35; onix-devices 3.1.
func DecodeHeartbeat(sample []byte) (Heartbeat, error) {
	if len(sample) < heartbeatBytes {
		return Heartbeat{}, shortSample("heartbeat", len(sample), heartbeatBytes)
	}
	return Heartbeat{HubClock: binary.LittleEndian.Uint64(sample)}, nil
}

// AppendTo appends the sample to dst.
func (h Heartbeat) AppendTo(dst []byte) []byte {
	return binary.LittleEndian.AppendUint64(dst, h.HubClock)
}

var heartbeatKind = Kind{
	IDs: []uint32{IDHeartbeat, IDPersistentHeartbeat}, Key: "heartbeat", Title: "Heartbeat", Samples: heartbeatBytes, decoder: newHeartbeat,
	Settings: func() Settings { return &RateSettings{RateHz: 100} },
}

type heartbeatDecoder struct {
	core
	streams []stream.Stream
}

func newHeartbeat(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	rateHz := cfg.Settings.(*RateSettings).RateHz
	if k.KeyAt(dev.Address) == "" {
		rateHz = 0 // a headstage's, which no rig file sets: unknown, so gaps go unseen
	}
	s := k.newStream(dev, cfg)
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		clockColumn("HubClock", cfg.Hub.ClockHz, rateHz),
		clockColumn("Clock", cfg.AcqClockHz, rateHz),
	}
	return &heartbeatDecoder{
		core:    core{loss: newLossDetector(cfg, rateHz), onGap: cfg.OnGap},
		streams: []stream.Stream{s},
	}, nil
}

func (d *heartbeatDecoder) Streams() []stream.Stream { return d.streams }

func (d *heartbeatDecoder) Decode(f *oni.Frame, out []*Batch) error {
	h, err := DecodeHeartbeat(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(h.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint64(b.Columns[0], h.HubClock)
	b.Columns[1] = binary.LittleEndian.AppendUint64(b.Columns[1], f.Clock)
	b.Rows++
	return nil
}
