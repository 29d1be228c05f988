package sim_test

import (
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

// One second of the rig of spec.md 3.1, and of the rig that gives most: bytes
// are those of the samples.
func BenchmarkReadInto(b *testing.B) {
	most := [2]string{device.HeadstageNeuropixelsV2e, device.HeadstageNeuropixelsV2e}
	for _, c := range []struct {
		name   string
		signal sim.Signal
		ports  [2]string
	}{
		{"pattern", sim.Pattern, [2]string{device.HeadstageNeuropixelsV1e}}, {"neural", sim.Neural, [2]string{device.HeadstageNeuropixelsV1e}},
		{"two 2.0e headstages, pattern", sim.Pattern, most}, {"two 2.0e headstages, neural", sim.Neural, most},
	} {
		b.Run(c.name, func(b *testing.B) {
			src, err := sim.New(sim.Config{Signal: c.signal, Ports: c.ports})
			if err != nil {
				b.Fatal(err)
			}
			if err := src.Start(); err != nil {
				b.Fatal(err)
			}
			var f oni.Frame
			total, end := 0, uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				end += sim.ClockHz
				for total = 0; f.Clock < end; total += len(f.Data) {
					if err := src.ReadInto(&f); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.SetBytes(int64(total))
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/rig-second")
		})
	}
}
