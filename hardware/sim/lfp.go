package sim

import (
	"math"
	"math/rand/v2"
)

// LFP: a theta rhythm whose phase turns along the probe and whose frequency and
// strength wander, gamma that rides on it, and fluctuations of 1/f kind
// that neighbouring channels share.

const (
	anchors     = 9    // places along the probe with fluctuations of their own
	thetaHz     = 7.5  // wanders by about 1 Hz
	gammaHz     = 45.0 // wanders by about 8 Hz
	thetaUV     = 320.0
	gammaUV     = 70.0
	fluctuateUV = 130.0
	siteNoiseUV = 9.0
)

// times are the time constants of the fluctuations, s: their sum is about 1/f.
var times = [3]float64{0.012, 0.08, 0.6}

type lfpScene struct {
	rng     *rand.Rand
	values  []float32 // of the last sample, by channel, around 0
	perUV   float32   // of values
	noiseUV float32
	theta   float64 // phases, radians
	gamma   float64
	drift   [3]float64 // slow: frequency of theta and gamma, strength of theta
	slow    [anchors][len(times)]float64
	// weights of a channel: of theta's cosine and sine, gamma and the two anchors.
	thetaCos, thetaSin, gammaW, anchorW []float32
	anchorOf                            []int
	gain                                []float32
}

func newLFPScene(rng *rand.Rand, shape *probeShape, perUV, noiseUV float64) *lfpScene {
	n := len(shape.sites)
	s := &lfpScene{
		rng: rng, values: make([]float32, n), perUV: float32(perUV), noiseUV: float32(noiseUV),
		theta: 2 * math.Pi * rng.Float64(), gamma: 2 * math.Pi * rng.Float64(),
		thetaCos: make([]float32, n), thetaSin: make([]float32, n), gammaW: make([]float32, n), anchorW: make([]float32, n),
		anchorOf: make([]int, n), gain: make([]float32, n),
	}
	turn := 0.35 + 0.3*rng.Float64() // depth, as a part of the probe, where the rhythm turns over
	for ch := range shape.sites {
		depth := shape.depth(ch) / shape.height
		phase := math.Pi / (1 + math.Exp(-(depth-turn)*14)) // 0 below, half a turn above
		strength := 0.35 + 0.65*math.Abs(math.Tanh((depth-turn)*5))
		s.thetaCos[ch] = float32(thetaUV * strength * math.Cos(phase))
		s.thetaSin[ch] = float32(thetaUV * strength * math.Sin(phase))
		s.gammaW[ch] = float32(gammaUV * math.Exp(-(depth-turn)*(depth-turn)/0.03))
		at := depth * (anchors - 1)
		s.anchorOf[ch] = min(int(at), anchors-2)
		s.anchorW[ch] = float32(at - float64(s.anchorOf[ch]))
		s.gain[ch] = float32(0.96 + 0.08*rng.Float64())
		if ch == shape.reference {
			s.gain[ch] = 0.02
		}
	}
	return s
}

// rhythm is the phase of theta, radians.
func (s *lfpScene) rhythm() float64 { return s.theta }

// wander moves x by one step of a process with a time constant in seconds and
// standard deviation 1.
func wander(rng *rand.Rand, x, seconds float64) float64 {
	a := 1 / (seconds * lfpRateHz)
	return x*(1-a) + rng.NormFloat64()*math.Sqrt(2*a)
}

// sample computes the next value of every channel.
func (s *lfpScene) sample() {
	for i := range s.drift {
		s.drift[i] = wander(s.rng, s.drift[i], 0.8)
	}
	const step = 2 * math.Pi / lfpRateHz
	s.theta = math.Mod(s.theta+step*max(3, thetaHz+0.5*s.drift[0]), 2*math.Pi)
	s.gamma = math.Mod(s.gamma+step*max(20, gammaHz+4*s.drift[1]), 2*math.Pi)
	strength := max(0.25, 1+0.35*s.drift[2])
	// Theta is no sine: it rises faster than it falls.
	skewed := s.theta + 0.35*math.Sin(s.theta)
	cos, sin := float32(strength*math.Cos(skewed)), float32(strength*math.Sin(skewed))
	gamma := float32(math.Sin(s.gamma) * max(0, 0.3+math.Cos(s.theta)))
	var slow [anchors]float32
	for i := range s.slow {
		for k, seconds := range times {
			s.slow[i][k] = wander(s.rng, s.slow[i][k], seconds)
		}
		slow[i] = float32(fluctuateUV * (0.35*s.slow[i][0] + 0.55*s.slow[i][1] + 0.75*s.slow[i][2]))
	}
	for ch := range s.values {
		a := s.anchorOf[ch]
		uv := cos*s.thetaCos[ch] + sin*s.thetaSin[ch] + gamma*s.gammaW[ch]
		uv += slow[a] + (slow[a+1]-slow[a])*s.anchorW[ch]
		// The converter's noise: three uniform numbers are near enough to normal.
		r := s.rng.Uint64()
		noise := float32(int32(r&0xFFFF)+int32(r>>16&0xFFFF)+int32(r>>32&0xFFFF)-3*0x8000) / 0x8000
		s.values[ch] = (uv*s.gain[ch] + s.noiseUV*noise) * s.perUV
	}
}
