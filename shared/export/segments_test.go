//go:build !js

package export_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
)

// What is beside a flat file says where Clock begins anew, as the twins say it, and
// the rate is that inside batches, whatever becomes of the clock.
func TestAFlatFileSaysWhereClockBeginsAnew(t *testing.T) {
	list, err := fronts.Situations("../../testdata/field")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for i := range list {
		s := &list[i]
		if s.Segments == nil || s.ClockHz == 0 {
			continue
		}
		tried++
		r, err := recording.NewReader(bytes.NewReader(s.Data), int64(len(s.Data)))
		if err != nil {
			t.Fatal(err)
		}
		r.SetClock(s.ClockHz, time.Time{})
		x, err := r.Select(context.Background(), recording.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		layout, report, err := export.Bin(context.Background(), &bytes.Buffer{}, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []fronts.Segment
		for i, g := range layout.Segments {
			got = append(got, fronts.Segment{Start: g.Start, End: g.End, ClockFirst: g.First, ClockLast: g.Last})
			want := *s.RateHz
			if i < len(s.Segments) && s.Segments[i].RateHz != nil {
				want, got[i].RateHz = *s.Segments[i].RateHz, s.Segments[i].RateHz
			}
			if math.Abs(g.RateHz-want) > 1e-6 {
				t.Errorf("%s: a segment has %v rows a second, want %v", s.Name, g.RateHz, want)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(s.Segments) {
			t.Errorf("%s: segments %+v, want %+v", s.Name, got, s.Segments)
		}
		if rate := layout.ReadBinary.SamplingFrequency; rate == nil || math.Abs(*rate-*s.RateHz) > 1e-6 {
			t.Errorf("%s: sampled at %v", s.Name, rate)
		}
		var again testdata.Memory
		if arrow, _, err := export.Recording(context.Background(), &again, x, nil); err != nil || fmt.Sprint(arrow.Segments) != fmt.Sprint(report.Segments) {
			t.Errorf("%s: a recording again has the segments %v, %v", s.Name, arrow.Segments, err)
		}
		if csv, err := export.CSV(context.Background(), &bytes.Buffer{}, x, nil); err != nil || fmt.Sprint(csv.Segments) != fmt.Sprint(report.Segments) {
			t.Errorf("%s: CSV has the segments %v, %v", s.Name, csv.Segments, err)
		}
	}
	if tried < 8 {
		t.Errorf("%d situations", tried)
	}
}

// Segments of a part are rows of the output: of some columns' own rows, and of what
// was selected.
func TestSegmentsAreOfTheRowsThatAreWritten(t *testing.T) {
	data := fronts.Files()["restart"] // it begins anew at row 300; LfpData0 has a value in 4 rows
	tick := func(row int) uint64 { return fronts.FirstTick + fronts.Period*uint64(row) }
	for _, c := range []struct {
		name   string
		s      recording.Selection
		want   []export.Segment
		stride float64
	}{
		{"rows", recording.Selection{Rows: &recording.Range{Start: 250, End: 350}}, []export.Segment{{0, 50, tick(250), tick(299), 0}, {50, 100, tick(0), tick(49), 0}}, 1},
		{"rows of a slower signal", recording.Selection{Rows: &recording.Range{Start: 102, End: 600}, Columns: []string{"LfpData0"}, Unique: true},
			[]export.Segment{{0, 49, tick(104), tick(296), 0}, {49, 124, tick(0), tick(296), 0}}, 4},
		{"a segment", recording.Selection{Segment: 2}, []export.Segment{{0, 300, tick(0), tick(299), 0}}, 1},
	} {
		r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		x, err := r.Select(context.Background(), c.s)
		if err != nil {
			t.Fatal(err)
		}
		report, err := export.CSV(context.Background(), &bytes.Buffer{}, x, nil)
		for i := range c.want {
			c.want[i].RateHz = fronts.ClockHz / fronts.Period / c.stride
		}
		if err != nil || fmt.Sprint(report.Segments) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v, %v", c.name, report.Segments, c.want, err)
		}
	}
}
