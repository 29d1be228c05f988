package neuropixels_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

var models = []neuropixels.Model{neuropixels.V1, neuropixels.V2Single, neuropixels.V2Four}

// TestEveryBankConnectsEveryChannel: Bank goes through Select, which refuses two
// electrodes of one channel; this shows that it never has to.
func TestEveryBankConnectsEveryChannel(t *testing.T) {
	for _, m := range models {
		for shank := range m.Shanks() {
			for _, name := range m.Banks() {
				s, err := m.Bank(name, shank)
				if err != nil {
					t.Errorf("%s, shank %d, bank %s: %v", m.Name(), shank, name, err)
					continue
				}
				for ch, e := range s {
					if on, _ := m.Shank(e); m.Channel(e) != ch || on != shank {
						t.Errorf("%s, shank %d, bank %s: channel %d has electrode %d of shank %d, which belongs to channel %d", m.Name(), shank, name, ch, e, on, m.Channel(e))
					}
				}
			}
		}
	}
}

// TestChannelsOfSomeElectrodes: computed by hand from the formulas of onix-devices 5.4.
func TestChannelsOfSomeElectrodes(t *testing.T) {
	for _, c := range []struct {
		m                  neuropixels.Model
		electrode, channel int
	}{
		{neuropixels.V1, 0, 0}, {neuropixels.V1, 383, 383}, {neuropixels.V1, 384, 0}, {neuropixels.V1, 959, 191},
		{neuropixels.V2Single, 0, 0}, {neuropixels.V2Single, 35, 35},
		{neuropixels.V2Single, 384 + 2, 14},                // B: row 1 x 7
		{neuropixels.V2Single, 384 + 3, 2*11 + 1},          // B: row 1 x 7 + 4
		{neuropixels.V2Single, 768 + 32 + 5, 32 + 2*2 + 1}, // C: row 2 x 5 + 8 = 18, modulo 16
		{neuropixels.V2Single, 1152 + 31, 2*9 + 1},         // D: row 15 x 3 + 12 = 57, modulo 16
		{neuropixels.V2Four, 0, 0}, {neuropixels.V2Four, 48, 96}, {neuropixels.V2Four, 4*48 + 7, 5*48 + 7},
		{neuropixels.V2Four, 1280, 48}, {neuropixels.V2Four, 2*1280 + 384 + 1, 4*48 + 1}, {neuropixels.V2Four, 3*1280 + 1279, 1*48 + 31},
	} {
		if got := c.m.Channel(c.electrode); got != c.channel {
			t.Errorf("%s: electrode %d is on channel %d, want %d", c.m.Name(), c.electrode, got, c.channel)
		}
	}
}

func TestPositionsOfSomeElectrodes(t *testing.T) {
	for _, c := range []struct {
		m         neuropixels.Model
		electrode int
		x, y      float64
	}{
		{neuropixels.V1, 0, 27, 170}, {neuropixels.V1, 3, 43, 190}, {neuropixels.V1, 959, 43, 9750},
		{neuropixels.V2Single, 0, 219, 170}, {neuropixels.V2Single, 1279, 251, 9755},
		{neuropixels.V2Four, 3*1280 + 2, 969, 185},
	} {
		if x, y := c.m.Position(c.electrode); x != c.x || y != c.y {
			t.Errorf("%s: electrode %d lies at (%v, %v), want (%v, %v)", c.m.Name(), c.electrode, x, y, c.x, c.y)
		}
	}
}

func TestASelectionThatIsImpossibleIsRefused(t *testing.T) {
	good := make([]int, neuropixels.Channels)
	for i := range good {
		good[i] = i
	}
	change := func(i, e int) []int {
		s := slices.Clone(good)
		s[i] = e
		return s
	}
	for name, electrodes := range map[string][]int{
		"none":                    nil,
		"one too few":             good[1:],
		"one too many":            append(slices.Clone(good), 400),
		"a channel twice":         change(5, 384+6),
		"the same twice":          change(5, 6),
		"an electrode below 0":    change(5, -1),
		"an electrode beyond all": change(5, 5+3*384),
	} {
		if _, err := neuropixels.V1.Select(electrodes); !errors.Is(err, neuropixels.ErrSelection) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if s, err := neuropixels.V1.Select(change(5, 384+5)); err != nil || s[5] != 389 {
		t.Errorf("an electrode of another bank: %v, channel 5 has %d", err, s[5])
	}
}

func TestABankThatIsNotThereIsRefused(t *testing.T) {
	for _, c := range []struct {
		m     neuropixels.Model
		bank  string
		shank int
	}{{neuropixels.V1, "D", 0}, {neuropixels.V1, "", 0}, {neuropixels.V1, "A", 1}, {neuropixels.V2Four, "A", 4}, {neuropixels.V2Four, "A", -1}} {
		if _, err := c.m.Bank(c.bank, c.shank); !errors.Is(err, neuropixels.ErrSelection) {
			t.Errorf("%s, bank %q, shank %d: got %v", c.m.Name(), c.bank, c.shank, err)
		}
	}
}
