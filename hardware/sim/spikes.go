package sim

import (
	"math"
	"math/rand/v2"
)

// Spikes: units next to the probe, each with a place, a waveform on the
// channels around it, a rate, and a liking for a phase of the LFP rhythm.

const (
	unitsPerProbe = 110 // of 384 channels: about one every three rows of sites, as sorters find
	fewestUnits   = 4
	spikeSamples  = 66  // 2.2 ms
	spikePeak     = 20  // the trough's place in it
	refractory    = 75  // samples, 2.5 ms
	faintestUV    = 4.0 // peaks below are left out
	burstSamples  = 150 // 5 ms from spike to spike of a burst
	weakestUnitUV = 50.0
	strongestUV   = 380.0
)

// unit is one neuron.
type unit struct {
	channels []int
	waves    [][spikeSamples]int32 // by index of channels, 1/apUnit codes
	rateHz   float64
	locking  float64 // 0 fires at any phase, 1 only around its own
	phase    float64
	bursting float64 // chance that a spike is followed by another soon
	next     uint64  // sample of the next spike
	strength int32   // of the next spike, 256ths
}

// spike is a waveform that is being played.
type spike struct {
	unit     int
	start    uint64
	strength int32
}

type spikeTrains struct {
	rng    *rand.Rand
	units  []unit
	active []spike
	sum    [][groupSize]int32 // by channel, of the present group
	dirty  []int              // channels whose sum is not zero
}

func newSpikeTrains(rng *rand.Rand, shape *probeShape, codesPerUV float64) *spikeTrains {
	count := max(fewestUnits, unitsPerProbe*len(shape.sites)/channelCount)
	s := &spikeTrains{rng: rng, units: make([]unit, count), sum: make([][groupSize]int32, len(shape.sites))}
	for i := range s.units {
		// One in each stretch of the probe, so that no part of it is silent.
		depth := shape.height * (float64(i) + rng.Float64()) / float64(count)
		s.units[i] = newUnit(rng, shape, shape.left[i%len(shape.left)], depth, codesPerUV)
		s.units[i].schedule(rng, 0)
	}
	return s
}

// newUnit makes a unit next to the shank whose edge is left.
func newUnit(rng *rand.Rand, shape *probeShape, left, depth, codesPerUV float64) unit {
	x, y := left+5+60*rng.Float64(), depth
	// Few units are near and strong, most are faint.
	peakUV := weakestUnitUV * math.Pow(strongestUV/weakestUnitUV, math.Pow(rng.Float64(), 1.4))
	spread := 22 + 16*rng.Float64() // um
	narrow := rng.Float64() < 0.25  // fast spiking: short waveform, high rate, no bursts
	u := unit{rateHz: math.Exp(rng.NormFloat64()*0.8) * 5, locking: 0.8 * rng.Float64(), phase: 2 * math.Pi * rng.Float64(), bursting: 0.2 * rng.Float64(), strength: 256}
	width, tail := 3.4+rng.Float64(), 12+4*rng.Float64()
	if narrow {
		u.rateHz, u.bursting = 12+18*rng.Float64(), 0
		width, tail = 2.4+0.4*rng.Float64(), 6+2*rng.Float64()
	}
	u.rateHz = min(u.rateHz, 40)
	for ch, at := range shape.sites {
		dx, dy := at.x-x, shape.depth(ch)-y
		distance := math.Hypot(dx, dy)
		uv := peakUV * math.Exp(-distance/spread)
		if ch == shape.reference || uv < faintestUV {
			continue
		}
		delay := distance / 60 // samples: the spike travels
		u.channels = append(u.channels, ch)
		u.waves = append(u.waves, waveform(-uv*codesPerUV*apUnit, delay, width*(1+distance/400), tail))
	}
	return u
}

// waveform is an extracellular spike: a small rise, the trough, and the slow
// return past zero.
func waveform(trough, delay, width, tail float64) (w [spikeSamples]int32) {
	bump := func(t, at, width float64) float64 { return math.Exp(-(t - at) * (t - at) / (2 * width * width)) }
	for i := range w {
		t := float64(i) - spikePeak - delay
		v := bump(t, 0, width) - 0.12*bump(t, -9, 3) - 0.33*bump(t, tail, tail*0.55)
		w[i] = int32(math.Round(trough * v))
	}
	// Fade the end, so that no step remains where the waveform is cut.
	for i := range 12 {
		w[spikeSamples-1-i] = w[spikeSamples-1-i] * int32(i) / 12
	}
	return w
}

// schedule draws the next spike after a sample.
func (u *unit) schedule(rng *rand.Rand, after uint64) {
	if rng.Float64() < u.bursting {
		u.next = after + burstSamples*3/4 + uint64(rng.IntN(burstSamples/2))
		u.strength = u.strength * 9 / 10
		return
	}
	u.next = after + refractory + uint64(rng.ExpFloat64()*probeRateHz/u.rateHz)
	u.strength = 256 - int32(rng.IntN(32))
}

// advance computes the sums of the group that begins at a sample. rhythm is the
// phase of the LFP's rhythm.
func (s *spikeTrains) advance(first uint64, rhythm float64) {
	for _, ch := range s.dirty {
		s.sum[ch] = [groupSize]int32{}
	}
	s.dirty = s.dirty[:0]
	for i := range s.units {
		u := &s.units[i]
		for u.next < first+groupSize {
			start, strength := u.next, u.strength
			u.schedule(s.rng, start)
			// Against its phase a locked unit is silent now and then.
			if s.rng.Float64() > u.locking*0.5*(1-math.Cos(rhythm-u.phase)) {
				s.active = append(s.active, spike{i, start, strength})
			}
		}
	}
	kept := s.active[:0]
	for _, sp := range s.active {
		u := &s.units[sp.unit]
		from := int64(first) - int64(sp.start) // in the waveform, of the group's first sample
		for k, ch := range u.channels {
			wave, sum := &u.waves[k], &s.sum[ch]
			for i := range sum {
				if at := from + int64(i); at >= 0 && at < spikeSamples {
					sum[i] += wave[at] * sp.strength >> 8
				}
			}
			s.dirty = append(s.dirty, ch)
		}
		if from+groupSize < spikeSamples {
			kept = append(kept, sp)
		}
	}
	s.active = kept
}
