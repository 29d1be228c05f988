package device

import (
	"testing"

	"github.com/oniscope/oniscope/hardware/oni"
)

func TestFirmwareWithKnownFaultsIsNamed(t *testing.T) {
	for _, c := range []struct {
		hub    uint8
		h      oni.Hub
		faults int
	}{
		{0, oni.Hub{ID: 1, Firmware: "2.2"}, 0},
		{0, oni.Hub{ID: 1, Firmware: "1.9"}, 1},
		{0, oni.Hub{ID: 1, Firmware: "3.0"}, 1},
		{0, oni.Hub{ID: 5, Firmware: "6.64"}, 0}, // no ONIX host: liboni's test driver
		{1, oni.Hub{ID: 3, Firmware: "1.4"}, 1},
		{2, oni.Hub{ID: 3, Firmware: "2.0"}, 0},
		{1, oni.Hub{ID: 2, Firmware: "1.0"}, 0},
		{1, oni.Hub{}, 0},
	} {
		if got := HubFaults(c.hub, c.h); len(got) != c.faults {
			t.Errorf("hub %d, %+v: %q", c.hub, c.h, got)
		}
	}
}

func TestEveryKindHasANameForItsIDs(t *testing.T) {
	for _, k := range Kinds() {
		for _, id := range k.IDs {
			if IDName(id) == "" {
				t.Errorf("%s: device ID %d has no name", k.Key, id)
			}
		}
	}
	if IDName(29) != "" || HubName(2) != "Headstage-64" {
		t.Errorf("%q, %q", IDName(29), HubName(2))
	}
}
