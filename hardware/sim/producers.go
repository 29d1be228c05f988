package sim

import (
	"math"
	"math/bits"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A producer makes the frames of one device.
type producer interface {
	address() oni.Address
	clock() uint64 // of the next frame
	next() []byte  // the sample of the next frame, valid until the next call
}

// hubClockAtStart is the host's hub clock when acquisition starts: it counts
// since power-up, and exceeds 32 bits to catch code that keeps only those.
const hubClockAtStart = 10_000_000_000

// latencyTicks is how long after its sampling a frame of a device is stamped.
// Every device has another, so that no two clocks are equal by accident.
var latencyTicks = map[oni.Address]uint64{
	addressHeartbeat:     40,
	addressAnalogIO:      60,
	addressDigitalIO:     80,
	passthrough(0):       100,
	passthrough(1):       120,
	addressMemoryMonitor: 140,
}

// schedule keeps the clocks of a device: row counts its frames, sampled is
// the tick at which the next one is sampled.
type schedule struct {
	at      oni.Address
	hubHz   uint64 // of its hub clock
	latency uint64
	row     uint64
	sampled uint64
}

func newSchedule(a oni.Address) schedule {
	latency, ok := latencyTicks[a]
	if !ok {
		latency = 200 + 20*uint64(a) // beyond those of the list
	}
	return schedule{at: a, hubHz: ClockHz, latency: latency}
}

func (s *schedule) address() oni.Address { return s.at }

// clock is the acquisition clock of the next frame: the host's stamp varies by
// queuing, here by up to 15 ticks.
func (s *schedule) clock() uint64 { return s.sampled + s.latency + 5*s.row%16 }

func (s *schedule) hubClock() uint64 {
	if s.hubHz == ClockHz {
		return hubClockAtStart + s.sampled
	}
	high, low := bits.Mul64(s.sampled, s.hubHz)
	ticks, _ := bits.Div64(high, low, ClockHz)
	return hubClockAtStart + ticks
}

// advance goes on to the next frame, sampled at a tick.
func (s *schedule) advance(sampled uint64) {
	s.row++
	s.sampled = sampled
}

// A scene makes the producer of a device.
type scene func(*controller, oni.Device, device.Settings) producer

// scenes are those of the kinds that have one here, by key. All others play what
// their kind says.
var scenes = map[string]scene{
	"heartbeat":      newHeartbeat,
	"analog-io":      newAnalogIO,
	"digital-io":     newDigitalIO,
	"memory-monitor": newMemoryMonitor,

	"neuropixels-1.0e":              newV1e,
	"neuropixels-2.0e-probe-a":      newV2e(0),
	"neuropixels-2.0e-probe-b":      newV2e(1),
	"neuropixels-2.0e-beta-probe-a": newV2eBeta(0),
	"neuropixels-2.0e-beta-probe-b": newV2eBeta(1),
	"neuropixels-1.0f-probe-a":      newV1f,
	"neuropixels-1.0f-probe-b":      newV1f,
	"nric1384":                      newNric,
	"rhd2164":                       newRhd2164,
	"rhs2116-a":                     newRhs2116,
	"rhs2116-b":                     newRhs2116,
	"bno055":                        newBNO055,
	"ts4231":                        newTS4231,
}

// newProducers makes those of the devices that are enabled.
func (c *controller) newProducers() []producer {
	var all []producer
	for _, dev := range c.table {
		if !c.enabled(dev.Address) {
			continue
		}
		for i, k := range device.KindsOf(dev, c.headstage(dev.Address)) {
			if c.cold != nil && !c.cold.sends(dev, k, i) {
				continue
			}
			set := c.settingsOf(k, dev.Address)
			if scene := scenes[k.Key]; scene != nil {
				all = append(all, scene(c, dev, set))
			} else if k.Play != nil {
				p := newPlayed(k.Play(device.Stage{
					Settings: set, ClockHz: ClockHz, Port: dev.Address.Port(), Linked: c.linked(dev.Address),
				}), dev.Address)
				p.hubHz = c.hubHz(dev.Address)
				all = append(all, p)
			}
		}
	}
	return all
}

// played sends what a kind's Player makes.
type played struct {
	schedule
	player device.Player
	ok     bool // a sample follows
	buf    []byte
}

func newPlayed(player device.Player, a oni.Address) *played {
	p := &played{schedule: newSchedule(a), player: player}
	p.sampled, p.ok = player.Next()
	return p
}

func (p *played) clock() uint64 {
	if !p.ok {
		return math.MaxUint64
	}
	return p.schedule.clock()
}

func (p *played) next() []byte {
	p.buf = p.player.AppendSample(p.buf[:0], p.hubClock())
	var sampled uint64
	sampled, p.ok = p.player.Next()
	p.advance(sampled)
	return p.buf
}

type heartbeat struct {
	schedule
	period func() uint64 // ticks
	buf    []byte
}

func newHeartbeat(c *controller, dev oni.Device, _ device.Settings) producer {
	return &heartbeat{schedule: newSchedule(dev.Address), period: divider(c.registers[dev.Address][regClockDiv])}
}

func (h *heartbeat) next() []byte {
	h.buf = device.Heartbeat{HubClock: h.hubClock()}.AppendTo(h.buf[:0])
	h.advance(h.sampled + h.period())
	return h.buf
}

// analogIO sends twelve codes at 100 kHz.
type analogIO struct {
	schedule
	signal interface {
		codes(row uint64, to *[12]int16)
	}
	sample device.AnalogIO
	buf    []byte
}

const analogPeriodTicks = ClockHz / 100_000

func newAnalogIO(c *controller, dev oni.Device, _ device.Settings) producer {
	a := &analogIO{schedule: newSchedule(dev.Address), signal: analogPattern{}}
	if c.cfg.Signal == Neural {
		var rangesV [12]float64
		for ch := range rangesV {
			rangesV[ch] = rangeOfCode[c.latched[dev.Address][regInputRange+uint32(ch)]&3]
		}
		a.signal = newAnalogScene(&c.cfg, rangesV)
	}
	return a
}

func (a *analogIO) next() []byte {
	a.sample.HubClock = a.hubClock()
	a.signal.codes(a.row, &a.sample.Codes)
	a.buf = a.sample.AppendTo(a.buf[:0])
	a.advance((a.row + 1) * analogPeriodTicks)
	return a.buf
}

// digitalIO sends a frame whenever an input changes.
type digitalIO struct {
	schedule
	signal interface {
		// event returns the state at event number row, and when it happens;
		// it is called once for each row in order.
		event(row uint64) (sampled uint64, inputs uint8, buttons uint16)
	}
	inputs  uint8
	buttons uint16
	buf     []byte
}

func newDigitalIO(c *controller, dev oni.Device, _ device.Settings) producer {
	d := &digitalIO{schedule: newSchedule(dev.Address), signal: digitalPattern{}}
	if c.cfg.Signal == Neural {
		d.signal = newDigitalScene(&c.cfg)
	}
	d.sampled, d.inputs, d.buttons = d.signal.event(0)
	return d
}

func (d *digitalIO) next() []byte {
	d.buf = device.DigitalIO{HubClock: d.hubClock(), Inputs: d.inputs, Buttons: d.buttons}.AppendTo(d.buf[:0])
	sampled, inputs, buttons := d.signal.event(d.row + 1)
	d.advance(sampled)
	d.inputs, d.buttons = inputs, buttons
	return d.buf
}

// memoryMonitor sends the fill of the host's buffer.
type memoryMonitor struct {
	schedule
	period func() uint64 // ticks
	signal interface {
		usedWords(row uint64) uint32
	}
	buf []byte
}

func newMemoryMonitor(c *controller, dev oni.Device, set device.Settings) producer {
	m := &memoryMonitor{schedule: newSchedule(dev.Address), period: divider(c.registers[dev.Address][regClockDiv]), signal: memoryPattern{}}
	if c.cfg.Signal == Neural {
		m.signal = newMemoryScene(&c.cfg, set.(*device.MemoryMonitorSettings).RateHz)
	}
	return m
}

func (m *memoryMonitor) next() []byte {
	m.buf = device.MemoryMonitor{HubClock: m.hubClock(), UsedWords: m.signal.usedWords(m.row)}.AppendTo(m.buf[:0])
	m.advance(m.sampled + m.period())
	return m.buf
}
