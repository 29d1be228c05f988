package device

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// NeuropixelsV1eSettings are what the probe is set to, and its calibration.
type NeuropixelsV1eSettings struct {
	GainAP    int    `yaml:"gain_ap"`   // of the amplifier: 50, 125, 250, 500, 1000, 1500, 2000 or 3000; 0 means 1000
	GainLFP   int    `yaml:"gain_lfp"`  // likewise; 0 means 50
	Reference string `yaml:"reference"` // external or tip; "" means external
	Filter    bool   `yaml:"filter"`    // AP without what is below 300 Hz
	Bank      string `yaml:"bank"`      // of electrodes: A (at the tip), B or C; "" means A
	Probe     string `yaml:"probe"`     // probe-interface file that says which electrodes are connected, instead of Bank; "" none

	ProbeFile     []byte      `yaml:"-"` // what is in the file Probe
	APCorrection  float64     `yaml:"-"` // of the gain, from the probe's file; 0 means 1
	LFPCorrection float64     `yaml:"-"` // likewise
	ADC           []ADCOffset `yaml:"-"` // one for each of the 32 ADCs, from the probe's file; nil means none is shifted
	Invert        bool        `yaml:"-"` // turn the polarity: 1024 - code
}

// Check wants gains and references that the probe has, and a whole calibration.
func (s *NeuropixelsV1eSettings) Check() error {
	for _, gain := range []int{s.gainAP(), s.gainLFP()} {
		if !slices.Contains(v1eGains, gain) {
			return fmt.Errorf("gain %d: want one of %s", gain, strings.ReplaceAll(strings.Trim(fmt.Sprint(v1eGains), "[]"), " ", ", "))
		}
	}
	if s.Reference != "" && !slices.Contains(v1eReferences, s.Reference) {
		return fmt.Errorf("reference %q is not known; possible: %s", s.Reference, strings.Join(v1eReferences, ", "))
	}
	if n := len(s.ADC); n != 0 && n != v1eADCs {
		return fmt.Errorf("calibration of %d ADCs, want %d", n, v1eADCs)
	}
	for _, correction := range []float64{s.APCorrection, s.LFPCorrection} {
		// Real corrections lie within some percent of 1; beyond 16 the
		// values would no longer fit their 16 bits by far.
		if correction != 0 && !(correction > 0 && correction < maxCorrection) {
			return fmt.Errorf("gain correction %v: want more than 0 and less than %d", correction, maxCorrection)
		}
	}
	return checkBank(neuropixels.V1, s.bank())
}

// maxCorrection of a gain.
const maxCorrection = 16

// ADCOffset is how an ADC of a Neuropixels 1.0 probe is shifted: codes above
// Threshold are Offset too large.
type ADCOffset struct {
	Threshold, Offset uint16
}

var v1eGains = neuropixels.GainsV1

// v1eMicrovolts is the range of a code at amplifier gain 1. Source: onix-devices 9.3.
const v1eMicrovolts = 1171.875

const (
	defaultGainAP  = 1000 // onix-devices 6.6
	defaultGainLFP = 50
)

var v1eReferences = []string{neuropixels.External, neuropixels.Tip}

// Gains are those of the amplifiers.
func (s *NeuropixelsV1eSettings) Gains() (ap, lfp int) { return s.gainAP(), s.gainLFP() }

func (s *NeuropixelsV1eSettings) bank() string { return cmp.Or(s.Bank, "A") }
func (s *NeuropixelsV1eSettings) gainAP() int  { return cmp.Or(s.GainAP, defaultGainAP) }
func (s *NeuropixelsV1eSettings) gainLFP() int { return cmp.Or(s.GainLFP, defaultGainLFP) }

// v1eCalibration holds the value of every code of every ADC.
type v1eCalibration struct {
	ap, lfp v1eBand
}

// v1eBand maps codes to values. Source: onix-devices 3.17, 3.00.
type v1eBand struct {
	neutral bool // every legal code is its own value
	adcs    [v1eADCs]ADCOffset
	gain    float64
	invert  bool
	values  [v1eADCs][v1eCodes]uint16
}

// newV1eCalibration makes the tables of settings that were checked.
func newV1eCalibration(set *NeuropixelsV1eSettings) *v1eCalibration {
	cal := &v1eCalibration{}
	for _, b := range []struct {
		band       *v1eBand
		correction float64
	}{{&cal.ap, set.APCorrection}, {&cal.lfp, set.LFPCorrection}} {
		b.band.gain, b.band.invert = cmp.Or(b.correction, 1), set.Invert
		copy(b.band.adcs[:], set.ADC)
		b.band.fill()
	}
	return cal
}

func (b *v1eBand) fill() {
	b.neutral = true
	for adc := range b.values {
		for code := range b.values[adc] {
			v := b.exact(adc, uint16(code))
			b.values[adc][code] = v
			b.neutral = b.neutral && v == uint16(code)
		}
	}
}

// exact computes the value of a code.
func (b *v1eBand) exact(adc int, code uint16) uint16 {
	a := int(code)
	if code > b.adcs[adc].Threshold { // strict: the threshold itself is not shifted
		a -= int(b.adcs[adc].Offset)
	}
	return neuropixels.Corrected(a, v1eCodes, b.gain, b.invert)
}

// of is the value of a channel's code.
func (b *v1eBand) of(channel int, code uint16) uint16 {
	return b.at(neuropixels.ADCOfChannel(channel), code)
}

func (b *v1eBand) at(adc int, code uint16) uint16 {
	if code < v1eCodes {
		return b.values[adc][code]
	}
	return b.exact(adc, code)
}

// four is at for four codes, the first in the low bits.
func (b *v1eBand) four(adc int, codes uint64) uint64 {
	return uint64(b.at(adc, uint16(codes))) | uint64(b.at(adc, uint16(codes>>16)))<<16 |
		uint64(b.at(adc, uint16(codes>>32)))<<32 | uint64(b.at(adc, uint16(codes>>48)))<<48
}

// v1Stream describes the table of a 1.0 probe with these amplifier gains:
// onix-devices 4.4, 4.6 and 9.3.
func v1Stream(k *Kind, dev oni.Device, cfg Config, gainAP, gainLFP int) stream.Stream {
	s := k.newStream(dev, cfg)
	s.RowsPerBatch = v1eRowsPerBatch
	band := func(name string, gain int) {
		for ch := range v1eChannels {
			c := column(name+strconv.Itoa(ch), stream.Uint16, v1eRateHz)
			c.Unit, c.Scale, c.Offset, c.Gain = "uV", v1eMicrovolts/float64(gain), v1eCodes/2, float64(gain)
			if name == "LfpData" {
				c.RateHz, c.Stride = v1eRateHz/float64(v1eColumns), v1eColumns
			}
			s.Columns = append(s.Columns, c)
		}
	}
	band("LfpData", gainLFP)
	band("SpikeData", gainAP)
	s.Columns = append(s.Columns,
		column("FrameCount", stream.Int32, v1eRateHz),
		clockColumn("HubClock", cfg.Hub.ClockHz, v1eRateHz),
		clockColumn("Clock", cfg.AcqClockHz, v1eRateHz))
	return s
}
