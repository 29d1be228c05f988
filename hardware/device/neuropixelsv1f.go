package device

import (
	"cmp"
	"encoding/binary"
	"fmt"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
)

// The super-frame of a Neuropixels 1.0f probe: 13 probe frames of 36 words, then
// the hub clock. Source: onix-devices 3.18.
const (
	v1fBytes      = 944
	v1fHubClockAt = 936
	v1fShift      = 5 // values are fixed point, 11.5
)

func v1fWordOffset(frame, word int) int {
	return 2 * (neuropixels.LayoutV1f.WordsPerFrame*frame + word)
}

// v1fCounter is the counter of a probe frame.
func v1fCounter(sample []byte, frame int) uint32 {
	high := binary.LittleEndian.Uint16(sample[v1fWordOffset(frame, 28):])
	low := binary.LittleEndian.Uint16(sample[v1fWordOffset(frame, 35):])
	return uint32(high)<<10 | uint32(low)
}

var v1fLayout = func() *v1Layout {
	l := &v1Layout{bytes: v1fBytes, hubClockAt: v1fHubClockAt, shift: v1fShift,
		counter: func(sample []byte) uint32 { return v1fCounter(sample, 0) },
		ordered: func(sample []byte) bool {
			first := v1fCounter(sample, 0)
			for i := 1; i < v1eFrames; i++ {
				if (v1fCounter(sample, i)-first-uint32(i))&counterMask != 0 {
					return false
				}
			}
			return true
		}}
	l.place(neuropixels.LayoutV1f, 0)
	return l
}()

// NeuropixelsV1f is one super-frame of a Neuropixels 1.0f probe. The hardware
// applies calibration and gain correction.
//
// The sample has 944 bytes, little endian: 13 frames of 36 uint16, then the hub
// clock (uint64, ticks).
//
// Source: device ID 11; onix-devices 3.18.
type NeuropixelsV1f struct {
	HubClock uint64              // ticks
	Counter  [v1eFrames]uint32   // 20 bits, one up from frame to frame
	LFP      [v1eADCs]uint16     // 0 to 2047, of one column of channels, by ADC
	AP       [v1eChannels]uint16 // 0 to 2047, by channel
}

// AppendTo appends the sample to dst. Words that carry nothing are 0.
func (s *NeuropixelsV1f) AppendTo(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, v1fBytes)...)
	sample := dst[start:]
	for i, counter := range s.Counter {
		binary.LittleEndian.PutUint16(sample[v1fWordOffset(i, 28):], uint16(counter>>10))
		binary.LittleEndian.PutUint16(sample[v1fWordOffset(i, 35):], uint16(counter&0x3FF))
	}
	for adc, off := range v1fLayout.lfp {
		binary.LittleEndian.PutUint16(sample[off:], s.LFP[adc]<<v1fShift)
	}
	for ch, off := range v1fLayout.ap {
		binary.LittleEndian.PutUint16(sample[off:], s.AP[ch]<<v1fShift)
	}
	binary.LittleEndian.PutUint64(sample[v1fHubClockAt:], s.HubClock)
	return dst
}

// ProbeGains are the amplifier gains of a 1.0 probe whose calibration is in the
// hardware.
type ProbeGains struct {
	GainAP  int `yaml:"gain_ap"`  // 50, 125, 250, 500, 1000, 1500, 2000 or 3000; 0 means 1000
	GainLFP int `yaml:"gain_lfp"` // likewise; 0 means 50
}

// Check wants gains that the probe has.
func (s *ProbeGains) Check() error {
	return (&NeuropixelsV1eSettings{GainAP: s.GainAP, GainLFP: s.GainLFP}).Check()
}

// Gains are those of the amplifiers.
func (s *ProbeGains) Gains() (ap, lfp int) {
	return cmp.Or(s.GainAP, defaultGainAP), cmp.Or(s.GainLFP, defaultGainLFP)
}

func newProbeGains() Settings { return &ProbeGains{GainAP: defaultGainAP, GainLFP: defaultGainLFP} }

// HeadstageNeuropixelsV1f is the key of the headstage in rig files.
const HeadstageNeuropixelsV1f = "neuropixels-1.0f"

var (
	neuropixelsV1fAKind = v1fKind("a", "A", 0)
	neuropixelsV1fBKind = v1fKind("b", "B", 1)
)

func v1fKind(letter, title string, index uint8) Kind {
	return Kind{
		IDs: []uint32{IDNeuropixelsV1f}, Place: OnPort, Headstages: []string{HeadstageNeuropixelsV1f}, Indices: []uint8{index},
		Key: HeadstageNeuropixelsV1f + "-probe-" + letter, Title: fmt.Sprintf("Neuropixels 1.0f %s", title), Samples: v1fBytes,
		Settings: newProbeGains,
		decoder: func(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
			return newHardwareV1(v1fLayout, k, dev, cfg), nil
		},
	}
}

// newHardwareV1 makes the decoder of a 1.0 probe that the hardware corrects.
func newHardwareV1(l *v1Layout, k *Kind, dev oni.Device, cfg Config) Decoder {
	ap, lfp := cfg.Settings.(*ProbeGains).Gains()
	return newV1(l, nil, v1Stream(k, dev, cfg, ap, lfp), cfg)
}
