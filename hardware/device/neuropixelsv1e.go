package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
)

// The super-frame of a Neuropixels 1.0 probe at a passthrough device:
// 13 probe frames of 40 words, of which the first carries LFP values of 32
// channels and the others AP values of 32 channels each.
// Source: onix-devices 3.17.
const (
	v1eBytes       = 1050
	v1eHeaderBytes = 10 // hub clock, probe index
	v1eFrames      = 13
	v1eADCs        = neuropixels.ADCs
	v1eChannels    = neuropixels.Channels
	v1eColumns     = 12      // of channels an ADC reads in turn
	v1eCodes       = 1 << 10 // values of the converter
	v1eRateHz      = 30000
)

func v1eWordOffset(frame, word int) int {
	return v1eHeaderBytes + 2*(neuropixels.LayoutV1e.WordsPerFrame*frame+word)
}

// A v1Layout says where the values of a 1.0 probe's super-frame are.
type v1Layout struct {
	bytes      int // of a sample
	hubClockAt int
	ap         [v1eChannels]int // byte of a channel's AP value
	lfp        [v1eADCs]int     // byte of the LFP values
	lfpChannel [v1eColumns][v1eADCs]int
	shift      int // bits below the value
	counter    func(sample []byte) uint32
	ordered    func(sample []byte) bool // the counters inside go up by one; nil: there is one
}

// v1eLayout is that of the probe at a passthrough device.
var v1eLayout = func() *v1Layout {
	l := &v1Layout{bytes: v1eBytes, ordered: v1eCountersAdvance, counter: func(sample []byte) uint32 { return v1eCounter(sample, 0) }}
	l.place(neuropixels.LayoutV1e, v1eHeaderBytes)
	return l
}()

// place fills in where values are in a sample whose words begin at a byte.
func (l *v1Layout) place(words *neuropixels.Layout, first int) {
	for i, word := range words.LFP {
		l.lfp[i] = first + 2*word
		for column := range l.lfpChannel {
			l.lfpChannel[column][i] = words.LFPChannel(i, uint64(column))
		}
	}
	for ch, word := range words.AP {
		l.ap[ch] = first + 2*word
	}
}

// NeuropixelsV1e is one super-frame as the probe sends it: no calibration, no
// inversion. Which column of channels the LFP values belong to is not in it:
// the super-frame's number modulo 12 says it.
//
// The sample has 1050 bytes, little endian: hub clock (uint64, ticks), probe
// index (uint16), then 13 frames of 40 uint16. The decoder works on those bytes.
//
// Source: passthrough device ID 24; onix-devices 3.17.
type NeuropixelsV1e struct {
	HubClock uint64 // of the host, which collects the headstage's data; ticks
	Probe    uint16
	Counter  [v1eFrames]uint32   // 20 bits, one up from frame to frame
	LFP      [v1eADCs]uint16     // codes 0 to 1023 of one column of channels, by ADC
	AP       [v1eChannels]uint16 // codes 0 to 1023, by channel
}

// AppendTo appends the sample to dst. Words that carry nothing are 0.
func (s *NeuropixelsV1e) AppendTo(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, v1eBytes)...)
	sample := dst[start:]
	binary.LittleEndian.PutUint64(sample, s.HubClock)
	binary.LittleEndian.PutUint16(sample[8:], s.Probe)
	for i, counter := range s.Counter {
		binary.LittleEndian.PutUint16(sample[v1eWordOffset(i, 31):], uint16(counter>>10))
		binary.LittleEndian.PutUint16(sample[v1eWordOffset(i, 39):], uint16(counter&0x3FF))
	}
	for adc, off := range v1eLayout.lfp {
		binary.LittleEndian.PutUint16(sample[off:], s.LFP[adc])
	}
	for ch, off := range v1eLayout.ap {
		binary.LittleEndian.PutUint16(sample[off:], s.AP[ch])
	}
	return dst
}

// NeuropixelsV1eLFPChannel is the channel whose LFP value is at an ADC (0
// to 31) in the super-frame of that number (0 is the first after the start).
func NeuropixelsV1eLFPChannel(adc int, superFrame uint64) int {
	return neuropixels.LayoutV1e.LFPChannel(adc, superFrame)
}

// v1eCounter is the counter of a probe frame; words that are no counter's (above
// 1023) can make it larger than 20 bits.
func v1eCounter(sample []byte, frame int) uint32 {
	high := binary.LittleEndian.Uint16(sample[v1eWordOffset(frame, 31):])
	low := binary.LittleEndian.Uint16(sample[v1eWordOffset(frame, 39):])
	return uint32(high)<<10 | uint32(low)
}

// v1eCountersAdvance reports whether each of the 13 counters is one up.
func v1eCountersAdvance(sample []byte) bool {
	whole := (*[v1eBytes]byte)(sample) // one check of the bounds for all
	first, off := v1eCounter(sample, 0), uint32(0)
	for i := range uint32(v1eFrames) {
		at := v1eWordOffset(int(i), 31)
		high, low := binary.LittleEndian.Uint16(whole[at:]), binary.LittleEndian.Uint16(whole[at+2*(39-31):])
		off |= (uint32(high)<<10 | uint32(low)) - first - i
	}
	return off&counterMask == 0
}

// HeadstageNeuropixelsV1e is the key of the headstage in Config.Headstage and
// in rig files.
const HeadstageNeuropixelsV1e = "neuropixels-1.0e"

var neuropixelsV1eKind = Kind{
	IDs: []uint32{IDPassthrough}, Place: Headstage, Headstages: []string{HeadstageNeuropixelsV1e}, Key: HeadstageNeuropixelsV1e, Title: "Neuropixels 1.0e", Samples: v1eBytes, decoder: newNeuropixelsV1e,
	Settings: func() Settings {
		return &NeuropixelsV1eSettings{GainAP: defaultGainAP, GainLFP: defaultGainLFP, Reference: neuropixels.External, Filter: true, Bank: "A"}
	},
}

func newNeuropixelsV1e(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	set := cfg.Settings.(*NeuropixelsV1eSettings)
	return newV1(v1eLayout, newV1eCalibration(set), v1Stream(k, dev, cfg, set.gainAP(), set.gainLFP()), cfg), nil
}
