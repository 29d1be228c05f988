package device_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A knownDevice is one device of a kind, with the size of its sample.
type knownDevice struct {
	name string
	dev  oni.Device
	cfg  device.Config
}

// known lists one device of every kind. Those that need no word of their own
// here follow the others.
func known() []knownDevice {
	cfg := device.Config{AcqClockHz: 250e6, Hub: oni.Hub{ID: 1, Firmware: "2.1", ClockHz: 250e6}}
	probe := cfg
	probe.Headstage = device.HeadstageNeuropixelsV1e
	beat, memory := cfg, cfg
	beat.Settings = &device.RateSettings{RateHz: 100}
	memory.Settings = &device.MemoryMonitorSettings{RateSettings: device.RateSettings{RateHz: 100}}
	all := []knownDevice{
		{"heartbeat", oni.Device{Address: 0, ID: device.IDHeartbeat, ReadSize: 8}, beat},
		{"heartbeat", oni.Device{Address: 0, ID: device.IDPersistentHeartbeat, ReadSize: 8}, beat},
		{"digital-io", oni.Device{Address: 7, ID: device.IDDigitalIO, ReadSize: 12}, cfg},
		{"analog-io", oni.Device{Address: 6, ID: device.IDAnalogIO, ReadSize: 32}, cfg},
		{"memory-monitor", oni.Device{Address: 10, ID: device.IDMemoryMonitor, ReadSize: 12}, memory},
		{"port-a-neuropixels-1.0e", oni.Device{Address: 8, ID: device.IDPassthrough, ReadSize: 1050}, probe},
	}
	for _, k := range device.Kinds() {
		dev, own := oni.Device{Address: 0xC, ID: k.IDs[0], ReadSize: uint32(k.Samples)}, cfg
		switch {
		case k.Place == device.Headstage:
			dev.Address, own.Headstage = 0x8, k.Headstages[0]
		case k.Headstages != nil:
			dev.Address = 0x100
			if k.Indices != nil {
				dev.Address += oni.Address(k.Indices[0])
			}
		case k.Place == device.OnPort:
			dev.Address = 0x1
		}
		if slices.ContainsFunc(all, func(d knownDevice) bool {
			return d.dev.ID == dev.ID && (d.dev.Address == dev.Address || k.Headstages == nil) && d.cfg.Headstage == own.Headstage
		}) {
			continue
		}
		all = append(all, knownDevice{strings.ReplaceAll(k.KeyAt(dev.Address), "/", "-"), dev, own})
	}
	return all
}

// knownBy returns the device of the kind with a key.
func knownBy(t testing.TB, key string) knownDevice {
	t.Helper()
	for _, d := range known() {
		if k := device.KindOf(d.dev, d.cfg.Headstage); k.Key == key {
			return d
		}
	}
	t.Fatalf("no kind has the key %s", key)
	return knownDevice{}
}

// A playedRow is a sample that a simulated device sends.
type playedRow struct {
	tick   uint64
	sample []byte
}

// playedRows returns the first samples that the kind of a rig file's key
// plays, at most n.
func playedRows(t *testing.T, key string, stage device.Stage, n int) []playedRow {
	t.Helper()
	player := device.KindForKey(key).Play(stage)
	var rows []playedRow
	for range n {
		tick, ok := player.Next()
		if !ok {
			break
		}
		rows = append(rows, playedRow{tick, player.AppendSample(nil, 1e10+tick)})
	}
	return rows
}

func mustNew(t testing.TB, dev oni.Device, cfg device.Config) device.Decoder {
	t.Helper()
	dec, err := device.New(dev, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return dec
}

func mustDecode[T any](t *testing.T, decode func([]byte) (T, error), sample []byte) T {
	t.Helper()
	v, err := decode(sample)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
