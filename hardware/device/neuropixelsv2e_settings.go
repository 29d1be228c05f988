package device

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

// HeadstageNeuropixelsV2e is the key of the headstage with two Neuropixels 2.0
// probes in Config.Headstage and in rig files.
const HeadstageNeuropixelsV2e = "neuropixels-2.0e"

// NeuropixelsV2eSettings are what one 2.0 probe is set to, and its calibration.
type NeuropixelsV2eSettings struct {
	Shanks    int    `yaml:"shanks"`    // of the probe: 4 or 1
	Shank     int    `yaml:"shank"`     // 1 to Shanks: of the bank, and of the tip that is the reference
	Bank      string `yaml:"bank"`      // A (at the tip) to D
	Reference string `yaml:"reference"` // external, tip or ground
	Invert    bool   `yaml:"invert"`    // turn the polarity: 4096 - code
	Probe     string `yaml:"probe"`     // probe-interface file that says which electrodes are connected, instead of Bank; "" none

	ProbeFile      []byte  `yaml:"-"` // what is in the file Probe
	GainCorrection float64 `yaml:"-"` // from the probe's file; 0 means 1
}

// NewNeuropixelsV2eSettings returns the defaults: bank A of the first of four
// shanks. Source: onix-devices 5.4, 3.19.
func NewNeuropixelsV2eSettings() *NeuropixelsV2eSettings {
	return &NeuropixelsV2eSettings{Shanks: 4, Shank: 1, Bank: "A", Reference: neuropixels.External, Invert: true}
}

var v2eReferences = []string{neuropixels.External, neuropixels.Tip, neuropixels.Ground}

// Check wants a shank, bank and reference that the probe has.
func (s *NeuropixelsV2eSettings) Check() error {
	switch {
	case s.Shanks != 1 && s.Shanks != 4:
		return fmt.Errorf("shanks %d: want 1 or 4", s.Shanks)
	case s.Shank < 1 || s.Shank > s.Shanks:
		return fmt.Errorf("shank %d: want 1 to %d", s.Shank, s.Shanks)
	case !slices.Contains(v2eReferences, s.Reference):
		return fmt.Errorf("reference %q is not known; possible: %s", s.Reference, strings.Join(v2eReferences, ", "))
	case s.GainCorrection != 0 && !(s.GainCorrection > 0 && s.GainCorrection < maxCorrection):
		return fmt.Errorf("gain correction %v: want more than 0 and less than %d", s.GainCorrection, maxCorrection)
	}
	return checkBank(s.Model(), s.Bank)
}

// Model is the kind of probe.
func (s *NeuropixelsV2eSettings) Model() neuropixels.Model {
	if s.Shanks == 1 {
		return neuropixels.V2Single
	}
	return neuropixels.V2Four
}

// Electrodes are those that are connected: of the file if there is one, else of
// the bank.
func (s *NeuropixelsV2eSettings) Electrodes() (neuropixels.Selection, error) {
	return electrodes(s.Model(), s.Probe, s.ProbeFile, s.Bank, s.Shank-1)
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

// Setup is what goes into the probe.
func (s *NeuropixelsV2eSettings) Setup() (*neuropixels.SetupV2, error) {
	e, err := s.Electrodes()
	if err != nil {
		return nil, err
	}
	return &neuropixels.SetupV2{Model: s.Model(), Electrodes: e, Reference: s.Reference, TipShank: s.Shank - 1}, nil
}
