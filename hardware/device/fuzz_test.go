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
			cfg.Headstage = device.HeadstageNeuropixelsV1e
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
		if s.Frames != 12 || s.BadFrames != uint64(bad) || s.Rows+s.Pending+s.BadFrames != 12 || s.Rows != uint64(out[0].Rows) {
			t.Fatalf("stats %+v, %d rows", s, out[0].Rows)
		}
		for i, c := range dec.Streams()[0].Columns {
			if len(out[0].Columns[i]) != out[0].Rows*c.ByteWidth {
				t.Fatalf("%s: %d bytes for %d rows", c.Name, len(out[0].Columns[i]), out[0].Rows)
			}
		}
		if bad == 0 {
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
