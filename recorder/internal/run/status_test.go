package run

import (
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// A shownStatus keeps what was shown last.
type shownStatus struct {
	seconds int64
	text    string
}

func (s *shownStatus) Show(seconds int64, text string) { s.seconds, s.text = seconds, text }
func (s *shownStatus) End()                            {}

func TestStatusNamesDropsAndSilentDevices(t *testing.T) {
	var shown shownStatus
	rec := &Run{o: Options{Status: &shown}, expected: map[string]bool{"heartbeat": true}}
	rec.summary = store.Summary{AcqClockHz: 1000, LastClock: 65_000,
		Devices: []store.DeviceSummary{{Name: "heartbeat", Frames: 100}, {Name: "digital-io"}},
		Streams: []store.StreamSummary{{Name: "heartbeat", Rows: 100, Bytes: 5e6}},
	}
	st := &status{rec: rec, last: time.Now().Add(-time.Second), heard: map[string]uint64{}}
	st.show()
	if line := shown.text; !strings.HasPrefix(line, "1m5s  100 rows  ") || !strings.Contains(line, "5.0 MB on disk  drops 0") {
		t.Errorf("got %q", line)
	}
	rec.summary.Devices[1].Dropped = 7
	st.show()
	if line := shown.text; !strings.Contains(line, "DROPS heartbeat is silent, digital-io 7 frames") {
		t.Errorf("got %q", line)
	}
}
