package neuropixels_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

// Every channel is in the word in which the original's code finds it, and in no
// other one.
func TestLayoutsAreThoseOfTheOriginal(t *testing.T) {
	text, err := os.ReadFile("../../../testdata/samples/mapping.json")
	if err != nil {
		t.Fatal(err)
	}
	var maps map[string]struct {
		Amplifier []int `json:"AmplifierData_word"`
		Spikes    []int `json:"SpikeData_word"`
		LFP       []int `json:"LfpData_word"`
		Payload   []int `json:"LfpData_payload"`
		PerFrame  int   `json:"words_per_frame"`
	}
	if err := json.Unmarshal(text, &maps); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*neuropixels.Layout{
		"NeuropixelsV1e": neuropixels.LayoutV1e, "NeuropixelsV1f": neuropixels.LayoutV1f, "Nric1384": neuropixels.LayoutNric1384,
		"NeuropixelsV2e": neuropixels.LayoutV2e, "NeuropixelsV2eBeta": neuropixels.LayoutV2eBeta,
	} {
		m := maps[name]
		words := append(m.Spikes, m.Amplifier...)
		if len(words) != neuropixels.Channels {
			t.Fatalf("%s: the original has %d channels", name, len(words))
		}
		seen := map[int]int{}
		for ch, word := range l.AP {
			if word != words[ch] {
				t.Fatalf("%s: channel %d is in word %d, want %d", name, ch, word, words[ch])
			}
			if other, twice := seen[word]; twice {
				t.Fatalf("%s: channels %d and %d share word %d", name, ch, other, word)
			}
			seen[word] = ch
		}
		if len(m.LFP) == 0 {
			if len(l.LFP) != 0 {
				t.Errorf("%s: %d LFP values, want none", name, len(l.LFP))
			}
			continue
		}
		found := map[int]bool{}
		for payload := range uint64(12) {
			for i, word := range l.LFP {
				ch := l.LFPChannel(i, payload+12*7)
				if m.LFP[ch] != word || m.Payload[ch] != int(payload) {
					t.Fatalf("%s: LFP of channel %d is in word %d of payload %d, want %d of %d", name, ch, word, payload, m.LFP[ch], m.Payload[ch])
				}
				found[ch] = true
			}
		}
		if len(found) != neuropixels.Channels {
			t.Errorf("%s: LFP of %d channels", name, len(found))
		}
	}
}

// The steps of the arithmetic, each of which changes values.
func TestCorrectedRoundsAsTheOriginal(t *testing.T) {
	for _, c := range []struct {
		code, codes int
		gain        float64
		invert      bool
		want        uint16
	}{
		{512, 1024, 0.97, false, 496}, // about 0, not about mid-scale
		{0, 1024, 1, true, 1024},      // one more than full scale
		{2048, 4096, 1, true, 2048},
		{4095, 4096, 1.0413, true, 1},              // truncated, not rounded: 1.0413
		{-3, 1024, 1.5, false, 65532},              // -4.5: towards zero, then 16 bits
		{65535, 1024, 1.0273, false, 1788},         // 67324.1, the low 16 bits
		{65535, 4096, 0.97, true, 0x10000 - 59595}, // -59595.83
	} {
		if got := neuropixels.Corrected(c.code, c.codes, c.gain, c.invert); got != c.want {
			t.Errorf("code %d of %d, gain %v, invert %v: %d, want %d", c.code, c.codes, c.gain, c.invert, got, c.want)
		}
	}
}
