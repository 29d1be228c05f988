package device_test

import (
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// BenchmarkDecode decodes what each kind plays, as a recorder does: one batch
// after another. probes/core says how many such devices one core takes at their
// own rate.
func BenchmarkDecode(b *testing.B) {
	for _, k := range device.Kinds() {
		if k.Play == nil {
			continue
		}
		b.Run(k.Key, func(b *testing.B) {
			dev := oni.Device{Address: 0x100, ID: k.IDs[0], ReadSize: uint32(k.Samples)}
			cfg := device.Config{AcqClockHz: 250e6, Hub: oni.Hub{ClockHz: 250e6}}
			if k.Place == device.Headstage {
				dev.Address, cfg.Headstage = 8, k.Headstages[0]
			}
			if k.Indices != nil && k.Place != device.Headstage {
				dev.Address += oni.Address(k.Indices[0])
			}
			decoder, err := device.New(dev, cfg)
			if err != nil {
				b.Fatal(err)
			}
			player := k.Play(device.Stage{Settings: k.Settings(), ClockHz: 250e6, Port: 1, Linked: true})
			var frames []oni.Frame
			for range 240 {
				tick, ok := player.Next()
				if !ok {
					break
				}
				frames = append(frames, oni.Frame{Clock: tick, Address: dev.Address, Data: player.AppendSample(nil, 1e10+tick)})
			}
			out := device.NewBatches(decoder)
			for _, batch := range out {
				for i := range batch.Columns {
					batch.Columns[i] = append(batch.Columns[i], make([]byte, 8*len(frames))...)[:0]
				}
			}
			b.SetBytes(int64(k.Samples))
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if i%len(frames) == 0 {
					for _, batch := range out {
						batch.Reset()
					}
				}
				if err := decoder.Decode(&frames[i%len(frames)], out); err != nil {
					b.Fatal(err)
				}
			}
			if rate := decoder.Streams()[0].Columns[0].RateHz; rate > 1000 {
				perFrame := b.Elapsed().Seconds() / float64(b.N)
				b.ReportMetric(1/(perFrame*30000), "devices/core")
			}
		})
	}
}
