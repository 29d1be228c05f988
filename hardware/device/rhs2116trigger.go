package device

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const rhs2116TriggerBytes = 14

// Rhs2116Trigger is one trigger of a stimulus as the headstage reports it. We
// never cause one.
type Rhs2116Trigger struct {
	HubClock uint64 // ticks
	Code     uint32 // bits 0 and 1 status, 2 to 4 origin, 12 to 31 delay in samples
}

// DecodeRhs2116Trigger unpacks one sample of the RHS2116 trigger.
//
// sample holds at least 14 bytes, little endian: hub clock (uint64, ticks), code
// (uint32), padding. It returns ErrSampleSize if sample is shorter, and never any
// other error.
//
// Source: device ID 32; onix-devices 3.12.
func DecodeRhs2116Trigger(sample []byte) (Rhs2116Trigger, error) {
	if len(sample) < rhs2116TriggerBytes {
		return Rhs2116Trigger{}, shortSample("rhs2116-trigger", len(sample), rhs2116TriggerBytes)
	}
	return Rhs2116Trigger{HubClock: binary.LittleEndian.Uint64(sample), Code: binary.LittleEndian.Uint32(sample[8:])}, nil
}

// AppendTo appends the sample to dst.
func (s Rhs2116Trigger) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(dst, s.HubClock), s.Code)
	return append(dst, 0, 0)
}

// Status says what became of the trigger: 0 delivered, 1 disarmed, 2 busy.
func (s Rhs2116Trigger) Status() uint8 { return uint8(s.Code & 3) }

// Origin says what it came from, as bits: 1 GPIO, 2 register, 4 external.
func (s Rhs2116Trigger) Origin() uint8 { return uint8(s.Code >> 2 & 7) }

// DelayUS is its delay in microseconds.
func (s Rhs2116Trigger) DelayUS() float64 { return 1e6 * float64(s.Code>>12) / rhs2116RateHz }

var rhs2116TriggerKind = Kind{
	IDs: []uint32{IDRhs2116Trigger}, Place: OnPort, Headstages: []string{HeadstageRhs2116}, Key: "rhs2116-trigger", Title: "RHS2116 trigger",
	Samples: rhs2116TriggerBytes, Settings: noSettings, decoder: newRhs2116Trigger,
	Play: func(s Stage) Player { return &rhs2116TriggerPlayer{clockHz: s.ClockHz} },
}

type rhs2116TriggerDecoder struct {
	core
	streams []stream.Stream
}

func newRhs2116Trigger(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	s := k.newStream(dev, cfg)
	delay := column("Delay", stream.Float64, 0)
	delay.Unit, delay.Scale = "us", 1
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		column("Origin", stream.Uint8, 0),
		column("Status", stream.Uint8, 0),
		delay,
		clockColumn("HubClock", cfg.Hub.ClockHz, 0),
		clockColumn("Clock", cfg.AcqClockHz, 0),
	}
	return &rhs2116TriggerDecoder{core: core{onGap: cfg.OnGap}, streams: []stream.Stream{s}}, nil
}

func (d *rhs2116TriggerDecoder) Streams() []stream.Stream { return d.streams }

func (d *rhs2116TriggerDecoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodeRhs2116Trigger(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = append(b.Columns[0], s.Origin())
	b.Columns[1] = append(b.Columns[1], s.Status())
	b.Columns[2] = appendFloat64(b.Columns[2], s.DelayUS())
	b.clocks(3, s.HubClock, f.Clock)
	b.Rows++
	return nil
}

// rhs2116TriggerPlayer plays an apparatus that asks for a stimulus by the sync
// pin every two seconds; the trigger is disarmed, as we keep it.
type rhs2116TriggerPlayer struct {
	clockHz uint64
	row     uint64 // of the next call of Next
}

const (
	triggerDisarmed = 1
	triggerFromGPIO = 1
)

func (p *rhs2116TriggerPlayer) Next() (tick uint64, ok bool) {
	tick = p.clockHz/4 + 2*p.row*p.clockHz
	p.row++
	return tick, true
}

func (p *rhs2116TriggerPlayer) AppendSample(dst []byte, hubClock uint64) []byte {
	delay := uint32(p.row-1) % (1 << 20)
	return Rhs2116Trigger{HubClock: hubClock, Code: delay<<12 | triggerFromGPIO<<2 | triggerDisarmed}.AppendTo(dst)
}
