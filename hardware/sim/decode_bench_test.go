package sim_test

import (
	"slices"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

// BenchmarkDecode decodes what every device of every headstage sends, a batch of
// the size of a file's after another. devices/core says how many such devices
// (two-probe headstages: probes) one core takes at their own rate.
func BenchmarkDecode(b *testing.B) {
	adcs := slices.Repeat([]device.ADCOffset{{Threshold: 512, Offset: 3}}, 32)
	calibrated := map[string]device.Settings{
		"neuropixels-1.0e": &device.NeuropixelsV1eSettings{APCorrection: 0.97, LFPCorrection: 1.0273, ADC: adcs},
	}
	for _, key := range append(device.Headstages(), "") {
		c := start(b, sim.Config{Signal: sim.Neural, Ports: [2]string{key}})
		frames := map[oni.Address][]oni.Frame{}
		var f oni.Frame
		for f.Clock < sim.ClockHz/50 { // 600 samples of a probe
			if err := c.ReadInto(&f); err != nil {
				b.Fatal(err)
			}
			f.Data = append([]byte(nil), f.Data...)
			frames[f.Address] = append(frames[f.Address], f)
		}
		for _, dev := range c.Table() {
			hub, err := c.Hub(dev.Address.Hub())
			if err != nil {
				b.Fatal(err)
			}
			cfg := device.Config{AcqClockHz: sim.ClockHz, Hub: hub}
			if dev.ID == device.IDPassthrough {
				cfg.Headstage = key
			}
			if !device.Supported(dev, cfg) || len(frames[dev.Address]) < 100 || key != "" && dev.Address.Port() == 0 {
				continue
			}
			key := device.KindOf(dev, cfg.Headstage).Key
			b.Run(key, func(b *testing.B) { benchmarkDecode(b, dev, cfg, frames[dev.Address]) })
			if cfg.Settings = calibrated[key]; cfg.Settings != nil {
				b.Run(key+"/calibrated", func(b *testing.B) { benchmarkDecode(b, dev, cfg, frames[dev.Address]) })
			}
		}
	}
}

func benchmarkDecode(b *testing.B, dev oni.Device, cfg device.Config, frames []oni.Frame) {
	decoder, err := device.New(dev, cfg)
	if err != nil {
		b.Fatal(err)
	}
	streams, out := decoder.Streams(), device.NewBatches(decoder)
	for _, batch := range out { // memory that the system did not give yet is no matter of the decoder
		for i := range batch.Columns {
			column := batch.Columns[i][:cap(batch.Columns[i])]
			for at := 0; at < len(column); at += 4096 {
				column[at] = 1
			}
		}
	}
	b.SetBytes(int64(len(frames[0].Data)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i, batch := range out {
			if batch.Rows == streams[i].RowsPerBatch || streams[i].RowsPerBatch == 0 && batch.Rows == 1000 {
				batch.Reset()
			}
		}
		if err := decoder.Decode(&frames[n], out); err != nil {
			b.Fatal(err)
		}
		if n++; n == len(frames) {
			n = 0
		}
	}
	if rate := streams[0].Columns[streams[0].Column("Clock")].RateHz; rate > 0 {
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/rate, "devices/core")
	}
}
