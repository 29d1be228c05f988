package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A gain that a person knows gives a signal its unit, in what is exported too;
// signals whose file states the scale, and others, take none.
func TestAGainGivesValuesAUnit(t *testing.T) {
	data := testdata.Foreign(t, "bonsai/new_NeuropixelsV1.arrow")
	e := &Engine{}
	info, err := e.Open(context.Background(), OpenArgs{"np", "np.arrow"}, bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	takes := func(info *StreamInfo) (names []string) {
		for _, g := range info.Groups {
			if g.TakesGain {
				names = append(names, g.Name)
			}
		}
		return names
	}
	if got := takes(info); strings.Join(got, " ") != "AP LFP" {
		t.Errorf("signals that take a gain: %v", got)
	}
	for _, gain := range []float64{500, 1000} { // a second time as well
		info, err = e.SetGain(GainArgs{"np", "AP", gain})
		if err != nil {
			t.Fatal(err)
		}
		if c := info.Columns[384]; c.Unit != "uV" || c.Scale != 1171.875/gain || c.Offset != 512 || c.Gain != gain {
			t.Errorf("gain %v: column %+v", gain, c)
		}
		if got := takes(info); len(got) != 2 {
			t.Errorf("after a gain was given, %v take one", got)
		}
	}
	if c := info.Columns[0]; c.Group != "LFP" || c.Scale != 0 {
		t.Errorf("LFP has a scale of its own: %+v", c)
	}
	export := func(physical bool) string {
		t.Helper()
		file := &testdata.Memory{}
		args := SliceArgs{Stream: "np", Columns: []json.RawMessage{json.RawMessage(`"SpikeData0"`)}, Format: "csv", Physical: physical}
		if _, err := e.Slice(context.Background(), args, file, nil, nil); err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(file.Data), "\n")[1]
	}
	raw, err := strconv.ParseFloat(strings.TrimSpace(export(false)), 64)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := strconv.ParseFloat(strings.TrimSpace(export(true)), 64); err != nil || math.Abs(got-1.171875*(raw-512)) > 1e-6 {
		t.Errorf("exported as %v uV (%v), raw %v", got, err, raw)
	}

	if info, err = e.SetGain(GainArgs{"np", "AP", 0}); err != nil || info.Columns[384].Scale != 0 {
		t.Errorf("taken back: %v, %+v", err, info.Columns[384])
	}
	for _, a := range []GainArgs{{"np", "AP", -1}, {"np", "AP", 1e9}, {"np", "Clock", 5}, {"nobody", "AP", 5}} {
		if _, err := e.SetGain(a); err == nil {
			t.Errorf("%+v was taken", a)
		}
	}

	if err := e.Close("np"); err != nil {
		t.Fatal(err)
	}
	written, _ := testdata.WriteRandom(t, stated(), recording.None, 1, 50)
	info, err = e.Open(context.Background(), OpenArgs{"ours", "ours.arrow"}, bytes.NewReader(written.Data), int64(len(written.Data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := takes(info); len(got) > 0 || info.Columns[0].Scale != 2.5 {
		t.Errorf("where the file states the scale (%v), %v take a gain", info.Columns[0].Scale, got)
	}
	if _, err := e.SetGain(GainArgs{"ours", "AP", 500}); err == nil {
		t.Error("a gain was taken where the file states the scale")
	}
}

// stated is a stream whose file says what its values mean.
func stated() *stream.Stream {
	return &stream.Stream{Name: "np", AcqClockHz: 250_000_000, Columns: []stream.Column{
		{Name: "SpikeData0", Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2, Unit: "uV", Scale: 2.5, Offset: 512},
		{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}}}
}
