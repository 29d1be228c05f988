package sim

import (
	"math"
	"math/rand/v2"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// What a headstage knows of its own place: the orientation sensor, and the light
// pulses of two base stations.

const (
	orientationHz = 100
	sweepHz       = 120 // of a base station
)

// orientation sends the samples of a BNO055.
type orientation struct {
	schedule
	signal interface {
		sample(row uint64) device.BNO055 // called once for each row in order
	}
	buf []byte
}

func newBNO055(c *controller, dev oni.Device, _ device.Settings) producer {
	o := &orientation{schedule: newSchedule(dev.Address), signal: orientationPattern{}}
	o.hubHz = c.hubHz(dev.Address)
	if c.cfg.Signal == Neural {
		o.signal = &headScene{rng: newRand(&c.cfg, 2000+uint64(dev.Address.Port()))}
	}
	return o
}

func (o *orientation) next() []byte {
	s := o.signal.sample(o.row)
	o.buf = s.AppendTo(o.buf[:0], o.hubClock())
	o.advance((o.row + 1) * (ClockHz / orientationHz))
	return o.buf
}

// headScene is the head of an animal that looks around: its three angles wander,
// each around a rest of its own and at its own pace.
type headScene struct {
	rng   *rand.Rand
	angle [3]float64 // yaw, pitch, roll, degrees
	speed [3]float64 // degrees a second
}

// Of yaw, pitch and roll: how far they wander (degrees) and how fast (s).
var (
	headRange = [3]float64{60, 20, 12}
	headPace  = [3]float64{1.5, 0.8, 0.6}
)

func (h *headScene) sample(uint64) device.BNO055 {
	const dt = 1.0 / orientationHz
	for i := range h.angle { // a damped spring that noise keeps moving
		w := 2 * math.Pi / (4 * headPace[i])
		push := headRange[i] * math.Pow(w, 1.5) * math.Sqrt(2*1.4) * h.rng.NormFloat64() * math.Sqrt(dt)
		h.speed[i] += dt*(-w*w*h.angle[i]-1.4*w*h.speed[i]) + push
		h.angle[i] += dt * h.speed[i]
	}
	yaw, pitch, roll := h.angle[0], max(-80, min(80, h.angle[1])), h.angle[2]
	q := quaternion(yaw, pitch, roll)
	down := turnBack(q, [3]float64{0, 0, 9.81})
	s := device.BNO055{
		Euler: [3]int16{fixed(math.Mod(yaw+720, 360), 16), fixed(pitch, 16), fixed(roll, 16)},
		// Small shakes; what the head does is slower.
		Acceleration: [3]int16{fixed(0.3*h.rng.NormFloat64(), 100), fixed(0.3*h.rng.NormFloat64(), 100), fixed(0.2*h.rng.NormFloat64(), 100)},
		Temperature:  31, Calibration: 0xFF,
	}
	for i := range q {
		s.Quaternion[i] = fixed(q[i], 1<<14)
	}
	for i := range down {
		s.Gravity[i] = fixed(down[i], 100)
	}
	return s
}

func fixed(x, perUnit float64) int16 { return int16(math.Round(x * perUnit)) }

// quaternion is w, x, y, z of a turn by yaw, then pitch, then roll, in degrees.
func quaternion(yaw, pitch, roll float64) [4]float64 {
	half := func(degrees float64) (sin, cos float64) { return math.Sincos(degrees * math.Pi / 360) }
	sy, cy := half(yaw)
	sp, cp := half(pitch)
	sr, cr := half(roll)
	return [4]float64{
		cr*cp*cy + sr*sp*sy,
		sr*cp*cy - cr*sp*sy,
		cr*sp*cy + sr*cp*sy,
		cr*cp*sy - sr*sp*cy,
	}
}

// turnBack is a vector of the room as the turned head sees it.
func turnBack(q [4]float64, v [3]float64) [3]float64 {
	w, x, y, z := q[0], -q[1], -q[2], -q[3]
	tx, ty, tz := 2*(y*v[2]-z*v[1]), 2*(z*v[0]-x*v[2]), 2*(x*v[1]-y*v[0])
	return [3]float64{v[0] + w*tx + y*tz - z*ty, v[1] + w*ty + z*tx - x*tz, v[2] + w*tz + x*ty - y*tx}
}

// lightPulses sends the pulses that the photodiodes of a headstage see. A sweep
// of a base station is three pulses: both stations flash, one of them to say that
// the other will sweep; then the sweep passes. Four sweeps (two axes of two
// stations) are a round of 12 pulses. Source: onix-devices 3.15.
type lightPulses struct {
	schedule
	pattern bool
	rng     *rand.Rand
	buf     []byte
}

func newTS4231(c *controller, dev oni.Device, _ device.Settings) producer {
	p := &lightPulses{schedule: newSchedule(dev.Address), pattern: c.cfg.Signal == Pattern, rng: newRand(&c.cfg, 3000+uint64(dev.Address.Port()))}
	p.hubHz = c.hubHz(dev.Address)
	p.sampled = p.tick(0)
	return p
}

// roundTypes are the types of the pulses of a round: J and K for the axis, 4 more
// for the station that does not sweep, 8 the sweep.
var roundTypes = [12]int16{0, 4, 8, 1, 5, 8, 4, 0, 8, 5, 1, 8}

// widthUS is how long a pulse of a type lasts, us: the flashes are coded by it.
var widthUS = [9]float64{62.5, 72.9, 83.3, 93.8, 104, 115, 125, 135, 12}

// at is the tick of a pulse.
func (p *lightPulses) at(row uint64) uint64 {
	sweep := row / 3
	tick := sweep*ClockHz/sweepHz + ClockHz/1000
	switch row % 3 {
	case 1:
		tick += ClockHz / 2500 // the second station flashes 0.4 ms later
	case 2: // the animal walks about: the angle of the sweep is 90 degrees plus or minus 25
		angle := math.Pi/2 + 0.44*math.Sin(float64(sweep/4)/190+float64(sweep%4))
		tick += uint64(angle / (2 * math.Pi * sweepHz / 2) * ClockHz)
	}
	return tick
}

func (p *lightPulses) next() []byte {
	s := device.TS4231{HubClock: p.hubClock(), Type: roundTypes[p.row%12]}
	if p.pattern {
		s.Sensor, s.Width = uint16(p.row%24), uint32(1000+7*p.row%9000)
		s.Type = int16(p.row%10) - 1
	} else {
		width := widthUS[s.Type] * (1 + 0.01*p.rng.NormFloat64())
		s.Width = uint32(width * float64(p.hubHz) / 1e6)
	}
	p.buf = s.AppendTo(p.buf[:0])
	p.advance(p.tick(p.row + 1))
	return p.buf
}

// tick is that of a pulse in the signal that is played.
func (p *lightPulses) tick(row uint64) uint64 {
	if p.pattern {
		return row * (ClockHz / 400)
	}
	return p.at(row)
}
