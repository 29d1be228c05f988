package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

const (
	v2Channels     = neuropixels.Channels
	v2Frames       = 16 // probe frames of a super-frame
	v2RateHz       = 30000
	v2RowsPerBatch = 30000 // onix-devices 4.6
)

// A v2Layout says where the values of a 2.0 probe's super-frame are, and how
// wide they are.
type v2Layout struct {
	bytes     int // of a sample
	codes     int // values of the converter
	scaleUV   float64
	counterAt int // byte of the first counter word; 0: the samples have none
	frame     int // bytes of a probe frame
	offset    [v2Channels]int
}

// v2e has 12 bits: 24 of the 36 words of a frame carry values, every fourth is
// unused. Source: onix-devices 3.19, 9.3.
var v2e = (&v2Layout{bytes: 1162, codes: 1 << 12, scaleUV: 3.05176}).place(neuropixels.LayoutV2e, v2eHeaderBytes)

const v2eHeaderBytes = 10 // hub clock, probe index

// place fills in where values are in a sample whose words begin at a byte.
func (l *v2Layout) place(words *neuropixels.Layout, first int) *v2Layout {
	l.frame = 2 * words.WordsPerFrame
	for ch, word := range words.AP {
		l.offset[ch] = first + 2*word
	}
	return l
}

// The keys of the headstage, in Config.Headstage and in rig files, and of its
// two probes.
const (
	HeadstageNeuropixelsV2e = "neuropixels-2.0e"
	keyV2eProbeA            = HeadstageNeuropixelsV2e + "-probe-a"
	keyV2eProbeB            = HeadstageNeuropixelsV2e + "-probe-b"
)

// NeuropixelsV2e is one super-frame of a Neuropixels 2.0 probe as it is sent:
// one sample of every channel, no gain correction, no inversion.
//
// The sample has 1162 bytes, little endian: hub clock (uint64, ticks), probe
// index (uint16, 0 probe A, 1 probe B), then 16 frames of 36 uint16. The decoder works on
// those bytes.
//
// Source: passthrough device ID 24; onix-devices 3.19.
type NeuropixelsV2e struct {
	HubClock uint64 // of the host, which collects the headstage's data; ticks
	Probe    uint16
	AP       [v2Channels]uint16 // codes 0 to 4095, by channel
}

// AppendTo appends the sample to dst. Words that carry nothing are 0.
func (s *NeuropixelsV2e) AppendTo(dst []byte) []byte {
	return v2e.append(dst, s.HubClock, s.Probe, &s.AP)
}

func (l *v2Layout) append(dst []byte, hubClock uint64, probe uint16, codes *[v2Channels]uint16) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, l.bytes)...)
	sample := dst[start:]
	binary.LittleEndian.PutUint64(sample, hubClock)
	binary.LittleEndian.PutUint16(sample[passthroughIndexOffset:], probe)
	for ch, off := range l.offset {
		binary.LittleEndian.PutUint16(sample[off:], codes[ch])
	}
	return dst
}

var (
	neuropixelsV2eAKind = v2Kind(v2e, HeadstageNeuropixelsV2e, keyV2eProbeA, "Neuropixels 2.0e A", 0)
	neuropixelsV2eBKind = v2Kind(v2e, HeadstageNeuropixelsV2e, keyV2eProbeB, "Neuropixels 2.0e B", 1)
)
