package sim

import (
	"math"
	"math/rand/v2"

	"github.com/oniscope/oniscope/hardware/device"
)

// The signal Neural of the breakout board: what an experiment might connect.

// analogScene: channel 0 breathing, 1 a photodiode on a blinking screen, 2 the
// encoder of a running wheel, 3 a sound, the others open inputs with noise and
// a small offset.
type analogScene struct {
	rng       *rand.Rand
	codesPerV [12]float64
	offsetV   [12]float64
	noise     []int16 // 16ths of a millivolt, 1 mV rms
	screen    struct {
		bright bool
		flip   uint64 // row of the next change
		volts  float64
	}
	breath struct{ pace, phase, volts float64 }
	wheel  struct{ drive, volts float64 }
	sound  struct{ drive, loud, phase float64 }
}

const (
	analogNoiseLen = 1 << 14
	slowEvery      = 100  // rows from one step of the slow voltages to the next: 1 ms
	frameRows      = 1667 // of a screen of 60 Hz
	toneHz         = 4000
)

func newAnalogScene(cfg *Config, rangesV [12]float64) *analogScene {
	s := &analogScene{rng: newRand(cfg, 6), noise: make([]int16, analogNoiseLen)}
	for i := range s.noise {
		s.noise[i] = int16(16 * s.rng.NormFloat64())
	}
	for ch, rangeV := range rangesV {
		s.codesPerV[ch] = 65536 / (2 * rangeV)
		s.offsetV[ch] = 0.004 * s.rng.NormFloat64()
	}
	return s
}

func (s *analogScene) codes(row uint64, to *[12]int16) {
	if row%slowEvery == 0 {
		s.move()
	}
	if row >= s.screen.flip {
		s.screen.bright = !s.screen.bright
		s.screen.flip = row + frameRows*(6+s.rng.Uint64N(60))
	}
	target := 0.15
	if s.screen.bright {
		target = 2.8
	}
	s.screen.volts += (target - s.screen.volts) * 0.02 // the diode takes half a millisecond
	volts := s.offsetV
	volts[0] += s.breath.volts
	volts[1] += s.screen.volts
	volts[2] += s.wheel.volts
	if s.sound.loud > 0.005 {
		s.sound.phase += 2 * math.Pi * toneHz / 100_000
		if s.sound.phase > 2*math.Pi {
			s.sound.phase -= 2 * math.Pi
		}
		volts[3] += s.sound.loud * math.Sin(s.sound.phase)
	}
	noise := (*[12]int16)(s.noise[s.rng.Uint64N(analogNoiseLen-12):])
	for ch := range to {
		code := (volts[ch] + float64(noise[ch])*(1e-3/16)) * s.codesPerV[ch]
		// A converter of 14 bits, left aligned; onix-devices 3.3.
		to[ch] = int16(int32(min(max(code, -32768), 32767)) &^ 3)
	}
}

// move takes the slow voltages one millisecond on.
func (s *analogScene) move() {
	const dt = 1e-3
	drift := func(x *float64, seconds float64) float64 {
		*x += -*x*dt/seconds + math.Sqrt(2*dt/seconds)*s.rng.NormFloat64()
		return *x
	}
	breathHz := max(0.8, 2.4+0.5*drift(&s.breath.pace, 0.8))
	s.breath.phase = math.Mod(s.breath.phase+2*math.Pi*dt*breathHz, 2*math.Pi)
	s.breath.volts = 0.9 * math.Sin(s.breath.phase+0.5*math.Sin(s.breath.phase))
	turnsPerSecond := 0.9 * max(0, drift(&s.wheel.drive, 0.9))
	s.wheel.volts = math.Mod(s.wheel.volts+5*dt*turnsPerSecond, 5) // 0 to 5 V, starts over each turn
	s.sound.loud += (max(0, 1.5*(drift(&s.sound.drive, 0.4)-1)) - s.sound.loud) * 0.05
}

// digitalScene: pin 0 the shutter of a 30 Hz camera, pin 1 trials, pin 2 licks in
// bouts, pin 3 a nose poke; button Moon is pressed now and then. All four ports
// are switched on.
type digitalScene struct {
	rng     *rand.Rand
	inputs  uint8
	buttons uint16
	next    [5]uint64 // tick of the next change of pins 0 to 3 and the button
	licks   int       // left in this bout
}

func newDigitalScene(cfg *Config) *digitalScene {
	d := &digitalScene{rng: newRand(cfg, 7), buttons: 0xF00}
	for i := range d.next {
		d.next[i] = d.ticks(0.005, 0.4)
	}
	return d
}

// ticks draws a time between two, in seconds.
func (d *digitalScene) ticks(from, to float64) uint64 {
	return uint64((from + (to-from)*d.rng.Float64()) * ClockHz)
}

func (d *digitalScene) event(uint64) (sampled uint64, inputs uint8, buttons uint16) {
	first := 0
	for i := range d.next {
		if d.next[i] < d.next[first] {
			first = i
		}
	}
	sampled = d.next[first]
	on := false
	if first < 4 {
		d.inputs ^= 1 << first
		on = d.inputs>>first&1 == 1
	} else {
		d.buttons ^= 1
		on = d.buttons&1 == 1
	}
	var wait uint64
	switch first {
	case 0: // open 8 ms of each 33.3
		wait = ClockHz / 125
		if !on {
			wait = ClockHz/30 - ClockHz/125
		}
	case 1:
		wait = d.ticks(1.5, 4)
		if on {
			wait = d.ticks(0.4, 1)
		}
	case 2:
		wait = d.ticks(0.03, 0.05)
		if !on {
			if d.licks--; d.licks > 0 {
				wait = d.ticks(0.08, 0.12)
			} else {
				d.licks = 3 + d.rng.IntN(9)
				wait = d.ticks(0.8, 3)
			}
		}
	case 3:
		wait = d.ticks(0.5, 5)
	default:
		wait = d.ticks(3, 9)
		if on {
			wait = d.ticks(0.15, 0.4)
		}
	}
	// A change less than 1 us after another would share its frame.
	d.next[first] += max(wait, ClockHz/1e6)
	for i := range d.next {
		if d.next[i] < sampled+ClockHz/1e6 {
			d.next[i] = sampled + ClockHz/1e6
		}
	}
	return sampled, d.inputs, d.buttons
}

// memoryScene: a buffer that the host keeps almost empty, with a hump whenever
// the computer was busy with something else.
type memoryScene struct {
	rng     *rand.Rand
	seconds float64 // from row to row
	level   float64 // percent
	rising  float64 // percent a second, while the computer is busy
	busy    float64 // seconds left
}

func newMemoryScene(cfg *Config, rateHz float64) *memoryScene {
	return &memoryScene{rng: newRand(cfg, 10), seconds: 1 / rateHz, level: 0.05}
}

func (m *memoryScene) usedWords(uint64) uint32 {
	if m.busy <= 0 && m.rng.ExpFloat64()*7 < m.seconds { // about every 7 s
		m.busy, m.rising = 0.15+0.5*m.rng.Float64(), 0.6+1.2*m.rng.Float64()
	}
	if m.busy > 0 {
		m.level += m.rising * min(m.busy, m.seconds)
		m.busy -= m.seconds
	} else {
		m.level = 0.05 + (m.level-0.05)*math.Exp(-m.seconds/0.6)
	}
	percent := min(m.level, 20) * (1 + 0.02*m.rng.NormFloat64())
	return uint32(max(0, percent) / 100 * device.DefaultTotalMemWords)
}
