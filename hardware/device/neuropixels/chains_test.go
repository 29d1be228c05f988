package neuropixels_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"testing"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

const calibration = "../../../testdata/calibration/"

func readADCs(t *testing.T) *neuropixels.ADCCalibration {
	t.Helper()
	file, err := os.ReadFile(calibration + "V1_ADCCalibration.csv")
	if err != nil {
		t.Fatal(err)
	}
	c, err := neuropixels.ParseADCs(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bank(t *testing.T, m neuropixels.Model, name string) neuropixels.Selection {
	t.Helper()
	s, err := m.Bank(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type chain struct {
	register uint8
	bytes    int
	hash     string
}

// TestTheShiftRegistersAreThoseOfTheVectors: the vectors were made from the text
// of onix-devices and, apart from it, from the original's code. Source:
// onix-devices 6.13.
func TestTheShiftRegistersAreThoseOfTheVectors(t *testing.T) {
	adcs := readADCs(t)
	for name, c := range map[string]struct {
		setup interface {
			Chains() ([]neuropixels.Chain, error)
		}
		want []chain
	}{
		"1.0 with the external reference": {
			&neuropixels.SetupV1{Electrodes: bank(t, neuropixels.V1, "A"), Reference: neuropixels.External, GainAP: 1000, GainLFP: 50, Filter: true, ADC: adcs},
			[]chain{{0x0E, 121, "3f1978ffd7e69919"}, {0x0D, 306, "73c317e8eec75043"}, {0x0C, 306, "e670661cf1058eb5"}},
		},
		"1.0 with the tip as reference": {
			&neuropixels.SetupV1{Electrodes: bank(t, neuropixels.V1, "A"), Reference: neuropixels.Tip, GainAP: 500, GainLFP: 250, ADC: adcs},
			[]chain{{0x0E, 121, "fcc365e700c01d5d"}, {0x0D, 306, "42130e90fb264da0"}, {0x0C, 306, "a4da90a6dfdd3394"}},
		},
		"2.0 with four shanks": {
			&neuropixels.SetupV2{Model: neuropixels.V2Four, Electrodes: bank(t, neuropixels.V2Four, "A"), Reference: neuropixels.External},
			[]chain{{0x17, 96, "e9dffcc823835882"}, {0x16, 96, "e9dffcc823835882"},
				{0x1B, 161, "7f32834838658eec"}, {0x1A, 161, "85fa7404dea1592f"}, {0x19, 161, "85fa7404dea1592f"}, {0x18, 161, "85fa7404dea1592f"}},
		},
	} {
		chains, err := c.setup.Chains()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(chains) != len(c.want) {
			t.Errorf("%s: %d shift registers, want %d", name, len(chains), len(c.want))
			continue
		}
		for i, want := range c.want {
			sum := sha256.Sum256(chains[i].Bytes)
			got := chain{chains[i].Register, len(chains[i].Bytes), hex.EncodeToString(sum[:8])}
			if got != want {
				t.Errorf("%s: got %+v, want %+v", name, got, want)
			}
		}
	}
}

func TestASetupThatAProbeLacksIsRefused(t *testing.T) {
	adcs := readADCs(t)
	v1 := neuropixels.SetupV1{Electrodes: bank(t, neuropixels.V1, "A"), Reference: neuropixels.External, GainAP: 1000, GainLFP: 50, ADC: adcs}
	v2 := neuropixels.SetupV2{Model: neuropixels.V2Single, Electrodes: bank(t, neuropixels.V2Single, "A"), Reference: neuropixels.External}
	for name, c := range map[string]struct {
		make func() ([]neuropixels.Chain, error)
		want error
	}{
		"1.0: a gain":         {func() ([]neuropixels.Chain, error) { s := v1; s.GainAP = 51; return s.Chains() }, neuropixels.ErrSetting},
		"1.0: the LFP's gain": {func() ([]neuropixels.Chain, error) { s := v1; s.GainLFP = 0; return s.Chains() }, neuropixels.ErrSetting},
		"1.0: ground":         {func() ([]neuropixels.Chain, error) { s := v1; s.Reference = neuropixels.Ground; return s.Chains() }, neuropixels.ErrSetting},
		"1.0: no calibration": {func() ([]neuropixels.Chain, error) { s := v1; s.ADC = nil; return s.Chains() }, neuropixels.ErrSetting},
		"1.0: no electrodes": {func() ([]neuropixels.Chain, error) {
			s := v1
			s.Electrodes = neuropixels.Selection{}
			return s.Chains()
		}, neuropixels.ErrSelection},
		"2.0: a reference":       {func() ([]neuropixels.Chain, error) { s := v2; s.Reference = ""; return s.Chains() }, neuropixels.ErrSetting},
		"2.0: the second shank":  {func() ([]neuropixels.Chain, error) { s := v2; s.TipShank = 1; return s.Chains() }, neuropixels.ErrSetting},
		"2.0: another probe":     {func() ([]neuropixels.Chain, error) { s := v2; s.Model = neuropixels.V1; return s.Chains() }, neuropixels.ErrSetting},
		"2.0: electrode too far": {func() ([]neuropixels.Chain, error) { s := v2; s.Electrodes[3] = 1280; return s.Chains() }, neuropixels.ErrSelection},
	} {
		if chains, err := c.make(); !errors.Is(err, c.want) || chains != nil {
			t.Errorf("%s: got %d chains and %v, want %v", name, len(chains), err, c.want)
		}
	}
}

// TestEveryBitOfASelectionIsSetOnce: on each shank as many bits as electrodes and
// two for the reference, so that no two electrodes share a bit.
func TestEveryBitOfASelectionIsSetOnce(t *testing.T) {
	for _, m := range []neuropixels.Model{neuropixels.V2Single, neuropixels.V2Four} {
		for shank := range m.Shanks() {
			for _, name := range m.Banks() {
				s, err := m.Bank(name, shank)
				if err != nil {
					t.Fatal(err)
				}
				chains, err := (&neuropixels.SetupV2{Model: m, Electrodes: s, Reference: neuropixels.Tip, TipShank: shank}).Chains()
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range chains[2:] {
					want := 0
					if c.Shank == shank {
						want = neuropixels.Channels + 2
					}
					if got := ones(c.Bytes); got != want {
						t.Errorf("%s, shank %d, bank %s: %d bits in the register of shank %d, want %d", m.Name(), shank, name, got, c.Shank, want)
					}
				}
			}
		}
	}
	adcs := readADCs(t)
	for _, name := range neuropixels.V1.Banks() {
		chains, err := (&neuropixels.SetupV1{Electrodes: bank(t, neuropixels.V1, name), Reference: neuropixels.External, GainAP: 50, GainLFP: 3000, ADC: adcs}).Chains()
		if err != nil {
			t.Fatal(err)
		}
		want := neuropixels.Channels + 2
		if name == "A" {
			want-- // the internal reference
		}
		if got := ones(chains[0].Bytes); got != want {
			t.Errorf("1.0, bank %s: %d bits, want %d", name, got, want)
		}
	}
}

func ones(bytes []byte) (n int) {
	for _, b := range bytes {
		for ; b != 0; b &= b - 1 {
			n++
		}
	}
	return n
}
