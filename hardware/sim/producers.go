package sim

import (
	"slices"

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
// since power-up, and exceeds 32 bits to catch who keeps only those.
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
	latency uint64
	row     uint64
	sampled uint64
}

func newSchedule(a oni.Address) schedule { return schedule{at: a, latency: latencyTicks[a]} }

func (s *schedule) address() oni.Address { return s.at }

// clock is the acquisition clock of the next frame: the host's stamp varies by
// queuing, here by up to 15 ticks.
func (s *schedule) clock() uint64 { return s.sampled + s.latency + 5*s.row%16 }

func (s *schedule) hubClock() uint64 { return hubClockAtStart + s.sampled }

// advance goes on to the next frame, sampled at a tick.
func (s *schedule) advance(sampled uint64) {
	s.row++
	s.sampled = sampled
}

// newProducers makes those of the devices that are enabled.
func (c *controller) newProducers() []producer {
	cfg := c.cfg
	for ch := range cfg.AnalogRangeV {
		cfg.AnalogRangeV[ch] = rangeOfCode[c.latched[addressAnalogIO][regInputRange+uint32(ch)]&3]
	}
	all := []producer{
		&heartbeat{schedule: newSchedule(addressHeartbeat), period: divider(c.registers[addressHeartbeat][regClockDiv])},
		newAnalogIO(&cfg),
		newDigitalIO(&cfg),
		newMemoryMonitor(&cfg, divider(c.registers[addressMemoryMonitor][regClockDiv])),
	}
	for i, port := range cfg.Ports {
		if port.Headstage == device.HeadstageNeuropixelsV1e {
			all = append(all, newProbe(&cfg, i))
		}
	}
	return slices.DeleteFunc(all, func(p producer) bool { return !c.enabled(p.address()) })
}

type heartbeat struct {
	schedule
	period func() uint64 // ticks
	buf    []byte
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

func newAnalogIO(cfg *Config) *analogIO {
	a := &analogIO{schedule: newSchedule(addressAnalogIO), signal: analogPattern{}}
	if cfg.Signal == Neural {
		a.signal = newAnalogScene(cfg)
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

func newDigitalIO(cfg *Config) *digitalIO {
	d := &digitalIO{schedule: newSchedule(addressDigitalIO), signal: digitalPattern{}}
	if cfg.Signal == Neural {
		d.signal = newDigitalScene(cfg)
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

func newMemoryMonitor(cfg *Config, period func() uint64) *memoryMonitor {
	m := &memoryMonitor{schedule: newSchedule(addressMemoryMonitor), period: period, signal: memoryPattern{}}
	if cfg.Signal == Neural {
		m.signal = newMemoryScene(cfg)
	}
	return m
}

func (m *memoryMonitor) next() []byte {
	m.buf = device.MemoryMonitor{HubClock: m.hubClock(), UsedWords: m.signal.usedWords(m.row)}.AppendTo(m.buf[:0])
	m.advance(m.sampled + m.period())
	return m.buf
}

// groupSize is how many super-frames complete one LFP value of every channel.
const groupSize = 12

// probe sends the super-frames of a Neuropixels 1.0e headstage. They are made
// twelve at a time, channel by channel.
type probe struct {
	schedule
	signal interface {
		// group fills AP and LFP of twelve super-frames; it is called once for
		// each group in order.
		group(number uint64, to *[groupSize]device.NeuropixelsV1e)
	}
	frames [groupSize]device.NeuropixelsV1e
	buf    []byte
}

func newProbe(cfg *Config, port int) *probe {
	p := &probe{schedule: newSchedule(passthrough(port)), signal: probePattern{}}
	if cfg.Signal == Neural {
		p.signal = newProbeScene(cfg, port)
	}
	return p
}

func (p *probe) next() []byte {
	slot := p.row % groupSize
	if slot == 0 {
		p.signal.group(p.row/groupSize, &p.frames)
	}
	s := &p.frames[slot]
	s.HubClock = p.hubClock()
	for i := range s.Counter {
		s.Counter[i] = uint32((13*p.row + uint64(i)) & (1<<20 - 1))
	}
	p.buf = s.AppendTo(p.buf[:0])
	p.advance((p.row + 1) * 25000 / 3) // 30 kHz
	return p.buf
}
