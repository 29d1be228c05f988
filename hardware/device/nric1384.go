package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
)

// The super-frame of a Nric1384 headstage. Source: onix-devices 3.21.
const (
	nricBytes     = 844
	nricWordsAt   = 8
	nricCounterAt = 840
)

var nricLayout = func() *v1Layout {
	l := &v1Layout{bytes: nricBytes, counter: func(sample []byte) uint32 { return binary.LittleEndian.Uint32(sample[nricCounterAt:]) }}
	l.place(neuropixels.LayoutNric1384, nricWordsAt)
	return l
}()

// Nric1384 is one super-frame of a Nric1384 headstage. The hardware applies
// calibration and gain correction, and puts channels in order.
//
// The sample has 844 bytes, little endian: hub clock (uint64, ticks), LFP of 32
// channels (uint16), AP of 384 channels (uint16), frame count (int32).
//
// Source: device ID 33; onix-devices 3.21.
type Nric1384 struct {
	HubClock uint64              // ticks
	LFP      [v1eADCs]uint16     // 0 to 1023, of channels 32 p to 32 p + 31 in super-frame p of twelve
	AP       [v1eChannels]uint16 // 0 to 1023, by channel
	Count    uint32              // 13 up from super-frame to super-frame
}

// AppendTo appends the sample to dst.
func (s *Nric1384) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.HubClock)
	for _, v := range s.LFP {
		dst = binary.LittleEndian.AppendUint16(dst, v)
	}
	for _, v := range s.AP {
		dst = binary.LittleEndian.AppendUint16(dst, v)
	}
	return binary.LittleEndian.AppendUint32(dst, s.Count)
}

// HeadstageNric1384 is the key of the headstage in rig files.
const HeadstageNric1384 = "nric1384"

var nric1384Kind = Kind{
	IDs: []uint32{IDNric1384}, Place: OnPort, Headstages: []string{HeadstageNric1384}, Key: "nric1384", Title: "Nric1384", Samples: nricBytes,
	Settings: newProbeGains,
	decoder: func(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
		return newHardwareV1(nricLayout, k, dev, cfg), nil
	},
}
