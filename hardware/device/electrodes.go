package device

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

// From the settings of a probe to what goes into it.

// Electrodes are those that are connected: of the file if there is one, else of
// the bank.
func (s *NeuropixelsV1eSettings) Electrodes() (neuropixels.Selection, error) {
	return electrodes(neuropixels.V1, s.Probe, s.ProbeFile, s.bank(), 0)
}

// Setup is what goes into the probe, with the calibration of its converters.
func (s *NeuropixelsV1eSettings) Setup(adcs *neuropixels.ADCCalibration) (*neuropixels.SetupV1, error) {
	e, err := s.Electrodes()
	if err != nil {
		return nil, err
	}
	return &neuropixels.SetupV1{
		Electrodes: e, Reference: cmp.Or(s.Reference, neuropixels.External), GainAP: s.gainAP(), GainLFP: s.gainLFP(), Filter: s.Filter, ADC: adcs,
	}, nil
}

// Model is the kind of probe.
func (s *NeuropixelsV2Settings) Model() neuropixels.Model {
	if s.Shanks == 1 {
		return neuropixels.V2Single
	}
	return neuropixels.V2Four
}

// Electrodes are those that are connected: of the file if there is one, else of
// the bank.
func (s *NeuropixelsV2Settings) Electrodes() (neuropixels.Selection, error) {
	return electrodes(s.Model(), s.Probe, s.ProbeFile, cmp.Or(s.Bank, "A"), cmp.Or(s.Shank, 1)-1)
}

// Setup is what goes into the probe.
func (s *NeuropixelsV2Settings) Setup() (*neuropixels.SetupV2, error) {
	e, err := s.Electrodes()
	if err != nil {
		return nil, err
	}
	return &neuropixels.SetupV2{Model: s.Model(), Electrodes: e, Reference: cmp.Or(s.Reference, neuropixels.External), TipShank: cmp.Or(s.Shank, 1) - 1}, nil
}

func checkBank(m neuropixels.Model, bank string) error {
	if !slices.Contains(m.Banks(), bank) {
		return fmt.Errorf("bank %q is not known; possible: %s", bank, strings.Join(m.Banks(), ", "))
	}
	return nil
}

func electrodes(m neuropixels.Model, name string, file []byte, bank string, shank int) (neuropixels.Selection, error) {
	if name == "" {
		return m.Bank(bank, shank)
	}
	s, err := neuropixels.ParseProbe(m, file)
	if err != nil {
		return neuropixels.Selection{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
