package run

import (
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

func TestStatusNamesDropsAndSilentDevices(t *testing.T) {
	rec := &Run{expected: map[string]bool{"heartbeat": true}}
	summary := store.Summary{AcqClockHz: 1000, LastClock: 65_000,
		Devices: []store.DeviceSummary{{Name: "heartbeat", Frames: 100}, {Name: "digital-io"}},
		Streams: []store.StreamSummary{{Name: "heartbeat", Rows: 100, Bytes: 5e6}},
	}
	st := &status{rec: rec, last: time.Now().Add(-time.Second), heard: map[string]uint64{}}
	if _, line := st.line(&summary); !strings.HasPrefix(line, "1m5s  100 rows  ") || !strings.Contains(line, "5.0 MB on disk  drops 0") {
		t.Errorf("got %q", line)
	}
	summary.Devices[1].Dropped = 7
	if _, line := st.line(&summary); !strings.Contains(line, "DROPS heartbeat is silent, digital-io 7 frames") {
		t.Errorf("got %q", line)
	}
}
