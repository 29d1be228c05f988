package device_test

import (
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
)

func FuzzDecodeHarpSync(f *testing.F) {
	fuzzDecoder(f, "harp-sync", "HarpSyncInput.bin", knownBy(f, "harp-sync").dev, roundTrip(device.DecodeHarpSync))
}

// TestAHarpClockBeatsEachSecond is the formula of testdata/samples/README.md.
func TestAHarpClockBeatsEachSecond(t *testing.T) {
	for r, row := range playedRows(t, "harp-sync", device.Stage{ClockHz: 250e6}, 100) {
		s := mustDecode(t, device.DecodeHarpSync, row.sample)
		if row.tick != uint64(r)*250e6 || s.HarpTime() != uint32(3_000_001+r) || s.HubClock != 1e10+row.tick {
			t.Errorf("row %d at %d: %+v", r, row.tick, s)
		}
	}
}
