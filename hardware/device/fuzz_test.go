package device_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// fuzzDecoder feeds arbitrary bytes, twelve times so that a probe's group
// fills, and checks what must hold for any of them: no panic, whole rows, and
// counts that add up. Then the sample, encoded again, must say the same.
func fuzzDecoder(f *testing.F, kind, bin string, dev oni.Device, again func(t *testing.T, sample []byte)) {
	for _, frame := range readFrames(f, filepath.Join(samplesDir, kind, bin)) {
		f.Add(frame.Clock, frame.Data)
	}
	f.Add(uint64(0), []byte{})
	f.Fuzz(func(t *testing.T, clock uint64, data []byte) {
		cfg := device.Config{AcqClockHz: 250e6, Hub: oni.Hub{ClockHz: 250e6}}
		if dev.ID == device.IDPassthrough {
			cfg.Headstage = kind // their folders are called so
		}
		dec := mustNew(t, dev, cfg)
		out := device.NewBatches(dec)
		bad := 0
		for range 12 {
			if err := dec.Decode(&oni.Frame{Clock: clock, Data: data}, out); err != nil {
				bad++
			}
		}
		s := dec.Stats()
		rows := 0
		for n, b := range out {
			rows += b.Rows
			for i, c := range dec.Streams()[n].Columns {
				if len(b.Columns[i]) != b.Rows*c.ByteWidth {
					t.Fatalf("%s: %d bytes for %d rows", c.Name, len(b.Columns[i]), b.Rows)
				}
			}
		}
		if s.Frames != 12 || s.BadFrames != uint64(bad) || s.Rows+s.Pending+s.BadFrames != 12 || s.Rows != uint64(rows) {
			t.Fatalf("stats %+v, %d rows", s, rows)
		}
		if bad == 0 && again != nil {
			again(t, data)
		}
	})
}

// roundTrip decodes, encodes and decodes: both values must be equal, and so
// must a second encoding. (The first differs from sample in padding.)
func roundTrip[T interface{ AppendTo([]byte) []byte }](decode func([]byte) (T, error)) func(*testing.T, []byte) {
	return func(t *testing.T, sample []byte) {
		v, err := decode(sample)
		if err != nil {
			t.Fatal(err)
		}
		first := v.AppendTo(nil)
		w, err := decode(first)
		if err != nil {
			t.Fatal(err)
		}
		if second := w.AppendTo(nil); !bytes.Equal(first, second) {
			t.Fatalf("encoded again\n %x\n %x", first, second)
		}
	}
}

func FuzzDecodeHeartbeat(f *testing.F) {
	fuzzDecoder(f, "heartbeat", "Heartbeat.bin", known()[0].dev, roundTrip(device.DecodeHeartbeat))
}

func FuzzDecodeDigitalIO(f *testing.F) {
	fuzzDecoder(f, "digital-io", "DigitalInput.bin", known()[2].dev, roundTrip(device.DecodeDigitalIO))
}

func FuzzDecodeAnalogIO(f *testing.F) {
	fuzzDecoder(f, "analog-io", "AnalogInput.bin", known()[3].dev, roundTrip(device.DecodeAnalogIO))
}

func FuzzDecodeMemoryMonitor(f *testing.F) {
	fuzzDecoder(f, "memory-monitor", "MemoryMonitor.bin", known()[4].dev, roundTrip(device.DecodeMemoryMonitor))
}

func FuzzDecodeNeuropixelsV1e(f *testing.F) {
	fuzzDecoder(f, "neuropixels-1.0e", "NeuropixelsV1e_wild.bin", known()[5].dev, roundTrip(device.DecodeNeuropixelsV1e))
}

func FuzzDecodeUnknown(f *testing.F) {
	dev := oni.Device{Address: 0x102, ID: 99, ReadSize: 12}
	fuzzDecoder(f, "memory-monitor", "MemoryMonitor.bin", dev, func(*testing.T, []byte) {})
}

func FuzzDecodeNeuropixelsV2e(f *testing.F) {
	fuzzDecoder(f, device.HeadstageNeuropixelsV2e, "NeuropixelsV2e.bin", oni.Device{Address: 8, ID: device.IDPassthrough, ReadSize: 1162}, nil)
}

func FuzzDecodeNeuropixelsV2eBeta(f *testing.F) {
	fuzzDecoder(f, device.HeadstageNeuropixelsV2eBeta, "NeuropixelsV2eBeta.bin", oni.Device{Address: 8, ID: device.IDPassthrough, ReadSize: 910}, nil)
}

func FuzzDecodeNeuropixelsV1f(f *testing.F) {
	fuzzDecoder(f, "neuropixels-1.0f", "NeuropixelsV1f.bin", oni.Device{Address: 0x100, ID: device.IDNeuropixelsV1f, ReadSize: 944}, nil)
}

func FuzzDecodeNric1384(f *testing.F) {
	fuzzDecoder(f, "nric1384", "Nric1384.bin", oni.Device{Address: 0x100, ID: device.IDNric1384, ReadSize: 844}, nil)
}

func FuzzDecodeRhd2164(f *testing.F) {
	fuzzDecoder(f, "rhd2164", "Rhd2164.bin", oni.Device{Address: 0x100, ID: device.IDRhd2164, ReadSize: 142}, roundTrip(func(p []byte) (*device.Rhd2164, error) {
		s, err := device.DecodeRhd2164(p)
		return &s, err
	}))
}

func FuzzDecodeRhs2116(f *testing.F) {
	fuzzDecoder(f, "rhs2116", "Rhs2116.bin", oni.Device{Address: 0x100, ID: device.IDRhs2116, ReadSize: 74}, roundTrip(func(p []byte) (*device.Rhs2116, error) {
		s, err := device.DecodeRhs2116(p)
		return &s, err
	}))
}

func FuzzDecodeRhs2116Trigger(f *testing.F) {
	fuzzDecoder(f, "rhs2116-trigger", "Rhs2116Trigger.bin", oni.Device{Address: 0x102, ID: device.IDRhs2116Trigger, ReadSize: 14}, roundTrip(device.DecodeRhs2116Trigger))
}

func FuzzDecodeBNO055(f *testing.F) {
	fuzzDecoder(f, "bno055", "Bno055.bin", oni.Device{Address: 0x101, ID: device.IDBNO055, ReadSize: 36}, func(t *testing.T, sample []byte) {
		s, hub, err := device.DecodeBNO055(sample)
		if err != nil {
			t.Fatal(err)
		}
		if again := s.AppendTo(nil, hub); !bytes.Equal(again, sample[:len(again)]) {
			t.Fatalf("encoded again\n %x\n %x", again, sample)
		}
	})
}

func FuzzDecodeTS4231(f *testing.F) {
	fuzzDecoder(f, "ts4231", "TS4231V1.bin", oni.Device{Address: 0x102, ID: device.IDTS4231, ReadSize: 16}, roundTrip(device.DecodeTS4231))
}
