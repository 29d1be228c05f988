package acquire

import (
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/shared/recording"
)

func TestGapsAreCountedAndLocated(t *testing.T) {
	d := &disk{}
	src := simulator(t, sim.Config{Faults: []sim.Fault{{Kind: sim.Drop, At: sim.ClockHz, Address: 0, Count: 3}}})
	s, _, err := record(t, config(t, src, d, 2))
	if err != nil {
		t.Fatal(err)
	}
	dev := s.Status().Devices[0]
	if dev.Lost != 3 || dev.Dropped != 0 || len(dev.Gaps) != 1 || dev.Gaps[0].Lost != 3 || dev.Gaps[0].Cause != recording.CauseLink {
		t.Errorf("got %+v", dev)
	}
	// The beats at 1.00, 1.01 and 1.02 s are missing; L of a heartbeat is 40 to 55 ticks.
	records := d.gaps(t)
	if len(records) != 1 || records[0].Device != "heartbeat" || records[0].Rows != 3 || records[0].Cause != recording.CauseLink ||
		records[0].FirstClock <= 247_500_000 || records[0].FirstClock > 250e6 || records[0].LastClock < 255e6 || records[0].LastClock >= 257_500_100 {
		t.Errorf("records %+v", records)
	}
	if lost := d.files["heartbeat"].lost; len(lost) != 1 || lost[0] != records[0].LostRows {
		t.Errorf("notes %+v", lost)
	}
}

// TestALongGapOfAProbeIsCountedOnce: its rows come in groups of twelve, so that the
// frame that shows the gap is no row yet; also where the probe's counter went
// round meanwhile.
func TestALongGapOfAProbeIsCountedOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("counts the frames of ten seconds of a probe")
	}
	for _, c := range []struct{ at, count uint64 }{{sim.ClockHz + 3*8334, 9001}, {sim.ClockHz + 7*8334, 91_003}} {
		d := &disk{}
		src := simulator(t, sim.Config{
			Signal: sim.Pattern, Ports: [2]string{device.HeadstageNeuropixelsV1e},
			Faults: []sim.Fault{{Kind: sim.Drop, At: c.at, Address: 8, Count: c.count}},
		})
		s, _, err := record(t, config(t, src, d, 2+float64(c.count)/30_000))
		if err != nil {
			t.Fatal(err)
		}
		records, probe := d.gaps(t), d.files["port-a-neuropixels-1.0e"]
		if len(records) != 1 || records[0].Rows != int64(c.count) || records[0].Cause != recording.CauseLink || len(probe.lost) != 1 {
			t.Errorf("%d frames from %d on: records %+v, notes %+v", c.count, c.at, records, probe.lost)
		}
		for _, f := range s.Status().Streams {
			if f.Name == "port-a-neuropixels-1.0e" && f.MissingRows != c.count {
				t.Errorf("%d rows are missing, want %d", f.MissingRows, c.count)
			}
		}
	}
}

func TestARunThatLostNothingHasNoStreamOfGaps(t *testing.T) {
	d := &disk{}
	s, _, err := record(t, config(t, simulator(t, sim.Config{}), d, 1))
	if err != nil {
		t.Fatal(err)
	}
	if d.files[recording.GapStreamName] != nil {
		t.Error("a stream of gaps without a gap")
	}
	for _, f := range s.Status().Streams {
		if f.Name == recording.GapStreamName {
			t.Errorf("%+v", f)
		}
	}
}
