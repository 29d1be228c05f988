package device_test

import (
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
)

func FuzzDecodePortStatus(f *testing.F) {
	fuzzDecoder(f, "status", "PortStatus.bin", knownBy(f, "status").dev, roundTrip(device.DecodePortStatus))
}

// TestALinkIsPlayedOnce is the formula of testdata/samples/README.md.
func TestALinkIsPlayedOnce(t *testing.T) {
	for linked, want := range map[bool]int{true: 1, false: 0} {
		rows := playedRows(t, "port-a/status", device.Stage{ClockHz: 250e6, Port: 1, Linked: linked}, 5)
		if len(rows) != want {
			t.Fatalf("linked %v: %d samples, want %d", linked, len(rows), want)
		}
		for _, r := range rows {
			if s := mustDecode(t, device.DecodePortStatus, r.sample); r.tick != 250_000 || s.Code != 3 || s.HubClock != 1e10+250_000 {
				t.Errorf("at %d: %+v", r.tick, s)
			}
		}
	}
}
