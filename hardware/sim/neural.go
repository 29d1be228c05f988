package sim

import (
	"math"
	"math/rand/v2"

	"github.com/oniscope/oniscope/hardware/device"
)

// The signal Neural of a probe: AP = noise of each channel + noise common to all
// + spikes (spikes.go); LFP = a rhythm that turns over along the probe + slow
// fluctuations (lfp.go).
//
// AP values are computed in 32nds of a code. The noise is a long stretch of
// band-limited noise, made once, that each channel reads from a place of its
// own and leaves for another after 40 to 160 ms: no period is to be seen or
// measured, and a value costs a load and a multiplication.

const (
	apUnit       = 32   // steps of a code
	midCode      = 512  // 0 uV
	maxCode      = 1023 // of the 10-bit converter
	noiseLen     = 1 << 18
	apNoiseUV    = 7.5 // rms of a channel, as in tissue
	commonUV     = 2.0 // rms, in all channels alike
	rangeUV      = 1171.875
	referenceCh  = 191 // the internal reference of the probe: hardly any signal; onix-devices 6.6
	shortestRun  = 1200
	longestRun   = 4800 // samples from one jump in the noise to the next
	probeRateHz  = 30000.0
	lfpRateHz    = probeRateHz / groupSize
	defaultAP    = 1000
	defaultLFP   = 50
	channelCount = 384
)

type probeScene struct {
	rng    *rand.Rand
	noise  []int16 // one standard deviation is apUnit*16
	place  [channelCount]uint32
	run    [channelCount]int32 // samples until the place changes
	amp    [channelCount]int32 // of the noise, 512ths
	common int32               // amplitude of the common noise, 512ths
	spikes *spikeTrains
	lfp    *lfpScene
	codes  [channelCount]uint16
}

// newRand gives each part of the rig its own sequence.
func newRand(cfg *Config, part uint64) *rand.Rand {
	return rand.New(rand.NewPCG(cfg.Seed, part))
}

func newProbeScene(cfg *Config, port int, set *device.NeuropixelsV1eSettings) *probeScene {
	gainAP, gainLFP := set.GainAP, set.GainLFP
	if gainAP == 0 {
		gainAP = defaultAP
	}
	if gainLFP == 0 {
		gainLFP = defaultLFP
	}
	rng := newRand(cfg, 1000+uint64(port))
	codesPerUV := float64(gainAP) / rangeUV
	s := &probeScene{
		rng:    rng,
		noise:  bandLimitedNoise(rng),
		common: int32(32 * commonUV * codesPerUV),
		spikes: newSpikeTrains(rng, codesPerUV),
		lfp:    newLFPScene(rng, float64(gainLFP)/rangeUV),
	}
	for ch := range s.amp {
		uv := apNoiseUV * (0.8 + 0.4*rng.Float64())
		if ch == referenceCh {
			uv = 1
		}
		s.amp[ch] = int32(32 * uv * codesPerUV) // apUnit*16 steps to 512ths: 1 uV is 32
		s.run[ch] = int32(rng.IntN(longestRun))
		s.place[ch] = rng.Uint32() % (noiseLen - longestRun - groupSize)
	}
	return s
}

// bandLimitedNoise makes noise of 300 Hz to some kHz, as the AP band has.
func bandLimitedNoise(rng *rand.Rand) []int16 {
	x := make([]float64, noiseLen)
	var fast, slow, power float64
	for i := range x {
		fast += 0.75 * (rng.NormFloat64() - fast) // low pass, about 7 kHz
		slow += 0.06 * (fast - slow)              // high pass, about 300 Hz
		x[i] = fast - slow
		power += x[i] * x[i]
	}
	scale := apUnit * 16 / math.Sqrt(power/noiseLen)
	noise := make([]int16, noiseLen)
	for i := range x {
		noise[i] = int16(math.Round(scale * x[i]))
	}
	return noise
}

func (s *probeScene) group(number uint64, to *[groupSize]device.NeuropixelsV1e) {
	common := s.noise[s.rng.Uint32()%(noiseLen-groupSize):]
	var shared [groupSize]int32
	for i := range shared {
		shared[i] = int32(common[i])*s.common + (midCode*apUnit+apUnit/2)*512
	}
	s.spikes.advance(number*groupSize, s.lfp.rhythm())
	for ch := range channelCount {
		if s.run[ch] -= groupSize; s.run[ch] < 0 {
			s.place[ch] = s.rng.Uint32() % (noiseLen - longestRun - groupSize)
			s.run[ch] = shortestRun + int32(s.rng.IntN(longestRun-shortestRun))
		}
		noise := (*[groupSize]int16)(s.noise[s.place[ch]:])
		s.place[ch] += groupSize
		spikes, amp := &s.spikes.sum[ch], s.amp[ch]
		for i := range to {
			v := (int32(noise[i])*amp+shared[i])>>9 + spikes[i]
			to[i].AP[ch] = clamp(v >> 5)
		}
	}
	s.lfp.sample(&s.codes)
	for i := range to {
		for adc := range to[i].LFP {
			to[i].LFP[adc] = s.codes[device.NeuropixelsV1eLFPChannel(adc, uint64(i))]
		}
	}
}

func clamp(code int32) uint16 { return uint16(min(max(code, 0), maxCode)) }
