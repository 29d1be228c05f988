package acquire

import (
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/shared/recording"
)

// TestOfTwoProbesBehindOneDeviceEachHasItsOwnGaps: one falls silent and comes
// back, then stops; the other has every row.
func TestOfTwoProbesBehindOneDeviceEachHasItsOwnGaps(t *testing.T) {
	if testing.Short() {
		t.Skip("counts the frames of eight seconds of a probe")
	}
	const headstage = "neuropixels-2.0e"
	inner, err := sim.New(sim.Config{Ports: [2]string{headstage}})
	if err != nil {
		t.Fatal(err)
	}
	src := &muted{Controller: inner}
	d := &disk{}
	c := Config{Source: src, AcqClockHz: sim.ClockHz, Open: d.open, Wait: true, DurationTicks: 4 * sim.ClockHz}
	table := inner.Table()
	for _, dev := range table {
		if dev.ID != device.IDPassthrough || dev.ReadSize == 0 {
			continue
		}
		hub, err := inner.Hub(dev.Address.Hub())
		if err != nil {
			t.Fatal(err)
		}
		c.Devices = append(c.Devices, Device{Device: dev, Buffered: true, Config: device.Config{AcqClockHz: sim.ClockHz, Hub: hub, Headstage: headstage, Table: table}})
		src.at = dev.Address
	}
	a, _, err := record(t, c)
	if err != nil {
		t.Fatal(err)
	}
	streams := a.Streams()
	if len(streams) != 2 {
		t.Fatalf("streams %v", streams)
	}
	whole, holed := d.files[streams[0].Name], d.files[streams[1].Name]
	rate := int64(RowRate(&streams[0]))
	if whole.rows < 4*rate-40 || len(whole.lost) > 0 {
		t.Errorf("%s: %d rows, lost %+v", streams[0].Name, whole.rows, whole.lost)
	}
	var lost int64
	gaps := d.gaps(t)
	for _, g := range gaps {
		if g.Device != streams[1].Name || g.Cause != recording.CauseLink {
			t.Errorf("gap %+v", g)
		}
		lost += g.Rows
	}
	if len(gaps) != 2 || holed.rows+lost < 4*rate-40 || holed.rows+lost > 4*rate+40 {
		t.Errorf("%s: %d rows, %d lost, gaps %+v", streams[1].Name, holed.rows, lost, gaps)
	}
	st := a.Status().Streams[1]
	if int64(st.MissingRows) != lost || a.Status().Streams[0].MissingRows != 0 {
		t.Errorf("status %+v", st)
	}
}

// A muted source leaves out the frames of the second probe from 1 s to 2 s, and
// from 3 s on.
type muted struct {
	oni.Controller
	at oni.Address
}

func (m *muted) ReadInto(f *oni.Frame) error {
	for {
		if err := m.Controller.ReadInto(f); err != nil || f.Address != m.at {
			return err
		}
		second := len(f.Data) > 8 && f.Data[8]&1 == 1 // the probe's index follows the hub clock
		if s := f.Clock / (sim.ClockHz / 2); !second || s < 2 || s >= 4 && s < 6 {
			return nil
		}
	}
}
