package rig

import (
	"reflect"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/sim"
)

func TestADraftIsARigFile(t *testing.T) {
	board, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := Draft{
		Driver: DriverRiffa, About: "FMC host 1.3, firmware 2.2", Table: board.Table(),
		Headstages: map[string]string{"b": device.HeadstageNeuropixelsV1e}, Notes: map[string]string{"b": "locks at 3.9 V"}, Serials: []string{"18194819542"},
	}
	text := d.Text()
	r, err := Parse("rig.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if err := r.Complete(); err != nil {
		t.Fatal(err)
	}
	if r.Driver != DriverRiffa || r.Pace != PaceRealTime || len(r.Ports) != 1 || r.Ports["b"].Headstage != device.HeadstageNeuropixelsV1e || r.Ports["b"].VoltageDV != 0 {
		t.Errorf("%+v from\n%s", r, text)
	}
	for _, kind := range device.Kinds() {
		key := kind.Key
		if kind.Place != device.OnHost {
			key = "port-b/" + key
		}
		if kind.Headstages != nil && kind.Key != device.HeadstageNeuropixelsV1e {
			if _, named := r.devices[key]; named {
				t.Errorf("%s is named, but is no device of the headstage", key)
			}
			continue
		}
		if got, named := r.devices[key]; named == kind.Optional || named && !reflect.DeepEqual(got.Settings, kind.Settings()) {
			t.Errorf("%s: named %v, %+v", key, named, got)
		}
		if kind.Optional && !strings.Contains(text, "  # "+key+": ") {
			t.Errorf("%s is not in a comment:\n%s", key, text)
		}
	}
	if !reflect.DeepEqual(r.Writer, DefaultWriter()) {
		t.Errorf("writer %+v", r.Writer)
	}
	for _, words := range []string{"FMC host 1.3, firmware 2.2", "# locks at 3.9 V", "18194819542"} {
		if !strings.Contains(text, words) {
			t.Errorf("%q is not in\n%s", words, text)
		}
	}
	if text := (Draft{Driver: DriverSim, Table: board.Table()}).Text(); strings.Contains(text, "\n  b:") || !strings.Contains(text, "\n  # a: {headstage: ") {
		t.Errorf("without headstages:\n%s", text)
	} else if _, err := Parse("rig.yaml", []byte(text)); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
}
