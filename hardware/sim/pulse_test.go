package sim_test

import (
	"slices"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/sim"
)

// A pulse is channel 0 at its highest code for 2 ms, and nothing else of the rows
// is another; whoever is called hears of each once, at the clock of its first row.
func TestPulsesAreWhereTheyAreSaid(t *testing.T) {
	const every, until = sim.ClockHz / 10, sim.ClockHz / 4
	var said []uint64
	with, err := sim.New(sim.Config{Ports: [2]string{device.HeadstageNeuropixelsV1e}, PulseTicks: every, Pulsed: func(ticks uint64) { said = append(said, ticks) }})
	if err != nil {
		t.Fatal(err)
	}
	without, err := sim.New(sim.Config{Ports: [2]string{device.HeadstageNeuropixelsV1e}})
	if err != nil {
		t.Fatal(err)
	}
	if with.Start() != nil || without.Start() != nil {
		t.Fatal("not started")
	}
	marked, plain := take(t, with, until, nil)[probeName], take(t, without, until, nil)[probeName]
	clocks, data := marked.column(t, "Clock")
	c, values := marked.column(t, "SpikeData0")
	_, before := plain.column(t, "SpikeData0")
	var began []uint64
	rows := 0
	for r := range marked.out.Rows {
		v := number(c, values, r)
		if v == number(c, before, r) {
			continue
		}
		if v != 1023 {
			t.Fatalf("row %d is %d", r, v)
		}
		if rows++; len(began) == 0 || uint64(number(clocks, data, r))-began[len(began)-1] > every/2 {
			began = append(began, uint64(number(clocks, data, r)))
		}
	}
	if len(began) != 2 || !slices.Equal(began, said) || rows < 2*59 || rows > 2*60 {
		t.Errorf("%d rows of pulses that begin at %v; said were %v", rows, began, said)
	}
	for _, name := range []string{"Clock", "SpikeData1", "LfpData0"} {
		_, a := marked.column(t, name)
		_, b := plain.column(t, name)
		if !slices.Equal(a, b) {
			t.Errorf("%s is another", name)
		}
	}
}
