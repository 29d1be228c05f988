package acquire

import (
	"errors"
	"testing"

	"github.com/oniscope/oniscope/hardware/sim"
)

func TestAStreamThatFailsLeavesTheOthersAlone(t *testing.T) {
	for _, buffered := range []bool{true, false} {
		d := &disk{prepare: func(m *memory) {
			if m.stream.Name == "heartbeat" {
				m.failAt = 2
			}
		}}
		c := config(t, simulator(t, sim.Config{}), d, 3)
		for i := range c.Devices {
			c.Devices[i].Buffered = buffered
		}
		s, _, err := record(t, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Status().Streams {
			switch f.Name {
			case "heartbeat":
				if !errors.Is(f.Err, errDiskFull) || f.Rows != 100 || f.DroppedRows != 200 {
					t.Errorf("buffered %v: heartbeat %+v, want 100 rows, 200 dropped", buffered, f)
				}
			default:
				if f.Err != nil || f.DroppedRows != 0 {
					t.Errorf("buffered %v: %+v", buffered, f)
				}
			}
		}
	}
}

func TestAFileThatCannotBeMadeIsCounted(t *testing.T) {
	d := &disk{refuse: "memory-monitor"}
	s, _, err := record(t, config(t, simulator(t, sim.Config{}), d, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Status().Streams {
		if f.Name == "memory-monitor" && (f.DroppedRows != 10 || !errors.Is(f.Err, errDiskFull)) {
			t.Errorf("got %+v", f)
		}
	}
}

func TestAnAcquisitionWithoutAnyFileLeftEnds(t *testing.T) {
	d := &disk{prepare: func(m *memory) { m.failAt = 1 }}
	c := config(t, simulator(t, sim.Config{}), d, 0)
	_, reached, err := record(t, c) // without a duration only the failures end it
	if reached || err != nil {
		t.Errorf("reached %v, %v", reached, err)
	}
}
