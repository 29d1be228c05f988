package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

// v2eBeta has 14 bits and a counter in the first two words of each frame of 28
// words; the last two are for synchronisation. Source: onix-devices 3.20, 9.3.
var v2eBeta = (&v2Layout{bytes: 910, codes: 1 << 14, scaleUV: 0.76294, counterAt: v2eBetaHeaderBytes}).place(neuropixels.LayoutV2eBeta, v2eBetaHeaderBytes)

const v2eBetaHeaderBytes = 14 // hub clock, probe index, reserved

// The keys of the headstage, in Config.Headstage and in rig files, and of its
// two probes.
const (
	HeadstageNeuropixelsV2eBeta = "neuropixels-2.0e-beta"
	keyV2eBetaProbeA            = HeadstageNeuropixelsV2eBeta + "-probe-a"
	keyV2eBetaProbeB            = HeadstageNeuropixelsV2eBeta + "-probe-b"
)

// NeuropixelsV2eBeta is one super-frame of a Neuropixels 2.0 beta probe as it is
// sent.
//
// The sample has 910 bytes, little endian: hub clock (uint64, ticks), probe
// index (uint16), reserved (uint32), then 16 frames of 28 uint16.
//
// Source: passthrough device ID 24; onix-devices 3.20.
type NeuropixelsV2eBeta struct {
	HubClock uint64 // of the host; ticks
	Probe    uint16
	Counter  [v2Frames]uint32   // 20 bits, one up from frame to frame
	AP       [v2Channels]uint16 // codes 0 to 16383, by channel
}

// AppendTo appends the sample to dst. Words that carry nothing are 0.
func (s *NeuropixelsV2eBeta) AppendTo(dst []byte) []byte {
	start := len(dst)
	dst = v2eBeta.append(dst, s.HubClock, s.Probe, &s.AP)
	for i, counter := range s.Counter {
		at := dst[start+v2eBeta.counterAt+i*v2eBeta.frame:]
		binary.LittleEndian.PutUint16(at, uint16(counter>>14))
		binary.LittleEndian.PutUint16(at[2:], uint16(counter&0x3FFF))
	}
	return dst
}

var (
	neuropixelsV2eBetaAKind = v2Kind(v2eBeta, HeadstageNeuropixelsV2eBeta, keyV2eBetaProbeA, "Neuropixels 2.0e-Beta A", 0)
	neuropixelsV2eBetaBKind = v2Kind(v2eBeta, HeadstageNeuropixelsV2eBeta, keyV2eBetaProbeB, "Neuropixels 2.0e-Beta B", 1)
)
