package sim

import (
	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
)

// groupSize is how many samples are made at a time; of a Neuropixels 1.0 probe
// they complete one LFP value of every channel.
const groupSize = 12

// A block is twelve samples of a device with electrodes, by channel: what every
// sample has, and what is sent once in a block or in turns. Devices with fewer
// channels leave the rest alone.
type block struct {
	fast [groupSize][channelCount]uint16
	slow [channelCount]uint16
}

// A sampler sends the samples of a device with electrodes.
type sampler struct {
	schedule
	signal interface {
		// fill makes a block; it is called once for each in order.
		fill(number uint64, to *block)
	}
	encode func(dst []byte, s *sampler, fast, slow *[channelCount]uint16) []byte
	period [2]uint64 // ticks from sample to sample, as a fraction
	top    uint16    // highest code of channel 0
	pulse  func(sampled, clock uint64) bool
	block  block
	buf    []byte
}

func (s *sampler) next() []byte {
	slot := s.row % groupSize
	if slot == 0 {
		s.signal.fill(s.row/groupSize, &s.block)
	}
	if s.pulse != nil && s.pulse(s.sampled, s.clock()) {
		s.block.fast[slot][0] = s.top
	}
	s.buf = s.encode(s.buf[:0], s, &s.block.fast[slot], &s.block.slow)
	s.advance((s.row + 1) * s.period[0] / s.period[1])
	return s.buf
}

// pulseLength is how long a pulse lasts, 2 ms: at least a pixel of a picture of
// a few seconds.
const pulseLength = ClockHz / 500

// pulse reports whether a sample is one of a pulse; clock is that of its frame.
func (c *controller) pulse(sampled, clock uint64) bool {
	number := sampled / c.cfg.PulseTicks
	if number == 0 || sampled%c.cfg.PulseTicks >= pulseLength {
		return false
	}
	if number > c.pulses {
		if c.pulses = number; c.cfg.Pulsed != nil {
			c.cfg.Pulsed(clock)
		}
	}
	return true
}

// Periods of devices, in ticks. Source: onix-devices 9.2.
var (
	period30kHz   = [2]uint64{25000, 3}
	periodRhs2116 = [2]uint64{8280, 1}
)

// newSampler makes a device whose values have so many codes; part is its number
// among those of a headstage. slowCodes are those of the values that are sent
// once in a block.
func (c *controller) newSampler(dev oni.Device, part int, shape *probeShape, to converter, slowCodes uint64) *sampler {
	s := &sampler{schedule: newSchedule(dev.Address), signal: codesPattern{uint64(to.codes), slowCodes}, period: period30kHz}
	s.hubHz, s.top = c.hubHz(dev.Address), uint16(to.codes-1)
	if c.cfg.PulseTicks > 0 {
		s.pulse = c.pulse
	}
	if c.cfg.Signal == Neural {
		port := uint64(dev.Address.Port()) - 1
		s.signal = newTissue(newRand(&c.cfg, 1000+port+100*uint64(part)), shape, to)
	}
	return s
}

// Values of a code, uV, and codes. Source: onix-devices 9.3.
const (
	codesV1, uvPerCodeV1         = 1 << 10, 1171.875 // at amplifier gain 1
	codesV2, uvPerCodeV2         = 1 << 12, 3.05176
	codesV2Beta, uvPerCodeV2Beta = 1 << 14, 0.76294
	codesIntan, uvPerCodeIntan   = 1 << 16, 0.195
	codesDC                      = 1 << 10
)

// referenceV1 is the channel of the internal reference, hardly any signal;
// onix-devices 6.6.
const referenceV1 = 191

func shapeOf(m neuropixels.Model, electrodes neuropixels.Selection, err error, reference int) *probeShape {
	if err != nil { // a file that is not of this probe; the configuration refuses it
		electrodes, _ = m.Bank("A", 0)
	}
	sites, left := make([]site, len(electrodes)), []float64{0}
	shanks := map[int]bool{}
	for ch, e := range electrodes {
		x, y := m.Position(e)
		sites[ch] = site{x, y}
		shank, _ := m.Shank(e)
		shanks[shank] = true
	}
	if m != neuropixels.V1 {
		left = left[:0]
		for shank := range m.Shanks() {
			if shanks[shank] {
				left = append(left, float64(200+250*shank)) // onix-devices 5.4
			}
		}
	}
	return newProbeShape(sites, left, reference)
}

// smallShape is the electrodes of an amplifier that has no probe of its own: in
// the pattern of a Neuropixels 1.0 probe.
func smallShape(channels int) *probeShape {
	sites := make([]site, channels)
	for ch := range sites {
		x, y := neuropixels.V1.Position(ch)
		sites[ch] = site{x, y}
	}
	return newProbeShape(sites, []float64{0}, -1)
}

// v1Scene makes a 1.0 probe with these amplifier gains.
func (c *controller) v1Scene(dev oni.Device, part int, shape *probeShape, gainAP, gainLFP int) *sampler {
	return c.newSampler(dev, part, shape, converter{codes: codesV1, codesPerUV: float64(gainAP) / uvPerCodeV1, lfpPerUV: float64(gainLFP) / uvPerCodeV1}, codesV1)
}

// counters fills in the frame counters of a super-frame.
func counters(to []uint32, row uint64) {
	for i := range to {
		to[i] = uint32((uint64(len(to))*row + uint64(i)) & (1<<20 - 1))
	}
}

// slowOfV1 fills in the LFP values of a super-frame: those of some channels.
func slowOfV1(to []uint16, slow *[channelCount]uint16, row uint64) {
	for adc := range to {
		to[adc] = slow[device.NeuropixelsV1eLFPChannel(adc, row)]
	}
}

func newV1e(c *controller, dev oni.Device, set device.Settings) producer {
	probe := set.(*device.NeuropixelsV1eSettings)
	electrodes, err := probe.Electrodes()
	ap, lfp := probe.Gains()
	s := c.v1Scene(dev, 0, shapeOf(neuropixels.V1, electrodes, err, referenceV1), ap, lfp)
	var frame device.NeuropixelsV1e
	s.encode = func(dst []byte, s *sampler, fast, slow *[channelCount]uint16) []byte {
		frame.HubClock, frame.AP = s.hubClock(), *fast
		counters(frame.Counter[:], s.row)
		slowOfV1(frame.LFP[:], slow, s.row)
		return frame.AppendTo(dst)
	}
	return s
}

func newV1f(c *controller, dev oni.Device, set device.Settings) producer {
	electrodes, err := neuropixels.V1.Bank("A", 0)
	ap, lfp := set.(*device.ProbeGains).Gains()
	s := c.v1Scene(dev, int(dev.Address.Index()), shapeOf(neuropixels.V1, electrodes, err, referenceV1), ap, lfp)
	var frame device.NeuropixelsV1f
	s.encode = func(dst []byte, s *sampler, fast, slow *[channelCount]uint16) []byte {
		frame.HubClock, frame.AP = s.hubClock(), *fast
		counters(frame.Counter[:], s.row)
		slowOfV1(frame.LFP[:], slow, s.row)
		return frame.AppendTo(dst)
	}
	return s
}

func newNric(c *controller, dev oni.Device, set device.Settings) producer {
	electrodes, err := neuropixels.V1.Bank("A", 0)
	ap, lfp := set.(*device.ProbeGains).Gains()
	s := c.v1Scene(dev, 0, shapeOf(neuropixels.V1, electrodes, err, -1), ap, lfp)
	var frame device.Nric1384
	s.encode = func(dst []byte, s *sampler, fast, slow *[channelCount]uint16) []byte {
		frame.HubClock, frame.AP = s.hubClock(), *fast
		frame.Count = uint32(13 * s.row & (1<<20 - 1))
		copy(frame.LFP[:], slow[len(frame.LFP)*int(s.row%groupSize):])
		return frame.AppendTo(dst)
	}
	return s
}

// newV2e makes a probe of the two at a passthrough device.
func newV2e(probe int) scene {
	return func(c *controller, dev oni.Device, set device.Settings) producer {
		s := c.v2Scene(dev, probe, set, converter{codes: codesV2, codesPerUV: 1 / uvPerCodeV2})
		frame := device.NeuropixelsV2e{Probe: uint16(probe)}
		s.encode = func(dst []byte, s *sampler, fast, _ *[channelCount]uint16) []byte {
			frame.HubClock, frame.AP = s.hubClock(), *fast
			return frame.AppendTo(dst)
		}
		return s
	}
}

func newV2eBeta(probe int) scene {
	return func(c *controller, dev oni.Device, set device.Settings) producer {
		s := c.v2Scene(dev, probe, set, converter{codes: codesV2Beta, codesPerUV: 1 / uvPerCodeV2Beta})
		frame := device.NeuropixelsV2eBeta{Probe: uint16(probe)}
		s.encode = func(dst []byte, s *sampler, fast, _ *[channelCount]uint16) []byte {
			frame.HubClock, frame.AP = s.hubClock(), *fast
			counters(frame.Counter[:], s.row)
			return frame.AppendTo(dst)
		}
		return s
	}
}

// secondProbe is how much later the second of two probes of an address is stamped.
const secondProbe = 7

func (c *controller) v2Scene(dev oni.Device, probe int, set device.Settings, to converter) *sampler {
	to.invert = true // as the probes do; onix-devices 3.19
	own := set.(*device.NeuropixelsV2Settings)
	electrodes, err := own.Electrodes()
	s := c.newSampler(dev, probe, shapeOf(own.Model(), electrodes, err, -1), to, 1)
	s.latency += secondProbe * uint64(probe)
	return s
}

func newRhd2164(c *controller, dev oni.Device, _ device.Settings) producer {
	var frame device.Rhd2164
	s := c.newSampler(dev, 0, smallShape(len(frame.Amplifier)), converter{codes: codesIntan, codesPerUV: 1 / uvPerCodeIntan}, codesIntan)
	if c.cfg.Signal == Neural {
		s.signal = &withSlow{signal: s.signal.(*tissue), level: 32000, step: 12, lanes: len(frame.Aux)} // of an accelerometer, 1.2 V
	}
	s.encode = func(dst []byte, s *sampler, fast, slow *[channelCount]uint16) []byte {
		frame.HubClock = s.hubClock()
		copy(frame.Amplifier[:], fast[:])
		copy(frame.Aux[:], slow[:])
		return frame.AppendTo(dst)
	}
	return s
}

func newRhs2116(c *controller, dev oni.Device, _ device.Settings) producer {
	var frame device.Rhs2116
	s := c.newSampler(dev, int(dev.Address.Index()), smallShape(len(frame.AC)), converter{codes: codesIntan, codesPerUV: 1 / uvPerCodeIntan}, codesDC)
	s.period = periodRhs2116
	pattern := c.cfg.Signal == Pattern
	if c.cfg.Signal == Neural {
		s.signal = &withSlow{signal: s.signal.(*tissue), level: codesDC / 2, step: 0.05, lanes: len(frame.DC)} // electrodes drift by some mV
	}
	s.encode = func(dst []byte, s *sampler, fast, slow *[channelCount]uint16) []byte {
		frame.HubClock = s.hubClock()
		copy(frame.AC[:], fast[:])
		copy(frame.DC[:], slow[:])
		if pattern {
			frame.Recovery = uint16(s.row)
		}
		return frame.AppendTo(dst)
	}
	return s
}

// withSlow adds slow values that wander around a level.
type withSlow struct {
	signal *tissue
	level  float64
	step   float64 // of each block, codes
	lanes  int
	values [32]float64
}

func (w *withSlow) fill(number uint64, to *block) {
	w.signal.fill(number, to)
	for i := range w.lanes {
		w.values[i] += w.step*w.signal.rng.NormFloat64() - w.values[i]/2500 // forgets in a second
		to.slow[i] = uint16(w.level + w.values[i])
	}
}
