package device_test

import (
	"encoding/hex"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// The registers of a polled sensor give what the original makes of them.
func TestAPolledBNO055GivesWhatTheOriginalGives(t *testing.T) {
	v := readVector(t, filepath.Join(samplesDir, "bno055", "PolledBno055.json"))
	dec := mustNew(t, oni.Device{Address: 0x101, ID: device.IDBNO055, ReadSize: 36}, device.Config{AcqClockHz: 250e6})
	out := device.NewBatches(dec)
	for _, text := range v.Registers {
		registers, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := device.DecodeBNO055Registers(registers)
		if err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(&oni.Frame{Data: s.AppendTo(nil, 0)}, out); err != nil {
			t.Fatal(err)
		}
	}
	cols := dec.Streams()[0].Columns
	for i := range cols {
		c := &cols[i]
		if c.Name == "Clock" || c.Name == "HubClock" {
			continue // of the poll
		}
		for r, want := range v.wanted(t, c) {
			if got, want := text(c, out[0].Columns[i], r), canonical(t, c, want); got != want {
				t.Fatalf("%s row %d is %s, want %s", c.Name, r, got, want)
			}
		}
	}
}

// Widths of light pulses are true microseconds unless Bonsai's are asked for.
func TestWidthsOfLightPulses(t *testing.T) {
	pulse := device.TS4231{Width: 4200, Type: 8}
	for bonsai, want := range map[bool]string{false: "100", true: "1e+08"} {
		dec := mustNew(t, oni.Device{Address: 0x102, ID: device.IDTS4231, ReadSize: 16},
			device.Config{Hub: oni.Hub{ClockHz: 42e6}, Settings: &device.TS4231Settings{BonsaiWidth: bonsai}})
		out := device.NewBatches(dec)
		if err := dec.Decode(&oni.Frame{Data: pulse.AppendTo(nil)}, out); err != nil {
			t.Fatal(err)
		}
		c := &dec.Streams()[0].Columns[1]
		if got := canonical(t, c, text(c, out[0].Columns[1], 0)); got != want {
			t.Errorf("bonsai %v: %s, want %s", bonsai, got, want)
		}
	}
}

// Two probes at one device are two streams, each with its own gaps.
func TestProbesBehindOneDevice(t *testing.T) {
	dev := oni.Device{Address: 9, ID: device.IDPassthrough, ReadSize: 1162}
	cfg := device.Config{AcqClockHz: 250e6, Hub: oni.Hub{ClockHz: 250e6}, Headstage: device.HeadstageNeuropixelsV2e}
	var gaps []device.Gap
	cfg.OnGap = func(g device.Gap) { gaps = append(gaps, g) }
	dec := mustNew(t, dev, cfg)
	if a, b := dec.Streams()[0].Name, dec.Streams()[1].Name; a != "port-b-neuropixels-2.0e-probe-a" || b != "port-b-neuropixels-2.0e-probe-b" {
		t.Errorf("streams %s, %s", a, b)
	}
	out := device.NewBatches(dec)
	send := func(probe uint16, row uint64) error {
		s := device.NeuropixelsV2e{HubClock: 1e9 + row*25000/3, Probe: probe}
		return dec.Decode(&oni.Frame{Clock: row * 25000 / 3, Address: 9, Data: s.AppendTo(nil)}, out)
	}
	for row := range uint64(10) {
		for probe := range uint16(2) {
			if probe == 1 && (row == 4 || row == 5 || row == 6) {
				continue
			}
			if err := send(probe, row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if out[0].Rows != 10 || out[1].Rows != 7 || len(gaps) != 1 || gaps[0].Stream != 1 || gaps[0].Row != 4 || gaps[0].Lost != 3 {
		t.Errorf("%d and %d rows, gaps %+v", out[0].Rows, out[1].Rows, gaps)
	}
	if err := send(2, 11); err == nil {
		t.Error("a sample of a third probe was taken")
	}
	if s := dec.Stats(); s.Frames != 18 || s.Rows != 17 || s.BadFrames != 1 || s.Lost != 3 {
		t.Errorf("stats %+v", s)
	}

	cfg.Parts = map[string]device.Part{"neuropixels-2.0e-probe-a": {Off: true}}
	dec = mustNew(t, dev, cfg)
	out = device.NewBatches(dec)
	if len(dec.Streams()) != 1 || dec.Streams()[0].Name != "port-b-neuropixels-2.0e-probe-b" {
		t.Fatalf("with probe A off: %d streams", len(dec.Streams()))
	}
	for probe := range uint16(2) {
		if err := send(probe, 0); err != nil {
			t.Fatal(err)
		}
	}
	if out[0].Rows != 1 {
		t.Errorf("%d rows, want those of probe B", out[0].Rows)
	}
}

// Devices of one ID on one hub have different names.
func TestUnknownDevicesHaveNamesOfTheirOwn(t *testing.T) {
	table := oni.DeviceTable{{Address: 0x3, ID: 10, ReadSize: 12}, {Address: 0x100, ID: 10, ReadSize: 12}, {Address: 0x101, ID: 10, ReadSize: 12}, {Address: 0x103, ID: 10, ReadSize: 12}}
	want := []string{"device-10", "port-a-device-10", "port-a-device-10-2", "port-a-device-10-3"}
	for i, dev := range table {
		if got := mustNew(t, dev, device.Config{Table: table}).Streams()[0].Name; got != want[i] {
			t.Errorf("%v: %s, want %s", dev.Address, got, want[i])
		}
	}
}

func TestUnknownDevicesOfAllHubsHaveNamesOfTheirOwn(t *testing.T) {
	var table oni.DeviceTable // of liboni's test driver; onix-devices 1.10
	for hub := range uint8(4) {
		for index := range uint8(4) {
			table = append(table, oni.Device{Address: oni.NewAddress(hub, index), ID: 10, ReadSize: 12})
		}
	}
	table = append(table, oni.Device{Address: 8, ID: device.IDPassthrough, ReadSize: 100}, oni.Device{Address: 9, ID: device.IDPassthrough, ReadSize: 100})
	seen := map[string]oni.Address{}
	for _, dev := range table {
		name := mustNew(t, dev, device.Config{Table: table}).Streams()[0].Name
		if other, twice := seen[name]; twice {
			t.Errorf("%v and %v are both %s", other, dev.Address, name)
		}
		seen[name] = dev.Address
	}
	for name, want := range map[string]oni.Address{
		"device-10": 0, "device-10-2": 1, "device-10-4": 3, "port-a-device-10": 0x100, "port-b-device-10-3": 0x202, "hub-3-device-10": 0x300,
		"port-a-device-24": 8, "port-b-device-24": 9,
	} {
		if got, ok := seen[name]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
		}
	}
}

// So have devices of known kinds, wherever a table has them and however often.
func TestDevicesOfAllKindsHaveNamesOfTheirOwn(t *testing.T) {
	var table oni.DeviceTable
	for _, hub := range []uint8{0, 1, 2, 3, 30, 255} {
		for i, k := range device.Kinds() {
			if k.Place == device.Headstage {
				continue
			}
			for n, id := range append(k.IDs, k.IDs[0]) {
				table = append(table, oni.Device{Address: oni.NewAddress(hub, uint8(100+4*i+n)), ID: id, ReadSize: uint32(k.Samples)})
			}
			if k.Indices != nil {
				table = append(table, oni.Device{Address: oni.NewAddress(hub, k.Indices[0]), ID: k.IDs[0], ReadSize: uint32(k.Samples)})
			}
		}
	}
	for _, a := range []oni.Address{8, 9} {
		table = append(table, oni.Device{Address: a, ID: device.IDPassthrough, ReadSize: 1162})
	}
	seen := map[string]oni.Address{}
	for _, dev := range table {
		cfg := device.Config{Table: table}
		if dev.ID == device.IDPassthrough {
			cfg.Headstage = device.HeadstageNeuropixelsV2e
		}
		for _, s := range mustNew(t, dev, cfg).Streams() {
			if other, twice := seen[s.Name]; twice {
				t.Errorf("%v and %v are both %s", other, dev.Address, s.Name)
			}
			seen[s.Name] = dev.Address
		}
	}
	for _, name := range []string{
		"heartbeat", "heartbeat-2", "analog-io-2", "port-a-heartbeat", "hub-3-bno055-2", "hub-255-rhs2116-a", "port-b-rhs2116-b", "port-b-neuropixels-2.0e-probe-a",
	} {
		if _, ok := seen[name]; !ok {
			t.Errorf("no stream is called %s", name)
		}
	}
}
