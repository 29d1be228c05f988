package sim_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/shared/stream"
)

// rig is the rig of spec.md 3.1.
func rig(signal sim.Signal) sim.Config {
	return sim.Config{Seed: 1, Signal: signal, Ports: [2]string{device.HeadstageNeuropixelsV1e}}
}

func settings(key string, s device.Settings) sim.Config {
	return sim.Config{Settings: map[string]device.Settings{key: s}}
}

func start(t testing.TB, cfg sim.Config) oni.Controller {
	t.Helper()
	src, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src
}

// taken is one stream of what a device delivered.
type taken struct {
	dec    device.Decoder
	all    []*device.Batch // of all streams of the device
	stream *stream.Stream
	out    *device.Batch
	bad    *int
}

func (d *taken) column(t testing.TB, name string) (*stream.Column, []byte) {
	t.Helper()
	i := d.stream.Column(name)
	if i < 0 {
		t.Fatalf("%s has no column %s", d.stream.Name, name)
	}
	return &d.stream.Columns[i], d.out.Columns[i]
}

// number returns a value of an integer column, the bits of a float.
func number(c *stream.Column, data []byte, row int) int64 {
	le := binary.LittleEndian
	switch c.Type {
	case stream.Uint8:
		return int64(data[row])
	case stream.Int16:
		return int64(int16(le.Uint16(data[2*row:])))
	case stream.Uint16:
		return int64(le.Uint16(data[2*row:]))
	case stream.Int32:
		return int64(int32(le.Uint32(data[4*row:])))
	case stream.Uint32, stream.Float32: // the bits of a float
		return int64(le.Uint32(data[4*row:]))
	}
	return int64(le.Uint64(data[8*row:]))
}

// passthroughs are the headstages whose samples have that size.
var passthroughs = map[uint32]string{
	1050: device.HeadstageNeuropixelsV1e, 1162: device.HeadstageNeuropixelsV2e, 910: device.HeadstageNeuropixelsV2eBeta,
}

// take decodes what a source delivers before a tick, as a recorder would.
func take(t testing.TB, src oni.Controller, until uint64, change func(*device.Config)) map[string]*taken {
	t.Helper()
	byName, byAddress := map[string]*taken{}, map[oni.Address]*taken{}
	for _, dev := range src.Table() {
		hub, err := src.Hub(dev.Address.Hub())
		if err != nil {
			t.Fatal(err)
		}
		cfg := device.Config{AcqClockHz: src.AcqClockHz(), Hub: hub}
		if dev.ID == device.IDPassthrough {
			cfg.Headstage = passthroughs[dev.ReadSize]
		}
		if change != nil {
			change(&cfg)
		}
		if !device.Supported(dev, cfg) {
			continue
		}
		dec, err := device.New(dev, cfg)
		if err != nil {
			t.Fatal(err)
		}
		d := &taken{dec: dec, bad: new(int)}
		for i := range dec.Streams() {
			d.all = append(d.all, device.NewBatch(&dec.Streams()[i], 0))
		}
		byAddress[dev.Address] = d
		for i := range dec.Streams() {
			own := *d
			own.stream, own.out = &dec.Streams()[i], d.all[i]
			if byName[own.stream.Name] != nil {
				t.Fatalf("two streams are called %s", own.stream.Name)
			}
			byName[own.stream.Name] = &own
		}
	}
	var f oni.Frame
	for {
		if err := src.ReadInto(&f); err != nil {
			t.Fatal(err)
		}
		if f.Clock >= until {
			return byName
		}
		d := byAddress[f.Address]
		if d == nil {
			t.Fatalf("a frame from %v, which has no decoder", f.Address)
		}
		if err := d.dec.Decode(&f, d.all); err != nil {
			if !errors.Is(err, device.ErrSampleSize) {
				t.Fatal(err)
			}
			*d.bad++
		}
	}
}
