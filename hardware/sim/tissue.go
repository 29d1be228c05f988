package sim

import (
	"math"
	"math/rand/v2"
)

// The signal Neural of electrodes: AP = noise of each channel + noise common to
// all + spikes (spikes.go); LFP = a rhythm that turns over along the probe + slow
// fluctuations (lfp.go). Probes with two bands show one in each, all others the
// sum.
//
// AP values are computed in 32nds of a code. The noise is a long stretch of
// band-limited noise, made once, that each channel reads from a place of its
// own and leaves for another after 40 to 160 ms: no period is to be seen or
// measured, and a value costs a load and a multiplication.

const (
	apUnit       = 32 // steps of a code
	noiseLen     = 1 << 18
	apNoiseUV    = 7.5 // rms of a channel, as in tissue
	commonUV     = 2.0 // rms, in all channels alike
	shortestRun  = 1200
	longestRun   = 4800 // samples from one jump in the noise to the next
	probeRateHz  = 30000.0
	lfpRateHz    = probeRateHz / groupSize
	channelCount = 384 // of the largest device
)

// A site is where a channel's electrode lies, um: x to the right, y from the tip up.
type site struct{ x, y float64 }

// A probeShape is the electrodes of a device.
type probeShape struct {
	sites     []site    // by channel
	left      []float64 // left edges of the shanks, um
	bottom    float64   // of the lowest site, um
	height    float64   // from there to where the next row would be
	reference int       // the channel that is connected to the reference; -1 none
}

func newProbeShape(sites []site, left []float64, reference int) *probeShape {
	s := &probeShape{sites: sites, left: left, bottom: math.Inf(1), reference: reference}
	top, rows := math.Inf(-1), map[float64]bool{}
	for _, at := range sites {
		s.bottom, top = min(s.bottom, at.y), max(top, at.y)
		rows[at.y] = true
	}
	s.height = (top - s.bottom) * float64(len(rows)) / float64(max(1, len(rows)-1))
	return s
}

// depth is that of a channel above the lowest site, um.
func (p *probeShape) depth(ch int) float64 { return p.sites[ch].y - p.bottom }

// A converter says which codes a device makes of microvolts.
type converter struct {
	codes      int32   // 0 to codes-1, zero in the middle
	codesPerUV float64 // of AP, and of LFP where it is in the same values
	lfpPerUV   float64 // of LFP values; 0: there are none, AP values hold both
	invert     bool    // the device turns the polarity
}

// tissue fills blocks with what electrodes see.
type tissue struct {
	converter
	rng    *rand.Rand
	noise  []int16  // one standard deviation is apUnit*16
	place  []uint32 // by channel
	run    []int32  // samples until the place changes
	amp    []int32  // of the noise, 512ths
	common int32    // amplitude of the common noise, 512ths
	spikes *spikeTrains
	lfp    *lfpScene
	at     []int32 // LFP at the start of the block, where AP values hold both; apUnit codes
}

func newTissue(rng *rand.Rand, shape *probeShape, c converter) *tissue {
	n := len(shape.sites)
	s := &tissue{
		converter: c, rng: rng,
		noise: bandLimitedNoise(rng),
		place: make([]uint32, n), run: make([]int32, n), amp: make([]int32, n), at: make([]int32, n),
		common: int32(32 * commonUV * c.codesPerUV),
		spikes: newSpikeTrains(rng, shape, c.codesPerUV),
	}
	if c.lfpPerUV > 0 {
		s.lfp = newLFPScene(rng, shape, c.lfpPerUV, siteNoiseUV)
	} else {
		s.lfp = newLFPScene(rng, shape, c.codesPerUV*apUnit, 0) // AP values have their own noise
		s.lfp.sample()
		for ch, v := range s.lfp.values {
			s.at[ch] = int32(v)
		}
	}
	for ch := range s.amp {
		uv := apNoiseUV * (0.8 + 0.4*rng.Float64())
		if ch == shape.reference {
			uv = 1
		}
		s.amp[ch] = int32(32 * uv * c.codesPerUV) // apUnit*16 steps to 512ths: 1 uV is 32
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

func (s *tissue) fill(number uint64, to *block) {
	common := s.noise[s.rng.Uint32()%(noiseLen-groupSize):]
	var shared [groupSize]int32
	for i := range shared {
		shared[i] = int32(common[i]) * s.common
	}
	s.spikes.advance(number*groupSize, s.lfp.rhythm())
	if s.lfpPerUV == 0 {
		s.lfp.sample() // where the block ends
	}
	zero := s.codes / 2 * apUnit
	for ch := range s.place {
		if s.run[ch] -= groupSize; s.run[ch] < 0 {
			s.place[ch] = s.rng.Uint32() % (noiseLen - longestRun - groupSize)
			s.run[ch] = shortestRun + int32(s.rng.IntN(longestRun-shortestRun))
		}
		noise := (*[groupSize]int16)(s.noise[s.place[ch]:])
		s.place[ch] += groupSize
		spikes, amp := &s.spikes.sum[ch], s.amp[ch]
		from, step := zero+apUnit/2, int32(0)
		if s.lfpPerUV == 0 {
			next := int32(s.lfp.values[ch])
			from, step = from+s.at[ch], (next-s.at[ch])/groupSize
			s.at[ch] = next
		}
		for i := range to.fast {
			v := (int32(noise[i])*amp+shared[i])>>9 + spikes[i] + from
			from += step
			to.fast[i][ch] = s.code(v >> 5)
		}
	}
	if s.lfpPerUV > 0 {
		s.lfp.sample()
		for ch, v := range s.lfp.values {
			to.slow[ch] = s.code(int32(float32(s.codes/2) + 0.5 + v))
		}
	}
}

func (c *converter) code(v int32) uint16 {
	if c.invert {
		v = c.codes - v
	}
	return uint16(min(max(v, 0), c.codes-1))
}

// newRand gives each part of the rig its own sequence.
func newRand(cfg *Config, part uint64) *rand.Rand {
	return rand.New(rand.NewPCG(cfg.Seed, part))
}
