package neuropixels

import (
	"errors"
	"fmt"
	"slices"
)

// A Chain is one shift register of a probe: the bytes that are written to its
// register one by one.
type Chain struct {
	Register uint8 // of the probe
	Bytes    []byte
	Base     bool // of the base of the probe; otherwise of a shank
	Shank    int  // of a shank, from 0
}

// ErrSetting says that a probe cannot be set that way.
var ErrSetting = errors.New("not a setting of the probe")

// bits are those of a shift register, bit 0 first.
type bits []bool

// pack makes the bytes of a shift register: bits are packed from the lowest bit
// of each byte up, and then each byte is turned round. Source: onix-devices 6.6
// step 8.
func (b bits) pack() []byte {
	bytes := make([]byte, (len(b)+7)/8)
	for i, set := range b {
		if set {
			bytes[i/8] |= 0x80 >> (i % 8)
		}
	}
	return bytes
}

// number writes the lowest n bits of v from bit at up, lowest first.
func (b bits) number(at, n, v int) {
	for i := range n {
		b[at+i] = v>>i&1 == 1
	}
}

// GainsV1 are the gains of the amplifiers of a 1.0 probe; the index is their code.
// Source: onix-devices 6.6.
var GainsV1 = []int{50, 125, 250, 500, 1000, 1500, 2000, 3000}

// References of a probe, as rig files name them.
const (
	External = "external"
	Tip      = "tip"
	Ground   = "ground" // 2.0 only
)

// A SetupV1 is everything that goes into the shift registers of a 1.0 probe.
type SetupV1 struct {
	Electrodes      Selection
	Reference       string // External or Tip
	GainAP, GainLFP int    // of GainsV1
	Filter          bool   // AP without what is below 300 Hz
	ADC             *ADCCalibration
}

// Lengths and places in the shift registers of a 1.0 probe. Source: onix-devices 6.6.
const (
	shankBitsV1       = 968
	baseBitsV1        = 2448
	internalReference = 191 // this electrode of bank A is not connected
	optionsV1         = 576
)

// Chains returns the shift registers of the probe in the order of writing:
// shank, base of the even channels, base of the odd ones.
//
// Source: onix-devices 6.6 step 8.
func (s *SetupV1) Chains() ([]Chain, error) {
	gainAP, gainLFP := slices.Index(GainsV1, s.GainAP), slices.Index(GainsV1, s.GainLFP)
	reference := slices.Index([]string{External, Tip}, s.Reference) + 1
	switch {
	case gainAP < 0 || gainLFP < 0:
		return nil, fmt.Errorf("neuropixels: %w: gains %d and %d: want two of %v", ErrSetting, s.GainAP, s.GainLFP, GainsV1)
	case reference < 1:
		return nil, fmt.Errorf("neuropixels: %w: reference %q: want %s or %s", ErrSetting, s.Reference, External, Tip)
	case s.ADC == nil:
		return nil, fmt.Errorf("neuropixels: %w: no calibration of the ADCs", ErrSetting)
	}
	if _, err := V1.Select(s.Electrodes[:]); err != nil {
		return nil, err
	}
	var base [2]bits
	for odd := range base {
		base[odd] = make(bits, baseBitsV1)
	}
	for ch := range Channels {
		b := base[ch%2]
		b.number(3*((382+ch%2-ch)/2), 3, reference)
		options := optionsV1 + 4*(ch-ch%2)
		b.number(options, 3, gainAP)
		b.number(options+3, 3, gainLFP)
		b[options+7] = !s.Filter
	}
	for k, adc := range s.ADC.ADCs {
		b, d := base[k%2], k/2
		comp := 2406 - 42*(d/2) + 10*(d%2)
		b.number(comp, 5, adc.CompP)
		b.number(comp+5, 5, adc.CompN)
		slope := comp + 20 + d%2
		b.number(slope, 3, adc.Slope)
		b.number(slope+3, 2, adc.Fine)
		b.number(slope+5, 2, adc.Coarse)
		b.number(slope+7, 4, adc.Cfix)
	}
	return []Chain{
		{Register: 0x0E, Bytes: s.shank().pack()},
		{Register: 0x0D, Bytes: base[0].pack(), Base: true},
		{Register: 0x0C, Bytes: base[1].pack(), Base: true},
	}, nil
}

func (s *SetupV1) shank() bits {
	b := make(bits, shankBitsV1)
	for _, e := range s.Electrodes {
		switch {
		case e == internalReference:
		case e%2 == 0:
			b[485+e/2] = true
		default:
			b[482-e/2] = true
		}
	}
	if s.Reference == Tip {
		b[484], b[483] = true, true
	} else {
		b[965], b[2] = true, true
	}
	return b
}

// A SetupV2 is everything that goes into the shift registers of a 2.0 probe.
type SetupV2 struct {
	Model      Model // V2Single or V2Four
	Electrodes Selection
	Reference  string // External, Tip or Ground
	TipShank   int    // whose tip is the reference, from 0
}

// Lengths in the shift registers of a 2.0 probe. Source: onix-devices 6.8.
const (
	shankBitsV2 = 1288
	baseBitsV2  = 768
)

// Registers of the shift registers of a 2.0 probe. Source: onix-devices 6.8.
const baseEvenV2, baseOddV2, firstShankV2 = 0x17, 0x16, 0x1B

// Chains returns the shift registers of the probe in the order of writing: base
// of the even channels, base of the odd ones, shanks.
//
// Source: onix-devices 6.8 step 5.
func (s *SetupV2) Chains() ([]Chain, error) {
	reference := slices.Index([]string{External, Tip, Ground}, s.Reference) + 1
	switch {
	case s.Model == V1:
		return nil, fmt.Errorf("neuropixels: %w: a %s among 2.0 probes", ErrSetting, s.Model.Name())
	case reference < 1:
		return nil, fmt.Errorf("neuropixels: %w: reference %q: want %s, %s or %s", ErrSetting, s.Reference, External, Tip, Ground)
	case s.TipShank < 0 || s.TipShank >= s.Model.Shanks():
		return nil, fmt.Errorf("neuropixels: %w: shank %d: a %s has %d", ErrSetting, s.TipShank+1, s.Model.Name(), s.Model.Shanks())
	}
	if _, err := s.Model.Select(s.Electrodes[:]); err != nil {
		return nil, err
	}
	base := [2]bits{make(bits, baseBitsV2), make(bits, baseBitsV2)}
	for ch := range Channels {
		base[ch%2][4*((382-ch+ch%2)/2)+reference] = true
	}
	chains := []Chain{
		{Register: baseEvenV2, Bytes: base[0].pack(), Base: true},
		{Register: baseOddV2, Bytes: base[1].pack(), Base: true},
	}
	for shank := range s.Model.Shanks() {
		chains = append(chains, Chain{Register: uint8(firstShankV2 - shank), Bytes: s.shank(shank).pack(), Shank: shank})
	}
	return chains, nil
}

func (s *SetupV2) shank(shank int) bits {
	b := make(bits, shankBitsV2)
	for _, electrode := range s.Electrodes {
		of, e := s.Model.Shank(electrode)
		switch {
		case of != shank:
		case e%2 == 0:
			b[e/2+639+6] = true
		default:
			b[639-e/2+3] = true
		}
	}
	switch {
	case s.Reference == External:
		b[1285], b[2] = true, true
	case s.Reference == Tip && s.TipShank == shank:
		b[644], b[643] = true, true
	}
	return b
}
